"""First passes: what is asked of a table before it is trained on, summed in blocks."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from chainrule.common.checks import DataError
from chainrule.datasets.scaling import Scaling
from chainrule.engine import passes
from chainrule.engine.blocks import Arrays

rng = np.random.default_rng(0)
X = rng.normal(3, 2, size=(900, 4)).astype(np.float32)
y = rng.normal(size=900)


@pytest.fixture
def short(monkeypatch):
    """Blocks of 100 rows."""
    monkeypatch.setattr(passes, "block_rows", lambda n, K, dtype: 100)


def assert_scaling(found, expected, rtol=1e-12):
    np.testing.assert_allclose(found.mean, expected.mean, rtol=rtol)
    np.testing.assert_allclose(found.scale, expected.scale, rtol=rtol)


def test_one_block_is_scaled_to_the_bit_as_in_memory():
    assert_scaling(passes.input_scaling(Arrays(X, y)), Scaling.fit(X), rtol=0)
    assert_scaling(passes.target_scaling(Arrays(X, y)), Scaling.fit(y), rtol=0)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("gaps", [False, True])
def test_blocks_are_scaled_as_in_memory(short, weighted, gaps):
    values = np.where(rng.random(X.shape) < 0.1, np.nan, X) if gaps else X
    weights = rng.integers(0, 3, 900).astype(float) if weighted else None
    found = passes.input_scaling(Arrays(values, y, weights))
    assert_scaling(found, Scaling.fit(values, weights))


def test_a_constant_column_has_scale_1(short):
    constant = np.full((900, 1), 1e6 + 0.1)
    assert passes.input_scaling(Arrays(constant)).scale == 1


def test_sparse_rows_are_scaled_as_dense_ones(short):
    thin = np.where(X > 5, X, 0)
    assert_scaling(passes.input_scaling(Arrays(csr_array(thin))), Scaling.fit(thin))


@pytest.mark.parametrize(
    ("targets", "in_order"),
    [
        (np.repeat([0, 1, 2], 300), True),
        (np.tile([0, 1, 2], 300), False),
        (rng.integers(0, 3, 900), False),
        (np.repeat(np.arange(90) % 3, 10), False),  # runs shorter than a block
        (np.r_[np.zeros(450, int), rng.integers(0, 2, 450)], True),
        (np.sort(y), True),
        (1e9 + np.sort(y), True),
        (y, False),
        (np.zeros(900), False),
        (np.column_stack([y, np.sort(y)]), True),
        (np.where(rng.random((900, 2)) < 0.4, np.nan, np.sort(y)[:, None]), True),
        (np.where(rng.random((900, 2)) < 0.4, np.nan, y[:, None]), False),
        (np.column_stack([y, np.full(900, np.nan)]), False),
        (np.eye(3)[np.repeat([0, 1, 2], 300)], True),
    ],
)
def test_rows_in_the_order_of_their_targets_are_told(short, targets, in_order):
    assert passes.targets(Arrays(X, targets)).in_order == in_order
    if targets.dtype.kind == "i":
        assert passes.targets(Arrays(X, targets), K=3).in_order == in_order


def test_targets_are_counted(short):
    assert passes.targets(Arrays(X, np.repeat([2, 0], [600, 300]))).counts == {0: 300, 2: 600}
    assert passes.targets(Arrays(X, np.repeat([2.5, 0], [600, 300]))).counts == {0: 300, 2.5: 600}
    assert passes.targets(Arrays(np.zeros((5000, 4)), rng.normal(size=5000))).counts is None
    assert len(passes.targets(Arrays(X, np.arange(900))).counts) == 900


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("X", r"X has inf in row 777, column 2"),
        ("y", r"y has nan in position 777|y has nan in row 777"),
        ("weights", r"weights has inf"),
    ],
)
def test_what_is_no_finite_number_is_named(short, name, message):
    parts = {"X": X.copy(), "y": y.copy(), "weights": np.ones(900)}
    passes.refuse_non_finite(Arrays(**parts))
    parts[name][(777, 2) if name == "X" else 777] = np.nan if name == "y" else np.inf
    with pytest.raises(DataError, match=message):
        passes.refuse_non_finite(Arrays(**parts))


def test_progress_ends_with_the_table(short):
    told = []
    passes.input_scaling(Arrays(X), told.append)
    assert told == sorted(told)
    assert told[-1] == 1
