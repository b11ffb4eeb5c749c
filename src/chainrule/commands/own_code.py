"""A cost function that lives in its author's own file, Python or Octave, made checkable.

The file is run, as any program of one's own is: with the user's rights, on the user's machine.

Contract
--------
A function of theta alone is given theta.  Beside it in its file stand ``theta`` or ``network``,
and, as far as there are any, ``X``, ``Y`` (or ``y``) and ``lam``.  Any other function is given the
examples of a file, or a few random ones, in the order in which its parameters' names ask
for them; see `chainrule.commands.own_signatures`.  Each returns (J, grad).
"""

from __future__ import annotations

import inspect
import re
import runpy
import symtable
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.commands.own_answers import cost_and_gradient_of
from chainrule.commands.own_octave import parameters_of, running
from chainrule.commands.own_signatures import Signature, signature_of
from chainrule.common.checks import DataError
from chainrule.common.types import Array
from chainrule.datasets import load, octave
from chainrule.diagnosis.cost import Setting, is_notes_J
from chainrule.notes.gradient_check import Objective
from chainrule.notes.network import Network
from chainrule.notes.theta import random_theta, unroll
from chainrule.testing import flat

INPUTS, HIDDEN, LABELS, EXAMPLES = 4, 5, 3, 7  # all different: exchanged sizes are errors
LAM = 1.5


@dataclass(frozen=True)
class Problem:
    """What `check_gradient` is given.

    Attributes
    ----------
    objective : callable
        ``objective(theta) -> (J, D)``.
    theta : ndarray of shape (n,)
    arguments : dict
        ``network``, ``X``, ``Y`` and ``lam``, as far as they are known.
    told : str
        What was found out on the way, such as how the labels are counted.
    missing : str
        What to write so that a wrong D can be compared with the known mistakes; "" if it can.
    """

    objective: Objective
    theta: Array
    arguments: dict[str, Any]
    told: str = ""
    missing: str = ""


@dataclass(frozen=True)
class Examples:
    """What a function is given beside theta.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (network.size,)
    X : ndarray of shape (m, s_1)
    y : ndarray of shape (m, 1)
        Labels 1..K, 0 and 1 of a single output, or numbers.
    lam : float
    first_label : int
        What the function calls the first of K classes.
    ones : bool
        Whether X gets a column of ones in front, as the course's regressions do.
    """

    network: Network
    theta: Array
    X: Array
    y: Array
    lam: float
    first_label: int = 1
    ones: bool = False

    @property
    def classes(self) -> bool:
        """Whether y are labels of K classes."""
        return self.network.K > 1

    @property
    def Y(self) -> Array:
        """The targets as `check_gradient` takes them: classes count from 0."""
        return self.y[:, 0].astype(int) - 1 if self.classes else self.y

    def value(self, role: str) -> Any:
        """Return what a parameter of this role is given; None for theta."""
        layers = self.network.layers
        X = np.column_stack([np.ones(len(self.X)), self.X]) if self.ones else self.X
        y = self.y - 1 + self.first_label if self.classes else self.y
        values = {
            "X": X,
            "y": y,
            "lam": self.lam,
            "inputs": layers[0],
            "hidden": layers[1],
            "outputs": layers[-1],
            "sizes": list(layers),
            "m": len(X),
        }
        return values.get(role)

    def problem(self, objective: Objective, told: str = "") -> Problem:
        """Return the problem."""
        known = {"network": self.network, "X": self.X, "Y": self.Y, "lam": self.lam}
        return Problem(objective, self.theta, known, told)


def is_own_code(name: str) -> bool:
    """Whether a name is that of a function in a file: ``FILE.py:function`` or ``FILE.m``.

    Examples
    --------
    >>> is_own_code("cost.py:cost"), is_own_code("nnCostFunction.m"), is_own_code("m.safetensors")
    (True, True, False)
    """
    return name.endswith((".m", ".py")) or ".py:" in name


def place_of(name: str) -> tuple[Path, list[str]]:
    """Return the file that a name means, and the functions in it: none for Octave's.

    Raises
    ------
    ValueError
        If there is no such file, or no function is named.
    """
    start, python, rest = name.partition(".py:")
    path = Path(f"{start}.py" if python else name)
    functions = [function.strip() for function in rest.split(",")] if python else []
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    if path.suffix == ".py" and not all(functions or [""]):
        raise ValueError(f"{path}: say which function too, as in {path}:cost")
    return path, functions


