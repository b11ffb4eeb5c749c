"""The coverage of prediction intervals, where the truth is known."""

import numpy as np
import pytest

from chainrule import Network, train
from chainrule.engine.rows import Rows
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.training.objective import TrainingObjective

NORMAL_90 = 1.6448536269514722


def line(X):
    return 1 + 2 * X[:, 0]


def sine(X):
    return np.sin(2 * X[:, 0])


def step(X):
    return np.tanh(4 * X[:, 0])


def product(X):
    return X[:, 0] * X[:, 1]


def ridge(X):
    return np.sin(X[:, 0] + X[:, 1]) + 0.5 * X[:, 2]


PROBLEMS = {  # truth: inputs, hidden units, rows, noise
    line: (1, 2, 40, 0.5),
    sine: (1, 6, 60, 0.2),
    step: (1, 4, 50, 0.1),
    product: (2, 8, 150, 0.3),
    ridge: (3, 6, 150, 0.2),
}


def coverage(truth, repetitions, optimizer="br", outside=0.0):
    """Return the share of new y that 90 % intervals cover, and of the true f that the bands do."""
    inputs, units, m, noise = PROBLEMS[truth]
    network = Network((inputs, units, 1), hidden="tanh", output="identity")
    of_y, of_f = [], []
    for repetition in range(repetitions):
        rng = np.random.default_rng(repetition)
        X = rng.uniform(-2, 2, (m, inputs))
        y = truth(X) + noise * rng.normal(size=m)
        result = train(
            network, X, y, optimizer=optimizer, max_iter=150, seed=repetition, check=False
        )
        bars = ErrorBars.at(network, result.theta, X, y, result.state.lam)
        X_new = rng.uniform(-2, 2, (200, inputs)) + outside
        f = truth(X_new)
        h, band, std = (part[:, 0] for part in bars.predict(X_new))
        y_new = f + noise * rng.normal(size=200)
        of_y.append(np.mean(np.abs(y_new - h) <= NORMAL_90 * std))
        of_f.append(np.mean(np.abs(f - h) <= NORMAL_90 * band))
    return np.mean(of_y), np.mean(of_f)


@pytest.mark.parametrize("truth", PROBLEMS, ids=lambda truth: truth.__name__)
def test_nine_in_ten_new_y_fall_into_90_percent_intervals_quickly(truth):
    of_y, _ = coverage(truth, 8)
    assert 0.83 <= of_y <= 0.97  # 8 trainings: twice the tolerance of the long test


@pytest.mark.slow
@pytest.mark.parametrize("truth", PROBLEMS, ids=lambda truth: truth.__name__)
def test_nine_in_ten_new_y_fall_into_90_percent_intervals(truth):
    of_y, _ = coverage(truth, 200)
    assert 0.85 <= of_y <= 0.95


def test_outside_the_training_sets_range_the_intervals_are_no_guide():
    of_y, of_f = coverage(product, 8, outside=3.0)
    assert of_y < 0.6
    assert of_f < 0.6


def test_a_linear_network_gives_the_textbooks_intervals():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    y = X @ [1.0, -2.0] + 3 + rng.normal(size=30)
    A = np.c_[np.ones(30), X]
    theta = np.linalg.lstsq(A, y, rcond=None)[0]
    bars = ErrorBars.at(Network((2, 1), output="identity"), theta, X, y)
    variance = np.sum((y - A @ theta) ** 2) / (30 - 3)
    assert bars.gamma == pytest.approx(3)
    assert bars.variance == pytest.approx(variance)
    new = np.array([[0.5, -1.0], [4.0, 4.0]])
    h, band, std = bars.predict(new)
    g = np.c_[np.ones(2), new]
    f_variance = variance * np.einsum("ij,jk,ik->i", g, np.linalg.inv(A.T @ A), g)
    np.testing.assert_allclose(h[:, 0], g @ theta)
    np.testing.assert_allclose(band[:, 0] ** 2, f_variance)
    np.testing.assert_allclose(std[:, 0] ** 2, f_variance + variance)


def test_a_unit_that_nothing_feels_does_not_count():
    network = Network((1, 2, 1), hidden="relu", output="identity")
    theta = np.array([0.0, -9.0, 1.0, 0.0, 0.0, 1.0, 0.0])  # the second unit never switches on
    X = np.linspace(0.5, 1, 20)[:, None]
    bars = ErrorBars.at(network, theta, X, X[:, 0] + np.resize([0.1, -0.1], 20))
    assert bars.gamma == pytest.approx(2)
    assert bars.variance == pytest.approx(20 * 0.01 / 18)


