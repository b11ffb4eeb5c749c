"""The gradient check meets programs as learners write them, right ones and wrong ones.

The programs were written before anyone looked at how the check finds a mistake.
"""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from learners import alike, names, octave_files, outside, right_python, wrong_classes, wrong_numpy
from learners.records import Case, cases

from chainrule import check_gradient, cost_and_gradient

RIGHT = list(cases(right_python))
WRONG = [case for module in (wrong_numpy, wrong_classes, outside) for case in cases(module)]
OCTAVE = [
    pytest.mark.skipif(shutil.which("octave-cli") is None, reason="octave-cli is not installed"),
    pytest.mark.slow,
]
UNKNOWN = "no-known-mistake"


@dataclass(frozen=True)
class Answer:
    """What the check said: the findings' names, its wrong parts, the slopes, all its words.

    where is the name of the part that each component truly belongs to.
    """

    ok: bool
    findings: tuple[str, ...]
    parts: tuple[str, ...]
    D: np.ndarray
    numerical: np.ndarray
    where: np.ndarray
    text: str


@cache
def answer(case: Case, seed: int = 0) -> Answer:
    return of_octave(case, seed) if case.text else of_python(case, seed)


def of_python(case: Case, seed: int) -> Answer:
    report = check_gradient(case.objective(), case.problem.theta(seed), **case.problem.told())
    findings = tuple(f.name for f in report.diagnosis if f.name != UNKNOWN)
    parts = tuple(part.name for part in report.parts if not part.ok)
    return Answer(report.ok, findings, parts, report.D, report.numerical, case.where(), str(report))


def of_octave(case: Case, seed: int) -> Answer:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, case.function + ".m")
        file.write_text(case.text)
        command = [str(Path(sys.executable).with_name("chainrule"))]
        command += ["check-gradient", str(file), "--seed", str(seed)]
        done = subprocess.run([*command, "--json"], capture_output=True, text=True, cwd=folder)
        assert done.returncode in (0, 1), done.stderr
        said = json.loads(done.stdout)
        assert done.returncode == (0 if said["ok"] else 1)
        text = done.stdout
        if case.kind == "outside":
            text = subprocess.run(command, capture_output=True, text=True, cwd=folder).stdout
    return Answer(
        said["ok"],
        tuple(f["name"] for f in said["diagnosis"] if f["name"] != UNKNOWN),
        tuple(part["name"] for part in said["parts"] if not part["ok"]),
        np.array(said["D"]),
        np.array(said["numerical"]),
        np.repeat(
            [p["name"] for p in said["parts"]], [p["stop"] - p["start"] for p in said["parts"]]
        ),
        text,
    )


def each(python: list[Case], octave: list[Case]) -> list:
    """Return both as parameters of a test; those in Octave take a second or two each."""
    return [pytest.param(case, id=case.id) for case in python] + [
        pytest.param(case, id=case.id, marks=OCTAVE) for case in octave
    ]


def sets(python: list[Case], octave: list[Case]) -> list:
    """Return each language's cases as one parameter: what is asserted is a share of them."""
    return [pytest.param(python, id="python"), pytest.param(octave, id="octave", marks=OCTAVE)]


def passes(case: Case, seed: int) -> str:
    """Return nothing if a right program passes, else what was said."""
    said = answer.__wrapped__(case, seed)
    # The page: in float32 a right gradient can fail, and is then told from a mistake
    fine = said.ok or ("float32" in case.style and said.findings == ("precision",))
    return "" if fine else f"theta {seed}: {said.text}"


@pytest.mark.parametrize("case", each(RIGHT, octave_files.RIGHT))
def test_a_right_program_passes(case):
    complaints = [said for seed in range(1 if case.text else 5) if (said := passes(case, seed))]
    assert not complaints, complaints[0]


@pytest.mark.slow
@pytest.mark.parametrize("case", each(RIGHT, octave_files.RIGHT))
def test_a_right_program_passes_for_a_thousand_theta(case):
    # One theta costs an Octave of its own, a second or two
    complaints = [said for seed in range(20 if case.text else 1000) if (said := passes(case, seed))]
    assert not complaints, f"{len(complaints)} false alarms, the first at {complaints[0]}"


