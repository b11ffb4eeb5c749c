"""The trace checked by hand: every number again, from the printed numbers above it."""

import math
import re
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from problems import problems

from chainrule import Network, cost_and_gradient, random_theta, trace
from chainrule.notes.activations import ACTIVATIONS, Activation
from chainrule.notes.costs import COSTS, WITH_PARAMETERS, Cost, find_cost
from chainrule.notes.formulas import (
    ACTIVATION_FORMULAS,
    COST_FORMULAS,
    activation_formulas,
    cost_formulas,
    in_numbers,
)

LINEAR = Network((1, 4, 1), hidden="tanh", output="identity")
LINEAR_THETA = np.array([31, 16, 15, -29, -13, -8, -7, 13, 54, -17, -11, -9, 16]) / 10

# What the printed arithmetic calls by name
LETTERS = {
    "e": math.e,
    "log": math.log,
    "tanh": math.tanh,
    "Phi": lambda z: (1 + math.erf(z / math.sqrt(2))) / 2,
    "phi": lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
    "max": max,
}


def calculated(arithmetic):
    """Return what printed arithmetic gives."""
    return eval(arithmetic.replace("^", "**"), {"__builtins__": {}}, LETTERS)


def read(text):
    """Return the formula and the numbers of each line of a printed trace, by its name."""
    formulas, values = {}, {}
    name = None
    for line in text.splitlines()[2:]:
        if line.startswith("      "):
            formulas[name] += line.strip()
        elif line.startswith("    "):
            numbers = [float(number) for number in re.findall(r"[-+.\de]*\d", line)]
            values[name].append(numbers)
        elif re.fullmatch(r"(lambda|m) = \S+", line):
            name, _, number = line.partition(" = ")
            values[name] = float(number)
        else:
            name, _, formulas[name] = (part.strip() for part in line.partition("  "))
            values[name] = []
    return formulas, {name: np.array(value) for name, value in values.items()}


def same(printed, computed):
    """Compare numbers of six decimals, computed from others that were rounded likewise."""
    np.testing.assert_allclose(printed, np.reshape(computed, printed.shape), rtol=0, atol=4e-6)


def test_the_notes_linear_example_by_hand_from_what_is_printed():
    formulas, v = read(str(trace(LINEAR, LINEAR_THETA, [2.0], 4.0, lam=0.01)))
    v = {name: np.squeeze(value, 0) if len(value.shape) == 2 and len(value) == 1 else value
         for name, value in v.items()}  # fmt: skip
    Theta1, Theta2 = v["Theta(1)"], v["Theta(2)"]
    lam, m, y = v["lambda"], v["m"], v["y"]
    assert (lam, m, v["a(1)"], y) == (0.01, 1, 2, 4)
    np.testing.assert_array_equal(np.r_[Theta1.ravel("F"), Theta2], LINEAR_THETA)

    np.testing.assert_array_equal(v["[1; a(1)]"], [1, *v["a(1)"]])
    assert formulas["z(2)"].endswith("= Theta(1) [1; a(1)]")
    same(v["z(2)"], Theta1 @ v["[1; a(1)]"])
    assert formulas["a(2)"].endswith("= g(z(2)), where g(z) = tanh(z)")
    same(v["a(2)"], np.tanh(v["z(2)"]))
    np.testing.assert_array_equal(v["[1; a(2)]"], [1, *v["a(2)"]])
    assert formulas["z(3)"].endswith("= Theta(2) [1; a(2)]")
    same(v["z(3)"], Theta2 @ v["[1; a(2)]"])
    assert formulas["a(3)"].endswith("= h(z(3)), where h(z) = z")
    same(v["a(3)"], v["z(3)"])

    assert formulas["cost"] == "= 1/2 sum_k (h_k - y_k)^2, where h = a(3)"
    same(v["cost"], (v["a(3)"] - y) ** 2 / 2)
    squares = (Theta1[:, 1:] ** 2).sum() + (Theta2[1:] ** 2).sum()
    same(v["J"], 1 / m * (v["cost"] + lam / 2 * squares))

    assert formulas["delta(3)"].endswith("= a(3) - y")
    same(v["delta(3)"], v["a(3)"] - y)
    assert formulas["delta(2)"].endswith(
        "= (Theta(2)^T delta(3)) .* g'(z(2)) without row 0 (the bias),where g'(z) = 1 - a^2"
    )
    same(v["delta(2)"], (np.atleast_2d(Theta2).T @ v["delta(3)"])[1:] * (1 - v["a(2)"] ** 2))
    for l, Theta in ((1, Theta1), (2, np.atleast_2d(Theta2))):
        Delta, D = np.atleast_2d(v[f"Delta({l})"]), np.atleast_2d(v[f"D({l})"])
        assert formulas[f"Delta({l})"].endswith(f"= delta({l + 1}) [1; a({l})]^T")
        same(Delta, np.outer(v[f"delta({l + 1})"], v[f"[1; a({l})]"]))
        assert formulas[f"D({l})"].endswith("where lambda = 0.01, m = 1")
        same(D[:, 0], Delta[:, 0] / m)
        same(D[:, 1:], 1 / m * (Delta[:, 1:] + lam * Theta[:, 1:]))


