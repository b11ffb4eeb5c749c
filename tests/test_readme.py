"""The commands on the README run, in their order; its Python is run as doctests."""

import re
import shlex
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from typer.testing import CliRunner

from chainrule import model_file
from chainrule.commands.app import app
from chainrule.handwriting.reading import shipped_model
from chainrule.photos.strokes import draw_digit
from chainrule.photos.synthetic import Scene, photograph

ROOT = Path(__file__).parents[1]


def test_every_command_on_the_readme_runs(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text()
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    commands = [
        shlex.split(line, comments=True)[1:] for line in lines if line.startswith("chainrule ")
    ]
    assert len(commands) >= 6
    monkeypatch.chdir(tmp_path)
    rgb, _ = photograph(["31"], Scene(), draw_digit, np.random.default_rng(0))
    Image.fromarray(rgb).save("page.jpg")
    model_file.save("net.safetensors", shipped_model())
    Path("table.csv").write_text("a,b,kind\n" + "1,2,red\n3,4,blue\n" * 20)
    Path("folder").mkdir()
    rng = np.random.default_rng(0)
    for part in range(2):
        x = rng.normal(size=100)
        pl.DataFrame(
            {"x": x, "z": x**2, "label": (x + rng.normal(size=100) > 0).astype(int)}
        ).write_parquet(f"folder/{part}.parquet")
    Path("cost.py").write_text("def cost(theta):\n    return theta @ theta, 2 * theta\n")
    monkeypatch.setattr(
        "chainrule.web.server.serve", lambda desk, port, started, place: print(place or "draw")
    )
    if find_spec("onnx") is None:  # an extra, whose command has its own tests
        commands = [arguments for arguments in commands if arguments[0] != "export"]
    for arguments in commands:
        found = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert found.exit_code == 0, arguments
        assert found.stdout


def test_every_make_target_on_the_readme_exists():
    text = (ROOT / "README.md").read_text()
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert set(re.findall(r"^make (\S+)", text, flags=re.MULTILINE)) <= set(targets)


def test_every_picture_on_the_readme_is_there_and_small():
    names = re.findall(r"!\[[^]]*\]\(([^)]*)\)", (ROOT / "README.md").read_text())
    assert len(names) >= 2
    for name in names:
        assert (ROOT / name).stat().st_size < (600_000 if name.endswith(".gif") else 300_000)
        with Image.open(ROOT / name) as picture:
            assert min(picture.size) > 200


def test_the_readme_shows_what_the_checker_says(monkeypatch, tmp_path):
    (shown,) = re.findall(r"```text\n\$ (chainrule .*?)```", (ROOT / "README.md").read_text(), re.S)
    command, *lines, _ = shown.splitlines()
    monkeypatch.chdir(ROOT)
    arguments = [*shlex.split(command)[1:-1], str(tmp_path / "check.png")]
    found = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert found.exit_code == 1

    def told(line):  # without the digits that rounding makes
        return re.sub(r"\d\.?\d*e-\d+", "", re.sub(r"(\.\d{6})\d+", r"\1", line))

    said = found.stdout.splitlines()
    assert [told(line) for line in lines] == [told(line) for line in said[: len(lines)]]
