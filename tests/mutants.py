"""Mistakes put into the core, one at a time: does a test notice each?

    python tests/mutants.py [FILE[:LINE] ...] [--sample 300] [--seed 0]

A mutant is the source of one module with one change: another operator or comparison, a number one
higher or lower, a condition negated, a statement dropped, two arguments swapped.  It is imported in
place of the module, in a forked process; no file changes.  Then the module's examples run, and the
tests that mirror it.  A mutant that none of them notices has survived: a test is missing, or stands
elsewhere, or the mutant changes nothing that anyone could notice.  Ctrl-C: the score so far.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "chainrule"
CORE = ("notes", "engine", "optimize")
TESTS = {  # of modules whose tests have another name
    "notes/formulas": ("notes/test_trace.py",),
    "notes/gradient_report": ("notes/test_gradient_check.py",),
    "engine/rows": ("engine/test_summing.py", "engine/test_predicting.py"),
    "optimize/__init__": ("optimize/test_optimize.py",),
    "optimize/iterate": ("optimize/test_optimize.py", "optimize/test_newton_cg.py"),
    "optimize/loop": (
        "optimize/test_optimize.py",
        "training/test_watched.py",
        "training/test_edges.py",
    ),
    "optimize/result": ("optimize/test_optimize.py", "training/test_watched.py"),
}
LIBRARIES = ("numpy", "scipy.optimize", "scipy.sparse", "scipy.special", "pandas", "pytest")
MEMORY = 8 << 30
SPARE_SECONDS, TIMES = 5, 2  # of the processor: what tests may take, beside the unchanged module's
WAITED = 20  # times as long until tests that wait for nothing are given up
NO_TESTS = 5  # pytest's exit code

OTHERS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
CERTAIN = ("isinstance", "issubclass", "getattr", "hasattr")  # swapped, they always raise an error


@dataclass(frozen=True)
class Mutant:
    """A module with one change."""

    path: Path
    module: ast.Module
    node: ast.AST
    new: ast.AST
    change: str

    @property
    def code(self) -> CodeType:
        return compile(ast.fix_missing_locations(changed(self)), str(self.path), "exec")

    def __str__(self) -> str:
        before, after = (ast.unparse(node).splitlines()[0] for node in (self.node, self.new))
        place = f"{self.path.relative_to(SOURCE)}:{self.node.lineno}"
        return f"{place}: {self.change}: {before}  ->  {after}"


def changed(mutant: Mutant) -> ast.Module:
    """Return a mutant's whole source."""
    return copy.deepcopy(mutant.module, {id(mutant.node): mutant.new})


def mutants(path: Path) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in changeable(tree):
        for change, new in changes(node):
            yield Mutant(path, tree, node, new, change)


def changeable(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what is computed or done: no annotations, no docstrings, no words of messages."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, ast.AST) or isinstance(part, ast.JoinedStr):
                continue
            if isinstance(part, ast.If) and "TYPE_CHECKING" in ast.unparse(part.test):
                continue
            if hasattr(part, "lineno"):
                yield part
            yield from changeable(part)


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the changes of a node, each as what is done and the node in its place."""

    def with_(**fields: object) -> ast.AST:
        new = copy.copy(node)
        for name, value in fields.items():
            setattr(new, name, value)
        return new

    match node:
        case ast.BinOp(op=op) | ast.BoolOp(op=op) | ast.AugAssign(op=op) if type(op) in OTHERS:
            yield "operator", with_(op=OTHERS[type(op)]())
        case ast.Compare(ops=ops):
            for k, op in enumerate(ops):
                yield "comparison", with_(ops=[*ops[:k], OTHERS[type(op)](), *ops[k + 1 :]])
        case ast.Constant(value=bool(value)):
            yield "number", with_(value=not value)
        case ast.Constant(value=int(value) | float(value)):
            yield "number", with_(value=value + 1)
            yield "number", with_(value=value - 1)
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield "sign", operand
        case ast.Call(func=function, args=[first, second, *rest]):
            alike = ast.dump(first) == ast.dump(second) or isinstance(second, ast.Starred)
            if not alike and ast.unparse(function) not in CERTAIN:
                yield "swapped", with_(args=[second, first, *rest])
    match node:
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            yield "negated", with_(test=ast.UnaryOp(ast.Not(), test))
        case ast.Expr(value=ast.Call()) | ast.Raise() | ast.AugAssign() | ast.Break():
            yield "dropped", ast.copy_location(ast.Pass(), node)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield "dropped", ast.copy_location(ast.Pass(), node)


class Finder(importlib.abc.MetaPathFinder, importlib.machinery.SourceFileLoader):
    """Imports a mutant in place of its module."""

    def __init__(self, mutant: Mutant) -> None:
        parts = mutant.path.relative_to(SOURCE.parent).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        super().__init__(".".join(parts), str(mutant.path))
        self.code = mutant.code

    def pytest_sessionstart(self) -> None:
        """Come before pytest's own finder, which reads the files that are named to it."""
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.path, loader=self)

    def get_code(self, name: str) -> CodeType:
        return self.code


