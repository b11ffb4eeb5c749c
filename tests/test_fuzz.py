"""Altered files are read or refused; the fuzzer notices where they are not."""

import os
import subprocess
import sys
from pathlib import Path

import fuzz
import pytest

CORPUS = sorted((Path(__file__).parent / "corpus").iterdir())


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_files_that_once_crashed_are_read_or_refused(path):
    assert fuzz.read(path.name.partition("-")[0], path.read_bytes()) in (fuzz.READ, fuzz.REFUSED)


@pytest.mark.parametrize(
    ("failing", "outcome"),
    [
        (os.abort, "crash"),
        (lambda: {}[1], "traceback"),
        (lambda: b"x" * (1 << 29), "memory"),
        (lambda: sum(range(1 << 60)), "hang"),
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
