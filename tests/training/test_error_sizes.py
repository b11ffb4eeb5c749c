"""How large errors are expected to be, from rows that were not learnt from."""

import numpy as np

from chainrule.training.error_sizes import error_sizes

RNG = np.random.default_rng(0)
X = RNG.normal(size=(800, 2))
WRONG = np.abs(RNG.normal(size=800)) * np.exp(1.5 * X[:, 0])
ROWS = np.arange(800)
SPLITS = [(ROWS[j != ROWS % 4], ROWS[j == ROWS % 4]) for j in range(4)]
Z = np.zeros(800)


def test_sizes_follow_the_errors():
    sizes, of_rows = error_sizes(X, Z, WRONG, SPLITS)
    assert np.corrcoef(np.log(sizes.at(X, Z)), X[:, 0])[0, 1] > 0.95
    assert np.corrcoef(of_rows, sizes.at(X, Z))[0, 1] > 0.95

    def contrast(errors):
        """Return how much larger the errors on the right are than those on the left."""
        left, right = (np.quantile(errors[side], 0.9) for side in (X[:, 0] < 0, X[:, 0] > 0))
        return right / left

    assert contrast(WRONG / of_rows) < contrast(WRONG) / 3


def test_a_rows_size_is_not_learnt_from_its_own_error():
    _, before = error_sizes(X, Z, WRONG, SPLITS)
    other = WRONG.copy()
    other[3] *= 100
    _, after = error_sizes(X, Z, other, SPLITS)
    same = ROWS % 4 == 3
    np.testing.assert_array_equal(before[same], after[same])
    assert not np.array_equal(before[~same], after[~same])


def test_what_is_predicted_counts():
    z = X[:, 1]
    sizes, _ = error_sizes(np.zeros((800, 1)), z, np.exp(z) * np.abs(RNG.normal(size=800)), SPLITS)
    low, high = sizes.at(np.zeros((2, 1)), np.array([-1.0, 1.0]))
    assert high > 2 * low


def test_rows_that_nobody_was_tried_on_have_no_say():
    later = [(ROWS[:200], ROWS[200:400]), (ROWS[:400], ROWS[400:800])]  # as in a series of times
    wrong = np.where(ROWS < 200, np.nan, WRONG)
    z = np.where(ROWS < 200, np.nan, Z)
    sizes, of_rows = error_sizes(X, z, wrong, later)
    assert np.isfinite(of_rows).all()
    assert np.corrcoef(np.log(sizes.at(X, Z)), X[:, 0])[0, 1] > 0.9


def test_no_errors_to_learn_from_give_one_size():
    wrong = np.where(ROWS < 400, np.nan, WRONG)
    sizes, of_rows = error_sizes(X, Z, wrong, [(ROWS[:400], ROWS[400:])] * 2)
    np.testing.assert_array_equal(of_rows, 1)
    np.testing.assert_array_equal(sizes.at(X, Z), 1)


def test_errors_of_nothing_are_sizes_of_nothing():
    sizes, _ = error_sizes(X, Z, np.zeros(800), SPLITS)
    assert np.isfinite(sizes.at(X, Z)).all()
    assert sizes.at(X, Z).max() < 1e-5
