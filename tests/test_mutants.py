"""The mistakes that are put into the core are in what is computed, and somebody notices them."""

import importlib
import subprocess
import sys

import mutants
import pytest

from chainrule import notes


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Return a function that makes a module of the core from its text."""
    monkeypatch.setattr(mutants, "SOURCE", tmp_path)

    def make(text):
        path = tmp_path / "module.py"
        path.write_text(text)
        return list(mutants.mutants(path))

    return make


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("a = b + 1", {"a = b - 1", "a = b + 2", "a = b + 0"}),
        ("a = b < c <= d", {"a = b <= c <= d", "a = b < c < d"}),
        ("a = -b", {"a = b"}),
        ("f(a, b)", {"f(b, a)", "pass"}),
        ("a = f(b, b)", set()),
        ("if a:\n    b[c] = d", {"if not a:\n    b[c] = d", "if a:\n    pass"}),
        ("a = True", {"a = False"}),
        ("a: f[2] = 'words 3'", set()),
        ("raise f(a)", {"pass"}),
    ],
)
def test_each_change_is_one_change(module, text, changes):
    found = module(text)
    whole = [mutants.changed(mutant) for mutant in found]
    assert set(map(mutants.ast.unparse, whole)) == changes
    assert len(found) == len(changes)


def test_a_mutant_is_imported_in_the_place_of_its_module(monkeypatch):
    path = mutants.SOURCE / "notes" / "theta.py"  # no other test looks for its classes
    mutant = next(mutants.mutants(path))
    name = "chainrule.notes.theta"
    monkeypatch.setattr(notes, "theta", importlib.import_module(name))
    monkeypatch.delitem(sys.modules, name)
    finder = mutants.Finder(mutant)
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    found = importlib.import_module(name)
    assert found.__loader__ is finder
    assert finder.get_code(name) == mutant.code
    monkeypatch.delitem(sys.modules, name)


@pytest.mark.slow
def test_a_score_is_printed():
    command = [sys.executable, mutants.__file__, "optimize/gd.py", "--sample", "3"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("3 of ")
    assert "of 3\n" in done.stdout
