"""Time and evaluations to a target J: every optimizer here, and its peers, on the same J.

    python -m benchmarks.optimizers [PROBLEM ...] [--starts 20] [--first-start 100] [--seconds 0.3]
                                    [--out FOLDER]

All start from the same random thetas. From each start the target is 1.01 times the lowest J that
any method found within the seconds given (ex4: four times as many); a method that did not get
there has failed. SciPy's minimizers and least_squares are handed our own J, D and Jacobian, so
that only the algorithms differ; scikit-learn's lbfgs, PyTorch's LBFGS, Octave's fminunc, R's nnet
and the course's fmincg (each where it is installed, nnet on Linux with a C compiler) compute J and
D themselves. All with their default settings, but for limits, which none is to end by, and the
peers' tolerances, likewise; ours are as they are.

An evaluation is one call: J with D, residuals, a Jacobian, a Hessian-vector product, or J, D and
Jac^T Jac at once.  nnet computes J alone and, where it goes on, D there in another pass: each J
counts, and no D.  Times are the processor's, of one thread, to the first evaluation at most at the
target.  Medians are over all starts, and a failure is above every number.

The methods end in different minima.  A second table compares two of them where both get: from each
start the target is 1.01 times the higher of the lowest J of the two.  Its ratios are of one start
each: their median with the quartiles, and their geometric mean.  The first table of all sums up
what is claimed: how many times faster Levenberg-Marquardt is than L-BFGS, ours and the others', and
what part of each peer's evaluations L-BFGS and conjugate gradient take.

Those ratios differ from start to start, so much that a median of 20 is uncertain.  On sine and
friedman the methods of that first table, but those that run in processes of their own, meet again
from 100 starts, the others among them, whatever --starts says.

Friedman 1 comes twice: as scikit-learn makes it by default, without noise, for ten units,
as many as MATLAB's fitnet has; and with the noise of Friedman's paper (1991), for five.  But for
ex5 and ex4, whose lam the course gives, lam is about what Bayesian regularisation finds.

Settings of the optimizers here were chosen on these problems from other starts: those below 100,
and from 1000 on.

Needs the course's files and diamonds.npz in the folder CHAINRULE_DATA for ex5, ex4 and diamonds.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import scipy.io
import scipy.optimize
from benchmarks import machine
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.neural_network import MLPClassifier, MLPRegressor

from chainrule import Network, random_theta
from chainrule.engine.rows import Rows
from chainrule.notes.theta import blocks
from chainrule.optimize import minimize
from chainrule.optimize.vectors import one_blas_thread
from chainrule.training.objective import TrainingObjective

try:
    import torch
except ImportError:
    torch = None

DATA = Path(os.environ.get("CHAINRULE_DATA", "../shared/data"))
OURS = ("lm", "lbfgs", "cg", "scg", "newton-cg", "gd")  # br minimises another J: its lambda moves
SCIPY = ("L-BFGS-B", "CG", "BFGS", "Newton-CG")
DENSE = ("SciPy BFGS",)  # it holds a matrix of size x size, as Octave's fminunc and R's nnet do
MOST = 2000  # parameters they are tried with
FMINCG = DATA.resolve() / "course/fmincg.m"  # not ours to hand on: run where it is
LBFGS = ("chainrule lbfgs", "SciPy L-BFGS-B", "scikit-learn lbfgs", "PyTorch LBFGS")
AGAIN, MANY = ("sine", "friedman"), 100  # problems, and the starts that claims are told from again
PAIRS = {
    "chainrule lm": (
        *LBFGS,
        "R nnet",
        "SciPy least_squares trf",
        "SciPy least_squares lm",
    ),
    "chainrule lbfgs": (*LBFGS[1:], "R nnet"),
    "chainrule cg": ("SciPy CG", "the course's fmincg"),
}


class OutOfTime(Exception):
    """The seconds are over."""


class Recorder:
    """An objective that notes when each J was reached: the trace has a row (J, seconds) a call."""

    def __init__(self, objective, seconds):
        self.objective, self.trace = objective, []
        self.start = time.process_time()
        self.seconds = seconds

    def note(self, J=np.inf):
        at = time.process_time() - self.start
        self.trace.append((J, at))
        if at > self.seconds:
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


def reached(trace, target):
    """Return evaluations and seconds until J was at most the target, or infinities."""
    there = (trace[:, 0] <= target).nonzero()[0]
    return (there[0] + 1, trace[there[0], 1]) if len(there) else (np.inf, np.inf)


def standardised(columns):
    columns = np.asarray(columns, dtype=np.float64).reshape(len(columns), -1)
    return (columns - columns.mean(axis=0)) / columns.std(axis=0)


def ex5():
    table = scipy.io.loadmat(DATA / "course/ex5data1.mat")
    return regression(table["X"].astype(float), table["y"].astype(float), 8, lam=0.01)


def sine():
    X = np.linspace(-1, 1, 100)[:, None]
    noise = 0.1 * np.random.default_rng(0).normal(size=X.shape)  # else J has no lowest value
    return regression(X, np.sin(2 * np.pi * X) + noise, 5, lam=0.001)


def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return regression(standardised(X), standardised(y), 5, lam=3.0)


def friedman():
    X, y = make_friedman1(500, random_state=0)
    return regression(standardised(X), standardised(y), 10, lam=3e-6)


def friedman_noisy():
    X, y = make_friedman1(500, noise=1.0, random_state=0)
    return regression(standardised(X), standardised(y), 5, lam=0.2)


def diamonds():
    table = np.load(DATA / "tables/diamonds.npz")
    rows = np.random.default_rng(0).permutation(len(table["X"]))[:5000]
    X, y = table["X"][rows], np.log(table["y"][rows])
    return regression(standardised(X), standardised(y), 10, lam=0.01)


def ex4():
    table = scipy.io.loadmat(DATA / "course/ex4data1.mat")
    codes = table["y"].ravel() % 10
    return Network((400, 25, 10)), table["X"].astype(float), np.eye(10)[codes], 1.0


PROBLEMS = {f.__name__: f for f in (ex5, sine, diabetes, friedman, friedman_noisy, diamonds, ex4)}


def regression(X, Y, units, lam):
    """Return a problem: a network with tanh units and a linear output, X, Y and lam."""
    return Network((X.shape[1], units, 1), hidden="tanh", output="identity"), X, Y, lam


def run_ours(name):
    def run(recorder, theta, problem):
        minimize(recorder, theta, name, max_iter=10**6)

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


def run_sklearn(recorder, theta, problem):
    network, X, Y, lam = problem
    regression = network.output == "identity"

    class Recorded(MLPRegressor if regression else MLPClassifier):
        def _init_coef(self, fan_in, fan_out, dtype):
            part = next(parts)
            return part[1:].copy(), part[0].copy()

        def _loss_grad_lbfgs(self, *arguments):
            J, D = super()._loss_grad_lbfgs(*arguments)
            recorder.note(J)
            return J, D

    parts = iter(blocks(network, theta))
    Recorded(
        hidden_layer_sizes=network.layers[1:-1], solver="lbfgs", alpha=lam, max_iter=10**6,
        activation="logistic" if network.hidden == "sigmoid" else network.hidden,
        max_fun=10**7, tol=1e-12,
    ).fit(X, Y[:, 0] if regression else Y)  # fmt: skip


def run_torch(recorder, theta, problem):
    network, X, Y, lam = problem
    X, Y = torch.from_numpy(X), torch.from_numpy(Y)
    flat = torch.from_numpy(theta.copy()).requires_grad_()
    regularised = torch.from_numpy(recorder.objective.regularised)
    hidden = {"tanh": torch.tanh, "sigmoid": torch.sigmoid}[network.hidden]
    optimizer = torch.optim.LBFGS(
        [flat], max_iter=10**6, max_eval=10**7, tolerance_grad=1e-9, tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
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


def octave(minimiser, problem, starts, seconds):
    """Return the traces of one of Octave's minimisers, from each start."""
    network, X, Y, lam = problem
    given = {"X": X, "Y": Y, "lam": lam, "layers": np.array(network.layers, float)}
    given |= {"linear": float(network.output == "identity"), "seconds": seconds}
    given |= {"minimiser": minimiser}
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "in.mat"), Path(folder, "out.mat")
        scipy.io.savemat(before, given | {"starts": np.stack(starts, axis=1)})
        paths = f"addpath ('{Path(__file__).parent}'); addpath ('{FMINCG.parent}');"
        call = f"{paths} optimizers ('{before}', '{after}');"
        subprocess.run(
            ["octave-cli", "--no-init-file", "--eval", call],
            check=True, env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        return list(scipy.io.loadmat(after)["traces"].ravel())


def nnet(problem, starts, seconds):
    """Return the traces of R's nnet, from each start: a row for each J that it computes."""
    network, X, Y, lam = problem
    units = [np.concatenate([b.T.ravel() for b in blocks(network, theta)]) for theta in starts]
    with tempfile.TemporaryDirectory() as folder:
        for name, table in {"X": X, "Y": Y, "starts": np.stack(units, axis=1)}.items():
            np.savetxt(Path(folder, f"{name}.csv"), table, delimiter=",", fmt="%.17g")
        here, counter, trace = Path(__file__), Path(folder, "counter.so"), Path(folder, "trace")
        build = ["cc", "-O2", "-shared", "-fPIC", here.with_suffix(".c"), "-o", counter, "-ldl"]
        subprocess.run(build, check=True)
        subprocess.run(
            ["Rscript", here.with_suffix(".R"), folder, str(lam), str(network.layers[1])],
            env=os.environ | {"LD_PRELOAD": counter, "TRACE": trace, "SECONDS": str(seconds)},
            check=True,
        )
        if not trace.exists():
            raise SystemExit("R did not call the vmmin of optimizers.c: nnet cannot be counted")
        start, E, at = np.fromfile(trace).reshape(-1, 3).T
    rows = np.column_stack([E / (2 * len(X)), at])
    return [rows[start == i] for i in range(1, len(starts) + 1)]


def others(problem):
    """Return the methods that run in processes of their own, by name, where they are installed."""
    network = problem[0]
    found = {}
    if shutil.which("octave-cli"):
        if network.size <= MOST:
            found["Octave fminunc"] = partial(octave, "fminunc")
        if FMINCG.exists():
            found["the course's fmincg"] = partial(octave, "fmincg")
    alike = network.output == "identity" and network.hidden == "tanh" and network.size <= MOST
    if alike and has_nnet():
        found["R nnet"] = nnet
    return found


@cache
def has_nnet():
    """Return whether R's nnet is here, and what its evaluations are counted with."""
    if not (sys.platform == "linux" and shutil.which("Rscript") and shutil.which("cc")):
        return False
    return not subprocess.run(["Rscript", "-e", "library(nnet)"], capture_output=True).returncode


def methods(problem):
    """Return the methods that run in this process, by name."""
    squares = problem[0].output == "identity"
    found = {f"chainrule {name}": run_ours(name) for name in OURS if squares or name != "lm"}
    found |= {f"SciPy {method}": run_scipy(method) for method in SCIPY}
    if squares:
        found |= {f"SciPy least_squares {m}": run_least_squares(m) for m in ("trf", "lm")}
    found["scikit-learn lbfgs"] = run_sklearn
    if torch is not None:
        found["PyTorch LBFGS"] = run_torch
    if problem[0].size > MOST:
        found = {name: run for name, run in found.items() if name not in DENSE}
    return found


def traces(problem, starts, seconds, only=None):
    """Return for each method the trace from each start."""
    network, X, Y, lam = problem
    found = {}
    for name, run in methods(problem).items():
        if only and name not in only:
            continue
        found[name] = []
        for theta in [starts[0], *starts]:  # once to warm up
            recorder = Recorder(TrainingObjective(network, Rows(X, Y, threads=1), lam), seconds)
            try:
                with one_blas_thread(), np.errstate(all="ignore"):
                    run(recorder, theta.copy(), problem)
            except OutOfTime:
                pass
            except ValueError:  # fewer residuals than parameters: SciPy's lm does not take them
                if name != "SciPy least_squares lm":
                    raise
            found[name].append(np.array(recorder.trace).reshape(-1, 2))
        found[name] = found[name][1:]
        print(f"  {name}", flush=True)
    for name, run in others(problem).items() if not only else ():
        found[name] = run(problem, starts, seconds)
        print(f"  {name}", flush=True)
    return found


def table(found):
    """Return a Markdown table of the way to the lowest J, a row for each method."""
    lowest = np.min([[t[:, 0].min(initial=np.inf) for t in of] for of in found.values()], axis=0)
    lines = ["| method | got there | evaluations | ms |", "|---|---:|---:|---:|"]
    for method, of in found.items():
        way = np.array([reached(t, 1.01 * J) for t, J in zip(of, lowest, strict=True)])
        there = f"{np.isfinite(way[:, 0]).sum()}/{len(way)}"
        with np.errstate(invalid="ignore"):
            evaluations, seconds = np.median(way, axis=0)
        numbers = f"{evaluations:.0f} | {1000 * seconds:.1f}" if seconds < np.inf else "- | -"
        lines.append(f"| {method} | {there} | {numbers} |")
    return "\n".join(lines)


def compare(found, one, other):
    """Return the ways to the J that both methods get to: from each start, of shape (2, 2).

    A row for each method: evaluations and seconds.
    """
    ways = []
    ran = {one, other} <= found.keys()
    for a, b in zip(found[one], found[other], strict=True) if ran else ():
        if len(a) and len(b):
            target = 1.01 * max(a[:, 0].min(), b[:, 0].min())
            ways.append([reached(a, target), reached(b, target)])
    return np.array(ways).reshape(-1, 2, 2)


def spread(ratios):
    """Return the median of ratios with the quartiles."""
    low, middle, high = (f"{q:.3g}" for q in np.quantile(ratios, (0.25, 0.5, 0.75)))
    return f"{middle} ({low} to {high})"


def mean(ratios):
    """Return the geometric mean of ratios."""
    return f"{np.exp(np.log(ratios).mean()):.3g}"


def pairs(found):
    """Return a Markdown table of the way to the J that both methods of a pair reach."""
    lines = [
        "| one | other | evaluations | ratio | mean | ms | times faster | mean |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one, others in PAIRS.items():
        for other in others:
            if len(ways := compare(found, one, other)):
                (n, at), (n_other, at_other) = np.median(ways, axis=0)
                less, times = fewer(ways), faster(ways)
                evaluations = f"{n:.0f}, {n_other:.0f} | {spread(less)} | {mean(less)}"
                ms = f"{1000 * at:.1f}, {1000 * at_other:.1f} | {spread(times)} | {mean(times)}"
                lines.append(f"| {one} | {other} | {evaluations} | {ms} |")
    return "\n".join(lines)


def fewer(ways):
    """Return which part of the other's evaluations the one takes."""
    return ways[:, 0, 0] / ways[:, 1, 0]


def faster(ways):
    """Return how many times faster than the other the one is."""
    return ways[:, 1, 1] / ways[:, 0, 1]


def claims_of(found):
    """Return how far what is claimed of the optimizers here holds: cells of a row of a table."""

    def against(one, others, ratios):
        compared = [(other, compare(found, one, other)) for other in others]
        told = [(other, ratios(ways)) for other, ways in compared if len(ways)]
        return "; ".join(f"{other} {spread(r)}, mean {mean(r)}" for other, r in told) or "-"

    return [
        against("chainrule lm", LBFGS, faster),
        against("chainrule lbfgs", PAIRS["chainrule lbfgs"], fewer),
        against("chainrule cg", PAIRS["chainrule cg"], fewer),
    ]


def from_fifty_starts(problem):
    """Return a Markdown table of the J that the notes' experiment ends in."""
    network, X, Y, lam = problem
    lines = [
        "| 50 starts | iterations | lowest J | median | highest |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, iterations in (("cg", 200), ("lm", 50)):
        objective = TrainingObjective(network, Rows(X, Y, threads=1), lam)
        J = [
            minimize(objective, random_theta(network, seed), name, max_iter=iterations).J
            for seed in range(50)
        ]
        found = " | ".join(f"{value:.3f}" for value in (min(J), np.median(J), max(J)))
        lines.append(f"| chainrule {name} | {iterations} | {found} |")
    return "\n".join(lines)


def versions():
    """Return what is compared, with versions."""
    packages = ["chainrule", "numpy", "scipy", "scikit-learn"] + ["torch"] * (torch is not None)
    found = [f"{package} {version(package)}" for package in packages]
    if shutil.which("octave-cli"):
        said = subprocess.run(["octave-cli", "--version"], capture_output=True, text=True)
        found.append(said.stdout.splitlines()[0])
    if has_nnet():
        tell = "cat(R.version.string, 'with nnet', as.character(packageVersion('nnet')))"
        said = subprocess.run(["Rscript", "-e", tell], capture_output=True, text=True)
        found.append(said.stdout)
    return ", ".join(found)


def main():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.optimizers", description=__doc__.splitlines()[0]
    )
    parser.add_argument("problems", nargs="*", default=list(PROBLEMS))
    parser.add_argument("--starts", type=int, default=20)
    parser.add_argument("--first-start", type=int, default=100, help="seed of the first start")
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--out", type=Path, help="folder for optimizers.md")
    options = parser.parse_args()
    if torch is not None:
        torch.set_num_threads(1)
    page = [
        "# Optimizers: evaluations and time to the same J",
        f"What `python -m benchmarks.optimizers --starts {options.starts} --first-start "
        f"{options.first_start} --seconds {options.seconds:g}` printed on {machine.description()}, "
        f"{time.strftime('%Y-%m-%d', time.gmtime())}: {versions()}.",
        *__doc__.split("\n\n")[2:8],
    ]
    claims = [
        "| problem | lm, times faster than | evaluations, lbfgs over | cg over |",
        "|---|---|---|---|",
    ]
    sections = []
    for name in options.problems:
        began = time.perf_counter()
        problem = PROBLEMS[name]()
        network, X, _, lam = problem
        print(name, flush=True)
        layers = "-".join(map(str, network.layers))
        section = [
            f"## {name}: {layers}, {network.hidden}, {len(X):,} rows, {network.size:,} "
            f"parameters, lam = {lam:g}"
        ]
        seconds = options.seconds * (4 if name == "ex4" else 1)
        seeds = range(options.first_start, options.first_start + max(options.starts, MANY))
        starts = [random_theta(network, seed) for seed in seeds]
        found = traces(problem, starts[: options.starts], seconds)
        section += [table(found), pairs(found)]
        if name == "ex5":
            section.append(from_fifty_starts(problem))
        claims.append(f"| {' | '.join([name, *claims_of(found)])} |")
        if name in AGAIN:
            again = traces(
                problem,
                starts[:MANY],
                seconds,
                ("chainrule lm", "chainrule cg", *LBFGS, "SciPy CG"),
            )
            claims.append(f"| {' | '.join([f'{name}, {MANY} starts', *claims_of(again)])} |")
        sections += section
        print(*section, f"({time.perf_counter() - began:.0f} s)", sep="\n", flush=True)
        if options.out:  # after each problem: what was measured is not lost
            options.out.mkdir(parents=True, exist_ok=True)
            text = "\n\n".join([*page, "\n".join(claims), *sections])
            (options.out / "optimizers.md").write_text(text + "\n")
    print(*claims, sep="\n")


if __name__ == "__main__":
    main()
