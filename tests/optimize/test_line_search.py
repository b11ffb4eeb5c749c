"""The line search ends where it promises to."""

import numpy as np
import pytest

from chainrule.optimize import cg, lbfgs, line_search


@pytest.mark.parametrize("curvature", [lbfgs.CURVATURE, cg.CURVATURE])
@pytest.mark.parametrize("t", [1e-9, 1e-3, 1.0, 50.0])
def test_the_line_search_meets_the_strong_wolfe_conditions(t, curvature):
    def line(t):
        J, D = float(np.cos(t) - 0.1 * t), np.array([-np.sin(t) - 0.1])
        return line_search.Point(t, J, float(D[0]), D, np.array([t]))

    start = line(0.0)
    point, trials = line_search.wolfe(line, start, t, curvature)
    assert trials <= line_search.MAX_TRIALS
    assert start.J + line_search.SUFFICIENT_DECREASE * point.t * start.slope >= point.J
    assert abs(point.slope) <= curvature * abs(start.slope)


def test_a_line_that_only_falls_gives_the_lowest_trial_and_one_that_only_rises_none():
    def line(t, slope):
        return line_search.Point(t, slope * t, slope, np.ones(1), np.ones(1))

    start = line(0.0, -1.0)
    point, trials = line_search.wolfe(lambda t: line(t, -1.0), start, 1.0, 0.1)
    assert trials == line_search.MAX_TRIALS
    assert point.t > 1
    assert line_search.wolfe(lambda t: line(t, 1.0), start, 1.0, 0.1)[0] is None
