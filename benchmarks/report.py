"""The results as a table, as JSON and as a chart."""

from __future__ import annotations

import json
from pathlib import Path

OURS = "chainrule"


def write(results: dict, folder: Path) -> None:
    """Write results.json, results.md and results.png to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (folder / "results.md").write_text(table(results))
    chart(results, folder / "results.png")
    print(f"Written: {folder}/results.json, results.md, results.png\n")


def table(results: dict) -> str:
    """Return the results as Markdown."""
    lines = [
        f"{results['machine']}; {results['when']}; {results['minutes']} minutes"
        + (" (quick: few repetitions, nothing compiled by PyTorch)" if results["quick"] else ""),
        "",
        ", ".join(f"{package} {number}" for package, number in results["versions"].items()),
        "",
    ]
    for n, limit in results["limits"].items():
        lines.append(
            f"- The machine's limit, {n} thread{'s' if n != '1' else ''}: "
            f"{limit['float32']:.0f} GFLOP/s in float32, {limit['float64']:.0f} in float64, "
            f"{limit['GB/s']:.1f} GB/s read from memory"
        )
    lines += [
        "",
        "Median seconds of a repetition, and the quartiles; *times* is how many times faster "
        "chainrule is, against what is aimed at.",
        "",
        "| case | library, best settings | median | quartiles | times | aim | answer |",
        "|---|---|---:|---:|---:|---:|---|",
    ]
    for case in results["cases"]:
        ours = ours_of(case)
        for entry in case["libraries"]:
            first = entry is case["libraries"][0]
            aim = aimed_at(case, entry)
            times = "" if entry is ours else f"{entry['median'] / ours['median']:.2f}"
            answer = entry["answer"] + ("" if entry["agrees"] else " **DISAGREES**")
            lines.append(
                f"| {case['name'] if first else ''} | {entry['library']} ({entry['settings']}) "
                f"| {duration(entry['median'])} | {duration(entry['low'])} to "
                f"{duration(entry['high'])} | {times} | {aim} | {answer} |"
            )
    lines += ["", "chainrule against the machine:", ""]
    lines += [
        "| case | work | of the FMA peak | of the memory's | peak memory beyond the data "
        "| a line from core to core, before and after |"
    ]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    for case in results["cases"]:
        ours = ours_of(case)
        rate, peak, memory = shares(results, case)
        handover = " and ".join(f"{ns:.0f} ns" for ns in case["handover"] if ns)
        lines.append(
            f"| {case['name']} | {rate} | {peak} | {memory} "
            f"| {ours['peak_memory_beyond_data'] / 1e6:.0f} MB "
            f"| {handover} |"
        )
    lines += [
        "",
        "Data: " + "; ".join(f"{case['name']}: {case['data']}" for case in results["cases"]),
    ]
    return "\n".join(lines) + "\n"


def ours_of(case: dict) -> dict:
    return next(entry for entry in case["libraries"] if entry["library"] == OURS)


def peers_of(case: dict) -> list[dict]:
    return [entry for entry in case["libraries"] if entry["library"] not in (OURS, "NumPy")]


def aimed_at(case: dict, entry: dict) -> str:
    """Return the target against this library, if there is one."""
    targets = case["targets"]
    fastest = min(peers_of(case), key=lambda peer: peer["median"])
    aim = targets.get(entry["library"], targets.get("any") if entry is fastest else None)
    return f"{aim:g}" if aim else ""


def shares(results: dict, case: dict) -> tuple[str, str, str]:
    """Return our GFLOP/s, and which share of the machine's limits our time is."""
    ours = ours_of(case)
    limit = results["limits"].get(str(ours["threads"]))
    if case["flops"] is None or limit is None:
        return "", "", ""
    rate = case["flops"] / ours["median"] / 1e9
    streamed = case["streamed_bytes"] / ours["median"] / 1e9
    return (
        f"{rate:.3g} GFLOP/s",
        f"{rate / limit[case['dtype']]:.0%}",
        f"{streamed / limit['GB/s']:.0%}",
    )


def duration(seconds: float) -> str:
    """Return a time with three digits and the unit that suits it."""
    if seconds >= 1:
        return f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} µs"


def chart(results: dict, path: Path) -> None:
    """Draw how many times longer than chainrule each library takes."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    others = ("PyTorch", "JAX", "scikit-learn", "ONNX Runtime", "NumPy", "chainrule's engine")
    marks = dict(zip(others, "os^DPv", strict=True))
    cases = results["cases"]
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.5 * len(cases)), layout="constrained")
    beside = axes.get_yaxis_transform()
    axes.text(1.01, -0.6, "chainrule", transform=beside, va="bottom")
    labelled = set()
    for row, case in enumerate(cases):
        ours = ours_of(case)["median"]
        for entry in case["libraries"]:
            if (library := entry["library"]) == OURS:
                continue
            axes.plot(
                entry["median"] / ours,
                row,
                marks[library],
                color=f"C{list(marks).index(library)}",
                label=None if library in labelled else library,
            )
            labelled.add(library)
        axes.text(1.01, row, duration(ours), transform=beside, va="center")
    axes.axvline(1, color="black", label="chainrule")
    axes.set(xscale="log", xlabel="time, in units of chainrule's (to the right: slower than it)")
    axes.set_yticks(range(len(cases)), [case["name"] for case in cases])
    axes.set_ylim(len(cases) - 0.5, -0.5)
    axes.grid(axis="both", alpha=0.3)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_title(f"{results['machine']}", fontsize="medium")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.savefig(path, dpi=110)