def test_the_notes_example_fits_a_page_and_a_terminal():
    lines = str(trace(LINEAR, LINEAR_THETA, [2.0], 4.0, lam=0.01)).splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80


@given(problems())
def test_a_units_printed_arithmetic_gives_its_printed_results(problem):
    network, theta, X, Y, lam = problem
    shown = trace(network, theta, X[0], Y[0], lam)
    for l in range(2, network.L + 1):
        text = shown.arithmetic(l, network.layers[l - 1])
        joined = re.sub(r"\n {6,}", " ", text)  # a wrapped line
        for step in re.split(r"\n(?=\w)", joined)[1:4]:
            numbers = [line.strip()[2:] for line in step.splitlines()[1:] if " = " not in line[6:]]
            values = [calculated(line) for line in numbers]
            assert values == pytest.approx([values[-1]] * len(values), rel=1e-4, abs=1e-4)
        for line in re.findall(r"\n    D_\S+ = (.*)", joined):
            arithmetic, _, result = line.partition(" = ")
            assert calculated(arithmetic) == pytest.approx(float(result), rel=1e-4, abs=1e-4)


@given(problems())
def test_the_errors_handed_back_times_the_slopes_are_the_deltas(problem):
    network, theta, X, Y, lam = problem
    shown = trace(network, theta, X[0], Y[0], lam)
    pairs = zip(shown.handed_back, shown.slopes, strict=True)
    for (back, slope), delta in zip(pairs, shown.delta[:-1], strict=True):
        np.testing.assert_allclose(back * slope, delta, rtol=1e-12, atol=1e-14)


def test_the_equations_of_a_unit_are_the_lines_of_its_arithmetic():
    shown = trace(LINEAR, LINEAR_THETA, [2.0], 4.0, lam=0.01)
    lines = [f"    = {line}" for _, *more in shown.equations(2, 3).values() for line in more]
    printed = shown.arithmetic(2, 3).splitlines()
    assert [line for line in printed if line.startswith("    = ")] == lines
    assert shown.equations(2, 3)["delta"][0].startswith(
        "delta_3^(2) = (Theta_13 * delta_1^(3)) * g'"
    )


def test_unit_3_of_layer_2_is_written_out_as_on_a_blackboard():
    text = trace(LINEAR, LINEAR_THETA, [2.0], 4.0, lam=0.01).arithmetic(2, 3)
    assert text.splitlines() == [
        "unit 3 of layer 2",
        "z_3^(2) = Theta_30 * 1 + Theta_31 * x_1, where Theta = Theta(1)",
        "    = 1.5 * 1 + (-0.7) * 2",
        "    = 0.1",
        "a_3^(2) = g(z) = tanh(z)",
        "    = tanh(0.1)",
        "    = 0.099668",
        "delta_3^(2) = (Theta_13 * delta_1^(3)) * g'(z),",
        "      where Theta = Theta(2), g'(z) = 1 - a^2",
        "    = ((-0.9) * 0.058599) * (1 - 0.099668^2)",
        "    = -0.052216",
        "D_3j^(1) = 1/m (delta_3^(2) * a_j^(1) + lambda * Theta_3j^(1) if j > 0),",
        "      where lambda = 0.01, m = 1",
        "    D_30 = (-0.052216) * 1 = -0.052216",
        "    D_31 = (-0.052216) * 2 + 0.01 * (-0.7) = -0.111431",
    ]


