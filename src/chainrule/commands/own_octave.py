"""Octave's part: one process that evaluates a function for one theta after the other."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from chainrule.common.types import Array

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
  chainrule_says("parameters %d", nargin(chainrule_name));
  while ! isempty(n = fread(stdin, 1, "double"))
    if n == 0
      name = fgetl(stdin);
      chainrule_given = load(name).given;
      chainrule_theta = load(name).place;
      continue
    end
    chainrule_given{{chainrule_theta}} = fread(stdin, n, "double");
    try
      [J, grad] = feval(chainrule_name, chainrule_given{{:}});
      if numel(J) != 1
        error("J is %d x %d: J is one number; return [J, grad], grad unrolled as theta is", ...
              rows(J), columns(J));
      end
      if ! isreal(J) || ! isreal(grad)
        error("J or grad is complex: the logarithm of a negative number?");
      end
      chainrule_says("value%s", sprintf(" %.17g", J, grad));
    catch err
      chainrule_fails(err, chainrule_path);
    end
  end
catch err
  chainrule_fails(err, chainrule_path);
end
"""


def parameters_of(path: Path) -> list[str]:
    r"""Return the names of the parameters of a file's first function, if they can be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "f.m"
    ...     _ = file.write_text("% my cost\nfunction [J, grad] = f(theta, X, ...\n  y)\n")
    ...     parameters_of(file)
    ['theta', 'X', 'y']
    """
    text = re.sub(r"\.\.\.[^\n]*\n", " ", path.read_text(errors="replace"))
    found = re.search(r"^\s*function\s+(?:[^=\n(]*=\s*)?\w+\s*\(([^)]*)\)", text, re.M)
    if found is None:
        return []
    return [name.split("=")[0].strip() for name in found[1].split(",") if name.strip()]


class Octave:
    """A function in a running Octave.

    Attributes
    ----------
    n_parameters : int
    """

    def __init__(self, process: subprocess.Popen[bytes], path: Path, folder: str) -> None:
        self._process, self._path, self._folder = process, path, folder
        self._read_from = process.stdout
        self.n_parameters = int(self._answer()[0])

    def give(self, arguments: Sequence[Any]) -> None:
        """Hand over all the arguments; that of theta, None, is filled in at each call."""
        from scipy.io import savemat

        cell = np.empty((1, len(arguments)), dtype=object)
        for i, argument in enumerate(arguments):
            cell[0, i] = 0.0 if argument is None else argument
        place = 1.0 + next(i for i, argument in enumerate(arguments) if argument is None)
        savemat(f"{self._folder}/given.mat", {"given": cell, "place": place})
        self._write(np.float64(0).tobytes() + f"{self._folder}/given.mat\n".encode())

    def __call__(self, theta: Array) -> tuple[float, Array]:
        """Evaluate the function."""
        self._write(np.float64(theta.size).tobytes() + theta.astype(np.float64).tobytes())
        J, *D = map(float, self._answer())
        return J, np.array(D)

    def _write(self, message: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # Octave has ended: the answer says why
            self._process.stdin.write(message)
            self._process.stdin.flush()

    def _answer(self) -> list[str]:
        """Return the words of Octave's next answer; what the function prints is not one."""
        assert self._read_from is not None
        for line in self._read_from:
            text = line.decode(errors="replace").strip()
            if text.startswith(MARK):
                word, *rest = text.removeprefix(MARK).split(" ")[1:]
                if word.startswith("failed"):
                    said = " ".join([word.removeprefix("failed"), *rest])
                    raise ValueError(f"{self._path.name}{said}")
                return rest
        said = Path(f"{self._folder}/messages").read_text().strip()
        raise ValueError(f"{self._path.name}: Octave ended: {said}")


@contextmanager
def running(path: Path) -> Iterator[Octave]:
    """Start Octave in the file's own folder: what stands beside the file is what the file means."""
    program = shutil.which("octave-cli")
    if program is None:
        raise ValueError(
            f"{path}: needs GNU Octave, and there is no octave-cli on the PATH; install it, as "
            "with apt install octave, brew install octave, or from octave.org"
        )
    file = path.resolve()
    code = "".join(
        f"chainrule_{key} = '{_quoted(value)}';\n"
        for key, value in {"path": str(file), "name": file.stem}.items()
    )
    with tempfile.TemporaryDirectory() as folder, open(f"{folder}/messages", "w") as messages:
        process = subprocess.Popen(
            [program, "--quiet", "--no-init-file", "--no-history", "--eval", code + DRIVER],
            cwd=file.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Octave(process, path, folder)
        except BaseException:
            process.kill()  # it may compute for long
            raise
        finally:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.wait()
            process.stdout.close()


def _quoted(text: str) -> str:
    """Return a text as it stands between Octave's single quotes."""
    return text.replace("'", "''")
