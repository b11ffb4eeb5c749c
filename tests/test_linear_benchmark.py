"""The command of the benchmarks that trains on real tables: its judgement, and one small table."""

import numpy as np
import pytest
from benchmarks import linear


@pytest.mark.parametrize(
    ("gains", "word"),
    [
        ([0.05, 0.06, 0.05, 0.04, 0.05], "better"),
        ([-0.05, -0.06, -0.05, -0.04, -0.05], "worse"),
        ([-0.01, 0.01, -0.02, 0.01, -0.01], "as good"),
    ],
)
def test_a_difference_counts_beyond_its_noise(gains, word):
    noise, found = linear.verdict(np.array(gains))
    assert (found, noise > 0) == (word, True)


def test_what_a_refusal_says_is_typed(tmp_path):
    rng = np.random.default_rng(0)
    lines = [f"{i},{a},{a * a}" for i, a in enumerate(rng.normal(size=80).round(3))]
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["nr,a,y", *lines]))
    options = linear.options_for(path, "y")
    assert options == {"drop": ["nr"]}
    network, ridge, seconds = linear.compare(path, "y", options, seed=0)
    assert network > 0.9 > ridge
    assert seconds > 0
