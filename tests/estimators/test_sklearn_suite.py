"""scikit-learn's own tests of its MLP, and its checks of any estimator, run on ours."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import MLPClassifier, MLPRegressor

DESELECTED = {
    "test_gradient": "calls the private _loss_grad_lbfgs with lists that scikit-learn's own fit "
    "allocates; our gradient is checked in test_fitting.py and test_backprop.py",
}


def test_scikit_learns_own_tests_of_its_mlp_pass_with_ours():
    tests = Path(find_spec("sklearn.neural_network").origin).parent / "tests" / "test_mlp.py"
    others = " and ".join(f"not {name}" for name in DESELECTED)
    here = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "sklearn_names", "-p", "no:cacheprovider",
         "-o", "addopts=", "-o", "filterwarnings=", f"--rootdir={tests.parent}",
         "-c", os.devnull, "-k", others, str(tests)],
        env=os.environ | {"PYTHONPATH": str(here)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert " passed" in run.stdout.splitlines()[-1]


@pytest.mark.filterwarnings(f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning")
@parametrize_with_checks(
    [
        Estimator(solver=solver, max_iter=100)
        for Estimator in (MLPClassifier, MLPRegressor)
        for solver in ("adam", "sgd", "lbfgs")
    ]
)
def test_estimator_checks(estimator, check):
    check(estimator)
