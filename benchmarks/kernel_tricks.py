"""What each trick of the kernel gains: ``python -m benchmarks.kernel_tricks [WORDS]``.

The kernel is built once as it is and once without each trick, by one change of its source; both
builds then take turns, in processes of their own, on work that the trick is for.  All take about 25
minutes; with words, only tricks that have one of them in their names.  Needs nanobind, CMake and
Ninja beside chainrule (``pip install nanobind cmake ninja``).
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
TURNS, SECONDS = 15, 0.05

# trick: file, the line that is it, what stands there without it, the work
TRICKS = {
    "zeros of X passed over": (
        "plan.hpp",
        "return nonzero * work * 5 / 4 + n * s * listing < n * s * (work + of_Delta) / 2;",
        "return nonzero * listing + of_Delta < 0;",
        "Adam step, 784-100-10, batch 200, 90 % zeros",
    ),
    "what is not 0 listed by one instruction": (
        "lists.hpp",
        "return append_marked(from, marks_of<T>(any), list, length);\n#else",
        "#endif\n#if true",
        "predict, 784-100-10, 10,000 rows, 90 % zeros",
    ),
    "16 rows of four lists marked at once": (
        "lists.hpp",
        "    if constexpr (by == By::columns)\n        for (constexpr int some",
        "    if constexpr (false)\n        for (constexpr int some",
        "Adam step, 784-100-10, batch 200, 90 % zeros",
    ),
    "few outputs as products along the inputs": (
        "plan.hpp",
        "return rest <= most_narrow<T> && ",
        "return rest < 0 && ",
        "Adam step, 20-32-2, batch 32",
    ),
    "the last units' z as products along the inputs": (
        "plan.hpp",
        "return rest <= most_narrow<T> && ",
        "return rest < 0 && ",
        "predict, 784-100-10, 10,000 rows",
    ),
    "the last units' Delta along the inputs": (
        "plan.hpp",
        "others[] = {next / lanes<T> * lanes<T>, 0};",
        "others[] = {0, 0};",
        "Adam step, 100-100-1, batch 1,024",
    ),
    "inputs in blocks that stay with a core": (
        "plan.hpp",
        "return shape.L > 2 && shape.s[0] >= 256 && shape.s[0] > rows ? 2 : 1;",
        "return shape.L < 0 && rows < 0 ? 2 : 1;",
        "Adam step, 784-300-10, batch 256, 90 % zeros",
    ),
    "what members write a page apart": (
        "memory.hpp",
        "constexpr std::int64_t apart = 4096 / static_cast<std::int64_t>(sizeof(T));",
        "constexpr std::int64_t apart = 0;",
        "Adam step, 784-300-10, batch 256, 90 % zeros",
    ),
    "limits by one instruction": (
        "vec.hpp",
        "#if defined(__AVX512F__)\ntemplate <class T>\ninline vec<T> at_least",
        "#if false\ntemplate <class T>\ninline vec<T> at_least",
        "J and D, 4-32-16-4, 5,000 rows, tanh",
    ),
    "a tile of several rows, not one": (
        "product.hpp",
        "R = tile_registers / V < most ? tile_registers / V : most;",
        "R = 1;",
        "Adam step, 784-100-10, batch 200",
    ),
    "rows of X asked for before their turn": (
        "rows.hpp",
        "if (order && r < last) {",
        "if (false) {",
        "Adam step, 784-100-10, batch 200",
    ),
    "tanh as a ratio of polynomials": (
        "functions.hpp",
        "if constexpr (sizeof(T) == 4) {",
        "if constexpr (false) {",
        "J and D, 4-32-16-4, 5,000 rows, tanh",
    ),
    "W used as it lies": (
        "layers.hpp",
        "return layer.next % lanes<T> == 0 && layer.next <= 3 * lanes<T>;",
        "return layer.next < 0;",
        "Adam step, 20-32-2, batch 32",
    ),
    "Delta used strip by strip": (
        "slab.hpp",
        "constexpr std::int64_t strip = 3 * lanes<T>;",
        "constexpr std::int64_t strip = 4096;",
        "Adam step, 784-800-800-10, batch 200",
    ),
    "pieces that others finish": (
        "slab.hpp",
        "return team.size;",
        "return team.size > 0;",
        "Adam step, 784-100-10, batch 200",
    ),
    "Delta over at most 144 rows at a time": (
        "product.hpp",
        "constexpr std::int64_t depth = 144;",
        "constexpr std::int64_t depth = std::int64_t{1} << 40;",
        "Adam step, 784-100-10, batch 200",
    ),
    "a Delta for each chunk of rows": (
        "batch.hpp",
        "if (chunks >= 8 && ",
        "if (false && ",
        "Adam step, 100-100-1, batch 1,024",
    ),
    "Delta transposed where its vectors fill better": (
        "plan.hpp",
        "if (work(n) < work(best)) best = n;",
        "if (n < 0) best = n;",
        "J and D, 400-25-10, 5,000 rows",
    ),
    "a broadcast that adds nothing": (
        "vec.hpp",
        "return x - vec<T>{};",
        "return x + vec<T>{};",
        "J and D, 400-25-10, 5,000 rows",
    ),
    "rows no multiple of 512 bytes apart": (
        "layers.hpp",
        "if (layer.ld * sizeof(T) % 512 == 0) layer.ld += lanes<T>;",
        "",
        "Adam step, 784-128-10, batch 200",
    ),
    "W as it lies, for a few rows": (
        "predict.hpp",
        "constexpr std::int64_t few = 4;",
        "constexpr std::int64_t few = 0;",
        "predict, 784-100-10, one row",
    ),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole"
        build(whole)
        print("| trick | work | with | without | times faster | quartiles of the ratio |")
        print("|---|---|---:|---:|---:|---:|")
        words = sys.argv[1:]
        for number, (trick, (file, line, instead, work)) in enumerate(TRICKS.items()):
            if words and not any(word in trick for word in words):
                continue
            without = Path(scratch) / str(number)
            build(without, file, line, instead)
            for threads in (1, len(os.sched_getaffinity(0))):
                pairs = take_turns([whole, without], work, threads)
                a, b = (statistics.median(column) for column in zip(*pairs, strict=True))
                ratios = sorted(slow / fast for fast, slow in pairs)
                low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
                name = f"{work}, {threads} thread{'s' if threads > 1 else ''}"
                print(
                    f"| {trick} | {name} | {1e6 * a:.4g} µs | {1e6 * b:.4g} µs "
                    f"| {b / a:.2f} | {low:.2f} to {high:.2f} |",
                    flush=True,
                )


def build(
    folder: Path, file: str = "", line: str = "", instead: str = "", build_type: str = "Release"
) -> None:
    """Build the kernel in a folder, one line of one file replaced."""
    shutil.copytree(ROOT / "src/chainrule/kernel", folder / "src/chainrule/kernel")
    shutil.copy(ROOT / "CMakeLists.txt", folder)
    if file:
        path = folder / "src/chainrule/kernel" / file
        text = path.read_text()
        if text.count(line) != 1:
            raise SystemExit(f"{file} has not exactly one {line!r}: mend TRICKS")
        path.write_text(text.replace(line, instead))
    nanobind = subprocess.run(
        [sys.executable, "-m", "nanobind", "--cmake_dir"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    tools = sysconfig.get_path("scripts")
    run = {
        "check": True,
        "stdout": subprocess.DEVNULL,
        "env": os.environ | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"},
    }
    options = [f"-DPython_EXECUTABLE={sys.executable}", f"-Dnanobind_DIR={nanobind}"]
    options.append(f"-DCMAKE_BUILD_TYPE={build_type}")
    subprocess.run(["cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", *options], **run)
    subprocess.run(["cmake", "--build", folder / "build"], **run)


def take_turns(folders: list[Path], work: str, threads: int) -> list[tuple[float, ...]]:
    """Return the seconds of each build in each turn."""
    context = multiprocessing.get_context("spawn")
    pipes = []
    for folder in folders:
        here, there = context.Pipe()
        context.Process(target=serve, args=(there, folder, work, threads), daemon=True).start()
        pipes.append(here)
    turns = []
    for _ in range(TURNS):
        seconds = []
        for pipe in pipes:
            pipe.send(True)
            seconds.append(pipe.recv())
        turns.append(tuple(seconds))
    for pipe in pipes:
        pipe.send(False)
    return turns


def serve(pipe: Connection, folder: Path, work: str, threads: int) -> None:
    """Time the work with the kernel of a folder whenever asked to."""
    load(*(folder / "build").glob("_kernel*.so"))
    run, steps = prepare(work, threads)
    run()
    while pipe.recv():
        began, n = time.perf_counter(), 0
        while time.perf_counter() - began < SECONDS:
            run()
            n += 1
        pipe.send((time.perf_counter() - began) / n / steps)


def load(module: Path) -> None:
    """Make a module chainrule's kernel."""
    name = "chainrule.kernel._kernel"
    spec = importlib.util.spec_from_file_location(name, module)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[name])


