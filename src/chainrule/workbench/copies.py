"""A training as text that does it again: as a command, as Python, as Octave.

Command and Python give the same theta, bit for bit.  Octave gets theta and the examples in a file,
and computes J and D from them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from chainrule import __version__
from chainrule.common.checks import counted
from chainrule.common.files import name_of
from chainrule.common.types import Array
from chainrule.common.words import printable
from chainrule.datasets.invented import INVENTED
from chainrule.datasets.octave import transpose_images
from chainrule.notes.activations import ACTIVATIONS, LEAK, SELU_ALPHA, SELU_SCALE
from chainrule.notes.network import Network
from chainrule.notes.theta import reshape
from chainrule.workbench.pipeline import Prepared
from chainrule.workbench.request import Request
from chainrule.workbench.telling import options_typed

NAMED = ("digits", "mnist", *INVENTED)  # data that are no files
NOT_TYPED = ("source", "check", "recipe", "cv", "threads")
LOADED = ("target", "drop", "missing", "kind", "header", "encoding", "na", "keep")

# name: (g, g') as Octave computes them from z and a, without overflow
OCTAVE_ACTIVATIONS: Mapping[str, tuple[str, str]] = {
    "sigmoid": ("1 ./ (1 + exp(-z))", "a .* (1 - a)"),
    "tanh": ("tanh(z)", "1 - a .^ 2"),
    "relu": ("max(0, z)", "z > 0"),
    "leaky_relu": (f"max(z, {LEAK!r} * z)", f"max(z > 0, {LEAK!r})"),
    "elu": ("max(z, 0) + expm1(min(z, 0))", "exp(min(z, 0))"),
    "selu": (
        f"{SELU_SCALE!r} * (max(z, 0) + {SELU_ALPHA!r} * expm1(min(z, 0)))",
        f"{SELU_SCALE!r} * ((z > 0) + {SELU_ALPHA!r} * (z <= 0) .* exp(min(z, 0)))",
    ),
    "softplus": ("max(z, 0) + log1p(exp(-abs(z)))", "1 ./ (1 + exp(-z))"),
    "silu": ("z ./ (1 + exp(-z))", "(1 + z ./ (1 + exp(z))) ./ (1 + exp(-z))"),
    "gelu": (
        "z .* (1 + erf(z / sqrt(2))) / 2",
        "(1 + erf(z / sqrt(2))) / 2 + z .* exp(-z .^ 2 / 2) / sqrt(2 * pi)",
    ),
    "mish": (
        "z .* tanh(log1p(exp(z)))",
        "tanh(log1p(exp(z))) + z .* (1 - tanh(log1p(exp(z))) .^ 2) ./ (1 + exp(-z))",
    ),
    "identity": ("z", "ones(size(z))"),
}
# name: (h, cost of each output), likewise; delta(L) = h - y
OCTAVE_COSTS: Mapping[str, tuple[str, str]] = {
    "sigmoid": ("1 ./ (1 + exp(-z))", "log1p(exp(-abs(z))) + max(z, 0) - Y .* z"),
    "softmax": (
        "exp(z - max(z, [], 2)) ./ sum(exp(z - max(z, [], 2)), 2)",
        "Y .* (max(z, [], 2) - z + log(sum(exp(z - max(z, [], 2)), 2)))",
    ),
    "identity": ("z", "(h - Y) .^ 2 / 2"),
    "exp": ("exp(z)", "h - Y .* z"),
}

# What a program of backpropagation calls beside the activations
_FUNCTIONS: Mapping[str, str] = {
    "bias": "def bias(a):\n    return np.c_[np.ones(len(a)), a]",
    "no_bias": "def no_bias(Theta):\n    return np.c_[0 * Theta[:, 0], Theta[:, 1:]]",
    "exp": "def exp(z):\n    return np.exp(z)",
    "softmax": (
        "def softmax(z, axis=1):\n"
        "    e = np.exp(z - z.max(axis=axis, keepdims=True))\n"
        "    return e / e.sum(axis=axis, keepdims=True)"
    ),
}
_CALLED = re.compile(r"(?<!\.)\b(\w+)\(")


def settled(prepared: Prepared, max_iter: int | None = None) -> Request:
    """Return the request with all that was decided, so that nothing is left to cross-validation.

    max_iter is the number of iterations of a training that was ended before its time.
    """
    plan = prepared.plan
    return replace(
        prepared.request,
        lam=float(plan.lam),
        hidden=tuple(plan.network.layers[1:-1]) or prepared.request.hidden,
        cv=False,
        max_iter=int(plan.arguments["max_iter"] if max_iter is None else max_iter),
        threads=None,
    )


def source_of(request: Request) -> str:
    """Return how a table is called where it is typed.

    Examples
    --------
    >>> source_of(Request("digits")), source_of(Request("-strange name.csv"))
    ('digits', './-strange name.csv')
    """
    name = name_of(request.source)
    is_file = not isinstance(request.source, str)
    return f"./{name}" if name.startswith("-") or (is_file and name in NAMED) else name


def asked_for(request: Request) -> dict[str, Any]:
    """Return what a request asks for beside its data, where that is not the default.

    Examples
    --------
    >>> asked_for(Request("digits", hidden=(8,), lam=0.0))
    {'hidden': (8,), 'lam': 0.0}
    """
    return {
        field.name: value
        for field in fields(request)
        if field.name not in NOT_TYPED
        and (value := getattr(request, field.name)) not in (field.default, ())
    }


def as_command(request: Request) -> str:
    """Return a training as it is typed in a shell.

    Examples
    --------
    >>> as_command(Request("my table.csv", ("price",), hidden=(8, 4), lam=0.5, scale=False))
    "chainrule train 'my table.csv' --target price --hidden 8,4 --no-scale --lam 0.5"
    """
    typed = options_typed(asked_for(request))
    return " ".join(["chainrule train", shlex.quote(source_of(request)), *([typed] * bool(typed))])


def as_python(prepared: Prepared, max_iter: int | None = None, *, zero: bool = False) -> str:
    """Return a training as a program that runs as it is; zero starts it from a theta of zeros."""
    request, plan = settled(prepared, max_iter), prepared.plan
    network, seed = plan.network, request.seed
    load = [repr(source_of(request))]
    load += [
        f"{name}={_literal(value)}" for name, value in asked_for(request).items() if name in LOADED
    ]
    split = "" if request.test_size is None else f", {request.test_size!r}"
    rows, where = (
        ("data", "all rows") if prepared.held_out is None else ("held_out", "held-out rows")
    )
    score = "R2" if prepared.training.classes is None else "accuracy"
    imports = (
        ["Network", "predict", "train"] if zero else ["Network", "predict", "random_theta", "train"]
    )
    scaled = [name for name in ("scaling", "target_scaling") if getattr(prepared, name) is not None]
    lines = [
        f"# chainrule {__version__}: the training on the page, bit for bit",
        "import numpy as np",
        "",
        f"from chainrule import {', '.join(imports)}",
        "from chainrule.datasets import load, split",
        *(["from chainrule.datasets.scaling import Scaling"] if scaled else []),
        "from chainrule.evaluation import Evaluation",
        "",
        f"data = load({', '.join(load)})",
        f"training, held_out = split(data{split}, seed={seed})",
    ]
    X, Y = "{}.X", "{}.Y"
    if prepared.scaling is not None:
        lines.append("scaling = Scaling.fit(training.X)")
        X = "scaling.apply({}.X)"
    if prepared.target_scaling is not None:
        lines.append("target_scaling = Scaling.fit(training.Y)")
        Y = "target_scaling.apply({}.Y)"
    lines.append("")
    arguments = {"lam": request.lam, **_arguments(prepared, request)}
    if request.validation is not None:
        lines.append(f"training, watched = split(training, {request.validation!r}, seed={seed})")
    lines += [
        f"network = {_network(network)}",
        "result = train(",
        "    network,",
        f"    {X.format('training')},",
        f"    {Y.format('training')},",
        *(
            [f"    X_val={X.format('watched')},", f"    Y_val={Y.format('watched')},"]
            if request.validation is not None
            else []
        ),
        *_start(request, zero=zero),
        *[f"    {name}={value!r}," for name, value in arguments.items()],
        ")",
        "print(result.stopped)",
        'print("J =", result.J)',
        "",
        f"rows = {rows}",
        f"h = predict(network, result.theta, {X.format('rows')})",
    ]
    if prepared.target_scaling is not None:
        lines.append("h = target_scaling.undo(h)")
    lines += [
        f'print("{score} on {where}:", Evaluation(h, rows.Y, rows.classes).score)',
        'np.savez("theta.npz", theta=result.theta)',
    ]
    return "\n".join(lines) + "\n"


def _network(network: Network) -> str:
    return f"Network({network.layers!r}, hidden={network.hidden!r}, output={network.output!r})"


def _literal(value: Any) -> str:
    """Return a value of a request as Python has it: a list of names rather than a tuple."""
    return repr(list(value) if isinstance(value, tuple) else value)


def _start(request: Request, *, zero: bool) -> list[str]:
    if zero:
        return ["    theta=np.zeros(network.size),", "    allow_symmetry=True,"]
    if request.n_restarts != 1:
        return [f"    seed={request.seed},"]
    return [f"    theta=random_theta(network, seed={request.seed}),"]


def _arguments(prepared: Prepared, request: Request) -> dict[str, Any]:
    """Return the arguments of `train` that the plan decided on."""
    arguments = {**prepared.plan.arguments, "max_iter": request.max_iter}
    arguments.pop("threads", None)
    if request.max_time is not None:
        arguments["max_time"] = request.max_time
    return arguments


def octave_matrices(prepared: Prepared, theta: Array) -> dict[str, Array]:
    """Return what an Octave program computes J and D from: Theta1, ..., X, y and lambda.

    The examples are those trained on, as the network sees them; pictures are stored column by
    column, as Octave does, and classes are counted from 1.
    """
    network, encoder = prepared.plan.network, prepared.training.encoder
    X, Y = prepared.trained_on
    Theta = [np.array(part, np.float64) for part in reshape(network, theta)]
    if encoder.image_shape is not None and not encoder.column_major:
        height, width = encoder.image_shape
        X = transpose_images(X, height, width)
        Theta[0][:, 1:] = transpose_images(Theta[0][:, 1:], height, width)
    found = {f"Theta{l}": part for l, part in enumerate(Theta, start=1)}
    one_unit = prepared.training.classes is None or network.K == 1
    return found | {
        "X": np.asarray(X, np.float64),
        "y": np.asarray(Y if one_unit else Y + 1, np.float64),
        "lambda": np.array([[float(prepared.plan.lam)]]),
    }


def as_octave(prepared: Prepared, file: str) -> str:
    """Return a program that computes J and D of the matrices in a file."""
    network, classes = prepared.plan.network, prepared.training.classes
    many = classes is not None and network.K > 1
    told = [_octave_head(network, len(prepared.trained_on[0]))]
    if many:
        names = ", ".join(
            f"{k}: {_comment(label)}" for k, label in enumerate(classes or (), start=1)
        )
        told.append(f"% the classes in y are {names}")
    quoted = file.replace("'", "''")
    load = f"load('{quoted}');  % {_Thetas(network)}, X, y, lambda"
    Y = f"eye({network.K})(y, :)" if many else "y"
    return "\n".join([*told, load, *_octave_J_and_D(network, Y), ""])


def numbers_as_python(network: Network, theta: Array, X: Array, Y: Array, lam: float) -> str:
    """Return a program that prints J, D and the trace of the first example of numbers typed in."""
    given = {"theta": theta, "X": X, "Y": Y}
    lines = [
        f"# chainrule {__version__}: the numbers of the page's view Step, bit for bit",
        "import numpy as np",
        "",
        "from chainrule import Network, cost_and_gradient, trace",
        "",
        f"network = {_network(network)}",
        *[f"{name} = np.array({value.tolist()!r})" for name, value in given.items()],
        f'J, D = cost_and_gradient(network, theta, X, Y, lam={lam!r}, engine="numpy")',
        'print("J =", J)',
        'print("D =", D.tolist())',
        f"print(trace(network, theta, X[0], Y[0], lam={lam!r}))",
    ]
    return "\n".join(lines) + "\n"


def gradient_as_python(
    network: Network, theta: Array, X: Array, Y: Array, lam: float, lines: Sequence[str]
) -> str:
    """Return a file whose function cost is J and a gradient written in lines, to be checked.

    The lines compute D from Theta1, ..., X, Y, lam and m, as `diagnosis.program` writes them.
    """
    called = sorted({name.removesuffix("_prime") for name in _CALLED.findall("\n".join(lines))})
    functions = [text for name, text in _FUNCTIONS.items() if name in called]
    functions += [
        f"def {name}(z):\n    return ACTIVATIONS[{name!r}].g(z)\n\n\n"
        f"def {name}_prime(z):\n    return ACTIVATIONS[{name!r}].slope({name}(z), z)"
        for name in called
        if name in ACTIVATIONS
    ]
    given = {"theta": theta, "X": X, "Y": Y}
    head = [
        f"# chainrule {__version__}: the program of the page's view Check, as cost.py for",
        "# chainrule check-gradient cost.py:cost",
        "# chainrule look cost.py:cost",
        "import numpy as np",
        "",
        "from chainrule import Network, cost_and_gradient, reshape",
        "from chainrule.notes.activations import ACTIVATIONS",
        "",
        f"network = {_network(network)}",
        *[f"{name} = np.array({value.tolist()!r})" for name, value in given.items()],
        f"lam = {lam!r}",
        "m = len(X)",
    ]
    cost = [
        "def cost(theta):",
        f"    [{_Thetas(network)}] = reshape(network, theta)",
        *[f"    {line}" for line in lines],
        "    J, _ = cost_and_gradient(network, theta, X, Y, lam=lam)",
        "    return J, D",
    ]
    return "\n\n\n".join(["\n".join(head), *functions, "\n".join(cost)]) + "\n"


def numbers_as_octave(network: Network, theta: Array, X: Array, Y: Array, lam: float) -> str:
    """Return a program that computes J and D of numbers typed in."""
    given = {f"Theta{l}": part for l, part in enumerate(reshape(network, theta), start=1)}
    lines = [
        _octave_head(network, len(X)),
        *[f"{name} = {_octave_matrix(part)};" for name, part in {**given, "X": X, "y": Y}.items()],
        f"lambda = {lam!r};",
        *_octave_J_and_D(network, "y"),
        *[f"D{l} = D{{{l}}}" for l in range(1, network.L)],
    ]
    return "\n".join(lines) + "\n"


def _octave_head(network: Network, m: int) -> str:
    shape = "-".join(map(str, network.layers))
    return f"% chainrule {__version__}: J and D of a network {shape}, {counted(m, 'example')}"


def _octave_matrix(values: Array) -> str:
    return "[" + "; ".join(" ".join(map(repr, row)) for row in values.tolist()) + "]"


def _Thetas(network: Network) -> str:
    return ", ".join(f"Theta{l}" for l in range(1, network.L))


def _octave_J_and_D(network: Network, Y: str) -> list[str]:
    """Return the lines that compute J and D of Theta1, ..., X, y and lambda."""
    g = [_octave_of(each.name, OCTAVE_ACTIVATIONS) for each in network.activations]
    h, cost = _octave_of(network.cost.name, OCTAVE_COSTS)
    return [
        f"Theta = {{{_Thetas(network)}}};",
        f"g = {{{', '.join(f'@(z) {of_z}' for of_z, _ in g)}}};",
        f"slope = {{{', '.join(f'@(a, z) {of_a}' for _, of_a in g)}}};",
        f"L = {network.L};  m = rows(X);",
        f"Y = {Y};",
        "",
        "% forward propagation",
        "a = {X};  z = {X};",
        "for l = 1:L-1",
        "  z{l+1} = [ones(m, 1), a{l}] * Theta{l}';",
        "  if l + 1 < L",
        "    a{l+1} = g{l}(z{l+1});",
        "  end",
        "end",
        "z_L = z{L};",
        f"h = {_renamed(h)};",
        f"cost = {_renamed(cost)};",
        "J = sum(cost(:)) / m;",
        "",
        "% backpropagation",
        "delta = h - Y;",
        "for l = L-1:-1:1",
        "  penalty = [zeros(rows(Theta{l}), 1), Theta{l}(:, 2:end)];  % no bias",
        "  J += lambda / (2 * m) * sum(penalty(:) .^ 2);",
        "  D{l} = (delta' * [ones(m, 1), a{l}] + lambda * penalty) / m;",
        "  if l > 1",
        "    delta = delta * Theta{l}(:, 2:end) .* slope{l-1}(a{l}, z{l});",
        "  end",
        "end",
        "J",
    ]


def _octave_of(name: str, table: Mapping[str, tuple[str, str]]) -> tuple[str, str]:
    if name not in table:
        raise ValueError(f"there is no Octave text for {name!r}: {', '.join(table)} have one")
    return table[name]


def _renamed(formula: str) -> str:
    """Return a formula in the z of the last layer."""
    return re.sub(r"\bz\b", "z_L", formula)


def _comment(label: object) -> str:
    """Return a label that ends no line of a comment."""
    return printable(label, 40)
