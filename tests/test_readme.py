"""The commands on the README run, in their order; its Python is run as doctests."""

import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from chainrule.cli import app

ROOT = Path(__file__).parents[1]


def test_every_command_on_the_readme_runs(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("chainrule ")]
    assert len(commands) >= 6
    monkeypatch.chdir(tmp_path)
    for arguments in commands:
        found = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert found.exit_code == 0, arguments
        assert found.stdout


def test_every_make_target_on_the_readme_exists():
    text = (ROOT / "README.md").read_text()
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"^make (\S+)", text, flags=re.MULTILINE)) <= set(targets)


def test_the_picture_on_the_readme_is_there_and_small():
    (name,) = re.findall(r"!\[[^]]*\]\(([^)]*)\)", (ROOT / "README.md").read_text())
    assert 10_000 < (ROOT / name).stat().st_size < 300_000
