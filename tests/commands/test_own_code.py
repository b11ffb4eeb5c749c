"""Functions in their authors' own files: Python ones, and Octave's where it is installed."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from test_app import run

from chainrule import Network, check_gradient, random_theta, reshape, unroll
from chainrule.commands import own_code
from chainrule.datasets import octave
from chainrule.testing import assert_gradient, flat, unflat

OCTAVE = Path(__file__).parents[1] / "octave"
needs_octave = pytest.mark.skipif(
    shutil.which("octave-cli") is None, reason="octave-cli is not installed"
)

LINEAR = """
import numpy as np

def nnCostFunctionLinear(nn_params, il, hl, X, y, lambda_):
    m = len(X)
    Theta1 = nn_params[: hl * (il + 1)].reshape(hl, il + 1, order="F")
    Theta2 = nn_params[hl * (il + 1) :].reshape(1, hl + 1, order="F")
    a1 = np.c_[np.ones(m), X]
    a2 = np.c_[np.ones(m), np.tanh(a1 @ Theta1.T)]
    d3 = a2 @ Theta2.T - y[:, None]
    d2 = d3 @ Theta2[:, 1:] * (1 - a2[:, 1:] ** 2)
    reg1, reg2 = lambda_ * Theta1, lambda_ * Theta2
    reg1[:, 0] = reg2[:, 0] = 0
    J = (np.sum(d3**2) + np.sum(reg1 * Theta1) + np.sum(reg2 * Theta2)) / (2 * m)
    return J, np.r_[((d2.T @ a1 + reg1) / m).ravel("F"), ((d3.T @ a2 + reg2) / m).ravel("F")]
"""

ALONE = """
import numpy as np
from helper import squared

theta = [1.0, 2.0, 3.0]

def cost(theta):
    return squared(theta), FACTOR * theta

def broken(theta):
    print("here")
    return squared(theta), theta @ np.ones(2)

def leaves(theta):
    raise SystemExit(0)

def five(a, b, c, d, e):
    return 0, a
"""

OTHERS = """
import numpy as np

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def lrCostFunction(theta, X, y, lambda_=0.0):
    m, h = len(y), sigmoid(X @ theta)
    J = -(y @ np.log(h) + (1 - y) @ np.log(1 - h)) / m + lambda_ / (2 * m) * theta[1:] @ theta[1:]
    grad = X.T @ (h - y) / m
    grad[1:] += lambda_ / m * theta[1:]
    return J, grad

def adds_ones(theta, X, y, lam):
    return lrCostFunction(theta, np.c_[np.ones(len(X)), X], y, lam)

def linearRegCostFunction(X, y, theta, Lambda):
    m, e = len(y), X @ theta - y
    grad = X.T @ e / m
    grad[1:] += Lambda / m * theta[1:]
    return e @ e / (2 * m) + Lambda / (2 * m) * theta[1:] @ theta[1:], grad

def layers(theta, sizes, X, Y, lam):
    m, k, Ts = len(X), 0, []
    for inputs, outputs in zip(sizes, sizes[1:]):
        Ts.append(theta[k : k + outputs * (inputs + 1)].reshape(outputs, inputs + 1, order="F"))
        k += outputs * (inputs + 1)
    a = [np.c_[np.ones(m), X]]
    for T in Ts[:-1]:
        a.append(np.c_[np.ones(m), sigmoid(a[-1] @ T.T)])
    h = sigmoid(a[-1] @ Ts[-1].T)
    J = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    J += lam / (2 * m) * sum(np.sum(T[:, 1:] ** 2) for T in Ts)
    d, D = h - Y, []
    for T, A in zip(Ts[::-1], a[::-1]):
        D.insert(0, d.T @ A / m)
        D[0][:, 1:] += lam / m * T[:, 1:]
        d = (d @ T * A * (1 - A))[:, 1:]
    return J, D

def from_0(params, input_size, hidden_size, num_labels, X, y, learning_rate):
    J, D = layers(params, (input_size, hidden_size, num_labels), X, np.eye(num_labels)[y],
                  learning_rate)
    return np.array([[J]]), {"Theta1": D[0].ravel("F"), "Theta2": D[1].ravel("F")}

