"""Each kind of mistake that learners make is named by itself, and none where none is known."""

import json

import numpy as np
import pytest
from programs import COURSE, DEEP, DICTIONARY, LINEAR, LOOP, RELU, program

from chainrule import Network, check_gradient, cost_and_gradient
from chainrule.common.types import Stopped
from chainrule.plots.gradient import GradientCheckDisplay

ADDED = "        Delta1 += np.outer(d2, a1)\n        Delta2 += np.outer(d3, a2)"
INDENTED = "            Delta1 += np.outer(d2, a1)\n            Delta2 += np.outer(d3, a2)"

SLOPES = "d2 = (Theta2.T @ d3 * a2 * (1 - a2))[1:]"
BACK = "d2 = (Theta2.T @ d3"
COURSE_BACK = "d2 = d3 @ Theta2[:, 1:] * sigmoid_gradient(z2)"
WHOLE_BACK = "d2 = (d3 @ Theta2"
OF_ONES = "sigmoid_gradient(np.c_[np.ones(m), z2])"
OF_ZEROS = "sigmoid_gradient(np.c_[np.zeros(m), z2])"
# COURSE, row by row with the bias as each matrix's last column
BIAS_LAST = [
    ("np.c_[np.ones(m), X]", "np.c_[X, np.ones(m)]"),
    ("np.c_[np.ones(m), sigmoid(z2)]", "np.c_[sigmoid(z2), np.ones(m)]"),
    ("[:, 1:]", "[:, :-1]"),
    ('"F"', '"C"'),
]
LAST_BACK = COURSE_BACK.replace("1:", ":-1")
LAST_ONES = "np.c_[sigmoid_gradient(z2), np.ones(m)]"

