"""Altered files are read or refused; the fuzzer notices where they are not."""

import os
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest

from chainrule.datasets import foreign

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_files_that_once_crashed_are_read_or_refused(path, capfd):
    assert fuzz.read(path.name.partition("-")[0], path.read_bytes()) in (fuzz.READ, fuzz.REFUSED)
    assert capfd.readouterr() == ("", "")  # libraries print there, past Python


@pytest.mark.parametrize(
    ("failing", "outcome"),
    [
        (os.abort, "crash"),
        (lambda: {}[1], "traceback"),
        (lambda: b"x" * (1 << 29), "memory"),
        (lambda: sum(range(1 << 60)), "hang"),
        (lambda: os.write(2, b"a library's words"), "traceback"),
    ],
)
def test_the_fuzzer_notices(monkeypatch, failing, outcome):
    def read(name, content):
        if content == b"original":
            return fuzz.READ
        try:
            failing()
        except MemoryError:
            return "memory"
        except KeyError as error:
            return f"traceback {error!r}"
        return fuzz.READ

    monkeypatch.setattr(fuzz, "read", read)
    monkeypatch.setattr(fuzz, "SECONDS", 1)
    monkeypatch.setattr(fuzz, "MEMORY", 1 << 30)
    count = fuzz.fuzz("csv", [b"original"], 3)
    assert count.outcomes[outcome] == len(count.failures) > 0
    for number, words in count.failures:
        assert words.startswith(outcome)
        assert fuzz.case("csv", [b"original"], number, 0) != b"original"


def test_ctrl_c_ends_it_with_the_counts_so_far():
    # In a process of its own, and late: a Ctrl-C as Python forks leaves the lock of logging taken,
    # and every thread of this process that logs would wait for ever
    code = """
import os, signal, time
import fuzz
def read(name, content):
    if content == b"original":
        return fuzz.READ
    time.sleep(0.5)
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(60)
fuzz.read = read
count = fuzz.fuzz("csv", [b"original"], 3)
print(count.interrupted, count.outcomes.total())
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(fuzz.__file__).parent)
    assert done.stdout == "True 0\n", done.stderr


@pytest.mark.parametrize("name", ["mat", "parquet"])
def test_a_fork_reads_what_a_process_of_its_own_reads(tmp_path, monkeypatch, name):
    whole = fuzz.of_libraries()[name][0]
    nursery = fuzz.Nursery(name, str(tmp_path))
    apart = foreign.read(name, whole)
    monkeypatch.setattr(foreign, "_run", nursery.run)
    facts, blobs = foreign.read(name, whole)
    assert nursery.ended["code"] == 0
    assert facts == apart[0]
    for blob, other in zip(blobs, apart[1], strict=True):
        assert blob == other
    nursery.process.communicate()


def test_a_reader_that_does_not_answer_is_told_apart(tmp_path, monkeypatch):
    nursery = fuzz.Nursery("mat", str(tmp_path))
    assert nursery.read("mat", b"no mat")[0] == fuzz.REFUSED
    monkeypatch.setattr(foreign, "WAITED", 1e-4)
    assert nursery.read("mat", fuzz.of_libraries()["mat"][0])[0] == fuzz.APART
    nursery.process.communicate()


def test_cases_are_made_from_their_numbers_alone():
    files = [b"a,b\n1,2\n"] * 2
    assert fuzz.case("csv", files, 7, 0) == fuzz.case("csv", files, 7, 0)
    assert len({fuzz.case("csv", files, number, 0) for number in range(50)}) > 30


@pytest.mark.slow
def test_altered_files_of_every_format_are_read_or_refused():
    # In a process of its own: Polars, once imported here, would hang in a fork
    command = [sys.executable, fuzz.__file__, "--mutations", "1000", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("1,000 ") >= 20
