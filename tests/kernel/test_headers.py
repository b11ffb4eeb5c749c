"""Each header of the kernel includes what it uses: it compiles alone."""

import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src/chainrule/kernel"
HEADERS = sorted(path.name for path in SOURCE.glob("*.hpp"))


@pytest.mark.skipif(shutil.which("c++") is None, reason="needs a C++ compiler")
@pytest.mark.parametrize("header", HEADERS)
def test_a_header_stands_alone(header, tmp_path):
    alone = tmp_path / "alone.cpp"
    alone.write_text(f'#include "{header}"\n')
    run = ["c++", "-std=gnu++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-Wno-psabi"]
    run += [f"-I{SOURCE}", f"-I{sysconfig.get_path('include')}", str(alone)]
    subprocess.run(run, check=True)