@pytest.mark.parametrize("case", each(WRONG, octave_files.WRONG))
def test_a_wrong_program_fails(case):
    assert not answer(case).ok, answer(case).text


@pytest.mark.parametrize("case", each(list(cases(alike)), []))
def test_news_of_j_where_it_is_not_the_notes_j(case):
    said, about = answer(case), case.problem
    theta = about.theta(0)
    J, _ = cost_and_gradient(about.network, theta, about.X, about.Y, lam=about.lam)
    told = [float(number) for number in re.findall(r"\d+\.\d+", said.text)]
    assert said.ok
    assert any(np.isclose(J, number, rtol=1e-3) for number in told), said.text


def test_there_are_enough_programs():
    wrong = WRONG + octave_files.WRONG
    assert len(RIGHT) >= 42
    assert sum(case.catalogue for case in wrong) >= 60
    assert sum(not case.catalogue for case in wrong) >= 30
    everyone = [case.id for case in [*RIGHT, *octave_files.RIGHT, *wrong]]
    assert len(set(everyone)) == len(everyone)


def test_the_page_shows_every_kind():
    page = Path(__file__).parents[2] / "docs/find-your-backpropagation-bug.md"
    shown = set(re.findall(r"[\w-]+", page.read_text()))
    assert not [kind for kind, of_kind in names.OF_KIND.items() if not shown & set(of_kind)]


def known(case: Case) -> bool:
    return bool(case.parts) and (bool(case.text) or case.problem.known)


@pytest.mark.parametrize(
    "case", each(*([case for case in some if known(case)] for some in (WRONG, octave_files.WRONG)))
)
def test_the_record_is_true(case):
    said = answer(case)
    apart = np.abs(said.D - said.numerical) > 1e-6 * (1 + np.abs(said.numerical))
    assert set(said.where[apart]) == set(case.parts)
    if case.factor is not None:
        wrong = np.isin(said.where, case.parts)
        np.testing.assert_allclose(
            said.D[wrong], case.factor * said.numerical[wrong], rtol=1e-4, atol=1e-7
        )


def share(cases: list[Case], fits) -> tuple[float, str]:
    """Return the share of the cases that fit, and what was said of the others."""
    misses = [case for case in cases if not fits(case, answer(case))]
    lines = [
        f"{case.id} [{case.kind}: {case.mistake}] {', '.join(answer(case).findings) or 'nothing'}"
        f"; wrong parts shown: {', '.join(answer(case).parts) or 'none'}"
        for case in misses
    ]
    head = f"{len(misses)} of {len(cases)} missed"
    return 1 - len(misses) / len(cases), "\n".join([head, *lines])


def true_name(case: Case, name: str) -> bool:
    accepted = names.OF_KIND.get(case.kind, ()) + names.OF_CASE.get(case.id, ())
    return any(fnmatch.fnmatch(name, pattern) for pattern in accepted)


def first_is_right(case: Case, said: Answer) -> bool:
    return bool(said.findings) and true_name(case, said.findings[0])


def no_false_name(case: Case, said: Answer) -> bool:
    return all(true_name(case, name) for name in said.findings)


@pytest.mark.parametrize("cases", sets(WRONG, octave_files.WRONG))
def test_a_known_mistake_is_named_first(cases):
    part, misses = share([case for case in cases if case.catalogue], first_is_right)
    assert part >= 0.95, misses


@pytest.mark.parametrize("cases", sets(WRONG, octave_files.WRONG))
def test_an_unknown_mistake_gets_no_false_name(cases):
    part, misses = share([case for case in cases if not case.catalogue], no_false_name)
    assert part >= 0.97, misses


@pytest.mark.parametrize("cases", sets(WRONG, octave_files.WRONG))
def test_an_unknown_mistake_is_called_unknown(cases):
    nameless = [case for case in cases if not case.catalogue and not answer(case).findings]
    assert nameless
    part, misses = share(nameless, lambda case, said: UNKNOWN in said.text)
    assert part == 1, misses


@pytest.mark.parametrize("cases", sets(WRONG, octave_files.WRONG))
def test_the_table_shows_which_parts_are_wrong(cases):
    told = [case for case in cases if known(case)]
    part, misses = share(told, lambda case, said: set(said.parts) == set(case.parts))
    assert part >= 0.95, misses
