"""Vectors of numbers, text and dates, and the words for where a value stands."""

import numpy as np
import pytest

from chainrule.datasets.vectors import (
    Place,
    absences,
    as_labels,
    as_text,
    text_among_numbers,
    without,
)

NUMBERS = np.array([1.5, np.nan, -999.0])
TEXT = np.array(["x", None, "-999"], dtype=object)
DATES = np.array(["2024-02-29", "NaT", "2025-01-01"], dtype="datetime64[s]")


@pytest.mark.parametrize("vector", [NUMBERS, TEXT, DATES])
def test_what_is_absent(vector):
    np.testing.assert_array_equal(absences(vector), [False, True, False])
    gone = [False, True, vector is not DATES]
    np.testing.assert_array_equal(absences(without(vector, ["-999"])), gone)


def test_text_and_labels_are_plain():
    assert as_text(NUMBERS) == ["1.5", None, "-999"]
    assert as_text(DATES) == ["2024-02-29 00:00:00", None, "2025-01-01 00:00:00"]
    assert as_labels(np.array([3.0, 1.0])) == [3, 1]


@pytest.mark.parametrize(
    ("vector", "shown"),
    [
        (np.array([0.0, 7.0, 0.0]), "7"),
        (np.array([0, 7, 0], dtype=np.uint8), "7"),
        (np.array([0, 0.5, 0], dtype=np.float32), "0.5"),
        (np.array([0, -np.inf, 0]), "-inf"),
        (np.array(["a", "it's", "b"], dtype=object), '"it\'s"'),
        (DATES[[0, 2, 0]], "2025-01-01T00:00:00"),
    ],
)
def test_a_value_is_shown_as_it_would_be_typed(vector, shown):
    place = Place("t.csv", "a", np.array([3, 5, 9]))
    assert place.value(vector, [False, True, True]) == f"{shown} in data row 5"


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["1", None, "2", "x"], "data row 4 has 'x' where most have numbers"),
        ([None, None, None, "C85"], None),  # an empty cell is no number
        ([None, "1", "C85", "E46"], None),
        (["1", None, "2"], None),
    ],
)
def test_a_text_is_odd_where_most_of_what_is_told_are_numbers(cells, told):
    place = Place("t.csv", "a", np.arange(1, len(cells) + 1))
    assert text_among_numbers(np.array(cells, dtype=object), place) == told