def other_order(theta, visibleSize, hiddenSize, numClasses, weight_decay, X, labels):
    J, D = layers(theta, (visibleSize, hiddenSize, numClasses), X, np.eye(numClasses)[labels - 1],
                  weight_decay)
    return np.concatenate([T.ravel("F") for T in D]), J

def deep(theta, X, y, lam):
    J, D = layers(theta, (4, 5, 6, 3), X, np.eye(3)[y - 1], lam)
    return {"loss": J, "grads": [T.ravel("F") for T in D]}

def cost(theta, X, y, lam):
    return deep(theta, X, y, lam)["loss"]

def gradient(theta, X, y, lam):
    return deep(theta, X, y, lam)["grads"]

def nothing(theta, X, y, lam):
    pass

def matrix(theta, X, y, lam):
    return X, 0 * X

def counted_wrong(params, input_size, hidden_size, num_labels, X, y, lam):
    return from_0(params, input_size, hidden_size, num_labels, X, y, lam)[0]
"""

NOTES = {  # the notes' test case of nnCostFunctionLinear
    "X": [[1], [2], [3]],
    "y": [1, 4, 9],
    "lambda": 0.01,
    "Theta1": np.reshape([31, 16, 15, -29, -13, -8, -7, 13], (4, 2), order="F") / 10,
    "Theta2": np.array([[54, -17, -11, -9, 16]]) / 10,
}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Change to a folder with own files, Python's and Octave's."""
    monkeypatch.chdir(tmp_path)
    Path("helper.py").write_text("def squared(theta):\n    return theta @ theta\n")
    Path("right.py").write_text(ALONE.replace("FACTOR", "2"))
    Path("wrong.py").write_text(ALONE.replace("FACTOR", "-2"))
    Path("linear.py").write_text(LINEAR)
    Path("others.py").write_text(OTHERS)
    octave.write("notes.mat", **NOTES)
    for file in OCTAVE.iterdir():
        shutil.copy(file, file.name)
    return tmp_path


def alter(file, line, other):
    """Write one line of a file differently."""
    text = Path(file).read_text()
    assert text.count(line) == 1
    Path(file).write_text(text.replace(line, other))


# In Python


def test_a_function_of_theta_alone(files):
    found = run("check-gradient", "right.py:cost")
    assert (found.exit_code, "gradient check passed: 3 components" in found.stdout) == (0, True)
    found = run("check-gradient", "wrong.py:cost", "--json", "--plot", "wrong.png")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["diagnosis"][0]["name"] == "sign"
    assert Path("wrong.png").read_bytes().startswith(b"\x89PNG")


def test_what_stands_beside_the_function_is_used(files):
    text = (
        "from chainrule import cost_and_gradient as c\nnetwork = (3, 2)\nX = [[1, 2, 3]]\ny = [1]"
    )
    Path("beside.py").write_text(
        f"{text}\nlam = 0.5\ndef cost(theta):\n    return c(NET, theta, X, y, lam)\n"
        "from chainrule import Network\nNET = Network(network)\n"
    )
    with own_code.opened("beside.py:cost") as problem:
        assert problem.arguments == {
            "network": Network((3, 2)),
            "X": [[1, 2, 3]],
            "Y": [1],
            "lam": 0.5,
        }
        np.testing.assert_array_equal(problem.theta, random_theta(Network((3, 2))))
        assert check_gradient(problem.objective, problem.theta, **problem.arguments).ok


def test_the_courses_signature_in_python(files):
    assert run("check-gradient", "linear.py:nnCostFunctionLinear").exit_code == 0
    alter("linear.py", "(1 - a2[:, 1:] ** 2)", "a2[:, 1:] * (1 - a2[:, 1:])")
    found = run("check-gradient", "linear.py:nnCostFunctionLinear")
    assert found.exit_code == 1
    assert "1. activation-derivative-of-another-activation" in found.stdout