def refuse_unknown(path: Path, functions: list[str]) -> None:
    """Refuse, without running a file, functions that none of its lines defines or imports."""
    text = path.read_text("utf-8", errors="replace")
    if re.search(r"import\s*\(?\s*\*|\b(?:exec|globals|locals|vars|setattr|global)\b", text):
        return  # a name may come from anywhere
    try:
        symbols = symtable.symtable(text, str(path), "exec").get_symbols()
    except (SyntaxError, ValueError):
        return  # whoever runs it says where
    known = [each.get_name() for each in symbols if each.is_assigned() or each.is_imported()]
    own = [symbol.get_name() for symbol in symbols if symbol.is_namespace()]
    for name in functions:
        if name not in known:
            raise _no_function(path, name, own)


def _no_function(path: Path, name: str, own: list[str]) -> ValueError:
    return ValueError(f"{path}: has no function {name}; it has {', '.join(own) or 'none'}")


def layers_of(text: str) -> tuple[int, ...]:
    """Read layer sizes.

    Examples
    --------
    >>> layers_of("4,5,6,3")
    (4, 5, 6, 3)
    """
    try:
        return Network(tuple(int(size) for size in text.split(","))).layers
    except ValueError as error:
        raise ValueError(f"--network {text}: must be layer sizes as in 4,5,6,3") from error


@dataclass(frozen=True)
class Asked:
    """What the user said beside the function's name."""

    data: str | None = None
    lam: float | None = None
    rows: int = 20
    seed: int = 0
    layers: tuple[int, ...] | None = None

    def examples(self, kind: str, name: str) -> Examples:
        """Return the examples for a kind of function."""
        linear = kind == "number" or (kind == "regression" and "lin" in name.lower())
        layers = self.layers
        if self.data is not None:
            return read_examples(
                self.data, not linear, self.lam, self.rows, self.seed, layers, kind != "regression"
            )
        lam = LAM if self.lam is None else self.lam
        if layers is None and kind == "regression":
            layers = (INPUTS, 1)
        K = layers[-1] if layers else LABELS if kind == "classes" else 1
        return random_examples(not linear, lam, self.seed, layers, K, self.rows)


def opened(
    name: str,
    data: str | None = None,
    *,
    lam: float | None = None,
    rows: int = 20,
    seed: int = 0,
    layers: tuple[int, ...] | None = None,
) -> AbstractContextManager[Problem]:
    """Run a file and give its function as a problem to check, until the block ends.

    Parameters
    ----------
    name : str
        ``FILE.py:function``, ``FILE.py:cost,gradient``, or ``FILE.m`` for Octave, which must be
        installed.
    data : str, optional
        A ``.mat`` file with ``X``, ``y`` and, if wanted, ``Theta1``, ``Theta2`` and ``lambda``, or
        a table as `chainrule.datasets.load` takes it, for a function that takes X and y.  Default:
        a few random examples.
    lam : float, optional
        lambda, in place of the data's (or of 1.5, of random examples).
    rows : int, default=20
        How many of the data's examples, drawn at random.
    seed : int, default=0
        Of the random examples, of the draw, and of theta.
    layers : tuple of int, optional
        The network's layer sizes, where the function's parameters do not say them.

    Returns
    -------
    context manager
        ``with opened(...) as problem``: a `Problem`.

    Raises
    ------
    ValueError
        If the file cannot be run, or has no such function; from the objective, if the function
        raises an error: its own message, with file and line.
    """
    asked = Asked(data, lam, rows, seed, layers)
    path, functions = place_of(name)
    return from_python(path, functions, asked) if functions else from_octave(path, asked)


def random_examples(
    classes: bool,
    lam: float,
    seed: int,
    layers: tuple[int, ...] | None = None,
    K: int = LABELS,
    most: int = 20,
) -> Examples:
    """Return a few random examples of classes, or of a number; no more than ``most``.

    Examples
    --------
    >>> found = random_examples(classes=True, lam=1.0, seed=0)
    >>> found.network.layers, found.X.shape, found.y.ravel()
    ((4, 5, 3), (7, 4), array([1., 2., 3., 1., 2., 3., 1.]))
    """
    rng = np.random.default_rng(seed)
    m = min(most, EXAMPLES) if layers is None else min(most, max(EXAMPLES, *layers) + 1)
    layers = layers or (INPUTS, HIDDEN, K if classes else 1)
    X = rng.uniform(-1, 1, (m, layers[0]))
    labels = np.arange(m)[:, None] % max(K, 2) + float(K > 1)
    y = labels if classes else rng.normal(size=(m, 1))
    return _examples(X, y, layers, classes, None, lam, seed)


