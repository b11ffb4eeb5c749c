"""A cost function that lives in its author's own file, Python or Octave, made checkable.

The file is run, as any program of one's own is: with the user's rights, on the user's machine.

Contract
--------
A function of one parameter is given theta.  Beside it in its file stand ``theta`` or ``network``,
and, as far as there are any, ``X``, ``Y`` (or ``y``) and ``lam``.  A function of 7 or 6 parameters
has the course's signatures, ``nnCostFunction(nn_params, input_layer_size, hidden_layer_size,
num_labels, X, y, lambda)`` and ``nnCostFunctionLinear(nn_params, il, hl, X, y, lambda)``, and is
given the examples of a ``.mat`` file, or a few random ones.  Each returns (J, grad).
"""

from __future__ import annotations

import inspect
import runpy
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.common.types import Array
from chainrule.datasets import octave
from chainrule.notes.gradient_check import Objective
from chainrule.notes.network import Network
from chainrule.notes.theta import random_theta, unroll

COURSE, LINEAR = 7, 6  # the numbers of parameters of the notes' two functions
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
    """

    objective: Objective
    theta: Array
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Examples:
    """What a function with one of the course's signatures is given beside theta.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (network.size,)
    X : ndarray of shape (m, s_1)
    y : ndarray of shape (m, 1)
        Labels 1..K, or numbers for ``nnCostFunctionLinear``.
    lam : float
    """

    network: Network
    theta: Array
    X: Array
    y: Array
    lam: float

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes that the function takes: of one output unit it takes none."""
        return self.network.layers if self.classes else self.network.layers[:-1]

    @property
    def classes(self) -> bool:
        """Whether y are labels."""
        return self.network.cost.name == "sigmoid"

    def problem(self, objective: Objective) -> Problem:
        """Return the problem; Y counts classes from 0, where y counts labels from 1."""
        Y = self.y[:, 0].astype(int) - 1 if self.classes else self.y
        known = {"network": self.network, "X": self.X, "Y": Y, "lam": self.lam}
        return Problem(objective, self.theta, known)


def is_own_code(name: str) -> bool:
    """Whether a name is that of a function in a file: ``FILE.py:function`` or ``FILE.m``.

    Examples
    --------
    >>> is_own_code("cost.py:cost"), is_own_code("nnCostFunction.m"), is_own_code("m.safetensors")
    (True, True, False)
    """
    return name.endswith((".m", ".py")) or ".py:" in name