def test_a_long_sum_is_still_checkable():
    network = Network((200, 2, 1))
    rng = np.random.default_rng(0)
    shown = trace(network, random_theta(network), rng.normal(size=200), 1)
    text = re.sub(r"\n {6,}", " ", shown.arithmetic(2, 1))
    total = re.search(r"\n    = (.*)\n    = (\S+)\n", text)
    added = re.sub(r"\[from 161 more terms\]", "", total[1])
    assert calculated(added) == pytest.approx(float(total[2]), rel=1e-4)
    assert "Theta_1,200 * x_200" in text
    assert "... and in the same way to D_1,200" in text


@pytest.mark.parametrize(
    ("layer", "unit", "says"),
    [
        (1, 1, "layer 1 is the input"),
        (0, 1, "there is no layer 0: take one of 2 to 3"),
        (4, 1, "there is no layer 4: take one of 2 to 3"),
        (2, 5, "layer 2 has no unit 5: take one of 1 to 4"),
        (3, 0, "layer 3 has no unit 0: take one of 1 to 1"),
    ],
)
def test_a_unit_that_is_not_there(layer, unit, says):
    with pytest.raises(ValueError, match=says):
        trace(LINEAR, LINEAR_THETA, [2.0], 4.0).arithmetic(layer, unit)


def test_every_activation_and_cost_has_its_formulas():
    assert set(ACTIVATION_FORMULAS) == set(ACTIVATIONS)
    assert set(COSTS) <= set(COST_FORMULAS) <= {*COSTS, *WITH_PARAMETERS}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("z", [-2.0, -0.5, 0.75, 3.0])
def test_the_formulas_of_an_activation_are_what_is_computed(name, z):
    activation, numbers = ACTIVATIONS[name], np.array([z])
    a = activation.g(numbers)
    g, slope = activation_formulas(activation)
    written = [calculated(in_numbers(t, f"{z!r}", f"{float(a[0])!r}")) for t in (g, slope)]
    computed = [a[0], activation.slope(a, numbers)[0]]
    assert written == pytest.approx(computed, rel=1e-5)


@pytest.mark.parametrize("name", COSTS)
def test_the_formulas_of_a_cost_are_what_is_computed(name):
    z, y = np.array([[0.5, -1.0]]), np.array([[0.0, 1.0]])
    cost, formulas = COSTS[name], cost_formulas(COSTS[name])
    h = cost.g(z)
    if formulas.unit:
        written = [calculated(in_numbers(formulas.unit, f"{float(z_k)!r}", "")) for z_k in z[0]]
        np.testing.assert_allclose(h[0], written)
    inside = formulas.cost.replace("sum_k", "").replace("[", "(").replace("]", ")")
    inside = re.sub(r"y_k (log|z)", r"y_k * \1", inside).replace("1/2 ", "1/2 *")
    inside = re.sub(r"(?<=y_k\)) log", " * log", re.sub(r"log h_k", "log(h_k)", inside))
    total = sum(
        eval(inside.replace("^", "**"), LETTERS | {"h_k": h_k, "y_k": y_k, "z_k": z_k})
        for h_k, y_k, z_k in zip(h[0], y[0], z[0], strict=True)
    )
    np.testing.assert_allclose(cost.per_example(z, y)[0], total)


@pytest.mark.parametrize("name", ["absolute", "huber:1.35", "quantile:0.1,0.9", "softmax:2,2"])
def test_a_cost_with_parameters_says_what_it_is(name):
    K = find_cost(name).units * 2 if "quantile" in name else max(2, find_cost(name).units)
    network = Network((2, K), output=name)
    y = np.zeros(K) if "softmax" not in name else [1.0, 0.0, 0.0, 1.0]
    shown = trace(network, random_theta(network), [1.0, 2.0], y)
    text = str(shown)
    assert ("h_k" in text) == ("absolute" in name or "huber" in name)
    assert f"= {shown.delta[-1][0]:.6f}".rstrip("0").rstrip(".") in shown.arithmetic(2, 1)


