"""Files by their path or as a stream."""

import errno
import io
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.common import files
from chainrule.common.files import (
    clear_litter,
    name_of,
    read_bytes,
    reason,
    try_to_write,
    write_atomically,
    write_whole,
)


def test_a_path_and_a_stream_give_the_same_bytes(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"abc")
    with path.open("rb") as stream:
        assert read_bytes(path) == read_bytes(str(path)) == read_bytes(stream) == b"abc"


def test_errors_call_a_stream_by_its_name():
    stream = io.BytesIO()
    assert name_of(stream) == "<stream>"
    stream.name = "upload.csv"
    assert name_of(stream) == "upload.csv"
    with open(os.open(os.devnull, os.O_RDONLY), "rb") as numbered:
        assert name_of(numbered) == "<stream>"
    assert name_of(Path("a.csv")) == name_of("a.csv") == "a.csv"


def test_the_reason_is_the_systems():
    with pytest.raises(OSError, match="No such file") as caught:
        read_bytes("absent")
    assert reason(caught.value) == "no such file or directory"
    assert reason(OSError("It is closed")) == "it is closed"


# Written wholly or not at all


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (".", "folder"),
        ("absent/a.png", "no such file"),
        ("a.txt/a.png", "not a directory"),
        ("a" * 300 + ".png", "file name too long"),
    ],
)
def test_what_cannot_be_written_is_known_before(tmp_path, name, why):
    (tmp_path / "a.txt").write_bytes(b"as it was")
    for write in (try_to_write, lambda path: write_atomically(path, b"")):
        with pytest.raises(OSError, match=f"(?i){why}"):
            write(tmp_path / name)
    try_to_write(tmp_path / "a.txt")
    try_to_write(tmp_path / "new.png")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [
        ("a.txt", b"as it was")
    ]


def test_a_library_that_fails_while_it_writes_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"the old one")

    def fails(file):
        file.write(b"half of")
        raise RuntimeError("out of ink")

    with pytest.raises(RuntimeError):
        write_whole(path, fails)
    assert path.read_bytes() == b"the old one"
    write_whole(path, lambda file: file.write(b"the new one"))
    assert path.read_bytes() == b"the new one"


def test_an_error_names_the_file_and_not_its_draft(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 1, OSError(errno.ENOSPC, "full")))
    with pytest.raises(OSError, match="full") as caught:
        write_atomically(path, b"abc")
    assert caught.value.filename == str(path)


def failing(call, number, error):
    """Return a function that does as another, but fails when it is called for the nth time."""
    calls = iter(range(1, 10**6))

    def fail(*given, **more):
        if next(calls) == number:
            raise error
        return call(*given, **more)

    return fail


class Failing:
    """A file, one of whose methods fails."""

    def __init__(self, file, method, error):
        self.file, self.method, self.error = file, method, error

    def __getattr__(self, name):
        found = getattr(self.file, name)
        return failing(found, 1, self.error) if name == self.method else found

    def __enter__(self):
        return self

    def __exit__(self, *given):
        self.file.close()
        if self.method == "close":
            raise self.error


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("at", ["open", "write", "flush", "fsync", "read", "replace", "close"])
def test_whatever_fails_the_old_or_the_new_file_is_there_and_no_litter(
    tmp_path, monkeypatch, at, error
):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    failure = OSError(error, os.strerror(error))
    if at in ("fsync", "replace"):
        monkeypatch.setattr(os, at, failing(getattr(os, at), 1, failure))
    elif at == "open":
        monkeypatch.setattr(files, "open", failing(open, 1, failure), raising=False)
    else:

        def opened(*given):
            return Failing(open(*given), at, failure)

        monkeypatch.setattr(files, "open", opened, raising=False)
    with pytest.raises(OSError, match=os.strerror(error)):
        write_atomically(path, b"new" * 10**6)
    assert path.read_bytes() == (b"new" * 10**6 if at == "close" else b"old")
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_file_that_reads_back_otherwise_is_not_taken(tmp_path, monkeypatch):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    monkeypatch.setattr(files, "_holds", lambda file, content: False)
    with pytest.raises(OSError, match="reads back otherwise"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", failing(os.fsync, 2, OSError(errno.EINVAL, "no")))
    write_atomically(tmp_path / "a.bin", b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"new"


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444])
def test_the_mode_of_a_file_stays(tmp_path, mode):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_atomically(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == mode


KILLED = """
import os, signal, sys
from chainrule.common import files
at, path = sys.argv[1:]
def kill(*given, **more): os.kill(os.getpid(), signal.SIGKILL)
setattr(files if at == "_holds" else os, at, kill)
files.write_atomically(path, b"new")
"""


@pytest.mark.parametrize("at", ["fsync", "_holds", "replace"])
def test_the_next_writing_clears_what_a_killed_process_left(tmp_path, at):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    (tmp_path / ".a.bin.backup.part").write_bytes(b"the user's")
    killed = subprocess.run([sys.executable, "-c", KILLED, at, path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    assert len(os.listdir(tmp_path)) == 3
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert sorted(os.listdir(tmp_path)) == [".a.bin.backup.part", "a.bin"]


def test_what_another_process_is_writing_is_no_litter(tmp_path):
    draft = tmp_path / ".a.bin.0123abcd.part"
    with open(draft, "xb") as file:
        files._lock(file)
        clear_litter(tmp_path / "a.bin")
        assert draft.exists()
    clear_litter(tmp_path / "a.bin")
    assert not draft.exists()


def test_a_name_as_long_as_a_folder_takes_can_be_written(tmp_path):
    path = tmp_path / ("n" * 255)
    write_atomically(path, b"new")
    assert os.listdir(tmp_path) == [path.name]


def test_where_there_are_no_locks_files_are_written_too(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LOCKS", False)
    (tmp_path / ".a.bin.0123abcd.part").write_bytes(b"litter")
    write_atomically(tmp_path / "a.bin", b"new")
    assert (tmp_path / "a.bin").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_a_large_file_keeps_the_old_one_s_mode_and_is_on_the_disk_first(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        work = getattr(os, name)
        monkeypatch.setattr(os, name, lambda *a, n=name, w=work: (done.append(n), w(*a))[1])
    path = tmp_path / "h.npy"
    path.write_bytes(b"old")
    path.chmod(0o600)
    with files.drafted(path) as draft:
        draft.write_bytes(b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert done[:2] == ["fsync", "replace"]
