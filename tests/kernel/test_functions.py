"""The kernel's exp, log, tanh, Phi and its tiles, by themselves, for each instruction set."""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SOURCE = HERE.parents[1] / "src/chainrule/kernel"
SLOW = [pytest.param(isa, marks=pytest.mark.slow) for isa in ("v3", "v4")]
BUILDS = ["v2", *SLOW] if platform.machine() in ("x86_64", "AMD64") else ["native"]
# Units in the last place, as functions.hpp says: float32, float64
STATED = {
    "exp": (2, 2),
    "expm1": (3, 3),
    "log": (3, 3),
    "log1p": (3, 3),
    "tanh": (6, 3),
    "sigmoid": (3, 3),
    "softplus": (4, 4),
    "bell": (1, 1),
    "normal": (8, 8),
    "normal_left": (8, 8),
}

pytestmark = pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")


def run(name, isa, folder):
    """Compile a program of this folder for an instruction set and return what it writes."""
    program = folder / name
    compile_it = ["c++", "-std=gnu++20", "-O1", "-fno-math-errno", "-fno-trapping-math"]
    compile_it += ["-ffp-contract=fast", "-Wno-psabi", f"-I{SOURCE}", str(HERE / f"{name}.cpp")]
    if isa != "native":
        compile_it.append(f"-march=x86-64-{isa}")
    subprocess.run([*compile_it, "-o", str(program)], check=True)
    done = subprocess.run([program], capture_output=True, text=True)
    if done.returncode == -4:  # SIGILL
        pytest.skip(f"this processor has no {isa}")
    assert done.returncode == 0, done.stdout[:1000]
    return done.stdout


@pytest.mark.parametrize("isa", BUILDS)
def test_functions_are_as_exact_as_they_say(isa, tmp_path):
    lines = [line.split() for line in run("functions", isa, tmp_path).splitlines()]
    errors = {(name, dtype): (float(error), where) for name, dtype, error, where in lines}
    assert len(errors) == 2 * len(STATED)
    for name, stated in STATED.items():
        for dtype, most in zip(("float32", "float64"), stated, strict=True):
            error, where = errors[name, dtype]
            assert error <= most, f"{name} in {dtype} at {where}"


@pytest.mark.parametrize("isa", BUILDS)
def test_tiles_are_matrix_products(isa, tmp_path):
    assert run("tiles", isa, tmp_path) == ""