# What is named first ("ok": the check passes), the program, its lines that are written otherwise
CASES = [
    # zero
    (
        "gradient-zero",
        COURSE,
        [('return J, np.r_[D1.ravel("F"), D2.ravel("F")]', "return J, np.zeros(43)")],
    ),
    (
        "gradient-zero",
        COURSE,
        [("    return sigmoid(z) * (1 - sigmoid(z))", "    return np.zeros_like(z)")],
    ),
    ("gradient-zero", COURSE, [("D1 = d2.T @ a1 / m", "D1 = np.zeros((5, 5))")]),
    (
        "gradient-zero",
        DICTIONARY,
        [('g["W2"] = hidden.T @ dscores + lam / m * p["W2"]', 'g["W2"] = np.zeros((5,3))')],
    ),
    (
        "bias-gradient-missing",
        DICTIONARY,
        [('g["b1"] = dhidden.sum(axis=0)', 'g["b1"] = np.zeros(5)')],
    ),
    (
        "cost-constant",
        COURSE,
        [('    return J, np.r_[D1.ravel("F"), D2.ravel("F")]', "    return 0, np.zeros(43)")],
    ),
    ("cost-constant", COURSE, [("    return J, ", "    return 0, ")]),
    # factor in a part
    ("wrong-factor", RELU, [("dW2 += reg * W2", "dW2 *= 2; dW2 += reg * W2")]),
    (
        "wrong-factor",
        RELU,
        [("db1 = np.sum(dhidden, axis=0)", "db1 = 4 * np.sum(dhidden, axis=0)")],
    ),
    (
        "wrong-factor",
        DEEP,
        [
            (
                "db = [d1.sum(axis=1) / m, d2.sum(axis=1) / m",
                "db = [d1.sum(axis=1) / m, 1.7*d2.sum(axis=1) / m",
            )
        ],
    ),
    ("wrong-factor", RELU, [("dW2 += reg * W2", "dW2 += reg * W2; dW2 = dW2*2")]),
    ("extra-1-over-m", RELU, [("db1 = np.sum(dhidden, axis=0)", "db1 = np.mean(dhidden, axis=0)")]),
    (
        "extra-1-over-m",
        DICTIONARY,
        [
            ('g["b1"] = dhidden.sum(axis=0)', 'g["b1"] = dhidden.sum(axis=0)/m'),
            ('g["b2"] = dscores.sum(axis=0)', 'g["b2"] = dscores.sum(axis=0)/m'),
        ],
    ),
    # lambda
    (
        "lambda-misplaced",
        COURSE,
        [
            ("D1[:, 1:] += lam / m * Theta1[:, 1:]", "D1[1:, :] += lam / m * Theta1[1:, :]"),
            ("D2[:, 1:] += lam / m * Theta2[:, 1:]", "D2[1:, :] += lam / m * Theta2[1:, :]"),
        ],
    ),
    (
        "lambda-misplaced",
        COURSE,
        [
            ("D1[:, 1:] += lam / m * Theta1[:, 1:]", "D1[:, :-1] += lam / m * Theta1[:, :-1]"),
            ("D2[:, 1:] += lam / m * Theta2[:, 1:]", "D2[:, :-1] += lam / m * Theta2[:, :-1]"),
        ],
    ),
    ("lambda-forgotten", COURSE, [("    D1[:, 1:] += lam / m * Theta1[:, 1:]\n", "")]),
    ("lambda-subtracted", COURSE, [("+= lam / m * Theta", "-= lam / m * Theta")]),
    (
        "lambda-subtracted",
        COURSE,
        [("D1[:, 1:] += lam / m * Theta", "D1[:, 1:] -= lam / m * Theta")],
    ),
    (
        "lambda-on-gradient",
        COURSE,
        [
            ("D1[:, 1:] += lam / m * Theta1", "D1[:, 1:] += lam / m * D1"),
            ("D2[:, 1:] += lam / m * Theta2", "D2[:, 1:] += lam / m * D2"),
        ],
    ),
    (
        "lambda-of-another-layer",
        DEEP,
        [
            (
                "[g + lam / m * w for g, w in zip(dW, W)]",
                "[g + lam / m * w for g, w in zip(dW, [W[0], W[0], W[2]])]",
            )
        ],
    ),
    # updated
    (
        "theta-updated",
        COURSE,
        [
            (
                "    d2 = d3 @",
                "    T2g = d3.T @ a2 / m\n    Theta2 = Theta2 - 0.3 * T2g\n    d2 = d3 @",
            ),
            (
                "D2[:, 1:] += lam / m * Theta2[:, 1:]",
                "D2[:, 1:] += lam / m * (Theta2+.3*T2g)[:, 1:]",
            ),
        ],
    ),
    (
        "theta-updated",
        RELU,
        [
            (
                "    dhidden = np.dot(dscores, W2.T)",
                "    W2 = W2 - 0.1*dW2\n    dhidden = np.dot(dscores, W2.T)",
            ),
            ("    dW2 += reg * W2\n", ""),
            (
                "    dW2 = np.dot(h1.T, dscores)\n",
                "    dW2 = np.dot(h1.T, dscores)\n    dW2 += reg * W2\n",
            ),
        ],
    ),
    # examples
    (
        "example-left-out",
        LOOP,
        [
            (
                ADDED,
                "        if t > 0:\n" + INDENTED,
            )
        ],
    ),
    (
        "example-left-out",
        LOOP,
        [
            (
                ADDED,
                "        if t != 3:\n" + INDENTED,
            )
        ],
    ),
    ("one-label-for-all", LOOP, [("d3 = a3 - target", "d3 = a3 - np.eye(3)[y[0]]")]),
    # the wrong unit cut off in place of the bias unit
    ("bias-in-delta", LOOP, [(SLOPES, f"{BACK} * np.r_[1, a2[1:] * (1 - a2[1:])])[:-1]")]),
    ("bias-in-delta", LOOP, [(SLOPES, f"{BACK} * np.r_[0, a2[1:] * (1 - a2[1:])])[:-1]")]),
    ("bias-in-delta", LOOP, [(SLOPES, f"{BACK} * a2 * (1 - a2))[:-1]")]),
    ("bias-in-delta", LOOP, [(SLOPES, f"{BACK})[:-1] * a2[1:] * (1 - a2[1:])")]),
    ("bias-in-delta", LOOP, [(SLOPES, f"{BACK})[1:] * (a2 * (1 - a2))[:-1]")]),
    ("bias-in-delta", COURSE, [(COURSE_BACK, f"{WHOLE_BACK} * {OF_ONES})[:, :-1]")]),
    ("bias-in-delta", COURSE, [(COURSE_BACK, f"{WHOLE_BACK} * {OF_ZEROS})[:, :-1]")]),
    ("bias-in-delta", COURSE, [(COURSE_BACK, f"{WHOLE_BACK})[:, 1:] * {OF_ONES}[:, :-1]")]),
    (
        "bias-in-delta",
        LINEAR,
        [("d3 @ Theta2[:, 1:] * (1 - np.tanh(z2) ** 2)", "(d3 @ Theta2 * (1 - a2**2))[:, :-1]")],
    ),
    ("bias-in-delta", COURSE, [*BIAS_LAST, (LAST_BACK, f"{WHOLE_BACK} * {LAST_ONES})[:, 1:]")]),
    # forward
    (
        "forward-without-g",
        COURSE,
        [("a2 = np.c_[np.ones(m), sigmoid(z2)]", "a2 = np.c_[np.ones(m), z2]")],
    ),
    ("activation-derivative-missing", COURSE, [(" * sigmoid_gradient(z2)", "")]),
    (
        "activation-derivative-at-wrong-point",
        DEEP,
        [("d2 = W[2].T @ d3 * (1 - A2**2)", "d2 = W[2].T @ d3 * (1 - A1**2)")],
    ),
    (
        "softmax-axis",
        DICTIONARY,
        [
            (
                "e / e.sum(axis=1, keepdims=True)",
                "e / e.sum(axis=0, keepdims=True)",
            )
        ],
    ),
    (
        "bias-gradient-summed",
        RELU,
        [("db1 = np.sum(dhidden, axis=0)", "db1 = np.sum(dhidden)*np.ones(6)")],
    ),
    (
        "bias-gradient-summed",
        RELU,
        [
            ("db1 = np.sum(dhidden, axis=0)", "db1 = np.sum(dhidden)*np.ones(6)"),
            ("db2 = np.sum(dscores, axis=0)", "db2 = np.sum(dscores)*np.ones(3)"),
        ],
    ),
    (
        "layer-copied",
        DEEP,
        [
            (
                "    dW = [g + lam / m * w for g, w in zip(dW, W)]",
                "    dW = [g + lam / m * w for g, w in zip(dW, W)]\n    dW[1] = dW[2]; db[1]=db[2]",
            )
        ],
    ),
    ("layers-swapped", DEEP, [("zip(dW, db)", "zip(dW[1::-1] + dW[2:], db[1::-1] + db[2:])")]),
    ("layers-swapped", DEEP, [("zip(dW, db)", "zip(dW[::-1], db[::-1])")]),
    # Delta alone, each layer with its own lambda
    (
        "layer-copied",
        DEEP,
        [
            ("dW = [d1", "dW = 3 * [sum([d1"),
            ("d3 @ A2.T / m]", "d3 @ A2.T / m])]"),
            ("db = [d1", "db = 3 * [sum([d1"),
            ("d3.sum(axis=1) / m]", "d3.sum(axis=1) / m])]"),
        ],
    ),
    (
        "layer-copied",
        DEEP,
        [("d2 @ A1.T / m", "d1 @ A0.T / m"), ("d2.sum(axis=1)", "d1.sum(axis=1)")],
    ),
    (
        "parameters-unused",
        DEEP,
        [("A2 = np.tanh(W[1]", "A2 = np.tanh(W[0]"), ("W[1].T @ d2", "W[0].T @ d2")],
    ),
    ("parameters-unused", DEEP, [("    Y = np", "    W[1] = W[0]\n    Y = np")]),
    ("activation-derivative-incomplete", LINEAR, [("(1 - np.tanh(z2) ** 2)", "(1 - np.tanh(z2))")]),
    ("activation-derivative-at-wrong-point", LINEAR, [("(1 - np.tanh(z2) ** 2)", "(1 - z2 ** 2)")]),
    (
        "activation-derivative-at-wrong-point",
        RELU,
        [("dhidden[h1 <= 0] = 0", "dhidden[dhidden <= 0] = 0")],
    ),
    ("activation-derivative-missing", RELU, [("dhidden[h1 <= 0] = 0", "pass")]),
    ("labels-missing", RELU, [("dscores[range(N), y] -= 1", "pass")]),
    ("labels-missing", RELU, [("dscores[range(N), y] -= 1", "dscores -= 1")]),
    ("missing-1-over-m", RELU, [("dscores /= N", "pass")]),
    ("cost-inconsistent", RELU, [("loss += 0.5 * reg", "loss += reg")]),
    ("output-rounded", COURSE, [("d3 = a3 - Y", "d3 = np.eye(3)[a3.argmax(1)] - Y")]),
    ("activation-forgotten", COURSE, [("d3 = a3 - Y", "d3 = z3 - Y")]),
    ("class-left-out", COURSE, [("d3 = a3 - Y", "d3 = a3 - Y; d3[:, 2] = 0")]),
    ("packed-otherwise", DICTIONARY, [('("W1", "b1", "W2", "b2")', '("b1", "W1", "b2", "W2")')]),
    ("packed-otherwise", DICTIONARY, [('("W1", "b1", "W2", "b2")', '("W1", "W2", "b1", "b2")')]),
    ("layers-swapped", DICTIONARY, [('("W1", "b1", "W2", "b2")', '("W2", "b2", "W1", "b1")')]),
    ("cost-inconsistent", COURSE, [("J += lam / (2 * m)", "J += lam / (m)")]),
    # unknown
    ("no-known-mistake", COURSE, [("sigmoid_gradient(z2)", "np.cos(z2)")]),
    ("no-known-mistake", COURSE, [("d3 = a3 - Y", "d3 = (a3 - Y)**3")]),
    (
        "no-known-mistake",
        COURSE,
        [("D1 = d2.T @ a1 / m", "D1 = d2.T @ a1 / m; D1[2] *= 1.3; D1[3,1]+=.1")],
    ),
    ("no-known-mistake", COURSE, [("D1 = d2.T @ a1 / m", "D1 = d2.T @ a1 / m; D1[2] += 1.3")]),
    ("no-known-mistake", COURSE, [("D1 = d2.T @ a1 / m", "D1 = d2.T @ np.sin(a1) / m")]),
    ("no-known-mistake", RELU, [("dW1 = np.dot(X.T, dhidden)", "dW1 = np.dot(X.T**2, dhidden)")]),
    (
        "no-known-mistake",
        DEEP,
        [("d1 = W[1].T @ d2 * (1 - A1**2)", "d1 = W[1].T @ d2 * (1 - A1**4)")],
    ),
    # pass with news
    ("ok", COURSE, [("Y = np.eye(3)[y]", "Y = 1 - np.eye(3)[y]")]),
    ("ok", COURSE, [("Y = np.eye(3)[y]", "Y = np.eye(3)[np.full(len(y), y[0])]")]),
    ("ok", COURSE, [("Y = np.eye(3)[y]", "Y = np.eye(3)[y].T.reshape(8, 3)")]),
    (
        "ok",
        COURSE,
        [("np.log(a3)", "np.log(a3 + 1e-7)"), ("np.log(1 - a3)", "np.log(1 - a3 + 1e-7)")],
    ),
    (
        "ok",
        DICTIONARY,
        [("np.log(probs[np.arange(m), y])", "np.log(probs[np.arange(m), y] + 1e-5)")],
    ),
    (
        "ok",
        COURSE,
        [("J += lam / (2 * m)", "J += lam / (m)"), ("lam / m * Theta", "2*lam / m * Theta")],
    ),
    ("ok", COURSE, []),
    ("ok", COURSE, BIAS_LAST),
    ("ok", LOOP, []),
    ("ok", DICTIONARY, []),
    ("ok", DEEP, []),
    ("ok", LINEAR, []),
    ("ok", RELU, []),
    (
        "ok",
        LINEAR,
        [
            ("J = np.sum((a3 - y) ** 2) / (2 * m)", "J = np.sum((a3 - y) ** 2) / m"),
            ("d3 = a3 - y", "d3 = 2*(a3 - y)"),
        ],
    ),
]


