"""The benchmark of tables: its scores, its report, and its methods that need no peer."""

import numpy as np
import pandas as pd
import pytest
from benchmarks import tables


def frame(m=60):
    rng = np.random.default_rng(0)
    a, kind = rng.normal(size=m), rng.choice(["x", "y", "z"], m).astype(object)
    kind[3] = None
    return pd.DataFrame({"a": a, "kind": kind}), ((a > 0) ^ (kind == "x")).astype(int)


def test_scores_of_classes():
    p = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.3, 0.7]])
    found = tables.scores_of_classes(p, np.array([0, 1, 1, 0]))
    logs = np.log([0.9, 0.8, 0.6, 0.3])
    assert found["loss"] == pytest.approx(-logs.mean())
    assert found["error"] == 0.25
    assert found["auc"] == pytest.approx(0.75)
    assert found["ece"] == pytest.approx((0.1 + 0.2 + 0.4 + 0.7) / 4)


@pytest.mark.parametrize(
    "method", ["our plain MLP", "scikit-learn's MLP", "hist boosting", tables.OURS]
)
@pytest.mark.filterwarnings("ignore")  # of training that ends early
def test_methods_take_text_with_gaps(method):
    X, y = frame()
    found = tables.measured(method, X, y, True, 0)
    seconds = {"fit s", "fit cpu s", "predict s", "predict cpu s"}
    assert {"loss", "error", "auc", "ece"} | seconds == set(found)
    found = tables.measured(method, X, y + X["a"].to_numpy(), False, 0)
    assert np.isfinite(found["loss"])
    assert ("covered" in found) == (method == tables.OURS)


def test_the_report_compares_what_both_have_done():
    results = [
        {"method": method, "table": table, "split": split, "loss": loss, "fit s": 1, "predict s": 1}
        for method, table, split, loss in (
            (tables.OURS, "one", 0, 0.5), ("CatBoost", "one", 0, 1.0),
            (tables.OURS, "one", 1, 0.1),  # of which CatBoost knows nothing yet
            (tables.OURS, "two", 0, 0.4), ("CatBoost", "two", 0, 0.2),
        )
    ]  # fmt: skip
    text = tables.report(results, {"one": "first", "two": "other"})
    assert "| CatBoost | 2 | 1.000 (0.65 to 1.85) | 0.500 (0.50 to 0.50) | 2.000" in text
    assert "| two | other | 0.4000 | **0.2000** |" in text
    axes = tables.drawing(results, {"one": "first", "two": "other"}).axes[0]
    ours = next(line for line in axes.lines if line.get_label() == tables.OURS)
    assert ours.get_xdata() == pytest.approx([0.5, 2.0])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["one", "two *"]


@pytest.mark.parametrize("part", tables.WITHOUT)
def test_each_part_can_be_left_out(part):
    X, y = frame()
    found = tables.measured_without(part, X, y, True, 0)
    assert np.isfinite(found["loss"])


def test_gains_are_told_for_what_both_have_done():
    results = [
        {"method": method, "table": "one", "split": split, "loss": loss, "fit cpu s": 2 * loss}
        for method, split, loss in ((tables.OURS, 0, 0.5), ("pieces", 0, 1.0), ("pieces", 1, 9.0))
    ]
    assert "| pieces | 1 | 2.000 (2.00 to 2.00) | 2.000" in tables.gains(results)