def test_the_notes_test_case_from_a_mat_file(files):
    with own_code.opened("linear.py:nnCostFunctionLinear", "notes.mat") as problem:
        J, _ = problem.objective(problem.theta)
    assert round(J, 6) == 0.020815


@pytest.mark.parametrize(
    ("function", "options", "told"),
    [
        ("lrCostFunction", [], ""),
        ("adds_ones", [], "X without a column of ones: J is then the notes' J"),
        ("linearRegCostFunction", [], ""),
        ("from_0", [], "y counted from 0: J is then the notes' J"),
        ("other_order", [], ""),
        ("deep", ["--network", "4,5,6,3"], ""),
        ("cost,gradient", ["--network", "4,5,6,3"], ""),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parameters_are_told_by_their_names(files, function, options, told):
    found = run("check-gradient", f"others.py:{function}", *options)
    assert (found.exit_code, "gradient check passed" in found.stdout) == (0, True), found.stderr
    assert found.stderr == (f"others.py:{function}: {told}\n" if told else "")


@pytest.mark.parametrize(
    ("function", "says"),
    [
        ("cost", "cost returned a number alone: return (J, grad), grad unrolled as theta is, or "
         "name both functions, as in FILE.py:cost,grad"),
        ("nothing", "nothing returned None: return (J, grad)"),
        ("matrix", "matrix returned J of shape (13, 4): J is one number"),
        ("counted_wrong", "counted_wrong returned a number alone"),
    ],
)  # fmt: skip
def test_what_a_function_returns_is_told_in_one_sentence(files, function, says):
    options = [] if function == "counted_wrong" else ["--network", "4,12,3"]
    found = run("check-gradient", f"others.py:{function}", *options)
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert says in found.stderr


def test_layer_sizes_that_are_none_are_refused(files):
    found = run("check-gradient", "others.py:deep", "--network", "4,x")
    assert found.exit_code == 2
    assert "--network 4,x: must be layer sizes as in 4,5,6,3" in found.stderr


def test_a_template_that_is_not_filled_in_fails(files):
    text = OTHERS.replace("    return J, D\n", "    return 0, [0 * T for T in D]\n")
    Path("template.py").write_text(text)
    found = run("check-gradient", "template.py:from_0")
    assert found.exit_code == 1
    assert "1. cost-constant" in found.stdout


def test_dictionaries_and_lists_become_theta_and_back():
    parameters = {"W1": np.ones((2, 3)), "b1": np.zeros(3), "rest": [np.ones(2), np.zeros((1, 2))]}
    theta = np.arange(13.0)
    back = unflat(theta, parameters)
    assert list(back) == ["W1", "b1", "rest"]
    assert [part.shape for part in back["rest"]] == [(2,), (1, 2)]
    np.testing.assert_array_equal(flat(back), theta)
    gradient = {"db1": np.ones(1), "dW1": np.zeros((1, 2))}
    np.testing.assert_array_equal(flat(gradient, like={"W1": 0, "b1": 0}), [0, 0, 1])
    with pytest.raises(ValueError, match="no W2 and no dW2 among db1, dW1"):
        flat(gradient, like={"W2": 0})
    with pytest.raises(ValueError, match=r"theta must have shape \(13,\)"):
        unflat(theta[1:], parameters)


def test_random_examples_do_not_depend_on_anything_but_the_seed():
    one, other = (own_code.random_examples(True, 1.0, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.X, other.X)
    assert len({*one.network.layers, len(one.X)}) == 4  # exchanged sizes are errors


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["right.py"], "say which function too, as in right.py:cost"),
        (
            ["right.py:cots"],
            "right.py: has no function cots; it has squared, cost, broken, leaves, five",
        ),
        (["right.py:broken"], "right.py, line 12: ValueError: matmul: Input operand 1 has"),
        (["right.py:leaves"], "right.py, line 15: SystemExit: 0"),
        (["right.py:five"], "right.py:five takes 5 parameters; a function that can be checked"),
        (["right.py:cost", "notes.mat"], "takes theta alone: its data are its file's own"),
        (["right.py:cost", "--lam", "1"], "takes theta alone: its data are its file's own"),
        (["layers.py:cost", "--network", "9,9"], "layers.py says its own network: leave --network"),
        (["right.py:cost", "--plot", "a.txt"], "--plot a.txt: must be a .png file"),
        (["helper.py:squared"], "helper.py: has neither theta nor network"),
        (["linear.py:nnCostFunctionLinear", "bare.mat"], "must have X and y, as the course's"),
        (["syntax.py:cost"], "syntax.py, line 1: SyntaxError: "),
        (["model.safetensors"], "give the examples too"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_run_is_told_in_one_line(files, arguments, says):
    octave.write("bare.mat", A=[[1]])
    Path("layers.py").write_text("network = (1, 1)\n" + Path("right.py").read_text())
    Path("syntax.py").write_text("def cost(theta:\n")
    found = run("check-gradient", *arguments)
    assert (found.exit_code, found.stdout) == (2, "")
    *printed, told = found.stderr.splitlines()
    assert printed == (["here"] if "right.py:broken" in arguments else [])
    assert says in told


@pytest.mark.parametrize(
    ("what", "code", "says"),
    [
        ("none.py:cost", 3, "none.py: no such file"),
        ("none.m", 3, "none.m: no such file"),
        ("right.py", 2, "right.py: say which function too, as in right.py:cost"),
        ("right.py:", 2, "right.py: say which function too, as in right.py:cost"),
        ("right.py:cost,", 2, "right.py: say which function too, as in right.py:cost"),
        ("right.py:cost,cots", 2, "right.py: has no function cots; it has "),
    ],
)
@pytest.mark.parametrize("command", [["look", "--no-browser"], ["check-gradient"]])
def test_a_name_that_means_no_function_is_refused_in_one_line(files, command, what, code, says):
    found = run(*command, what)
    assert (found.exit_code, found.stdout) == (code, "")
    assert found.stderr.startswith(f"chainrule: {says}")


@pytest.mark.parametrize(
    "text",
    ["cost = lambda theta: 0", "from helper import squared as cost", "from helper import *",
     "globals()['cost'] = print", "def make():\n    global cost\n    cost = 1\nmake()",
     "if True:\n    def cost(theta): pass", "def cost(theta:"],
)  # fmt: skip
def test_a_name_that_a_file_may_have_is_not_refused(files, text):
    Path("some.py").write_text(text)
    path, functions = own_code.place_of("some.py:cost")
    assert functions == ["cost"]
    own_code.refuse_unknown(path, functions)


NO_SLOPE = """
import numpy as np
def g(z):
    return 1 / (1 + np.exp(-z))
inputs, y = np.array([[0.0, 1], [1, 0], [1, 1], [0, 0]]), np.array([[1.0], [1], [0], [0]])
ones = np.ones((4, 1))
def cost(theta):
    Theta1, Theta2 = theta[:6].reshape(2, 3, order="F"), theta[6:].reshape(1, 3, order="F")
    a1 = np.hstack([ones, inputs])
    a2 = np.hstack([ones, g(a1 @ Theta1.T)])
    h = g(a2 @ Theta2.T)
    J = -np.sum(y * np.log(h) + (1 - y) * np.log(1 - h)) / 4
    delta2 = (h - y) @ Theta2[:, 1:]
    return J, np.r_[(delta2.T @ a1 / 4).ravel("F"), ((h - y).T @ a2 / 4).ravel("F")]
"""
THETA = "theta = np.random.default_rng(1).uniform(-1, 1, 9)\n"
LITTLE = "too little is known to compare D with the known mistakes; "


@pytest.mark.parametrize(
    ("beside", "write"),
    [
        (THETA + "X, lam = inputs, 0\n", "network = (2, 2, 1)"),
        (THETA, "network = (4, 5, 3) (its layers) and X"),
        ("network = (2, 2, 1)\n", "X"),
    ],
)
def test_what_a_file_must_say_so_that_its_mistake_is_named_is_said(files, beside, write):
    Path("slope.py").write_text(NO_SLOPE + beside)
    [finding] = json.loads(run("check-gradient", "slope.py:cost", "--json").stdout)["diagnosis"]
    does = "and D can be compared with the known mistakes"
    assert finding["words"] == f"{LITTLE}write {write} in slope.py, {does}"


@needs_octave
def test_octave_s_function_of_theta_alone_is_told_to_take_examples(files):
    Path("alone.m").write_text(
        "function [J, D] = alone(theta)\n  J = sum(theta .^ 4); D = theta .^ 2;\nend\n"
    )
    found = run("check-gradient", "alone.m", "--network", "2,2,1", "--json")
    [finding] = json.loads(found.stdout)["diagnosis"]
    assert finding["words"] == (
        f"{LITTLE}let alone take the examples too, as in alone(theta, X, y, lambda), and D can be "
        "compared with the known mistakes"
    )


def test_a_file_that_says_all_of_it_has_its_mistake_named(files):
    Path("slope.py").write_text(NO_SLOPE + "X, lam, network = inputs, 0, (2, 2, 1)\n")
    found = json.loads(run("check-gradient", "slope.py:cost", "--json").stdout)
    assert found["diagnosis"][0]["name"] == "activation-derivative-missing"


LABELS = np.arange(12) % 3


@pytest.mark.parametrize(
    ("function", "first", "told"),
    [
        ("from_0", 0, "y counted from 0, as in labels"),
        ("from_0", 1, "y counted from 0: J is then the notes' J"),
        ("other_order", 0, "y counted from 1: J is then the notes' J"),
        ("other_order", 1, ""),
    ],
)
@pytest.mark.parametrize("ending", [".mat", ".csv"])
def test_labels_of_a_file_count_from_0_or_from_1(files, function, first, told, ending):
    X = np.random.default_rng(0).uniform(-1, 1, (12, 4))
    if ending == ".mat":
        octave.write("labels.mat", X=X, y=LABELS + first)
    else:
        rows = np.column_stack([X, LABELS + first])
        np.savetxt("labels.csv", rows, "%.17g", ",", header="a,b,c,d,y", comments="")
    found = run("check-gradient", f"others.py:{function}", f"labels{ending}")
    assert (found.exit_code, "gradient check passed" in found.stdout) == (0, True), found.stderr
    told = told if told.count("as in") == 0 else f"{told}{ending}"
    assert found.stderr == (f"others.py:{function}: {told}\n" if told else "")


def test_labels_beside_a_function_of_theta_alone_count_from_0_or_from_1(files):
    Path("alone.py").write_text(
        "from chainrule import Network, cost_and_gradient\n"
        "network, X, y, lam = Network((4, 5, 3)), [[1, 2, 3, 4], [4, 3, 2, 1]], [1, 3], 0.5\n"
        "def cost(theta):\n"
        "    return cost_and_gradient(network, theta, X, [label - 1 for label in y], lam)\n"
    )
    found = run("check-gradient", "alone.py:cost")
    assert (found.exit_code, "the notes' J" in found.stdout) == (0, False), found.stdout
    assert found.stderr == "alone.py:cost: y counted from 1\n"


def test_examples_of_a_file_go_to_functions_without_a_network_in_their_names(files):
    rng = np.random.default_rng(0)
    X, y = rng.uniform(-1, 1, (12, 4)), rng.normal(size=12)
    octave.write("yes.mat", X=X, y=LABELS % 2)
    octave.write("numbers.mat", X=X, y=y)
    octave.write("labels.mat", X=X, y=LABELS)
    for function, data, *options in (
        ("lrCostFunction", "yes.mat"),
        ("adds_ones", "yes.mat"),
        ("linearRegCostFunction", "numbers.mat"),
        ("deep", "labels.mat", "--network", "4,5,6,3"),
    ):
        found = run("check-gradient", f"others.py:{function}", data, *options)
        assert (found.exit_code, "passed" in found.stdout) == (0, True), found.stderr
        assert "the notes' J here" not in found.stdout


@pytest.mark.parametrize(
    ("y", "layers", "says"),
    [
        ([1, 1], None, "must be labels 1, 2, ..., K .* or 0, 1, ..., K - 1"),
        ([-1, 1], None, "must be labels 1, 2"),
        ([0.5, 1], None, "must be labels 1, 2"),
        ([0, 3], (1, 5, 3), "must be labels 1, 2, ..., 3 .* or 0, 1, ..., 2"),
        ([1, 4], (1, 5, 3), "must be labels 1, 2, ..., 3 "),
        ([1, 2], (1, 5, 1), "y must be 0 and 1, for a function of one output"),
    ],
)
def test_labels_that_are_none_are_refused(files, y, layers, says):
    octave.write("none.mat", X=[[1], [2]], y=y)
    with pytest.raises(ValueError, match=says):
        own_code.read_examples("none.mat", True, None, 20, 0, layers)


def test_without_octave_it_says_how_to_get_it(files, monkeypatch):
    monkeypatch.setenv("PATH", "")
    found = run("check-gradient", "nnCostFunction.m")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert "nnCostFunction.m: needs GNU Octave" in found.stderr


def test_assert_gradient_says_in_a_test_what_is_wrong():
    assert_gradient(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0])
    with pytest.raises(AssertionError, match=r"gradient check FAILED[\s\S]*1\. sign"):
        assert_gradient(lambda theta: (theta @ theta, -2 * theta), [1.0, 2.0])


# In Octave


@needs_octave
@pytest.mark.slow
@pytest.mark.parametrize("name", ["nnCostFunction.m", "nnCostFunctionLinear.m"])
def test_a_right_octave_file_passes_for_any_theta(files, name):
    for seed in range(5):
        found = run("check-gradient", name, "--seed", seed)
        assert (found.exit_code, "passed: " in found.stdout) == (0, True), found.stdout


@needs_octave
@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "other", "mistake"),
    [
        ("d3 = a3 - Y;", "d3 = Y - a3;", "sign"),
        ("d3 = a3 - Y;", "d3 = (a3 - Y) .* a3 .* (1 - a3);", "output-derivative-extra"),
        (" .* sigmoidGradient(z2)", "", "activation-derivative-missing"),
        (
            "sigmoidGradient(z2)",
            "sigmoidGradient(a2(:, 2:end))",
            "activation-derivative-at-wrong-point",
        ),
        (
            "  Theta1_grad(:, 2:end) += lambda / m * Theta1(:, 2:end);\n"
            "  Theta2_grad(:, 2:end) += lambda / m * Theta2(:, 2:end);\n",
            "  Theta1_grad += lambda / m * Theta1;\n  Theta2_grad += lambda / m * Theta2;\n",
            "bias-regularised",
        ),
        ("grad = [Theta1_grad(:); Theta2_grad(:)]", "grad = [Theta1_grad'(:); Theta2_grad'(:)]",
         "unrolled-by-row"),
        ("d3' * a2 / m", "d3' * a2", "missing-1-over-m"),
        ("d3 = a3 - Y;", "d3 = a3 - eye(num_labels)(mod(y, num_labels) + 1, :);", "labels-shifted"),
    ],
    ids=lambda value: value.strip()[:20],
)  # fmt: skip
def test_a_wrong_octave_file_is_told_what_is_wrong(files, line, other, mistake):
    alter("nnCostFunction.m", line, other)
    found = run("check-gradient", "nnCostFunction.m", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["diagnosis"][0]["name"] == mistake


@needs_octave
@pytest.mark.slow
def test_octave_has_the_notes_numbers(files):
    with own_code.opened("nnCostFunctionLinear.m", "notes.mat") as problem:
        J, D = problem.objective(problem.theta)
    np.testing.assert_allclose(J, 0.020815, atol=5e-7)
    np.testing.assert_allclose(D[:3], [-0.0131002, -0.0110085, -0.0070569], atol=5e-8)


@needs_octave
@pytest.mark.slow
def test_the_courses_digits_in_octave(files, data):
    found = run("check-gradient", "nnCostFunction.m", data("course/ex4data1.mat"))
    assert (found.exit_code, found.stdout.startswith("gradient check passed")) == (0, True)


@needs_octave
@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "other", "says"),
    [
        ("d3 = a3 - Y;", "d3 = a3 - undefined;", "nnCostFunction.m, line 14: 'undefined' undef"),
        ("d3 = a3 - Y;", "d3 = (a3 - Y;", "nnCostFunction.m: parse error"),
        ("d3 = a3 - Y;", "d3 = a3 - Y';", "nnCostFunction.m, line 14: operator -: nonconformant"),
        ("d3 = a3 - Y;", "exit(3);", "nnCostFunction.m: Octave ended"),
        ("log(a3) +", "log(-a3) +", "nnCostFunction.m: J or grad is complex"),
        ("Theta2_grad(:)];", "];", "gradient has shape (25,), theta has (43,)"),
        ("num_labels, X, y, lambda)", "num_labels)", "takes 4 parameters"),
    ],
    ids=lambda value: value.strip()[:20],
)
def test_octaves_own_message_is_shown(files, line, other, says):
    alter("nnCostFunction.m", line, other)
    found = run("check-gradient", "nnCostFunction.m")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert says in found.stderr