def checked(text, *replacements, **others):
    cost, known, theta = program(text, *replacements)
    return check_gradient(cost, theta, **(known | others))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[2][:1]}"[:70])
def test_each_kind_is_named_first(case):
    expected, text, replacements = case
    report = checked(text, *replacements)
    assert ("ok" if report.ok else report.diagnosis[0].name) == expected, report


BY_ROW = [('order="F"', 'order="C"'), ('ravel("F")', 'ravel("C")')]
OF_COURSE = [case for case in CASES if case[1] in (COURSE, LOOP) and '"F"' not in str(case[2])]


@pytest.mark.parametrize("case", OF_COURSE, ids=lambda case: f"{case[0]} {case[2][:1]}"[:70])
def test_each_kind_is_named_row_by_row_too(case):
    expected, text, replacements = case
    report = checked(text, *replacements, *BY_ROW)
    assert ("ok" if report.ok else report.diagnosis[0].name) == expected, report


@pytest.mark.parametrize("order", ["b1 W1 b2 W2", "W1 W2 b1 b2", "b1 b2 W1 W2"])
@pytest.mark.parametrize(
    ("mistake", "line", "other"),
    [
        ("activation-derivative-missing", " * (1 - hidden**2)", ""),
        ("activation-derivative-of-another-activation", "(1 - hidden**2)", "hidden*(1 - hidden)"),
        ("labels-missing", "dscores[np.arange(m), y] -= 1", "pass"),
        ("missing-1-over-m", "dscores /= m", "pass"),
        ("bias-gradient-missing", "dhidden.sum(axis=0)", "np.zeros(5)"),
        ("bias-gradient-summed", "dhidden.sum(axis=0)", "np.full(5, dhidden.sum())"),
        ("lambda-forgotten", "X.T @ dhidden + lam / m", "X.T @ dhidden + 0"),
        ("sign", "dscores /= m", "dscores /= -m"),
    ],
)
def test_a_mistake_beside_another_order_is_named_with_it(mistake, line, other, order):
    written = '("W1", "b1", "W2", "b2")', str(tuple(order.split()))
    report = checked(DICTIONARY, (line, other), written)
    assert {mistake, "packed-otherwise"} <= {finding.name for finding in report.diagnosis}, report