def read_examples(
    path: str,
    classes: bool,
    lam: float | None,
    rows: int,
    seed: int,
    layers: tuple[int, ...] | None = None,
    hidden: bool = True,
) -> Examples:
    """Return rows of the examples in a file: those of a table, or X and y of a ``.mat`` file.

    A ``.mat`` file's Theta1, Theta2 and lambda are taken too, if it has them.
    """
    matrices = octave.read(path) if path.lower().endswith(".mat") else _of_table(path, classes)
    for name in ("X", "y"):
        if name not in matrices:
            has = ", ".join(matrices) or "no matrices"
            raise ValueError(f"{path}: must have X and y, as the course's files have; it has {has}")
    X, y = matrices["X"].astype(np.float64), matrices["y"].astype(np.float64).reshape(-1, 1)
    if len(X) != len(y) or not len(X):
        raise ValueError(f"{path}: X has {len(X)} rows, y {len(y)}: must be as many, and not 0")
    Thetas = [matrices[name] for name in ("Theta1", "Theta2") if name in matrices]
    if layers is None and Thetas:
        layers = (X.shape[1], *map(len, Thetas))
    K = layers[-1] if layers else None if classes and hidden else 1
    first = 1
    if classes:
        first, K = _counted(path, y, K)
        y = y + 1 - first if K > 1 else y
    given = matrices.get("lambda")
    lam = lam if lam is not None else LAM if given is None else float(given.ravel()[0])
    drawn = np.random.default_rng(seed).permutation(len(X))[:rows]
    layers = layers or (X.shape[1], *([HIDDEN] * hidden), K or 1)
    found = _examples(X[drawn], y[drawn], layers, classes, Thetas or None, lam, seed)
    return replace(found, first_label=first)


def _of_table(path: str, classes: bool) -> dict[str, Array]:
    """Return X and y of a table; y counts classes from 0 if the first label is 0, else from 1."""
    data = load(path, kind="classes" if classes else "numbers")
    assert data.Y is not None
    from_0 = data.classes is None or data.classes[0] == 0
    return {"X": data.X, "y": data.Y if from_0 else data.Y + 1}


def _counted(path: str, y: Array, K: int | None) -> tuple[int, int]:
    """Return what the labels y call the first class, and how many classes there are.

    Examples
    --------
    >>> _counted("digits.mat", np.array([0.0, 2.0, 1.0]), None)
    (0, 3)
    """
    if K == 1:
        if not np.isin(y, (0, 1)).all():
            raise ValueError(f"{path}: y must be 0 and 1, for a function of one output")
        return 0, 1
    first = int(y.min() > 0)
    needed = y.max() + 1 - first
    if (y % 1).any() or y.min() < 0 or needed < 2 or needed > (K or needed):
        to = K or "K"
        raise ValueError(
            f"{path}: y must be labels 1, 2, ..., {to} (10 stands for the digit 0), or 0, 1, ..., "
            f"{K - 1 if K else 'K - 1'}"
        )
    return first, K or int(needed)


def _examples(
    X: Array,
    y: Array,
    layers: tuple[int, ...],
    classes: bool,
    Thetas: list[Array] | None,
    lam: float,
    seed: int,
) -> Examples:
    network = Network(layers) if classes else Network(layers, hidden="tanh", output="identity")
    theta = random_theta(network, seed) if Thetas is None else network.check_theta(unroll(Thetas))
    return Examples(network, theta, X, y, lam)


Call = Callable[[list[Any], Array], tuple[float, Array]]  # of the other arguments, and theta


def _with_examples(name: str, signature: Signature, asked: Asked, call: Call) -> Problem:
    """Return the problem of a function that is given examples.

    How it counts labels, and whether its X has a column of ones, is not said by its parameters:
    that is taken with which J is the notes' J, else with which the function runs.
    """
    given = asked.examples(signature.kind, name)
    ways = {"": given}
    if signature.kind == "regression" and given.network.L == 2:
        ways = {"": replace(given, ones=True), "X without a column of ones": given}
    elif given.classes:
        other = 1 - given.first_label
        ways[f"y counted from {other}"] = replace(given, first_label=other)

    def objective_of(way: Examples) -> Objective:
        others = [way.value(role) for _, role in signature.arguments]
        return lambda theta: call(others, theta)

    found = {told: _outcome(way, objective_of(way)) for told, way in ways.items()}
    told = min(found, key=lambda told: OUTCOMES.index(found[told]))
    why = {"fits": "J is then the notes' J", "runs": "otherwise it does not run"}
    said = f"{told}: {why.get(found[told], '')}" if told and found[told] in why else ""
    if not told and given.classes and given.first_label == 0:
        said = f"y counted from 0, as in {asked.data}"
    return ways[told].problem(objective_of(ways[told]), said)


