"""The scratch folder: written once, shuffled over the whole table, and gone at the end."""

import os
import subprocess
import sys

import numpy as np
import pytest

from chainrule.common.checks import DataError
from chainrule.engine import spool
from chainrule.engine.spool import NAME, Spool, Spooled

M = 1000
X = np.arange(3 * M, dtype=np.float32).reshape(M, 3)
Y = np.arange(M) % 7


@pytest.fixture
def small(monkeypatch):
    """Pieces of a few rows, and buckets of some more."""
    monkeypatch.setattr(spool, "BYTES", 500)
    monkeypatch.setattr(spool, "BUCKET", 2000)


def filled(folder):
    """Return a spool that holds X and Y."""
    made = Spool(folder)
    blocks = [(X[:300], Y[:300]), (X[300:], Y[300:])]
    made.write(M, {"X": ((3,), X.dtype), "Y": ((), Y.dtype)}, blocks)
    return made


def test_arrays_are_read_as_they_were_written(tmp_path):
    with filled(tmp_path) as made:
        source = made.source("X", "Y")
        rows, codes, weights = source.read(200, 400)
        np.testing.assert_array_equal(rows, X[200:400])
        np.testing.assert_array_equal(codes, Y[200:400])
        assert (source.m, source.n, weights) == (M, 3, None)
        del rows, codes
    assert list(tmp_path.iterdir()) == []


def test_a_source_says_what_it_was_made_of(tmp_path):
    with filled(tmp_path) as made, filled(tmp_path) as other:
        assert made.source("X", state=("a",)).state() == other.source("X", state=("a",)).state()
        assert made.source("X").state() != other.source("X").state()
        assert isinstance(made.source("X"), Spooled)


def test_rows_are_taken_out_in_order(tmp_path, small):
    mask = np.random.default_rng(0).random(M) < 0.2
    with filled(tmp_path) as made:
        made.take_out({"X": "test-X", "Y": "test-Y"}, mask)
        for name, values in (("X", X), ("Y", Y)):
            np.testing.assert_array_equal(made.array(name), values[~mask])
            np.testing.assert_array_equal(made.array(f"test-{name}"), values[mask])
            header = np.load(made.path(name))
            assert header.shape == values[~mask].shape


@pytest.mark.parametrize("bucket", [300, 2000, 10**6])
def test_the_order_depends_on_seed_and_rows_alone(tmp_path, small, monkeypatch, bucket):
    monkeypatch.setattr(spool, "BUCKET", bucket)
    with filled(tmp_path) as made:
        made.shuffle(["X", "Y"], seed=3)
        order = np.argsort(spool.keys(3, 0, M))
        np.testing.assert_array_equal(made.array("X"), X[order])
        np.testing.assert_array_equal(made.array("Y"), Y[order])
        assert sorted(path.name for path in made.folder.iterdir()) == ["X.npy", "Y.npy"]


def test_rows_go_anywhere_in_the_table(tmp_path, small):
    with filled(tmp_path) as made:
        made.shuffle(["X"], seed=0)
        places = made.array("X")[:, 0] / 3
        assert sorted(places) == list(range(M))
        tenths = np.histogram2d(np.arange(M), places, bins=10)[0]  # 10 of each to each, by chance
        assert tenths.min() > 0
        assert tenths.max() < 25


def test_a_spool_too_large_for_the_disk_is_refused_before(tmp_path):
    with Spool(tmp_path) as made, pytest.raises(DataError, match=r"1\.2 EB|TB.*free there: name a"):
        made.refuse_no_room(10**18)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no full device")
def test_room_that_is_lost_midway_is_called_so(tmp_path, monkeypatch):
    monkeypatch.setattr("numpy.lib.format.write_array_header_1_0", lambda file, header: None)
    with Spool(tmp_path) as made:
        monkeypatch.setattr(made, "path", lambda name: "/dev/full")
        with pytest.raises(
            DataError, match=r"no space left on device.*another folder with --spool"
        ):
            made.write(9, {"X": ((10**6,), float)}, [(np.zeros((9, 10**6)),)])


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere: no scratch folder can be made there .*--spool"):
        Spool(tmp_path / "nowhere")


@pytest.mark.skipif(not spool.LOCKS, reason="the system has no locks on folders")
def test_what_a_killed_process_left_is_cleared_and_no_other(tmp_path):
    program = (
        "import os, signal, sys\n"
        "from chainrule.engine.spool import Spool\n"
        "spool = Spool(sys.argv[1])\n"
        "spool.path('X').write_bytes(b'123')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path], check=False)
    left = [path.name for path in tmp_path.iterdir()]
    assert len(left) == 1
    assert left[0].startswith(NAME)
    mine = tmp_path / "results"
    mine.mkdir()
    with Spool(tmp_path) as one, Spool(tmp_path) as other:
        assert {*tmp_path.iterdir()} == {one.folder, other.folder, mine}
    assert [*tmp_path.iterdir()] == [mine]


def test_a_folder_that_nobody_removes_goes_with_its_object(tmp_path):
    made = filled(tmp_path)
    assert made.folder.exists()
    del made
    assert list(tmp_path.iterdir()) == []


def test_the_command_s_folders_go_with_it(tmp_path):
    with spool.cleared():
        made = filled(tmp_path)
    assert not made.folder.exists()


def test_the_default_folder_is_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", os.fspath(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert spool.default_folder() == tmp_path