def test_another_layers_slope_is_named_with_both_layers_numbers():
    for line, other, evidence in (
        ("d2 = W[2].T @ d3 * (1 - A2**2)", "(1 - A1**2)", "g'(z(2)) in place of g'(z(3))"),
        ("d1 = W[1].T @ d2 * (1 - A1**2)", "(1 - A2**2)", "g'(z(3)) in place of g'(z(2))"),
        ("d1 = W[1].T @ d2 * (1 - A1**2)", "(1 - A3**2)", "g'(z(4)) in place of g'(z(2))"),
        ("d2 = W[2].T @ d3 * (1 - A2**2)", "(1 - A0**2)", "g'(z(1)) in place of g'(z(3))"),
    ):
        (finding,) = checked(DEEP, (line, line.split("(")[0] + other)).diagnosis
        assert finding.name == "activation-derivative-at-wrong-point"
        assert finding.evidence.startswith(evidence)
    swapped = [("d3 * (1 - A2**2)", "d3 * (1 - A1**2)"), ("d2 * (1 - A1**2)", "d2 * (1 - A2**2)")]
    assert checked(DEEP, *swapped).diagnosis[0].name == "activation-derivative-at-wrong-point"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[2][:1]}"[:70])
def test_without_the_data_nothing_is_named_that_the_data_would_not(case):
    expected, text, replacements = case
    cost, known, theta = program(text, *replacements)
    # Without lambda, these are not told from another
    alike = {
        "lambda-subtracted": "lambda-forgotten",
        "cost-inconsistent": "lambda-forgotten",
        "layers-swapped": "packed-otherwise",
        "gradient-zero": "bias-gradient-missing",
        "bias-gradient-missing": "gradient-zero",
        "ok": "no-known-mistake",
        "extra-1-over-m": "wrong-factor",
    }
    for told in ({"network": known["network"]}, {}):
        report = check_gradient(cost, theta, **told)
        name = "ok" if report.ok else report.diagnosis[0].name
        assert name in (expected, alike.get(expected), "no-known-mistake"), report


