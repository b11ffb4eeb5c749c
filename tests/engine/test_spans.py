"""Bytes of files, plain or packed, are read at any place, by many at once."""

import gzip
import os
import pickle
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.common.checks import DataError
from chainrule.engine.readers import spans
from chainrule.engine.readers.spans import Packed, Plain

TEXT = np.random.default_rng(0).integers(0, 40, 20_000).astype(np.uint8).tobytes()


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(spans, "PIECE", 300)
    monkeypatch.setattr(spans, "AT_ONCE", 700)
    monkeypatch.setattr(spans, "APART", 1500)


def raw(text):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(text) + packer.flush()


@pytest.fixture
def span(request, tmp_path):
    path = tmp_path / "file"
    content = {
        "plain": b"head" + TEXT,
        "gzip": gzip.compress(TEXT),
        "members of gzip": b"".join(
            gzip.compress(TEXT[k : k + 777]) for k in range(0, 20_000, 777)
        ),
        "zip": b"head" + raw(TEXT) + b"what follows in the archive",
    }[request.param]
    path.write_bytes(content)
    if request.param == "plain":
        return Plain(path, 4)
    return Packed(path, 4, raw=True) if request.param == "zip" else Packed(path)


KINDS = ["plain", "gzip", "members of gzip", "zip"]
every = pytest.mark.parametrize("span", KINDS, indirect=True)


@every
def test_any_places_in_any_order(span):
    rng = np.random.default_rng(1)
    for start, count in zip(rng.integers(0, 21_000, 60), rng.integers(0, 3000, 60), strict=True):
        assert span.read(start, count) == TEXT[start : start + count]
    assert span.read(0, 10**6) == TEXT
    assert span.read(20_000, 5) == b""


@every
def test_a_span_is_pickled_without_what_it_remembers(span):
    span.read(10_000, 10)
    again = pickle.loads(pickle.dumps(span))
    assert len(pickle.dumps(span)) < 500
    assert again.read(9_990, 100) == TEXT[9_990:10_090]


@every
def test_a_file_that_was_changed_is_refused(span):
    os.utime(span.state.path, (2e9, 2e9))
    with pytest.raises(DataError, match="was changed while it was in use"):
        span.read(0, 1)


def test_rows_in_their_order_are_unpacked_once(tmp_path, monkeypatch):
    path = tmp_path / "t.gz"
    path.write_bytes(gzip.compress(TEXT))
    span = Packed(path)
    unpacked = []
    real = zlib.decompressobj

    class Counting:
        def __init__(self, of):
            self.of = of

        def decompress(self, *args):
            text = self.of.decompress(*args)
            unpacked.append(len(text))
            return text

        def copy(self):
            return Counting(self.of.copy())

        def __getattr__(self, name):
            return getattr(self.of, name)

    monkeypatch.setattr(spans.zlib, "decompressobj", lambda *args: Counting(real(*args)))
    span = Packed(path)
    for start in range(0, 20_000, 1000):
        span.read(start, 1000)
    assert sum(unpacked) == 20_000
    span.read(15_000, 10)  # from the nearest place before it
    assert sum(unpacked) < 22_500


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(20, 3000), at=st.integers(0, 3000))
def test_a_damaged_file_is_an_error_or_its_bytes(tmp_path_factory, cut, at):
    text = TEXT[:6000]
    packed = bytearray(gzip.compress(text))
    path = tmp_path_factory.mktemp("damaged") / "t.gz"
    path.write_bytes(packed[: min(cut, len(packed) - 9)])
    with pytest.raises(DataError, match="damaged, it cannot be unpacked"):
        Packed(path).read(0, 6000)
    packed[10 + at % (len(packed) - 10)] ^= 255
    path.write_bytes(packed)
    try:
        found = Packed(path).read(0, 10_000_000)  # to the end, where the sum of all bytes stands
    except DataError as error:
        found = str(error)
    assert found == text or "damaged, it cannot be unpacked" in found