@needs_octave
@pytest.mark.slow
def test_matrices_go_to_octave_and_come_back(tmp_path):
    import subprocess

    network = Network((6, 4, 3))
    theta = random_theta(network)
    Theta1, Theta2 = reshape(network, theta)
    X, y = np.random.default_rng(0).normal(size=(5, 6)), octave.labels([1, 2, 0, 1, 2])
    octave.write(tmp_path / "there.mat", Theta1=Theta1, Theta2=Theta2, X=X, y=y)
    for version in ("-v6", "-v7"):
        program = f"load there.mat; save('{version}', 'back.mat', 'Theta1', 'Theta2', 'X', 'y')"
        subprocess.run(["octave-cli", "--quiet", "--eval", program], cwd=tmp_path, check=True)
        back = octave.read(tmp_path / "back.mat")
        np.testing.assert_array_equal(unroll([back["Theta1"], back["Theta2"]]), theta)
        np.testing.assert_array_equal(back["X"], X)
        np.testing.assert_array_equal(back["y"].ravel(), y)


@needs_octave
@pytest.mark.slow
def test_octave_can_redo_a_trace(tmp_path, monkeypatch):
    import subprocess

    monkeypatch.chdir(tmp_path)
    run("train", "digits", "--hidden", "8", "--max-iter", "5", "--out", "d.safetensors")
    assert run("trace", "d.safetensors", "digits", "--row", "3", "--out", "t.mat").exit_code == 0
    program = """
    load t.mat
    assert(Theta1 * [1; a1], z2, 1e-12); assert(1 ./ (1 + exp(-z2)), a2, 1e-12);
    assert(a3 - y, delta3, 1e-12); assert(delta2 * [1; a1]', Delta1, 1e-12);
    assert(Delta2 + lambda * [zeros(10, 1) Theta2(:, 2:end)], D2, 1e-12);
    """
    subprocess.run(["octave-cli", "--quiet", "--eval", program], check=True)