def prepare(work: str, threads: int) -> tuple[Callable[[], object], int]:
    """Return what does the work, and how many steps of it."""
    import chainrule
    from chainrule import engine
    from chainrule.notes.minibatch import Minibatches
    from chainrule.optimize.adam import Adam

    kind, sizes, *rest = work.split(", ")
    layers = tuple(map(int, sizes.split("-")))
    m = {"J and D": 5_000, "Adam step": 20_480, "predict": 10_000}[kind]
    m = 1 if "one row" in rest else m
    hidden = "tanh" if rest and rest[-1] == "tanh" else "relu"
    network = chainrule.Network(layers, hidden=hidden, output="sigmoid")
    rng = np.random.default_rng(0)
    X = rng.random((m, layers[0]), dtype=np.float32)
    if rest and rest[-1] == "90 % zeros":
        X[rng.random(X.shape) < 0.9] = 0
    Y = (rng.random((m, layers[-1])) < 0.5).astype(np.float32)
    theta = chainrule.random_theta(network, seed=0).astype(np.float32)
    if kind == "predict":
        return lambda: engine.predict(network, theta, X, engine="kernel", threads=threads), 1
    if kind == "J and D":
        return lambda: engine.accumulate(network, theta, X, Y, engine="kernel", threads=threads), 1
    batch = int(rest[0].removeprefix("batch ").replace(",", ""))
    rule, order = Adam(), rng.permutation(m)
    state = rule.init(theta)
    return lambda: engine.epoch(
        network, theta, X, Y, order, Minibatches(batch), rule=rule, state=state, steps=1_000,
        engine="kernel", threads=threads,
    ), -(-m // batch)  # fmt: skip


if __name__ == "__main__":
    main()
