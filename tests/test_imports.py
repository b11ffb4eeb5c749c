"""The import directions of docs/architecture.md, and what `import chainrule` may load."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import chainrule

ROOT = Path(__file__).parents[1]
PACKAGE = Path(chainrule.__file__).parent
ORDER = re.findall(r"^\| `(\w+)(?:\.py|/)`", (ROOT / "docs/architecture.md").read_text(), re.M)
ALIASES = {
    "activations",
    "costs",
    "octave",
    "curves",
}  # one line each, for paths that were documented
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file):
    """Return the top-level module or package that a file belongs to."""
    return file.relative_to(PACKAGE).with_suffix("").parts[0]


def own_imports(file):
    """Yield the top-level modules of chainrule that a file imports, wherever in it."""
    for name in imported_names(file):
        top, *rest = name.split(".")
        if top == "chainrule":
            yield rest[0] if rest else "__init__"


def imported_names(file):
    """Yield the full name of whatever a file imports, wherever in it."""
    package = ("chainrule", *file.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(file.read_text())):  # functions and `if TYPE_CHECKING` too
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            base = ".".join(part for part in (start, node.module) if part)
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from names


def test_the_map_lists_the_modules_that_exist_and_no_other():
    modules = {module_of(file) for file in FILES} - {"__init__", "__main__"} - ALIASES
    assert len(ORDER) == len(set(ORDER))
    assert modules == set(ORDER), "docs/architecture.md: the table of modules is not up to date"


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_module_imports_only_those_above_it_in_the_map(file):
    module = module_of(file)
    if module in {"__init__", "__main__"} | ALIASES:
        return
    assert module in ORDER, f"docs/architecture.md has no row for {module}"
    above = {*ORDER[: ORDER.index(module)], module}
    if module == "optimize":  # an optimizer sees objective(theta) -> (J, D), and no network
        above -= {"notes", "diagnosis", "datasets"}
    wrong = set(own_imports(file)) - above - {"__version__"}
    assert not wrong, f"{module} imports {sorted(wrong)}: not above it in docs/architecture.md"


def test_no_modules_import_each_other_in_a_circle():
    names = {
        ".".join(("chainrule", *file.relative_to(PACKAGE).with_suffix("").parts)): file
        for file in FILES
        if file.name not in ("__init__.py", "__main__.py")
    }
    graph = {}
    for name, file in names.items():
        # `from package import name` may mean a module or what is in one
        found = {(x if x in names else x.rpartition(".")[0]) for x in imported_names(file)}
        graph[name] = found & set(names)
    tuple(TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle


def test_the_parser_of_imports_sees_every_form(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    file = tmp_path / "pack" / "inner.py"
    file.parent.mkdir()
    file.write_text(
        "import chainrule.a\nfrom chainrule import b\nfrom chainrule.c.d import e\n"
        "from ..f import g\nfrom .. import h\nfrom . import i\nimport numpy, chainrule\n"
        "if TYPE_CHECKING:\n    from chainrule.j import k\n"
        "def function():\n    import chainrule.l as m\n"
    )
    assert list(own_imports(file)) == ["a", "b", "c", "f", "h", "pack", "__init__", "j", "l"]


def test_import_chainrule_loads_nothing_heavy():
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import chainrule"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.split("|")[-1].strip().split(".")[0] for line in run.stderr.splitlines()}
    assert "numpy" in loaded
    assert not loaded & {"scipy", "sklearn", "polars", "matplotlib", "PIL", "typer", "rich"}