def test_an_activation_and_a_cost_of_ones_own_are_told_by_name():
    sine = Activation("sine", np.sin, np.cos, from_z=True)
    mine = Cost(
        "mine", lambda z: z, lambda z, Y: ((z - Y) ** 4).sum(-1), lambda h, Y: 4 * (h - Y) ** 3
    )
    network = Network((1, 1, 1), hidden=sine, output=mine)
    shown = trace(network, np.ones(4), [1.0], 2.0)
    assert "g(z) = sine(z)" in str(shown)
    assert "g'(z) = sine'(z)" in str(shown)
    assert "cost(t) of the output 'mine'" in str(shown)
    assert "sine'(2)" in shown.arithmetic(2, 1)
    assert f"= {shown.delta[-1][0]:.6f}" in shown.arithmetic(3, 1)


@given(problems())
def test_a_trace_has_what_its_example_is_and_what_J_is(problem):
    network, theta, X, Y, lam = problem
    shown = trace(network, theta, X[0], Y[0], lam)
    J, _ = cost_and_gradient(network, theta, X[:1], Y[:1], lam)
    assert pytest.approx(J) == shown.J
    assert (shown.lam, shown.m) == (lam, 1)
    np.testing.assert_array_equal(shown.y, Y[0])
    named = {line.name: line.value for line in shown.lines()}
    assert set(shown.values()) < set(named)
    for l in range(1, network.L):
        np.testing.assert_array_equal(named[f"[1; a({l})]"], [1, *shown.a[l - 1]])
        same_z = named[f"Theta({l})"] @ named[f"[1; a({l})]"]
        np.testing.assert_allclose(shown.z[l - 1], same_z, rtol=1e-9, atol=1e-12)
    assert max(map(len, str(shown).splitlines()[1:])) <= 80


def test_one_lambda_for_each_layer_is_told_beside_its_D():
    text = str(trace(LINEAR, LINEAR_THETA, [2.0], 4.0, lam=[0.1, 0.0]))
    assert "lambda  [2]\n    [0.1   0]" in text
    assert re.findall(r"lambda = (\S+), m = 1", text) == ["0.1", "0"]


def test_a_trace_stays_as_it_was_when_theta_changes():
    theta, y = LINEAR_THETA.copy(), np.array([4.0])
    shown = trace(LINEAR, theta, [2.0], y)
    before = str(shown)
    theta[:] = y[:] = 0
    assert str(shown) == before


def test_a_large_matrix_shows_its_corners():
    network = Network((100, 3, 2))
    text = str(trace(network, random_theta(network), np.ones(100), [1.0, 0.0]))
    assert "Theta(1)  [3 x 101]" in text
    assert "..." in text
    assert len(text.splitlines()) < 70


def test_a_notebook_shows_each_line_in_a_table():
    network = Network((2, 3, 1), hidden=replace(ACTIVATIONS["tanh"], name="<i>"))
    shown = trace(network, random_theta(network), [2.0, 1.0], 1)
    html = shown._repr_html_()
    parsed = ElementTree.fromstring(html)
    names = [row[0][0].text for row in parsed.iter("tr") if row[0].tag == "td"]
    assert names == [line.name for line in shown.lines()]
    assert "&lt;i&gt;" in html
    assert "<i>" not in html
    values = [node.text for node in parsed.iter("pre")]
    assert all(value in str(shown).replace("\n    ", "\n") for value in values)


def test_a_large_matrix_is_shown_by_its_corners():
    network = Network((30, 40, 1))
    theta = random_theta(network)
    theta[600] = 1e-9  # is not shown, and makes no column wide
    lines = str(trace(network, theta, np.ones(30), 1)).splitlines()
    at = lines.index("Theta(1)  [40 x 31]")
    rows = lines[at + 1 : at + 8]
    assert {len(row.rstrip("]")) for row in rows if not row.strip().startswith("...")} == {69}
