"""The kernel's builds: each header alone, each instruction set apart, and NEON."""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from test_kernel import TOLERANCE, close, problem

from chainrule.kernel import BUILDS, BUILT, ISA, computed_by
from chainrule.notes import backprop

if BUILT:
    from chainrule.kernel import _kernel

pytestmark = pytest.mark.skipif(not BUILT, reason="the kernel was not built: no C++20 compiler")


SOURCE = Path(__file__).parents[2] / "src/chainrule/kernel"
# Of the tests that depend on the instruction set
TESTS = [str(Path(__file__).with_name(f"test_kernel{name}.py")) for name in ("", "_bits")]
HEADERS = sorted(path.name for path in SOURCE.glob("*.hpp"))


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_stands_alone(header, tmp_path):
    alone = tmp_path / "alone.cpp"
    alone.write_text(f'#include "{header}"\n')
    run = ["c++", "-std=gnu++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-psabi"]
    run += [f"-I{SOURCE}", f"-I{sysconfig.get_path('include')}"]
    if "nanobind" in (SOURCE / header).read_text():
        run += ["-isystem", pytest.importorskip("nanobind").include_dir()]
    subprocess.run([*run, str(alone)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["v2", "v4"])
def test_code_for_an_instruction_set_is_shared_with_no_other(isa, tmp_path):
    compiler = shutil.which("c++")
    if compiler is None or platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("needs a C++ compiler on x86-64")
    for level in ("-O0", "-O3"):  # without optimisation, inline functions become symbols
        run = [compiler, "-std=gnu++20", level, f"-march=x86-64-{isa}", f"-DCHAINRULE_BUILD={isa}"]
        run += ["-Wno-psabi", "-c", str(SOURCE / "build.cpp"), "-o", str(tmp_path / "build.o")]
        subprocess.run(run, check=True)
        nm = ["nm", "--defined-only", "--extern-only", "--format=posix", str(tmp_path / "build.o")]
        lines = subprocess.run(nm, capture_output=True, text=True, check=True).stdout.splitlines()
        kinds = {name: kind for name, kind, *_ in map(str.split, lines)}
        assert any(f"build_{isa}" in name for name in kinds)
        assert not [name for name, kind in kinds.items() if kind in "TWiu"]  # code, weak or not


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["v2", "v3", "v4"])
def test_every_instruction_set_passes(isa):
    environment = os.environ | {"CHAINRULE_ISA": isa}
    probe = [sys.executable, "-c", "import chainrule.kernel._kernel"]
    if subprocess.run(probe, env=environment, capture_output=True).returncode:
        pytest.skip(f"this processor has no {isa}")
    run = [sys.executable, "-m", "pytest", "-q", "-m", "not slow", *TESTS]
    subprocess.run(run, env=environment, check=True)


def dots():
    rng = np.random.default_rng(0)  # numbers so many that each build adds them up in its own order
    u, v = rng.normal(size=(2, 10_007))
    return _kernel.dot(u, v)


def test_a_thread_takes_the_build_that_it_asks_for():
    best = dots()
    assert BUILDS[0] == ISA
    found = {}
    for build in BUILDS:
        with computed_by(build):
            found[build] = dots()
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(dots).result() == best  # another thread is not asked
            with computed_by(None):
                assert dots() == best
            assert dots() == found[build]
        assert dots() == best
    probe = "from test_kernel_builds import dots; print(repr(dots()))"
    for build, said in found.items():  # the same bits as where the build is chosen at import
        run = [sys.executable, "-c", probe]
        paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])
        environment = os.environ | {"CHAINRULE_ISA": build, "PYTHONPATH": paths}
        answer = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == repr(said)


def test_a_build_that_cannot_run_is_refused():
    for name in ("v9", "", "native" if ISA != "native" else "v4"):
        with pytest.raises(ValueError, match="cannot run that build"), computed_by(name):
            pass


@pytest.mark.slow
def test_neon_agrees_with_the_reference(tmp_path):
    compiler, emulator = shutil.which("aarch64-linux-gnu-g++"), shutil.which("qemu-aarch64")
    if compiler is None or emulator is None:
        pytest.skip("needs aarch64-linux-gnu-g++ and qemu-aarch64")
    here, program = Path(__file__).parents[1], tmp_path / "neon"
    run = [compiler, "-std=gnu++20", "-O2", "-static", "-Wno-psabi", "-DCHAINRULE_BUILD=native"]
    run += ["-fno-math-errno", "-fno-trapping-math", "-ffp-contract=fast", f"-I{SOURCE}"]
    run += [str(here / "neon.cpp"), str(SOURCE / "build.cpp"), str(SOURCE / "pool.cpp")]
    subprocess.run([*run, "-pthread", "-o", str(program)], check=True)
    for number, (hidden, output) in enumerate(
        zip(_kernel.ACTIVATIONS, _kernel.OUTPUTS * 3, strict=False)
    ):
        for dtype in (np.float64, np.float32):
            network, theta, X, Y = problem((33, 20, 7, 5), hidden, output, 300, dtype, number)
            codes = [_kernel.ACTIVATIONS.index(hidden)] * 2
            head = [X.itemsize, len(X), network.size, network.L, _kernel.OUTPUTS.index(output)]
            parts = (np.array([*head, *network.layers, *codes], np.int64), theta, X, Y)
            sent = b"".join(part.tobytes() for part in parts)
            answer = subprocess.run(
                [emulator, program], input=sent, capture_output=True, check=True
            )
            got = np.frombuffer(answer.stdout[8:], dtype)
            cost, Delta, _ = backprop.accumulate(network, theta, X, Y)
            assert close(np.frombuffer(answer.stdout[:8]), cost, TOLERANCE[dtype])
            assert close(got[: network.size], Delta, TOLERANCE[dtype])
            h = backprop.forward(network, theta, X)[0][-1]
            assert close(got[network.size :].reshape(h.shape), h, TOLERANCE[dtype])
