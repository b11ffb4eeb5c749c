"""Files as people bring them: a sensible model, or one sentence that says what to type."""

from collections import Counter

import pytest

from front_door import CASES
from front_door.case import CRASH, SAYS, SILENT, STUCK, WORKS, Case, judge
from front_door.material import HOUSE, HOUSES, SAME_HOUSE, gappy, text

TABLE = text(HOUSES)


@pytest.mark.parametrize("case", CASES, ids=[case.file for case in CASES])
def test_a_file_gives_a_model_or_a_sentence_that_says_what_to_type(case, tmp_path):
    if not case.can_be_tried:
        pytest.skip(f"{case.file} needs {case.needs}")
    verdict = judge(case, tmp_path)
    assert verdict.right, f"{case.who}: {verdict.outcome}: {verdict.why}"


def test_the_corpus_has_455_files_of_different_names():
    assert len(CASES) >= 455
    assert not [name for name, n in Counter(case.file for case in CASES).items() if n > 1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "classes"},
        {"kind": None},
        {"outputs": 2},
        {"rows": 61},
        {"inputs": 4},
        {"score": 1.1},
        {"same": SAME_HOUSE["same"] + 1},
        {"says": ("--missing",)},
        {"never_says": ("target",)},
        {"without": ("area",)},
        {"uses": ("garden",)},
    ],
    ids=str,
)
def test_a_model_that_is_not_what_was_expected_is_silently_wrong(wrong, tmp_path):
    assert judge(Case("right.csv", "", TABLE, **SAME_HOUSE), tmp_path).outcome == WORKS
    verdict = judge(Case("wrong.csv", "", TABLE, **HOUSE | wrong), tmp_path)
    assert (verdict.outcome, verdict.right) == (SILENT, False)


def test_a_refusal_is_right_only_if_what_it_says_helps(tmp_path):
    gaps = text(HOUSES | {"area": gappy(HOUSES["area"], "")})
    assert judge(Case("gaps.csv", "", gaps, **HOUSE), tmp_path).outcome == SAYS
    verdict = judge(Case("fewer.csv", "", gaps, **HOUSE | {"rows": 57}), tmp_path)
    assert (verdict.outcome, verdict.right) == (SILENT, False)
    verdict = judge(Case("none.csv", "", "", kind=None, says=("--encoding",)), tmp_path)
    assert (verdict.outcome, verdict.right) == (STUCK, False)


def test_an_exception_is_a_crash(tmp_path, monkeypatch):
    monkeypatch.setattr("chainrule.workbench.pipeline.run", lambda *_: {}["missing"])
    assert judge(Case("crash.csv", "", TABLE), tmp_path).outcome == CRASH
