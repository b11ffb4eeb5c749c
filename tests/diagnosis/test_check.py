"""The diagnosis names the mistakes of learners, and none where there is none."""

import itertools
import json

import numpy as np
import pytest
from sabotage import PAIRS, SINGLES
from sabotage.correct import KINDS

from chainrule import Network, check_gradient, cost_and_gradient, random_theta
from chainrule.diagnosis import MISTAKES
from chainrule.diagnosis.slips import SLIPS
from chainrule.notes.gradient_check import best_epsilon, compare, numerical_gradient


def diagnosis(entry):
    layers, hidden, output = entry.arguments["network"]
    known = {name: entry.arguments[name] for name in ("X", "Y", "lam")}
    network = Network(layers, hidden=hidden, output=output)
    report = check_gradient(entry.cost, entry.theta, network=network, **known)
    assert not report.ok
    return [finding.name for finding in report.diagnosis]


def test_single_mistakes_are_named():
    named = {entry.name: (entry.mistakes[0], diagnosis(entry)) for entry in SINGLES}
    at_once = [mistake == found[0] for mistake, found in named.values()]
    assert np.mean(at_once) >= 0.95, named
    late = {name: pair for name, pair in named.items() if pair[0] not in pair[1][:3]}
    assert not late


def test_of_pairs_both_are_named():
    both = [set(entry.mistakes) <= set(diagnosis(entry)[:4]) for entry in PAIRS]
    assert np.mean(both) >= 0.9


def false_alarms(kind, seeds):
    for seed in seeds:
        objective, theta, _ = KINDS[kind](seed)
        report = check_gradient(objective, theta)
        assert report.ok, f"seed {seed}: {report}"


@pytest.mark.parametrize("kind", KINDS)
def test_correct_code_raises_no_alarm(kind):
    false_alarms(kind, range(15))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_correct_code_raises_no_alarm_at_a_thousand_thetas(kind):
    false_alarms(kind, range(1000))


def test_every_slip_has_words_and_a_line_of_the_notes():
    assert {slip.name for slip in SLIPS} <= set(MISTAKES)
    assert all(words and note for words, note in MISTAKES.values())


# Without the data, the pattern speaks


NETWORK = Network((3, 4, 2))
THETA = random_theta(NETWORK, 1)
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(7, 3)), RNG.integers(0, 2, 7)
BIAS = np.concatenate([np.arange(16) < 4, np.arange(10) < 2])


def altered(change):
    def cost(theta):
        J, D = cost_and_gradient(NETWORK, theta, X, Y, lam=0.7)
        return J, change(theta, D)

    return cost


PATTERNS = {
    "sign": lambda theta, D: -D,
    "missing-1-over-m": lambda theta, D: 7 * D,
    "extra-1-over-m": lambda theta, D: D / 7,
    "wrong-factor": lambda theta, D: 1.3 * D,
    "lambda-forgotten": lambda theta, D: D - 0.1 * np.where(BIAS, 0, theta),
    "lambda-factor": lambda theta, D: D + 0.1 * np.where(BIAS, 0, theta),
    "bias-regularised": lambda theta, D: D + 0.1 * np.where(BIAS, theta, 0),
}


@pytest.mark.parametrize("name", PATTERNS)
@pytest.mark.parametrize("network", [NETWORK, None], ids=["network", "nothing"])
def test_the_pattern_alone_speaks(name, network):
    report = check_gradient(altered(PATTERNS[name]), THETA, network=network)
    assert report.diagnosis[0].name == name, report


def test_the_outputs_factor_needs_only_the_network():
    report = check_gradient(altered(lambda theta, D: 2 * D), THETA, network=NETWORK)
    assert report.diagnosis[0].name == "outputs-factor"


def test_scikit_learns_gradient_of_several_outputs():
    """scikit-learn #8349: its squared error is a mean over the outputs, its gradient a sum."""
    from sklearn.neural_network import MLPRegressor

    rng = np.random.default_rng(3)
    X, Y = rng.normal(size=(20, 3)), rng.normal(size=(20, 4))
    mlp = MLPRegressor(
        hidden_layer_sizes=(5,), activation="tanh", alpha=0.3, solver="lbfgs", max_iter=1
    )
    with pytest.warns(match="converge"):
        mlp.fit(X, Y)
    units = [3, 5, 4]
    network = Network(units, hidden="tanh", output="identity")

    def order(theta):  # our flat vector's blocks are [bias row; weights], its all coefs first
        from chainrule.notes.theta import blocks

        parts = blocks(network, theta)
        return np.concatenate([p[1:].ravel() for p in parts] + [p[0] for p in parts])

    where = order(np.arange(network.size)).astype(int)

    def cost(theta):
        activations = [X, *[np.empty((20, n)) for n in units[1:]]]
        deltas = [np.empty_like(a) for a in activations[1:]]
        coef_grads = [np.empty((a, b)) for a, b in itertools.pairwise(units)]
        intercept_grads = [np.empty(n) for n in units[1:]]
        J, D = mlp._loss_grad_lbfgs(
            order(theta), X, Y, None, activations, deltas, coef_grads, intercept_grads
        )
        ours = np.empty_like(D)
        ours[where] = D
        return J, ours

    report = check_gradient(cost, random_theta(network), network=network, X=X, Y=Y, lam=0.3)
    assert report.diagnosis[0].name == "outputs-factor"
    assert "4 times" in report.diagnosis[0].evidence
    assert "K = 4" in report.diagnosis[0].evidence


