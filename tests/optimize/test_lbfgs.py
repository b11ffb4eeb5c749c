"""L-BFGS: round a bend, at any scale, with a limited memory."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from objectives import START, bowl, rosenbrock

from chainrule.optimize import lbfgs, minimize


def test_lbfgs_goes_round_the_bend_of_rosenbrocks_valley():
    result = minimize(rosenbrock, np.array([-1.2, 1.0]), max_iter=100)
    np.testing.assert_allclose(result.theta, [1, 1], atol=1e-5)
    assert result.n_eval < 80


def test_lbfgs_takes_slopes_of_any_size():
    steep = 1e14
    result = minimize(lambda t: (steep * bowl(t)[0], steep * bowl(t)[1]), START)
    np.testing.assert_allclose(result.theta, [1, 2, 3], atol=1e-4)


def test_the_two_loops_give_newtons_step_where_the_pairs_span_the_space():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(4, 4))
    A = A @ A.T + np.eye(4)
    theta = rng.normal(size=4)
    result = minimize(lambda t: (float(t @ A @ t) / 2, A @ t), theta, max_iter=50)
    np.testing.assert_allclose(result.theta, 0, atol=1e-5)
    assert result.n_iter < 20


@pytest.mark.parametrize("longer", [0.0, 1 / 3, 1.0])
def test_where_no_step_has_been_the_last_one_sets_the_length(longer):
    a, b, c = np.eye(3)
    first, last = (a, 7 * a, 7.0), (b, 5 * b + 5 * a, 5.0)
    p = lbfgs.direction(c, (first, last), longer)
    s_y_by_y_y, s_s_by_s_y = 5 / 50, 1 / 5
    between = s_y_by_y_y ** (1 - longer) * s_s_by_s_y**longer
    np.testing.assert_allclose(p, -between * c, rtol=1e-14)


@pytest.mark.parametrize("memory", [1, 3])
def test_lbfgs_remembers_no_more_than_it_is_told_to(memory):
    def bowl(theta):
        scale = np.arange(1.0, 21.0)
        return float(theta @ (scale * theta)), 2 * scale * theta

    result = minimize(bowl, np.ones(20), partial(lbfgs.steps, memory=memory), max_iter=8)
    assert len(result.state.pairs) == memory


@pytest.mark.parametrize("name", ["lbfgs", "cg"])
def test_a_state_whose_steps_describe_no_curvature_is_refused(name):
    state = minimize(rosenbrock, np.array([-1.2, 1.0]), name, max_iter=15).state
    assert minimize(rosenbrock, None, name, max_iter=3, state=state).n_iter == 3
    s, y, sy = state.pairs[0]
    for pair in ((s, y, 0.0), (s, y, -sy), (s, 0 * y, sy)):
        with pytest.raises(ValueError, match="steps along which D does not rise"):
            minimize(rosenbrock, None, name, state=replace(state, pairs=(pair,)))
