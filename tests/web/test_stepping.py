"""The Step view's answers are the notes' numbers, and those of `trace`."""

import numpy as np
import pytest
from asgi import ask, desk
from hypothesis import given, settings
from problems import problems

from chainrule import Network, random_theta, reshape, trace, unroll
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.handwriting.frames import fitted, inputs
from chainrule.handwriting.reading import shipped_model
from chainrule.model_file import Model
from chainrule.notes.backprop import accumulate, cost_and_gradient, forward
from chainrule.notes.regularisation import penalty
from chainrule.photos import normalise
from chainrule.photos.strokes import draw_digit
from chainrule.web.desk import Desk, Opened
from chainrule.web.stepping import CASES, step, step_cases, step_unit

LINEAR = CASES["linear"]
ARRAYS = ("theta", "X", "Y")


def asked(case, **changes):
    """Return a case as the page asks for it."""
    values = {name: case[name] for name in case if name not in ("J", "D")} | {"t": 1} | changes
    return {
        name: np.array(value, float) if name in ARRAYS else value for name, value in values.items()
    }


def test_the_notes_case_gives_the_digits_that_the_notes_print():
    assert ask(step_cases, desk())["cases"]["linear"] == LINEAR
    answer = ask(step, desk(), **asked(LINEAR, t=3))
    assert f"{answer['J'][0]:.6f}" == LINEAR["J"]
    assert [f"{D:.7f}" for D in answer["D"]] == LINEAR["D"]