# The checker itself


def cubic(n):
    """J = sum of c_i theta_i^3 / 6: its third derivatives are the c_i."""
    c = np.linspace(1, 3, n)

    def objective(theta):
        return float(c @ theta**3) / 6, c * theta**2 / 2

    return objective, c


def test_its_error_estimate_holds_where_third_derivatives_are_known():
    objective, c = cubic(8)
    theta = np.linspace(-1, 1, 8)
    for epsilon in (1e-1, 1e-2, 1e-3, 1e-4):
        num = numerical_gradient(objective, theta, epsilon)
        error = np.abs(num - objective(theta)[1]).max()
        report = compare(objective, theta, epsilon=epsilon)
        assert report.error_estimate >= 0.99 * np.abs(c * epsilon**2 / 6).max()
        assert error <= 2 * report.error_estimate
        assert report.error_estimate <= 1e-10 / epsilon + 1.1 * np.abs(c * epsilon**2 / 6).max()


def test_auto_epsilon_is_better_than_a_bad_one():
    objective = cubic(5)[0]
    theta = np.full(5, 0.5)
    epsilon = best_epsilon(objective, theta, np.random.default_rng(0))
    assert 1e-7 < epsilon < 1e-2
    assert check_gradient(objective, theta, epsilon="auto").ok


def test_auto_takes_the_complex_step_where_the_function_allows_it():
    objective, c = cubic(5)
    assert not check_gradient(objective, np.full(5, 0.5), epsilon="auto").complex_step  # float()

    def analytic(theta):
        return np.sum(c * theta**3) / 6, c * theta**2 / 2

    theta = np.linspace(0.5, 1, 5)
    report = check_gradient(analytic, theta, epsilon="auto")
    assert report.ok
    assert report.complex_step
    assert np.abs(report.D - report.numerical).max() < 1e-15
    assert "epsilon = 1e-20i" in str(report)
    assert not check_gradient(lambda theta: (analytic(theta)[0], -theta), theta, epsilon="auto").ok


@pytest.mark.parametrize("where", [0, 4567, 9999])
def test_one_wrong_component_of_ten_thousand_is_found(where):
    theta = np.random.default_rng(where).uniform(0.1, 1, 10_000)
    objective, _ = cubic(10_000)

    def wrong(theta):
        J, D = objective(theta)
        D[where] += 1e-2
        return J, D

    assert check_gradient(objective, theta).ok
    report = check_gradient(wrong, theta)
    assert not report.ok
    assert report.component == where


def test_of_a_million_parameters_the_guilty_layer_is_named_within_40_gradients():
    network = Network((1000, 800, 240, 10))
    assert network.size > 990_000
    theta = random_theta(network)
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(4, 1000)), rng.integers(0, 10, 4)
    guilty = 1000 * 800 + 800 + 5
    evals = []

    def wrong(theta):
        J, D = cost_and_gradient(network, theta, X, Y)
        D[guilty + 240 :: 7] *= 1.1
        evals.append(len(evals))
        return J, D

    report = compare(wrong, theta, network=network)
    assert not report.ok
    assert next(part.name for part in report.parts if not part.ok) == "Theta(2) weights"
    assert report.n_eval - 2 * np.log2(network.size) <= 40
    _J, D = wrong(theta)
    right = cost_and_gradient(network, theta, X, Y)[1]
    assert D[report.component] != right[report.component]


def test_a_large_theta_is_diagnosed_by_its_data():
    network = Network((60, 40, 5))
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(20, 60)), rng.integers(0, 5, 20)

    def cost(theta):
        J, D = cost_and_gradient(network, theta, X, Y, lam=0.7)
        return J, 20 * D

    data = {"X": X, "Y": Y, "lam": 0.7}
    report = check_gradient(cost, random_theta(network), network=network, **data)
    assert report.directions == 5
    assert report.diagnosis[0].name == "missing-1-over-m"


def test_a_kink_nearby_is_no_mistake():
    def objective(theta):
        return float(np.abs(theta - 3e-5).sum()), np.sign(theta - 3e-5)

    assert check_gradient(objective, np.array([0.0, 0.4])).ok


def test_the_report_is_also_json_and_html():
    report = check_gradient(altered(PATTERNS["sign"]), THETA, network=NETWORK)
    assert json.loads(report.to_json())["diagnosis"][0]["name"] == "sign"
    assert "<table>" in report._repr_html_()
    assert "<li><b>sign</b>" in report._repr_html_()
    assert "components 0 to 3" in str(report)  # without X and Y, nobody knows which part that is