def opened(
    name: str,
    data: str | None = None,
    *,
    lam: float | None = None,
    rows: int = 20,
    seed: int = 0,
) -> AbstractContextManager[Problem]:
    """Run a file and give its function as a problem to check, until the block ends.

    Parameters
    ----------
    name : str
        ``FILE.py:function``, or ``FILE.m`` for Octave, which must be installed.
    data : str, optional
        A ``.mat`` file with ``X``, ``y`` and, if wanted, ``Theta1``, ``Theta2`` and ``lambda``, for
        a function with one of the course's signatures.  Default: a few random examples.
    lam : float, optional
        lambda, in place of the data's (or of 1.5, of random examples).
    rows : int, default=20
        So many of the data's examples, drawn at random.
    seed : int, default=0
        Of the random examples, of the draw, and of theta.

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

    def examples(n_parameters: int) -> Examples:
        if data is None:
            return random_examples(n_parameters == COURSE, LAM if lam is None else lam, seed)
        return read_examples(data, n_parameters == COURSE, lam, rows, seed)

    path, _, function = name.partition(".py:")
    if function:
        alone = data is None and lam is None
        return from_python(Path(f"{path}.py"), function, examples, alone, seed)
    if name.endswith(".py"):
        raise ValueError(f"{name}: say which function too, as in {name}:cost")
    return from_octave(Path(name), examples)


def random_examples(classes: bool, lam: float, seed: int) -> Examples:
    """Return a few random examples of classes, or of a number.

    Examples
    --------
    >>> found = random_examples(classes=True, lam=1.0, seed=0)
    >>> found.network.layers, found.X.shape, found.y.ravel()
    ((4, 5, 3), (7, 4), array([1., 2., 3., 1., 2., 3., 1.]))
    """
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (EXAMPLES, INPUTS))
    if classes:
        return _examples(X, 1.0 + np.arange(EXAMPLES)[:, None] % LABELS, LABELS, None, lam, seed)
    return _examples(X, rng.normal(size=(EXAMPLES, 1)), None, None, lam, seed)


def read_examples(path: str, classes: bool, lam: float | None, rows: int, seed: int) -> Examples:
    """Return rows of the examples in a ``.mat`` file, with its Theta1, Theta2 and lambda if any."""
    matrices = octave.read(path)
    for name in ("X", "y"):
        if name not in matrices:
            has = ", ".join(matrices) or "no matrices"
            raise ValueError(f"{path}: must have X and y, as the course's files have; it has {has}")
    X, y = matrices["X"].astype(np.float64), matrices["y"].astype(np.float64).reshape(-1, 1)
    if len(X) != len(y) or not len(X):
        raise ValueError(f"{path}: X has {len(X)} rows, y {len(y)}: must be as many, and not 0")
    K = None
    if classes:
        if y.max() < 2 or not (y >= 1).all() or (y % 1).any():
            raise ValueError(f"{path}: y must be labels 1, 2, ..., K; 10 stands for the digit 0")
        K = int(y.max())
    Thetas = [matrices[name] for name in ("Theta1", "Theta2") if name in matrices]
    given = matrices.get("lambda")
    lam = lam if lam is not None else LAM if given is None else float(given.ravel()[0])
    drawn = np.random.default_rng(seed).permutation(len(X))[:rows]
    return _examples(X[drawn], y[drawn], K, Thetas or None, lam, seed)


def _examples(
    X: Array, y: Array, K: int | None, Thetas: list[Array] | None, lam: float, seed: int
) -> Examples:
    layers = (X.shape[1], len(Thetas[0]) if Thetas else HIDDEN, K or 1)
    network = (
        Network(layers) if K is not None else Network(layers, hidden="tanh", output="identity")
    )
    theta = random_theta(network, seed) if Thetas is None else network.check_theta(unroll(Thetas))
    return Examples(network, theta, X, y, lam)


@contextmanager
def from_python(
    path: Path, name: str, examples: Callable[[int], Examples], alone: bool, seed: int
) -> Iterator[Problem]:
    """Run a Python file and make its function a problem; see the module's contract.

    ``alone``: nothing is given but the file, as a function of theta alone needs it.
    """
    file = path.resolve()
    if not file.is_file():
        raise ValueError(f"{path}: no such file")
    sys.path.insert(0, str(file.parent))  # what it imports may stand beside it
    try:
        with _told_in_one_line(file):
            names = runpy.run_path(str(file), run_name=file.stem)
        function = names.get(name)
        if not callable(function):
            own = [key for key, value in names.items() if inspect.isfunction(value)]
            raise ValueError(f"{path}: has no function {name}; it has {', '.join(own) or 'none'}")

        def call(*arguments: Any) -> tuple[float, Array]:
            with _told_in_one_line(file):
                J, D = function(*arguments)
                return float(J), np.asarray(D, dtype=np.float64).ravel()

        n_parameters = sum(
            parameter.default is parameter.empty
            for parameter in inspect.signature(function).parameters.values()
        )
        if n_parameters in (COURSE, LINEAR):
            given = examples(n_parameters)
            y = given.y[:, 0].astype(int) if given.classes else given.y[:, 0]
            yield given.problem(lambda theta: call(theta, *given.sizes, given.X, y, given.lam))
        elif n_parameters == 1 and alone:
            yield _of_theta_alone(path, names, call, seed)
        elif n_parameters == 1:
            raise ValueError(
                f"{path}:{name} takes theta alone: its data are its file's own X, Y and lam; give "
                "it no other file and no lam"
            )
        else:
            raise ValueError(_signatures(f"{path}:{name}", n_parameters, "theta"))
    finally:
        sys.path.remove(str(file.parent))


def _of_theta_alone(path: Path, names: dict[str, Any], objective: Objective, seed: int) -> Problem:
    known: dict[str, Any] = {
        key: names[key] for key in ("network", "X", "Y", "lam") if key in names
    }
    if "y" in names:
        known.setdefault("Y", names["y"])
    if "network" in known and not isinstance(known["network"], Network):
        known["network"] = Network(known["network"])
    if "theta" in names:
        theta = np.array(names["theta"], dtype=np.float64).ravel()
    elif "network" in known:
        theta = random_theta(known["network"], seed)
    else:
        raise ValueError(
            f"{path}: has neither theta nor network; write in it where to check, as in "
            "theta = np.random.default_rng(0).uniform(-1, 1, 38), or network = (4, 5, 3)"
        )
    return Problem(objective, theta, known)


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


def _signatures(name: str, n_parameters: int, one: str) -> str:
    return (
        f"{name} takes {n_parameters} parameters; a function that can be checked takes {one}, "
        "(nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda) or "
        "(nn_params, il, hl, X, y, lambda)"
    )


MARK = "chainrule's own line:"
# One process serves a whole check.  Each theta comes in as its length and its values in binary;
# each answer goes out as a line of its own that begins with MARK, for learners' functions print.
DRIVER = f"""
function chainrule_says(varargin)
  printf("\\n{MARK} "); printf(varargin{{:}}); printf("\\n"); fflush(stdout);