OUTCOMES = ("fits", "runs", "fails", "fails by an index")
OUTSIDE = ("IndexError", "out of bound")  # Python's word for such an index, and Octave's


def _outcome(way: Examples, objective: Objective) -> str:
    """Say how a function takes its examples, one of ``OUTCOMES``: the first are the better."""
    try:
        J, _ = objective(way.theta)
    except ValueError as error:
        return "fails by an index" if any(word in str(error) for word in OUTSIDE) else "fails"
    Y = way.network.check_targets(way.Y, len(way.X)).astype(np.float64)
    given = Setting(way.network, way.theta, way.X, Y, way.lam)
    return "fits" if is_notes_J(J, given) else "runs"


@contextmanager
def from_python(path: Path, functions: list[str], asked: Asked) -> Iterator[Problem]:
    """Run a Python file and make its function, or its two, a problem; see the module's contract."""
    file = path.resolve()
    sys.path.insert(0, str(file.parent))  # what it imports may stand beside it
    try:
        with _told_in_one_line(file):
            names = runpy.run_path(str(file), run_name=file.stem)
        found = [_function(path, names, name) for name in functions]
        name = f"{path}:{functions[0]}"

        def call(*arguments: Any, **named: Any) -> tuple[float, Array]:
            with _told_in_one_line(file):
                answers = [function(*arguments, **named) for function in found]
            answer = answers[0] if len(answers) == 1 else tuple(answers)
            return cost_and_gradient_of(answer, functions[0])

        parameters = [
            (parameter.name, parameter.default is not parameter.empty)
            for parameter in inspect.signature(found[0]).parameters.values()
            if parameter.kind is not parameter.VAR_KEYWORD
        ]
        signature = signature_of(name, parameters)
        if signature.kind == "theta":
            if asked.data is not None or asked.lam is not None:
                raise ValueError(
                    f"{name} takes theta alone: its data are its file's own X, Y and lam; give it "
                    "no other file and no lam"
                )
            yield _of_theta_alone(path, names, call, asked)
        else:
            required = {parameter for parameter, default in parameters if not default}

            def given(others: list[Any], theta: Array) -> tuple[float, Array]:
                pairs = [
                    (parameter, theta if role == "theta" else _in_python(role, value))
                    for (parameter, role), value in zip(signature.arguments, others, strict=True)
                ]
                by_place = [value for parameter, value in pairs if parameter in required]
                by_name = {key: value for key, value in pairs if key not in required}
                return call(*by_place, **by_name)

            yield _with_examples(name, signature, asked, given)
    finally:
        sys.path.remove(str(file.parent))


def _in_python(role: str, value: Any) -> Any:
    """Return y as Python's programs have it: flat, labels whole numbers."""
    if role != "y":
        return value
    whole = (value % 1 == 0).all()
    return value[:, 0].astype(int) if whole else value[:, 0]


def _function(path: Path, names: dict[str, Any], name: str) -> Callable[..., Any]:
    function = names.get(name)
    if not callable(function):
        own = [key for key, value in names.items() if inspect.isfunction(value)]
        raise _no_function(path, name, own)
    return function  # type: ignore[no-any-return]


def _of_theta_alone(
    path: Path, names: dict[str, Any], objective: Objective, asked: Asked
) -> Problem:
    known: dict[str, Any] = {
        key: names[key] for key in ("network", "X", "Y", "lam") if key in names
    }
    if "y" in names:
        known.setdefault("Y", names["y"])
    if asked.layers is not None:
        if "network" in known:
            raise ValueError(
                f"{path} says its own network: leave --network out, or take network out of the file"
            )
        known["network"] = asked.layers
    if "network" in known and not isinstance(known["network"], Network):
        known["network"] = Network(known["network"])
    told = ""
    if "Y" in known and "network" in known and _from_1(known["Y"], known["network"].K):
        known["Y"], told = np.ravel(known["Y"]) - 1, "y counted from 1"
    if "theta" in names:
        theta = flat(names["theta"])
    elif "network" in known:
        theta = random_theta(known["network"], asked.seed)
    else:
        raise ValueError(
            f"{path}: has neither theta nor network; write in it where to check, as in "
            "theta = np.random.default_rng(0).uniform(-1, 1, 38), or network = (4, 5, 3)"
        )
    return Problem(objective, theta, known, told, _missing(path, known, len(theta)))


