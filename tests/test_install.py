"""The package as users install it: on every Python that is here, and without a compiler."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]
ROOT = Path(__file__).parents[1]
CONSTRAINTS = ROOT / "constraints.txt"
TRAIN = """
import sys, warnings
import numpy as np
import chainrule
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    X = np.linspace(-1, 1, 40)[:, None]
    for _ in range(2):
        found = chainrule.train(chainrule.Network((1, 5, 1), output="identity"), X, X**2)
assert found.J < 1e-3, found.J
from importlib.resources import files
assert (files("chainrule") / "web" / "static" / "index.html").is_file()
print(*sys.version_info[:2], sep=".")
print(*(str(word.message) for word in said), sep="\\n")
"""


def environment() -> dict[str, str]:
    """Return one in which pyenv, if it is here, offers all its Pythons by name."""
    if not shutil.which("pyenv"):
        return dict(os.environ)
    versions = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True)
    return os.environ | {"PYENV_VERSION": ":".join(versions.stdout.split())}


def installed(python: str, folder: Path, **variables: str) -> str:
    """Install the package from a copy of its files, train with it, and return what was printed."""
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
    for file in filter(None, files):
        if (ROOT / file).is_file():
            target = folder / "source" / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, target)
    run = {"env": environment() | variables, "check": True, "cwd": folder}
    subprocess.run([python, "-m", "venv", "venv"], **run)
    pip = ["venv/bin/pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-c", str(CONSTRAINTS), "./source"], **run)
    subprocess.run(["venv/bin/chainrule", "--help"], stdout=subprocess.DEVNULL, **run)
    run |= {"stdout": subprocess.PIPE, "text": True}
    return subprocess.run(["venv/bin/python", "-c", TRAIN], **run).stdout


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_the_package_installs_on_every_python(version, tmp_path):
    python = shutil.which(f"python{version}")
    run = {"env": environment(), "capture_output": True}
    if not python or subprocess.run([python, "--version"], **run).returncode:
        pytest.skip(f"needs python{version}")
    assert installed(python, tmp_path).split() == [version]  # nothing said: the kernel computes


def test_without_a_compiler_it_installs_and_says_once_that_numpy_computes(tmp_path):
    said = installed(sys.executable, tmp_path, CXX="/nowhere/c++", CC="/nowhere/cc")
    version, *lines = said.splitlines()
    assert version == ".".join(map(str, sys.version_info[:2]))
    assert len(lines) == 1
    assert "install a compiler" in lines[0]
