"""How files as people bring them end: ``python -m benchmarks.front_door`` prints it in a minute.

The files, and what should come of each, are in tests/front_door.  With ``--failures`` each one that
ends otherwise is listed below the table.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from front_door import CASES
from front_door.case import judge, table_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", action="store_true", help="say what is not as it should be")
    arguments = parser.parse_args()
    cases, verdicts = [case for case in CASES if case.can_be_tried], []
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            verdicts.append(judge(case, Path(folder)))
    print(table_of(cases, verdicts))
    wrong = [(c, v) for c, v in zip(cases, verdicts, strict=True) if not v.right]
    print(f"\n{len(cases) - len(wrong)} of {len(cases)} files end as they should.")
    for case, verdict in wrong if arguments.failures else ():
        print(f"\n- {case.theme}: {case.file} {case.words} ({case.who}): {verdict.outcome}")
        print(f"  {verdict.why}")


if __name__ == "__main__":
    main()
