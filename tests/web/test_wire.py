"""Messages between page and server."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.web.wire import MOST_HEADER, WireError, pack, unpack


def message(header, blocks=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(4, "little") + text + blocks


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1", "i4"])
def test_numbers_arrive_to_the_bit(dtype):
    values = np.arange(12).reshape(3, 4).astype(dtype)
    found = unpack(pack({"a": values.T, "b": values[:0], "c": "Θ"}))
    assert found["a"].dtype == dtype
    np.testing.assert_array_equal(found["a"], values.T)
    assert found["b"].shape == (0, 4)
    assert found["c"] == "Θ"


def test_what_is_not_finite_travels_in_arrays_alone():
    z = np.array([np.nan, np.inf, -0.0])
    assert unpack(pack({"z": z}))["z"].tobytes() == z.tobytes()
    with pytest.raises(ValueError, match="Out of range float"):
        pack({"z": float("nan")})
    with pytest.raises(WireError, match="no message"):
        unpack(message(b'{"plain": {"z": NaN}, "arrays": {}}'))


def test_an_array_that_no_browser_has_is_a_mistake():
    with pytest.raises(TypeError, match="no browser has arrays of int64"):
        pack({"a": np.arange(3)})


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\xff\xff\xff\xff",
        message({}),
        message([]),
        message({"plain": 1, "arrays": {}}),
        message({"plain": {}, "arrays": {"a": ["O", [1]]}}, b"12345678"),
        message({"plain": {}, "arrays": {"a": ["f4", [2]]}}, b"1234"),
        message({"plain": {}, "arrays": {"a": ["f4", [10**30]]}}, b"1234"),
        message({"plain": {}, "arrays": {"a": ["f4", [-1, -1]]}}, b"1234"),
        message({"plain": {}, "arrays": {"a": ["f4", [True]]}}, b"1234"),
        message({"plain": {}, "arrays": {"a": ["u1", [1] * 40]}}, b"1"),
        message({"plain": {}, "arrays": {"a": ["u1", [0, 10**30]]}}),
        message({"plain": {}, "arrays": {}}, b"left over"),
        message(b"[" * 60_000),
        message(b'{"plain": {}, "arrays": {}}' + b" " * MOST_HEADER),
        message(b"\xff\xfe"),
    ],
)
def test_bytes_that_are_no_message_are_refused_in_one_line(wrong):
    with pytest.raises(WireError) as caught:
        unpack(wrong)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(content):
    header = {"plain": {}, "arrays": {"a": ["u1", [len(content)]]}}
    assert unpack(message(header, content))["a"].tobytes() == content
    with pytest.raises(WireError):
        unpack(content)
