"""Exercises: right programs pass the check, wrong ones fail it by the name of their slip."""

import shutil
from pathlib import Path

import pytest
from test_app import run

from chainrule import check_gradient
from chainrule.commands import exercise, own_code
from chainrule.diagnosis import MISTAKES

LANGUAGES = [
    "python",
    pytest.param(
        "octave",
        marks=pytest.mark.skipif(
            shutil.which("octave-cli") is None, reason="octave-cli is not installed"
        ),
    ),
]
FILL = {
    "file": "right.py",
    "function": "right",
    "mistakes": "is no mistake",
    "n": 3,
    "hidden": 4,
    "K": 5,
    "m": 7,
    "lam": 1.5,
    "seed": 0,
}


def report(path):
    """Return what check-gradient finds in a file."""
    with own_code.opened(f"{path}:cost" if path.suffix == ".py" else str(path)) as problem:
        return check_gradient(problem.objective, problem.theta, **problem.arguments)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("program", ["number", "classes"])
def test_the_right_program_passes(tmp_path, program, language):
    path = tmp_path / f"right{exercise.SUFFIXES[language]}"
    path.write_text(exercise.filled(exercise.template(program, language), **FILL))
    found = report(path)
    assert found.ok
    assert "{" not in path.read_text().partition("def cost" if language == "python" else "m =")[0]
    assert not found.diagnosis


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", [1, 2, 3])
def test_the_check_names_the_slip_of_an_exercise_first(tmp_path, level, language):
    named = set()
    for seed in range(12):
        name, text = exercise.made(level, seed, language)
        path = tmp_path / name
        path.write_text(text)
        slips = {answer.name for answer in exercise.opened(path)}
        assert len(slips) == (2 if level == 3 else 1)
        found = report(path)
        assert not found.ok
        assert {finding.name for finding in found.diagnosis[: len(slips)]} == slips, name
        named |= slips
    assert len(named) >= 6


@pytest.mark.parametrize("language", ["python", "octave"])
@pytest.mark.parametrize("level", [1, 2, 3])
def test_every_exercise_of_a_level_is_a_small_edit_and_its_answer_undoes_it(level, language):
    possible = exercise.choices(level, language)
    assert len(set(possible)) == len(possible) >= 20
    for slips in possible:
        right = exercise.template(slips[0].program, language)
        wrong = exercise.edited(right, slips)
        answers = exercise.answers(right, slips)
        assert {slip.name for slip in slips} <= set(MISTAKES)
        assert [answer.name for answer in answers] == [slip.name for slip in slips]
        lines = wrong.splitlines()
        for answer in answers:
            assert answer.right in right
            if answer.wrong:
                assert lines[answer.line - 1].strip() == answer.wrong != answer.right
        # Repaired from below, so that the numbers of the lines above still hold
        for answer in sorted(answers, key=lambda answer: (-answer.line, not answer.wrong)):
            indent = right[: right.index(answer.right)].rpartition("\n")[2]
            lines[answer.line - 1 : answer.line - (not answer.wrong)] = [indent + answer.right]
        assert lines == right.splitlines()


def test_the_same_seed_gives_the_same_exercise_and_others_give_others():
    texts = [exercise.made(2, seed, "python")[1] for seed in range(20)]
    assert texts == [exercise.made(2, seed, "python")[1] for seed in range(20)]
    assert len(set(texts)) == 20


def test_an_exercise_is_written_checked_and_its_answer_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = run("exercise", "--seed", "5", "--level", "3")
    assert written.stdout.splitlines() == [
        "exercise_3_5.py: find the mistakes in it",
        "is it right?  chainrule check-gradient exercise_3_5.py:cost",
        "given up?     chainrule exercise --answer exercise_3_5.py",
    ]
    text = Path("exercise_3_5.py").read_text()
    assert "There are two mistakes in cost()" in text
    checked = run("check-gradient", "exercise_3_5.py:cost")
    assert checked.exit_code == 1
    answer = run("exercise", "--answer", "exercise_3_5.py").stdout
    for line in answer.splitlines():
        name, colon, _ = line.partition(": ")
        if colon and not line.startswith(" "):
            assert name in checked.stdout
            assert name not in text
    assert answer.count("  line ") == answer.count("  right: ") == 2


def test_without_a_seed_it_is_another_one_each_time(tmp_path):
    for _ in range(3):
        assert run("exercise", "--out", tmp_path, "--language", "octave").exit_code == 0
    assert len(list(tmp_path.glob("exercise_1_*.m"))) == 3


def test_what_a_student_has_written_is_not_overwritten(tmp_path):
    (tmp_path / "exercise_1_0.py").write_text("mine")
    refused = run("exercise", "--seed", "0", "--out", tmp_path)
    assert (refused.exit_code, "exists already; move it away" in refused.stderr) == (2, True)
    assert (tmp_path / "exercise_1_0.py").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--level", "4"], "for '--level'"),
        (["--language", "java"], "for '--language'"),
        (["--out", "nowhere"], "--out nowhere: must be a folder that exists"),
        (["--answer", "none.py"], "none.py: cannot be read"),
        (["--answer", "plain.py"], "plain.py: has no sealed answer"),
        (["--answer", "torn.py"], "torn.py: its sealed answer is damaged"),
    ],
)
def test_wrong_usage_is_one_line_and_2(tmp_path, monkeypatch, arguments, says):
    monkeypatch.chdir(tmp_path)
    Path("plain.py").write_text("print(1)\n")
    text = exercise.made(1, 0, "python")[1].splitlines()
    Path("torn.py").write_text("\n".join(text[:-1]) + "\n")
    found = run("exercise", *arguments)
    assert found.exit_code == 2
    assert says in found.stderr
    assert found.stderr.count("\n") == 1