end
function chainrule_fails(err, path)
  where = "";
  for frame = err.stack'
    if isfield(frame, "file") && strcmp(frame.file, path) && frame.line > 0
      where = sprintf(", line %d", frame.line);
      break
    end
  end
  chainrule_says("failed%s: %s", where, strrep(err.message, "\\n", " "));
end
try
  addpath(chainrule_folder);
  chainrule_says("parameters %d", nargin(chainrule_name));
  while ! isempty(n = fread(stdin, 1, "double"))
    if n == 0
      name = fgetl(stdin);
      chainrule_given = load(name).given;
      continue
    end
    theta = fread(stdin, n, "double");
    [J, grad] = feval(chainrule_name, theta, chainrule_given{{:}});
    if ! isreal(J) || ! isreal(grad)
      error("J or grad is complex: the logarithm of a negative number?");
    end
    chainrule_says("value%s", sprintf(" %.17g", J, grad));
  end
catch err
  chainrule_fails(err, chainrule_path);
end
"""


@contextmanager
def from_octave(path: Path, examples: Callable[[int], Examples]) -> Iterator[Problem]:
    """Run an Octave function in a process of Octave's and make it a problem."""
    if not path.is_file():
        raise ValueError(f"{path}: no such file")
    program = shutil.which("octave-cli")
    if program is None:
        raise ValueError(
            f"{path}: needs GNU Octave, and there is no octave-cli on the PATH; install it, as "
            "with apt install octave, brew install octave, or from octave.org"
        )
    file = path.resolve()
    names = {"path": str(file), "folder": str(file.parent), "name": file.stem}
    code = "".join(f"chainrule_{key} = '{_quoted(value)}';\n" for key, value in names.items())
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/messages", "w+") as messages:
        process = subprocess.Popen(
            [program, "--quiet", "--no-init-file", "--no-history", "--eval", code + DRIVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def answer() -> list[str]:
            """Return the words of Octave's next answer; what the function prints is not one."""
            for line in stdout:
                text = line.decode(errors="replace").strip()
                if text.startswith(MARK):
                    word, *rest = text.removeprefix(MARK).split(" ")[1:]
                    if word.startswith("failed"):
                        said = " ".join([word.removeprefix("failed"), *rest])
                        raise ValueError(f"{path.name}{said}")
                    return rest
            messages.seek(0)
            raise ValueError(f"{path.name}: Octave ended: {messages.read().strip()}")

        def objective(theta: Array) -> tuple[float, Array]:
            with suppress(BrokenPipeError):  # Octave has ended: the answer says why
                stdin.write(np.float64(theta.size).tobytes() + theta.astype(np.float64).tobytes())
                stdin.flush()
            J, *D = map(float, answer())
            return J, np.array(D)

        try:
            n_parameters = int(answer()[0])
            if n_parameters not in (COURSE, LINEAR):
                raise ValueError(_signatures(str(path), n_parameters, "one of the course's lists"))
            given = examples(n_parameters)
            cell = np.empty((1, len(given.sizes) + 3), dtype=object)
            cell[0] = [*map(float, given.sizes), given.X, given.y, given.lam]
            from scipy.io import savemat

            savemat(f"{folder}/given.mat", {"given": cell})
            stdin.write(np.float64(0).tobytes() + f"{folder}/given.mat\n".encode())
            yield given.problem(objective)
        finally:
            with suppress(BrokenPipeError):
                stdin.close()
            process.wait()
            stdout.close()


def _quoted(text: str) -> str:
    """Return a text as it stands between Octave's single quotes."""
    return text.replace("'", "''")
