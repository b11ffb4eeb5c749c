"""What strangers wrote into a file moves no terminal, draws no mathematics and computes nothing."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from chainrule import Network, model_file
from chainrule.commands.app import app
from chainrule.common.checks import DataError, shortened
from chainrule.common.words import cell, drawn, printable, word
from chainrule.datasets import load, load_like
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.scaling import Scaling

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e$50K_to_$100K"


def run(*args):
    """Run the command; a traceback would raise."""
    return CliRunner().invoke(app, [str(arg) for arg in args], catch_exceptions=False)


def harmless(text):
    return all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("code", [*range(32), *range(127, 160), 0x2028, 0x202E, 0x2066, 0xFEFF])
def test_what_moves_a_terminal_is_written_out(code):
    shown = printable(f"a{chr(code)}b")
    assert harmless(shown)
    assert "\n" not in shown
    assert shown.startswith("a\\")


def test_letters_of_all_languages_stay():
    for text in ("naïve", "数字", "μ²", "12\xa0kg", "می\u200cخواهم", "", "a b"):
        assert printable(text) == text


def test_words_and_messages_have_an_end():
    assert len(printable("x" * 10**6)) == 20_000
    assert len(word("x" * 10**6)) == 60
    assert len(shortened(["x" * 10**6] * 100)) < 600
    assert len(str(DataError("t.csv", "x" * 10**6, drop=["y" * 10**6]))) == 20_000


@pytest.mark.parametrize("text", ["=1+1", "@A1", "+1+cmd", "-2+3", " =1", "\t=1", "\r=1"])
def test_no_cell_is_computed(text):
    assert cell(text).startswith(("'", "\\t", "\\r"))


@pytest.mark.parametrize("text", ["-1", "+1.5e3", "-.5", "-", "+", "a=b", "1-2", ""])
def test_numbers_and_plain_words_are_cells_as_they_are(text):
    assert cell(text) == text


def test_a_dollar_is_drawn():
    from matplotlib.figure import Figure

    figure = Figure()
    figure.suptitle(drawn("$50K_to_$100K"))
    figure.canvas.draw()
    assert drawn("$50K_to_$100K") == r"\$50K_to_\$100K"


def evil_model(tmp_path):
    """Return the path of a model with control characters wherever it has text, and a table."""
    name = f"a{EVIL}"
    encoder = Encoder(
        (Column(name), Column("b", (f"p{EVIL}", "q"), two=True)),
        f"t{EVIL}", (f"=k{EVIL}", f"=l{EVIL}"), dropped=(f"d{EVIL}",), missing="mean",
    )  # fmt: skip
    about = model_file.Provenance(
        EVIL, 0, {EVIL: EVIL, "more": [EVIL], "lam": 0.1}, EVIL, EVIL, 0.5, EVIL, EVIL
    )
    model = model_file.Model(
        Network((2, 2)), np.arange(6.0), encoder, Scaling(np.zeros(2), np.ones(2)), provenance=about
    )
    path, table = tmp_path / "m.safetensors", tmp_path / "t.csv"
    model_file.save(path, model)
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([name, "b", f"t{EVIL}", f"d{EVIL}"])
        writer.writerow([1, f"p{EVIL}", f"=k{EVIL}", 2])
        writer.writerow([2, f"other{EVIL}", f"=l{EVIL}", 2])
    return path, table


@pytest.mark.parametrize("command", ["info", "predict", "evaluate", "check-gradient", "trace"])
@pytest.mark.parametrize("as_json", [False, True])
def test_a_model_file_with_escapes_everywhere_prints_none(tmp_path, command, as_json):
    path, table = evil_model(tmp_path)
    given = [path] if command == "info" else [path, table]
    found = run(command, *given, *(["--json"] if as_json else []))
    assert found.exit_code == 0, found.stderr
    assert harmless(found.stdout)
    assert harmless(found.stderr)
    if command == "predict" and not as_json:
        assert list(csv.reader(io.StringIO(found.stdout)))[1][0].startswith("'=")
    if as_json:
        json.loads(found.stdout)


def test_a_table_with_escapes_everywhere_trains_and_is_drawn(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    with open("t.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"a{EVIL}", "b$x$", f"t{EVIL}"])
        for a, b in rng.normal(size=(40, 2)):
            writer.writerow([a, b, f"yes{EVIL}" if a > b else f"no{EVIL}"])
    for path in ("t.csv", "t\x1b[2J.csv"):
        (tmp_path / path).write_bytes((tmp_path / "t.csv").read_bytes())
        found = run("train", path, "--max-iter", 5, "--hidden", 2, "--out", "m.safetensors")
        assert found.exit_code == 0, found.stderr
        assert harmless(found.stdout + found.stderr)
    later = tmp_path / "later.csv"
    later.write_text(f"a\x1b[2J,b$x$\n1,{EVIL}\n")
    found = run("predict", "m.safetensors", later)
    assert found.exit_code == 3
    assert harmless(found.stderr)


def test_errors_and_notes_of_the_library_print_none():
    table = f"a{EVIL},t{EVIL}\n1,yes{EVIL}\n2,no{EVIL}\n3,yes{EVIL}\n4,no{EVIL}\n"
    data = load(io.BytesIO(table.encode()))
    assert all(map(harmless, data.notes))
    with pytest.raises(DataError) as caught:
        load_like(io.BytesIO(b"b\x1b[2J\n1\n"), data.encoder, name="\x1b[2J.csv")
    assert harmless(str(caught.value))
    encoder = replace(data.encoder, classes=(f"c{EVIL}",) * 3)
    with pytest.raises(ValueError, match="classes"):
        model_file.Model(Network((1, 2)), np.zeros(4), encoder)
    with pytest.raises(model_file.ModelFileError) as failed:
        model_file.load("\x1b[2J.safetensors")
    assert harmless(str(failed.value))


def test_a_mistake_of_ours_is_one_line_with_a_code_of_its_own(tmp_path, monkeypatch):
    path, _ = evil_model(tmp_path)
    monkeypatch.delenv("CHAINRULE_TRACEBACK")
    monkeypatch.setattr("chainrule.model_file.load", lambda path: {}[EVIL])
    found = run("info", path)
    assert found.exit_code == 70
    assert found.stderr.count("\n") == 1
    assert "a mistake of chainrule's own (KeyError: " in found.stderr
    assert harmless(found.stderr)
    monkeypatch.setenv("CHAINRULE_TRACEBACK", "1")
    with pytest.raises(KeyError):
        run("info", path)


def test_a_lambda_that_is_no_number_is_one_line(tmp_path):
    path, table = evil_model(tmp_path)
    model = model_file.load(path)
    options = {"lam": ["a", "b"]}
    model = replace(model, provenance=replace(model.provenance, options=options))
    model_file.save(path, model)
    found = run("check-gradient", path, table)
    assert (found.exit_code, "no number for lambda but ['a', 'b']" in found.stderr) == (2, True)
    assert run("check-gradient", path, table, "--lam", 1).exit_code == 0
