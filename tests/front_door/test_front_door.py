"""Files as people bring them: a sensible model, or one sentence that says what to type."""

from collections import Counter

import pytest

from front_door import CASES
from front_door.case import judge


@pytest.mark.parametrize("case", CASES, ids=[case.file for case in CASES])
def test_a_file_gives_a_model_or_a_sentence_that_says_what_to_type(case, tmp_path):
    if not case.can_be_tried:
        pytest.skip(f"{case.file} needs {case.needs}")
    verdict = judge(case, tmp_path)
    assert verdict.right, f"{case.who}: {verdict.outcome}: {verdict.why}"


def test_the_corpus_has_200_files_of_different_names():
    assert len(CASES) >= 200
    assert not [name for name, n in Counter(case.file for case in CASES).items() if n > 1]
