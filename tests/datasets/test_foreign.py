"""Formats whose libraries may crash are read in a process of their own."""

import io
import struct
import subprocess
import threading
import zlib

import numpy as np
import polars as pl
import pytest
from scipy.io import savemat
from scipy.sparse import csc_matrix

from chainrule.common.checks import DataError
from chainrule.datasets import foreign, load, octave


def mat():
    """Return a mat file of a matrix, a cell array, a sparse matrix, a text and a struct."""
    file = io.BytesIO()
    cells, sparse = np.array([["ab", "c"]], dtype=object), csc_matrix(np.eye(3))
    savemat(file, {"X": np.eye(4, 3), "c": cells, "s": sparse, "t": "abc", "st": {"a": 1.0}})
    return file.getvalue()


def parquet(rows):
    file = io.BytesIO()
    pl.DataFrame({"a": pl.repeat(0, rows, eager=True), "y": range(rows)}).write_parquet(file)
    return file.getvalue()


def test_a_struct_is_its_fields():
    file = io.BytesIO()
    inner = {"X": np.eye(4, 3), "y": np.arange(4.0), "deep": {"z": 7.0}}
    savemat(file, {"y": np.ones(2), "data": inner})
    values = octave.values(file.getvalue(), "t.mat")
    assert {name: value.shape for name, value in values.items()} == {
        "y": (1, 2), "X": (4, 3), "data.y": (1, 4), "z": (1, 1),
    }  # fmt: skip


@pytest.mark.parametrize("bit", [4297, 4930, 5895])
def test_an_altered_mat_file_that_scipy_reads_beyond_its_end_is_one_line(bit):
    content = bytearray(mat())
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(DataError, match=r"^t\.mat: not a \.mat file that can be read \([^\n]*\)$"):
        octave.values(bytes(content), "t.mat")


def altered(content, old, new, compressed):
    """Return a mat file of one variable with a part of it replaced, compressed or not."""
    assert content.count(old) == 1
    body = content[128:].replace(old, new)
    if compressed:
        body = zlib.compress(body)
        body = struct.pack("<2I", 15, len(body)) + body
    return content[:128] + body


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("value", "shape", "claimed"),
    [
        (np.array([["ab", "c", "d"]], dtype=object), (1, 3), (1, 30_000_003)),
        (np.zeros((1, 5), [("a", object), ("b", object)]), (1, 5), (15_000_000, 1)),
        (np.array([""]), (0, 0), (1, 40_000_000)),
        (np.array([["ab", "c", "d"]], dtype=object), (1, 3), (-1, 3)),
        (np.array([["a", "c"]], dtype=object), (1, 2), (5_000, 5_000)),
    ],
    ids=["cell", "struct", "text", "negative", "inside"],
)
def test_a_mat_file_that_claims_more_than_it_holds_is_one_line(value, shape, claimed, compressed):
    file = io.BytesIO()
    savemat(file, {"v": {"inner": value} if shape == (1, 2) else value})
    old, new = (struct.pack("<2I2i", 5, 8, *sizes) for sizes in (shape, claimed))
    content = altered(file.getvalue(), old, new, compressed)
    with pytest.raises(DataError, match=r"\(a variable of it holds less than it claims\)$"):
        octave.values(content, "t.mat")


@pytest.mark.parametrize("version", ["4", "5"])
@pytest.mark.parametrize("compressed", [False, True])
def test_a_mat_file_may_be_compressed_a_thousand_times(version, compressed):
    file = io.BytesIO()
    values = {"X": np.zeros((4000, 784), np.uint8), "Z": np.zeros((400, 784)), "t": "a" * 99_999}
    if version == "5":
        cells = np.array([["a" * 1000] * 1000], dtype=object)
        rows = np.zeros((1, 2000), [("a", object), ("b", object)])
        empty = np.array([[]], dtype=object)
        sparse = csc_matrix(np.zeros((900, 900)))
        values |= {"c": cells, "s": sparse, "st": {"deep": {"u": cells}}, "r": rows, "e": empty}
    savemat(file, values, format=version, do_compression=compressed and version == "5")
    read = octave.values(file.getvalue(), "t.mat")
    assert read["X"].shape == (4000, 784)
    assert read["Z"].shape == (400, 784)
    assert str(read["t"].item()) == "a" * 99_999
    if version == "5":
        assert read["c"].shape == read["u"].shape == (1, 1000)
        assert read["s"].shape == (900, 900)


def test_a_file_that_needs_too_much_memory_is_one_line(monkeypatch):
    content = parquet(2_000_000)
    monkeypatch.setattr(foreign, "SPARE_MEMORY", 4 << 20)
    monkeypatch.setattr(foreign, "MEMORY_PER_BYTE", 0)
    with pytest.raises(DataError, match=r"t\.parquet: not a parquet file that can be read \("):
        load(io.BytesIO(content), name="t.parquet")


def test_a_file_that_takes_too_long_is_one_line(monkeypatch):
    monkeypatch.setattr(foreign, "SPARE_SECONDS", 0)
    with pytest.raises(foreign.Unreadable, match="took longer than 0 s"):
        foreign.read("mat", mat())


def test_a_refusal_is_told_in_the_library_s_words():
    with pytest.raises(foreign.Unreadable, match=r"^Unknown mat file type"):
        foreign.read("mat", b"x" * 200)


def test_files_are_read_in_threads_and_inside_programs_without_an_interpreter(monkeypatch):
    content, found = parquet(50), []
    read = lambda: found.append(load(io.BytesIO(content)).Y.tolist())  # noqa: E731
    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    monkeypatch.setattr("sys.executable", "")
    read()
    assert found[0] == found[1] == found[2]


def test_without_threads_a_file_is_read_by_a_process_all_the_same(no_threads):
    content = parquet(50)
    assert foreign.read("parquet", content)[0] is None
    with pytest.raises(foreign.Unreadable, match="parquet"):
        foreign.read("parquet", content[:-9])


def test_where_no_process_can_be_started_a_file_is_read_here(monkeypatch):
    def start(*given, **more):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    content, altered = mat(), mat()[:-9]
    meant = foreign.read("mat", content)
    monkeypatch.setattr(subprocess, "Popen", start)
    assert foreign.read("mat", content) == meant
    with pytest.raises(foreign.Unreadable):
        foreign.read("mat", altered)


def test_a_v7_3_file_cannot_read_other_files(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "t.mat", "w") as file:
        file["X"] = h5py.ExternalLink("other.mat", "/X")
    with pytest.raises(DataError, match="it refers to other files"):
        octave.read(tmp_path / "t.mat")
    with h5py.File(tmp_path / "t.mat", "w") as file:
        file.create_dataset("X", (4,), "u1", external=[("/etc/hostname", 0, 4)])
    with pytest.raises(DataError, match="it refers to other files"):
        octave.read(tmp_path / "t.mat")


def test_ctrl_c_ends_the_process_that_reads(monkeypatch):
    started = []

    def interrupted(process, *given, **more):
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        foreign.read("mat", mat())
    assert started[0].returncode == -9