def test_a_mistake_is_told_in_the_words_of_the_networks_own_g_and_J():
    report = checked(LINEAR, ("(1 - np.tanh(z2) ** 2)", "(1 - np.tanh(z2))"))
    assert report.diagnosis[0].note == "g'(z(l)) = 1 - a(l).^2"
    report = checked(LINEAR, ("J += lam / (2 * m)", "J += lam / m"))
    assert "1/(2m) sum over t and k of (h - y)^2" in report.diagnosis[0].note


def test_a_J_of_other_weights_than_theta_is_not_said_to_be_unwritten_alone():
    report = checked(COURSE, ("    m = len(X)\n", "    m = len(X); theta = np.full(43, 0.1)\n"))
    assert report.diagnosis[0].name == "cost-constant"
    assert report.diagnosis[0].words.endswith(
        "not written yet, or takes its weights from elsewhere"
    )


def test_a_passing_check_says_when_J_is_not_the_notes_J():
    report = checked(COURSE, ("np.eye(3)[y]", "1 - np.eye(3)[y]"))
    assert report.ok
    lines = str(report).splitlines()
    assert lines[1].startswith("J = ")
    assert "the notes' J here is" in lines[1]
    assert "labels that are 1 for 0" in lines[1]
    assert "labels that are 1 for 0" in report._repr_html_()
    assert checked(COURSE).about_J == ""


