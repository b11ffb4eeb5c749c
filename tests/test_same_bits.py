"""The command that compares the bits of trainings, for one of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def same_bits(*words):
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.same_bits", *map(str, words)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
    )
    return run.returncode, run.stdout.splitlines()


def test_the_same_code_gives_the_same_bits_and_what_differs_is_named(tmp_path):
    file = tmp_path / "before.json"
    assert same_bits("--case", ": lam 0, lbfgs", "--out", file) == (0, [])
    bits = json.loads(file.read_text())
    assert "numpy: lam 0, lbfgs" in bits

    same = [f"{len(bits)} trainings compared, 0 differ; 0 are new"]
    assert same_bits("--case", ": lam 0, lbfgs", "--against", file) == (0, same)

    bits["numpy: lam 0, lbfgs"]["J"] = "another"
    file.write_text(json.dumps(bits | {"numpy: no longer": {}}))
    wrong = ["numpy: lam 0, lbfgs: other J", "numpy: no longer: only before"]
    code, lines = same_bits("--case", "numpy: lam 0, lbfgs", "--against", file)
    assert (code, lines[1:]) == (1, wrong[:1])
    code, lines = same_bits("--case", "numpy: no longer", "--against", file)
    assert (code, lines[1:]) == (1, wrong[1:])