def tests_of(path: Path) -> list[str]:
    """Return what pytest is asked for a module: its examples and its tests, or its package's."""
    name, package = f"{path.parent.name}/{path.stem}", ROOT / "tests" / path.parent.name
    own = package / f"test_{path.stem}.py"
    others = [ROOT / "tests" / file for file in TESTS.get(name, ())]
    shared = package / f"test_{path.parent.name}.py"  # what all optimizers promise
    found = others or [file for file in (own, shared) if file.exists()] or [package]
    return [str(file) for file in (path, *found)]


def tested(tests: list[str], mutant: Mutant | None, seconds: int) -> tuple[str, float]:
    """Run tests in a forked process; return what came of it, and how long the processor took."""
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            quiet = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(quiet, stream)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            import pytest

            plugins = [Finder(mutant)] if mutant else []
            os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests], plugins))
        finally:
            os._exit(1)
    deadline = time.monotonic() + WAITED * seconds
    while not (ended := os.wait4(child, os.WNOHANG))[0] and time.monotonic() < deadline:
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what hangs, and what its tests have left
    _, status, used = ended if ended[0] else os.wait4(child, 0)
    taken = used.ru_utime + used.ru_stime
    code = os.waitstatus_to_exitcode(status)
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return "too long", taken
    return "survived" if code in (0, NO_TESTS) else "noticed", taken


def outcome(mutant: Mutant, unchanged: dict[Path, float]) -> str:
    """Return what came of a mutant; `unchanged` has how long tests take without one, once known."""
    tests = tests_of(mutant.path)
    if mutant.path not in unchanged:
        came, unchanged[mutant.path] = tested(tests, None, 3600)
        if came != "survived":
            raise SystemExit(f"without any mutant, tests fail: pytest {' '.join(tests)}")
    return tested(tests, mutant, SPARE_SECONDS + int(TIMES * unchanged[mutant.path]))[0]


def main(arguments: list[str] | None = None) -> int:
    """Print each mutant that survives, and the score."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("places", nargs="*", metavar="FILE[:LINE]", help="as in optimize/lm.py:57")
    parser.add_argument("--sample", type=int, default=300, help="how many mutants are tried")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of them")
    options = parser.parse_args(arguments)
    os.environ["CI"] = "1"  # hypothesis draws the same examples each time
    for library in LIBRARIES:
        importlib.import_module(library)
    found = list(chosen(options.places))
    tried = random.Random(options.seed).sample(found, min(options.sample, len(found)))
    print(f"{len(tried)} of {len(found)} mutants", flush=True)
    counts: Counter[tuple[str, str]] = Counter()
    unchanged: dict[Path, float] = {}
    with suppress(KeyboardInterrupt):  # the score so far
        for mutant in tried:
            came = outcome(mutant, unchanged)
            counts[mutant.path.parent.name, came] += 1
            if came == "survived":
                print(f"survived {mutant}", flush=True)
            print(f"{counts.total()} tried", end="\r", file=sys.stderr, flush=True)
    for package in sorted({package for package, _ in counts}):
        by = {came: counts[package, came] for came in ("noticed", "too long", "survived")}
        print(f"{package}: " + ", ".join(f"{by[came]} {came}" for came in by))
    survived = sum(n for (_, came), n in counts.items() if came == "survived")
    print(f"score {1 - survived / max(counts.total(), 1):.1%} of {counts.total()}")
    return 0


def chosen(places: list[str]) -> Iterator[Mutant]:
    """Yield the mutants of the places, or of the whole core."""
    every = sorted(path for package in CORE for path in (SOURCE / package).glob("*.py"))
    for place in places or [str(path) for path in every]:
        name, _, line = place.partition(":")
        for mutant in mutants(SOURCE / name):
            if not line or mutant.node.lineno == int(line):
                yield mutant


if __name__ == "__main__":
    sys.exit(main())