REGRESSIONS = {
    "lrCostFunction.m": """
function [J, grad] = lrCostFunction(theta, X, y, lambda)
m = length(y); h = 1 ./ (1 + exp(-X * theta));
J = -(y' * log(h) + (1 - y)' * log(1 - h)) / m + lambda / (2 * m) * sum(theta(2:end) .^ 2);
grad = X' * (h - y) / m; grad(2:end) += lambda / m * theta(2:end);
end
""",
    "linearRegCostFunction.m": """
function [J, grad] = linearRegCostFunction(X, y, theta, lambda)
m = length(y); e = X * theta - y;
J = e' * e / (2 * m) + lambda / (2 * m) * sum(theta(2:end) .^ 2);
grad = X' * e / m; grad(2:end) += lambda / m * theta(2:end);
end
""",
    "alone.m": "function [J, grad] = alone(theta)\nJ = sum(theta .^ 2); grad = 2 * theta;\nend\n",
}


@needs_octave
@pytest.mark.slow
@pytest.mark.parametrize("name", REGRESSIONS)
def test_the_courses_regressions_and_functions_of_theta_alone_in_octave(files, name):
    Path(name).write_text(REGRESSIONS[name].lstrip())
    options = ["--network", "2,3,1"] if name == "alone.m" else []
    found = run("check-gradient", name, *options)
    assert (found.exit_code, "gradient check passed" in found.stdout) == (0, True), found.stderr