def _missing(path: Path, known: dict[str, Any], n: int) -> str:
    """Say which names a file lacks, so that D can be compared with the known mistakes.

    The layers are said where X, Y and the length of theta allow one hidden layer alone.
    """
    lacks = []
    if "network" not in known:
        lacks.append(f"network = {_layers_of_data(known, n) or (4, 5, 3)}")
        if not _layers_of_data(known, n):
            lacks[0] += " (its layers)"
    lacks += [words for name, words in (("X", "X"), ("Y", "y")) if name not in known]
    if not lacks:
        return ""
    *others, last = lacks
    said = f"{', '.join(others)} and {last}" if others else last
    return f"write {said} in {path.name}, and D can be compared with the known mistakes"


def _layers_of_data(known: dict[str, Any], n: int) -> tuple[int, int, int] | None:
    """Return the layers (s_1, s_2, K) that have n weights: n = s_2 (s_1 + 1) + K (s_2 + 1)."""
    if "X" not in known or "Y" not in known:
        return None
    Y = np.asarray(known["Y"])
    if np.ndim(known["X"]) != 2 or Y.ndim not in (1, 2):
        return None
    columns = 1 if Y.ndim == 1 else Y.shape[1]
    classes = len(np.unique(Y)) if columns == 1 else columns
    inputs = np.shape(known["X"])[1]
    fitting = [
        (inputs, (n - K) // (inputs + 1 + K), K)
        for K in {columns if classes <= 2 else classes, columns}
        if n > K and (n - K) % (inputs + 1 + K) == 0
    ]
    return fitting[0] if len(fitting) == 1 else None


def _from_1(Y: Any, K: int) -> bool:
    """Whether Y are labels that can only be counted from 1: there is a K among them, and no 0."""
    return K > 1 and np.size(Y) == len(Y) and np.min(Y) >= 1 and np.max(Y) == K


@contextmanager
def _told_in_one_line(file: Path) -> Iterator[None]:
    """Turn whatever an own file raises into a ValueError with its message, file and line.

    What it prints goes to stderr: stdout is for the report.
    """
    try:
        with redirect_stdout(sys.stderr):
            yield
    except (Exception, SystemExit) as error:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if Path(frame.filename).resolve() == file
        ]
        if isinstance(error, SyntaxError) and error.filename == str(file):
            lines.append(error.lineno)
        where = f", line {lines[-1]}" if lines else ""
        raise ValueError(f"{file.name}{where}: {type(error).__name__}: {error}") from error


@contextmanager
def from_octave(path: Path, asked: Asked) -> Iterator[Problem]:
    """Run an Octave function in a process of Octave's and make it a problem."""
    with running(path) as function:
        names = parameters_of(path)
        if len(names) != abs(function.n_parameters):
            names = [f"parameter{i}" for i in range(1, abs(function.n_parameters) + 1)]
        signature = signature_of(str(path), [(name, False) for name in names])
        if signature.kind == "theta":
            if asked.layers is None:
                raise ValueError(
                    f"{path} takes theta alone: say how long theta is, as in --network 4,5,3"
                )
            network = Network(asked.layers)
            function.give([None])
            missing = (
                f"let {path.stem} take the examples too, as in {path.stem}(theta, X, y, lambda), "
                "and D can be compared with the known mistakes"
            )
            theta = random_theta(network, asked.seed)
            yield Problem(function, theta, {"network": network}, missing=missing)
            return
        last: list[Any] | None = None

        def call(others: list[Any], theta: Array) -> tuple[float, Array]:
            nonlocal last
            if others is not last:
                last = others
                function.give([None if value is None else _double(value) for value in others])
            return function(theta)

        yield _with_examples(str(path), signature, asked, call)


def _double(value: Any) -> Any:
    """Return whatever Octave is given as floats: there are no other numbers for a learner."""
    return np.asarray(value, dtype=np.float64)
