"""Files as people bring them to ``chainrule train``, and what should come of each.

The modules are named by what is special about their files.  `case` holds what an expectation is and
how it is judged, `material` the tables that the files are made of.
``python -m benchmarks.front_door`` prints how many files end how.
"""

from . import (
    binary_files,
    column_files,
    header_files,
    number_files,
    option_files,
    target_files,
    text_files,
)

CASES = [
    case
    for module in (
        header_files,
        number_files,
        target_files,
        column_files,
        text_files,
        binary_files,
        option_files,
    )
    for case in module.case.cases
]