@needs_octave
@pytest.mark.slow
def test_the_named_file_is_checked_not_one_of_the_same_name_in_this_folder(files):
    Path("sub").mkdir()
    Path("sub/nnCostFunction.m").write_text(
        "function [J, grad] = nnCostFunction(nn_params, input_layer_size, hidden_layer_size, ...\n"
        "  num_labels, X, y, lambda)\nJ = helper(); grad = zeros(size(nn_params));\nend\n"
    )
    Path("sub/helper.m").write_text("function J = helper()\nJ = 0;\nend\n")
    Path("helper.m").write_text("function J = helper()\nJ = 1;\nend\n")
    found = run("check-gradient", "sub/nnCostFunction.m", "--json")
    assert found.exit_code == 1  # a template that is not filled in fails
    told = json.loads(found.stdout)["diagnosis"]
    assert [finding["name"] for finding in told] == ["cost-constant", "gradient-zero"]
    assert told[0]["evidence"].startswith("J is 0 ")


OCTAVE_LABELS = "Y = eye(num_labels)(y, :);"


@needs_octave
@pytest.mark.slow
@pytest.mark.parametrize(
    "labels",
    [
        "Y = (0:num_labels - 1) == y;",
        "Y = eye(num_labels)(y + 1, :);",
        "Y = zeros(m, num_labels); for t = 1:m, Y(t, y(t) + 1) = 1; end",
    ],
)
def test_labels_from_0_are_told_in_octave_too(files, labels):
    alter("nnCostFunction.m", OCTAVE_LABELS, labels)
    found = run("check-gradient", "nnCostFunction.m")
    assert (found.exit_code, "gradient check passed" in found.stdout) == (0, True), found.stderr
    assert found.stderr.startswith("nnCostFunction.m: y counted from 0: ")


