"""Files by their path or as a stream."""

import io
import os
from pathlib import Path

import pytest

from chainrule.common.files import name_of, read_bytes, reason


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
