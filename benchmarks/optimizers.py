"""Time and evaluations to a target J: every optimizer here, and its peers, on the same J.

    python benchmarks/optimizers.py [PROBLEM ...] [--starts 20] [--seconds 2]

All start from the same random thetas.  From each start the target is 1.01 times the lowest J that
any method found within the seconds given; a method that did not get there has failed.  SciPy's
minimizers and least_squares are handed our own J, D and Jacobian, so that only the algorithms
differ; PyTorch's LBFGS (where PyTorch is installed) computes with PyTorch.  An evaluation is a J
with D, a Hessian-vector product, or a Jacobian.  Times are medians over the starts that got there.

Needs the course's files and diamonds.npz in the folder CHAINRULE_DATA for ex5, ex4 and diamonds.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import scipy.io
import scipy.optimize
from sklearn.datasets import load_diabetes, make_friedman1

from chainrule import Network, random_theta
from chainrule.objective import TrainingObjective
from chainrule.optimize import OPTIMIZERS
from chainrule.optimize.loop import one_blas_thread

try:
    import torch
except ImportError:
    torch = None

DATA = Path(os.environ.get("CHAINRULE_DATA", "../shared/data"))
OURS = ("lm", "br", "lbfgs", "cg", "scg", "newton-cg", "gd")
SCIPY = ("L-BFGS-B", "CG", "BFGS", "Newton-CG")


class OutOfTime(Exception):
    """The seconds are over."""


class Recorder:
    """An objective that notes when, and after how many evaluations, each J was reached."""

    def __init__(self, objective, seconds):
        self.objective, self.n_eval, self.trace = objective, 0, []
        self.start = time.perf_counter()
        self.end = self.start + seconds

    def note(self, J=np.inf):
        self.n_eval += 1
        now = time.perf_counter()
        self.trace.append((J, self.n_eval, now - self.start))
        if now > self.end:
            raise OutOfTime

    def __call__(self, theta):
        J, D = self.objective(theta)
        self.note(J)
        return J, D

    def hvp(self, theta, v):
        Hv = self.objective.hvp(theta, v)
        self.note()
        return Hv

    def normal_equations(self, theta):
        found = self.objective.normal_equations(theta)
        self.note(found[0])
        return found

    def residuals(self, theta):
        self.note()
        return self.objective.residuals(theta)

    def reached(self, target):
        """Return evaluations and seconds until J was at most the target, or None."""
        return next(((n, at) for J, n, at in self.trace if target >= J), None)


def standardised(columns):
    columns = np.asarray(columns, dtype=np.float64).reshape(len(columns), -1)
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def ex5():
    table = scipy.io.loadmat(DATA / "course/ex5data1.mat")
    return regression(table["X"].astype(float), table["y"].astype(float), 8, lam=0.01)


def sine():
    X = np.linspace(-1, 1, 100)[:, None]
    noise = 0.1 * np.random.default_rng(0).normal(size=X.shape)  # else J has no lowest value
    return regression(X, np.sin(2 * np.pi * X) + noise, 5, lam=1e-4)


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return regression(standardised(X), standardised(y), 5, lam=1.0)


def friedman():
    X, y = make_friedman1(500, noise=1.0, random_state=0)
    return regression(standardised(X), standardised(y), 10, lam=0.01)


def diamonds():
    table = np.load(DATA / "tables/diamonds.npz")
    rows = np.random.default_rng(0).permutation(len(table["X"]))[:5000]
    X, y = table["X"][rows], np.log(table["y"][rows])
    return regression(standardised(X), standardised(y), 10, lam=0.1)


def ex4():
    table = scipy.io.loadmat(DATA / "course/ex4data1.mat")
    codes = table["y"].ravel() % 10
    return Network((400, 25, 10)), table["X"].astype(float), np.eye(10)[codes], 1.0


PROBLEMS = {f.__name__: f for f in (ex5, sine, diabetes, friedman, diamonds, ex4)}


def regression(X, Y, units, lam=0.0):
    return Network((X.shape[1], units, 1), hidden="tanh", output="identity"), X, Y, lam


def run_ours(name):
    def run(recorder, theta, problem):
        OPTIMIZERS[name](recorder, theta, max_iter=10**6)

    return run


def run_scipy(method):
    def run(recorder, theta, problem):
        options = {"maxiter": 10**6} | ({"maxfun": 10**6} if method == "L-BFGS-B" else {})
        hessp = {"hessp": recorder.hvp} if method == "Newton-CG" else {}
        scipy.optimize.minimize(
            recorder, theta, jac=True, method=method, tol=1e-12, options=options, **hessp
        )

    return run


def run_least_squares(method):
    def run(recorder, theta, problem):
        def stacked(theta):
            r, rows = zip(*recorder.objective.residuals(theta), strict=True)
            return np.concatenate(r), np.concatenate(rows)

        def residuals(theta):
            r = stacked(theta)[0]
            recorder.note(r @ r / 2)
            return r

        def jacobian(theta):
            recorder.note()
            return stacked(theta)[1]

        scipy.optimize.least_squares(
            residuals, theta, jac=jacobian, method=method, xtol=1e-12, ftol=1e-12, gtol=1e-12
        )

    return run


def run_torch(recorder, theta, problem):
    network, X, Y, lam = problem
    X, Y = torch.from_numpy(X), torch.from_numpy(Y)
    flat = torch.from_numpy(theta.copy()).requires_grad_()
    regularised = torch.from_numpy(recorder.objective.regularised)
    hidden = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}[network.hidden]
    optimizer = torch.optim.LBFGS(
        [flat], max_iter=10**6, max_eval=10**7, history_size=10, tolerance_grad=1e-9,
        tolerance_change=1e-14, line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure():
        optimizer.zero_grad()
        a, start = X, 0
        for out, columns in network.shapes:
            part = flat[start : start + out * columns].reshape(columns, out)
            z = a @ part[1:] + part[0]
            a, start = hidden(z), start + out * columns
        if network.output == "identity":
            cost = ((z - Y) ** 2).sum() / 2
        else:
            cost = torch.nn.functional.binary_cross_entropy_with_logits(z, Y, reduction="sum")
        J = (cost + lam / 2 * (regularised * flat**2).sum()) / len(X)
        J.backward()
        recorder.note(J.item())
        return J

    optimizer.step(closure)


def methods(problem):
    squares = problem[0].output == "identity"
    found = {f"chainrule {name}": run_ours(name) for name in OURS if squares or name not in "lmbr"}
    found |= {f"SciPy {method}": run_scipy(method) for method in SCIPY}
    if squares:
        found |= {f"SciPy least_squares {m}": run_least_squares(m) for m in ("trf", "lm")}
    if torch is not None:
        found["PyTorch LBFGS"] = run_torch
    found.pop("chainrule br", None)  # another J: its lambda changes
    return found


def measure(problem, starts, seconds):
    """Return for each method the evaluations and seconds to each start's target."""
    network, X, Y, lam = problem
    reached = {name: [] for name in methods(problem)}
    for seed in range(starts):
        records = {}
        for name, run in methods(problem).items():
            recorder = Recorder(TrainingObjective(network, X, Y, lam, threads=1), seconds)
            try:
                with one_blas_thread(), np.errstate(all="ignore"):
                    run(recorder, random_theta(network, seed), problem)
            except OutOfTime:
                pass
            except ValueError as error:  # fewer residuals than parameters, for SciPy's lm
                if "lm" not in name:
                    raise
                print(f"{name}: {error}")
            records[name] = recorder
        target = 1.01 * min(J for record in records.values() for J, _, _ in record.trace)
        for name, record in records.items():
            reached[name].append(record.reached(target))
    return reached


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("problems", nargs="*", default=list(PROBLEMS))
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=2.0)
    arguments = parser.parse_args()
    if torch is not None:
        torch.set_num_threads(1)
    for name in arguments.problems:
        problem = PROBLEMS[name]()
        network, X, _, lam = problem
        print(f"\n{name}: {network}, m = {len(X)}, lam = {lam:g}")
        print(f"{'':<24}{'got there':>10}{'evaluations':>13}{'ms':>10}")
        for method, found in measure(problem, arguments.starts, arguments.seconds).items():
            there = np.array([f for f in found if f is not None])
            line = f"{method:<24}{f'{len(there)}/{len(found)}':>10}"
            if len(there):
                evaluations, seconds = np.median(there, axis=0)
                line += f"{evaluations:>13.0f}{1000 * seconds:>10.1f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