@needs_octave
@pytest.mark.slow
@pytest.mark.parametrize("labels", ["eye(num_labels)(y, :)", "eye(num_labels)(y + 1, :)"])
def test_an_error_beside_the_labels_is_told_in_octave_not_that_of_wrong_labels(files, labels):
    alter("nnCostFunction.m", OCTAVE_LABELS, f"Y = {labels};")
    alter("nnCostFunction.m", "d3 = a3 - Y;", "d3 = a3 - undefined;")
    found = run("check-gradient", "nnCostFunction.m")
    assert (found.exit_code, found.stderr.count("\n")) == (2, 1)
    assert "'undefined' undefined" in found.stderr


def test_a_long_check_draws_a_bar_and_a_short_one_does_not(tmp_path, monkeypatch):
    from chainrule.commands import checking

    file = tmp_path / "cost.py"
    file.write_text(
        "def cost(theta):\n    return theta @ theta, 2 * theta\n\ntheta = [1.0, 2.0, 3.0]\n"
    )
    short = run("check-gradient", f"{file}:cost")
    assert (short.exit_code, "comparing slopes" in short.stderr) == (0, False)
    monkeypatch.setattr(checking, "QUIET", 0.0)
    long = run("check-gradient", f"{file}:cost")
    assert (long.exit_code, "comparing slopes" in long.stderr) == (0, True)
    assert long.stdout == short.stdout


@pytest.mark.parametrize(("most", "m"), [(1, 1), (5, 5), (20, 7)])
def test_rows_says_how_many_random_examples_there_are(most, m):
    assert own_code.random_examples(True, 1.0, seed=3, most=most).X.shape == (m, 4)