def test_too_little_data_is_refused():
    network = Network((1, 3, 1), hidden="tanh", output="identity")
    X = np.linspace(-1, 1, 4)[:, None]
    theta = train(network, X, X[:, 0] ** 3, optimizer="lm", max_iter=5).theta
    with pytest.raises(ValueError, match="leaves nothing to estimate the noise from"):
        ErrorBars.at(network, theta, X, X[:, 0] ** 3)


def test_each_output_of_a_linear_network_has_the_textbooks_intervals():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    Y = X @ [[1.0, 2e3], [-2.0, 0.0]] + rng.normal(size=(40, 2)) * [0.1, 5e3]
    A = np.c_[np.ones(40), X]
    theta = np.linalg.lstsq(A, Y, rcond=None)[0]
    network, new = Network((2, 2), output="identity"), rng.normal(size=(5, 2))
    bars = ErrorBars.at(network, theta.ravel(), X, Y)
    _, band, std = bars.predict(new)
    for k in range(2):
        alone = ErrorBars.at(Network((2, 1), output="identity"), theta[:, k], X, Y[:, k])
        _, band_k, std_k = alone.predict(new)
        np.testing.assert_allclose(bars.noise[k], alone.variance)
        np.testing.assert_allclose(band[:, k], band_k[:, 0], rtol=1e-5)
        np.testing.assert_allclose(std[:, k], std_k[:, 0], rtol=1e-5)
    assert bars.gamma == pytest.approx(6)


def test_outputs_of_one_noise_have_the_intervals_of_one():
    rng = np.random.default_rng(1)
    X = rng.uniform(-2, 2, (80, 1))
    y = np.sin(X) + 0.1 * rng.normal(size=X.shape)
    network = Network((1, 2, 2), hidden="tanh", output="identity")
    Y = np.c_[y, -y]
    theta = train(network, X, Y, optimizer="lm", lam=0.01, max_iter=100).theta
    bars = ErrorBars.at(network, theta, X, Y, 0.01)
    np.testing.assert_allclose(bars.noise, bars.variance, rtol=1e-4)
    A = 80 * TrainingObjective(network, Rows(X, Y), 0.01).normal_equations(theta)[2]
    np.testing.assert_allclose(bars.root @ bars.root.T @ A, np.eye(10), atol=1e-3)


def test_intervals_do_not_depend_on_the_unit_of_y():
    rng = np.random.default_rng(2)
    X = rng.uniform(-2, 2, (60, 1))
    y = np.sin(X) + 0.1 * rng.normal(size=X.shape)
    network = Network((1, 4, 1), hidden="tanh", output="identity")
    theta = train(network, X, y, optimizer="lm", lam=0.01, max_iter=200).theta
    _, band, std = ErrorBars.at(network, theta, X, y, 0.01).predict(X)
    for unit in (1e-9, 1e9):
        last = theta.copy()
        last[8:] *= unit
        bars = ErrorBars.at(network, last, X, unit * y, [0.01 * unit**2, 0.01])
        np.testing.assert_allclose(bars.predict(X)[1], unit * band, rtol=1e-5)
        np.testing.assert_allclose(bars.predict(X)[2], unit * std, rtol=1e-5)


def test_targets_that_nobody_knows_leave_the_noise_of_the_others_alone():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(40, 2))
    Y = X @ [[1.0, 2.0], [-2.0, 0.0]] + rng.normal(size=(40, 2))
    network, known = Network((2, 2), output="identity"), np.arange(40) < 25
    A = np.c_[np.ones(40), X]
    theta = np.column_stack(
        [np.linalg.lstsq(A, Y[:, 0])[0], np.linalg.lstsq(A[known], Y[known, 1])[0]]
    )
    bars = ErrorBars.at(
        network, theta.ravel(), X, np.where(known[:, None] | [True, False], Y, np.nan)
    )
    alone = ErrorBars.at(Network((2, 1), output="identity"), theta[:, 1], X[known], Y[known, 1])
    assert bars.noise[1] == pytest.approx(alone.variance)
    np.testing.assert_allclose(bars.predict(X)[2][:, 1], alone.predict(X)[2][:, 0])