def test_news_about_J_stands_before_all_else():
    report = checked(
        COURSE, ("J += lam / (2 * m)", "J += lam / m"), ("d3 = a3 - Y", "d3 = (a3 - Y)**3")
    )
    assert not report.ok
    assert "lambda/m before the penalty" in str(report).splitlines()[1]


def test_what_is_sure_is_told_where_no_mistake_is_known():
    report = checked(COURSE, ("D1 = d2.T @ a1 / m", "D1 = d2.T @ a1 / m; D1[2] += 1.3"))
    (finding,) = report.diagnosis
    assert finding.name == "no-known-mistake"
    assert "wrong: Theta(1) bias, Theta(1) weights; right: Theta(2)" in finding.evidence
    assert "D is wrong in row 3 of Theta(1) weights alone" in finding.evidence
    assert "D(2) is right" in finding.note
    assert "try next: D(2) is right" in str(report)
    report = checked(COURSE, ("D1 = d2.T @ a1 / m", "D1 = d2.T @ np.sin(a1) / m"))
    assert "D is 0.841471 times the numerical gradient in Theta(1) bias" in (
        report.diagnosis[0].evidence
    )


@pytest.mark.parametrize("other", ["np.sin(a2)", "np.sin(a2 + X[:, :1])"])
def test_where_only_the_last_D_is_wrong_its_delta_is_not_suspected(other):
    report = checked(COURSE, ("D2 = d3.T @ a2 / m", f"D2 = d3.T @ {other} / m"))
    note = report.diagnosis[-1].note
    assert note.startswith(
        "D(1) is right, so delta(3) is too: look at Delta(2) = delta(3) a(2)^T, at a(2) and at "
        "lambda; check again"
    )
    report = checked(COURSE, ("d3 = a3 - Y", "d3 = np.sin(a3 - Y) + 0.1"))
    assert "begin at the end, with delta(3) and Delta(2)" in report.diagnosis[-1].note


def test_one_examples_and_one_classs_share_is_told():
    report = checked(COURSE, ("d3 = a3 - Y", "d3 = a3 - Y; d3[4] *= 1.7"))
    assert "0.7 times what example 5" in report.diagnosis[0].evidence
    report = checked(COURSE, ("d3 = a3 - Y", "d3 = a3 - Y; d3[:, 1] *= 1.7"))
    assert "0.7 times what class 2" in report.diagnosis[0].evidence