@settings(max_examples=60, deadline=None)
@given(problems())
def test_each_example_of_a_random_network_is_its_trace(problem):
    network, theta, X, Y, lam = problem
    typed = {
        "layers": list(network.layers),
        "hidden": [g.name for g in network.activations],
        "output": network.cost.name,
        **{"theta": theta, "X": X, "Y": Y, "lam": lam, "alpha": 0.01},
    }
    J, D = cost_and_gradient(network, theta, X, Y, lam)
    before = np.zeros(network.size)
    for t in range(1, len(X) + 1):
        answer = ask(step, desk(), **typed, t=t)
        shown = trace(network, theta, X[t - 1], Y[t - 1], lam)
        for l in range(1, network.L + 1):
            np.testing.assert_array_equal(answer[f"a{l}"], shown.a[l - 1])
        for l in range(2, network.L + 1):
            np.testing.assert_array_equal(answer[f"z{l}"], shown.z[l - 2])
            np.testing.assert_array_equal(answer[f"delta{l}"], shown.delta[l - 2])
        for l in range(2, network.L):
            product = answer[f"back{l}"] * answer[f"slope{l}"]
            np.testing.assert_allclose(product, shown.delta[l - 2], rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(answer["before"], before, rtol=1e-12, atol=1e-12)
        before = answer["Delta"]
        np.testing.assert_array_equal(before, accumulate(network, theta, X[:t], Y[:t])[1])
        assert answer["costs"][t - 1] == shown.cost
    np.testing.assert_array_equal(answer["D"], D)
    np.testing.assert_array_equal(answer["after"], theta - 0.01 * D)
    assert answer["J"][0] == J
    total = answer["costs"].sum() + answer["penalty"]
    assert total / len(X) == pytest.approx(J, rel=1e-9, abs=1e-12)
    assert answer["penalty"] == penalty(network, theta, lam)


@pytest.mark.parametrize("case", ["linear", "xor"])
def test_J_falls_with_each_descent_and_each_theta_is_the_one_before_less_alpha_D(case):
    network = Network(**{name: CASES[case][name] for name in ("layers", "hidden", "output")})
    values = asked(CASES[case])
    X, Y = values["X"], values["Y"]
    theta, J_of = values["theta"], []
    for _ in range(4):
        J, D = cost_and_gradient(network, theta, X, Y, values["lam"])
        J_of.append(J)
        before, theta = theta, theta - values["alpha"] * D
    answer = ask(step, desk(), **values, descents=3)
    np.testing.assert_array_equal(answer["theta"], before)
    np.testing.assert_array_equal(answer["after"], theta)
    np.testing.assert_array_equal(answer["J"][:-1], J_of)
    assert answer["J"][-1] == cost_and_gradient(network, theta, X, Y, values["lam"])[0]
    history = ask(step, desk(), **values, descents=100)["J"]
    assert (np.diff(history) < 0).all()


def test_xor_is_learnt_in_a_few_hundred_steps():
    history = ask(step, desk(), **asked(CASES["xor"]), descents=300)["J"]
    assert history[0] > 0.6
    assert history[-1] < 0.05


def test_each_theta_k_is_told_as_Theta_ij_in_the_order_of_the_notes_unrolling():
    answer = ask(step, desk(), **asked(LINEAR, layers=[2, 3, 2], theta=np.arange(17.0),
                                       X=[[1, 2]], Y=[[1, 2]]))  # fmt: skip
    Thetas = reshape(Network((2, 3, 2)), answer["theta"])
    assert answer["index"].shape == (17, 3)
    for k, (l, i, j) in enumerate(answer["index"]):
        assert Thetas[l - 1][i - 1, j] == k
    np.testing.assert_array_equal(unroll(Thetas), answer["theta"])


def test_a_network_without_weights_of_its_own_gets_random_ones():
    answer = ask(step, desk(), **asked(CASES["own"], seed=3))
    network = Network(CASES["own"]["layers"])
    np.testing.assert_array_equal(answer["theta"], random_theta(network, 3))


def test_the_formulas_are_those_of_the_network():
    formulas = ask(step, desk(), **asked(LINEAR))["formulas"]
    assert formulas == {
        "g": ["tanh(z)"],
        "slope": ["1 - a^2"],
        "h": "z",
        "cost": "1/2 sum_k (h_k - y_k)^2",
        "delta": "a(3) - y",
    }


@pytest.mark.parametrize(("l", "j"), [(2, 1), (2, 4), (3, 1)])
def test_a_unit_is_explained_with_its_equations_and_its_rows_of_Delta_and_D(l, j):
    values = asked(LINEAR, t=2)
    answer = ask(step_unit, desk(), **values, l=l, j=j)
    network = Network((1, 4, 1), hidden="tanh", output="identity")
    shown = trace(network, values["theta"], values["X"][1], values["Y"][1], 0.01)
    assert answer["equations"] == shown.equations(l, j)
    assert answer["delta"] == shown.delta[l - 2][j - 1]
    whole = ask(step, desk(), **values)
    for name in ("Delta", "D"):
        matrix = reshape(network, whole[name])[l - 2]
        np.testing.assert_array_equal(answer[name], matrix[j - 1])
    np.testing.assert_array_equal(
        answer["weights"], reshape(network, values["theta"])[l - 2][j - 1]
    )
    assert answer["adds"].sum() == pytest.approx(answer["z"])


def test_a_digit_goes_through_the_open_network():
    model = shipped_model()
    theta = model.theta.astype(np.float64)
    values = {"digit": 4, "seed": 2, "y": 9, "lam": 0.5, "alpha": 0.1, "t": 1}
    answer = ask(step, desk(), **values)
    x = normalise(draw_digit(4, np.random.default_rng(2))).ravel().astype(np.float64)
    np.testing.assert_array_equal(answer["a1"], x)
    a, _ = forward(model.network, theta, x[None])
    np.testing.assert_array_equal(answer["a4"], a[-1][0])
    assert answer["y"].tolist() == np.eye(11)[9].tolist()
    J, D = cost_and_gradient(model.network, theta, x[None], np.array([9]), 0.5)
    assert answer["J"][0] == J
    assert answer["J"][1] < J
    assert "theta" not in answer
    drawn = {name: value for name, value in values.items() if name not in ("digit", "seed")}
    np.testing.assert_array_equal(ask(step, desk(), **drawn, x=x)["a4"], answer["a4"])
    unit = ask(step_unit, desk(), **values, l=3, j=7)
    np.testing.assert_array_equal(unit["D"], reshape(model.network, D)[1][6])


def test_a_digit_becomes_what_a_network_of_the_course_takes():
    network = Network((400, 3, 10))
    columns = tuple(Column(str(i)) for i in range(400))
    classes = (*range(1, 10), 0)
    encoder = Encoder(columns, "y", classes, image_shape=(20, 20), column_major=True)
    model = Model(network, random_theta(network, 0), encoder)
    at = Desk(Opened(model, "course"))
    values = {"digit": 4, "seed": 2, "y": 3, "lam": 0.0, "alpha": 0.1, "t": 1}
    answer = ask(step, at, **values)
    picture = normalise(draw_digit(4, np.random.default_rng(2)))
    np.testing.assert_array_equal(answer["a1"], inputs(model, picture[None])[0])
    seen = fitted(model).frame(picture[None])[0].astype(np.float64).ravel()
    drawn = {"y": 3, "lam": 0.0, "alpha": 0.1, "t": 1, "x": seen}
    np.testing.assert_array_equal(ask(step, at, **drawn)["a1"], answer["a1"])
    unit = ask(step_unit, at, **values, l=2, j=1)
    weights = reshape(network, model.theta)[0][0, 1:].reshape(20, 20)
    np.testing.assert_array_equal(unit["weights"][1:].reshape(20, 20), weights.T)


def test_a_descent_that_diverges_is_told():
    with pytest.raises(ValueError, match=r"after \d+ steps J is not finite: alpha = 1000 is too"):
        ask(step, desk(), **asked(LINEAR, alpha=1000, descents=500))
    answer = ask(step, desk(), **asked(LINEAR, alpha=1e6, theta=np.full(13, 1e150)))
    assert not np.isfinite(answer["J"][-1])


WRONG = {
    "layers": [[1], [1, 33, 1], [32] * 4, "1,4,1", [1.0, 4, 1], [True, 4, 1], [1, 4, 1, 1]],
    "hidden": [["tanh", "tanh"], ["cos"], "tanh", [["tanh"]], None],
    "output": ["cos", 3, None, ["identity"]],
    "theta": [np.zeros(12), np.full(13, np.nan), 3.0],
    "X": [np.zeros((0, 1)), np.zeros((51, 1)), np.zeros((3, 2)), np.zeros(3), 1.0],
    "Y": [np.zeros((2, 1)), np.full((3, 1), np.inf)],
    "lam": [-1, "0", None, True, 10**400],
    "alpha": [-1, None],
    "t": [0, 4, 1.5],
    "descents": [-1, 1001],
    "digit": [10, "7"],
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_refused_in_one_line(name):
    for value in WRONG[name]:
        with pytest.raises(ValueError, match=r"\A[^\n]+\Z"):
            ask(step, desk(), **asked(LINEAR, **{name: value}))


def test_targets_that_the_cost_cannot_take_are_refused():
    with pytest.raises(ValueError, match=r"output='sigmoid' needs every y in \[0, 1\]"):
        ask(step, desk(), **asked(LINEAR, output="sigmoid"))


def test_a_unit_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="j must be a whole number from 1 to 4"):
        ask(step_unit, desk(), **asked(LINEAR), l=2, j=5)