def test_a_mistake_that_leaves_little_is_named_in_part():
    report = checked(
        COURSE, (" * sigmoid_gradient(z2)", ""), ("D1 = d2.T @ a1 / m", "D1 = d2.T @ a1 / m + 1e-3")
    )
    part, rest = report.diagnosis
    assert part.name == "activation-derivative-missing"
    assert part.words.startswith("in part: ")
    assert rest.name == "no-known-mistake"


def test_random_numbers_are_never_explained():
    network = Network((3, 1))
    X, y = np.random.default_rng(1).normal(size=(6, 3)), np.array([0, 1, 1, 0, 1, 0])
    for seed in range(40):
        D = np.random.default_rng(seed).normal(size=4)

        def cost(theta, D=D):
            return cost_and_gradient(network, theta, X, y, 0.5)[0], D

        known = {"network": network, "X": X, "Y": y, "lam": 0.5}
        for told in (known, {"network": network}, {}):
            report = check_gradient(cost, np.linspace(-0.6, 0.7, 4), **told)
            assert [finding.name for finding in report.diagnosis] == ["no-known-mistake"]


@pytest.mark.parametrize("seed", range(12))
def test_what_changes_D_in_an_unknown_way_is_not_named(seed):
    rng = np.random.default_rng(seed)
    text = [COURSE, LOOP, DICTIONARY, DEEP, LINEAR, RELU][seed % 6]
    cost, known, theta = program(text)
    network = known["network"]
    noise = rng.normal(size=network.size) * (np.arange(network.size) < network.size // 2)
    report = check_gradient(lambda theta: (cost(theta)[0], cost(theta)[1] + noise), theta, **known)
    assert [finding.name for finding in report.diagnosis] == ["no-known-mistake"]


def test_the_table_and_the_plot_follow_the_order_in_which_J_reads_theta():
    cost, known, theta = program(RELU, ("db1 = np.sum(dhidden, axis=0)", "db1 = 0 * b1"))
    report = check_gradient(cost, theta, **known)
    assert [part.name for part in report.parts if not part.ok] == ["Theta(1) bias"]
    assert (report.parts[0].start, report.parts[0].stop) == (24, 30)  # W1 stands before b1
    # Without the data, nobody knows which components are which
    report = check_gradient(cost, theta, network=known["network"])
    assert report.parts[0].name == "components 0 to 5"


@pytest.mark.parametrize(
    ("order", "component", "place"),
    [
        ("F", 7, "Theta(1), row 3, column 2"),
        ("C", 7, "Theta(1), row 2, column 3"),
        ("F", 25, "Theta(2), row 1, column 1"),
        ("C", 42, "Theta(2), row 3, column 6"),
    ],
)
def test_the_first_lines_say_where_the_largest_error_stands(order, component, place):
    report = checked(
        COURSE,
        ('5, 5, order="F"', f'5, 5, order="{order}"'),
        ('3, 6, order="F"', f'3, 6, order="{order}"'),
        (
            'return J, np.r_[D1.ravel("F"), D2.ravel("F")]',
            f'return J, np.r_[D1.ravel("{order}"), D2.ravel("{order}")] '
            f"+ 9 * (np.arange(43) == {component})",
        ),
    )
    assert (report.where, report.place) == (component, place)
    said = f"largest relative error of one component: {report.largest_relative_error:.2g} at "
    assert f"{said}component {component} ({place}): D = " in str(report).splitlines()[1]
    cost, known, theta = program(COURSE, ("return J, ", "return J, 2 * "))
    alone = check_gradient(cost, theta, network=known["network"])
    assert alone.place == ""  # in which order theta is read is not known


def test_a_part_whose_components_lie_apart_names_them_all():
    cost, known, theta = program(LINEAR, ("D1[:, 1:] +=", "D1[:, 0] = 0; D1[:, 1:] +="))
    report = check_gradient(cost, theta, **known)
    bias = report.parts[0]
    assert (bias.name, bias.ok, bias.size) == ("Theta(1) bias", False, 5)
    assert bias.components == [0, 4, 8, 12, 16]
    assert json.loads(report.to_json())["parts"][0]["components"] == bias.components
    drawn = GradientCheckDisplay.from_report(report).plot().ax_.collections[0].get_offsets()
    np.testing.assert_allclose(drawn[:, 0], report.numerical[bias.components])


def test_a_check_can_be_stopped():
    cost, known, theta = program(COURSE)
    calls = iter(range(20))
    with pytest.raises(Stopped):
        check_gradient(cost, theta, **known, stop=lambda: next(calls) == 9)


def test_calls_that_add_up_are_told_from_calls_that_differ():
    network, theta = Network((2, 3, 1)), np.linspace(-1, 1, 13)
    X, y = np.random.default_rng(0).normal(size=(5, 2)), np.array([0, 1, 1, 0, 1])
    total = np.zeros(13)

    def adds_up(theta):
        J, D = cost_and_gradient(network, theta, X, y)
        total[:] += D
        return J, total

    (finding,) = check_gradient(adds_up, theta, network=network).diagnosis
    assert finding.name == "gradient-accumulates"
    assert "J stays" in finding.evidence
    assert "D(n) = n D(1)" in finding.evidence

    rng = np.random.default_rng(1)

    def drops(theta):
        J, D = cost_and_gradient(network, theta, X, y)
        return J + rng.normal(), D

    (finding,) = check_gradient(drops, theta).diagnosis
    assert finding.name == "not-deterministic"
    assert finding.evidence.endswith("D stays")


@pytest.mark.parametrize("seed", range(6))
def test_deep_relu_networks_with_small_weights_are_not_misjudged(seed):
    rng = np.random.default_rng(seed)
    network = Network((6, *[5] * 7, 3), hidden="relu", output=("sigmoid", "softmax")[seed % 2])
    X, y = rng.normal(size=(8, 6)), rng.integers(0, 3, 8)
    theta = 0.05 * rng.normal(size=network.size)

    def cost(theta):
        return cost_and_gradient(network, theta, X, y, 0.5)

    for told in ({}, {"network": network, "X": X, "Y": y, "lam": 0.5}):
        report = check_gradient(cost, theta, **told)
        assert report.ok
        assert report.about_J == ""
        report = check_gradient(lambda theta: (cost(theta)[0], -cost(theta)[1]), theta, **told)
        assert report.diagnosis[0].name == "sign"


def test_a_constant_inside_a_logarithm_is_harmless_without_the_data_too():
    guards = ("np.log(a3)", "np.log(a3 + 1e-7)"), ("np.log(1 - a3)", "np.log(1 - a3 + 1e-7)")
    cost, known, theta = program(COURSE, *guards)
    report = check_gradient(cost, theta)
    assert report.ok
    assert "harmless" in report.about_J
    assert "1e-07 inside its logarithm" in check_gradient(cost, theta, **known).about_J


def test_J_may_be_any_array_of_one_element():
    def cost(theta):
        return np.array([[theta @ theta]]), 2 * theta

    assert check_gradient(cost, [0.5, 1.5]).ok


def test_a_forward_pass_in_float32_is_no_mistake_where_J_and_D_are_the_notes():
    report = checked(COURSE, ("    a2 = np.c_", '    z2 = z2.astype("f4")\n    a2 = np.c_'))
    assert report.ok
    assert "the numerical gradient is less exact" in report.about_J


def test_where_J_is_unknown_D_tells_in_which_order_theta_is_read():
    report = checked(RELU, ("    return loss,", "    return round(loss, 3),"))
    assert report.diagnosis[0].name == "cost-inconsistent"
    assert report.parts[0].start == 24  # W1 stands before b1
    right = checked(RELU)
    assert f"the notes' J here is {right.J:.6g}" in report.about_J


def test_a_small_D_is_not_taken_for_whatever_makes_the_gradient_smaller():
    report = checked(LINEAR, ("    d3 = a3 - y\n", "    d3 = np.clip(a3 - y, -0.1, 0.1)\n"))
    assert [finding.name for finding in report.diagnosis] == ["no-known-mistake"]
