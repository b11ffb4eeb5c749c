"""What is long: ``python -m benchmarks.lengths [PATH]``, by default of src.

Files by their lines, functions by the lines of code in their body (no docstring, comment or blank
line), functions by their parameters, and packages by how many others they import.  No limit is
enforced: what is long should read better so.
"""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

SHOWN = 15  # of each list
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
Definition = ast.FunctionDef | ast.AsyncFunctionDef


class Function(NamedTuple):
    """A function or method, by its module and name."""

    name: str
    code: int
    parameters: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lengths", description=__doc__)
    parser.add_argument("path", nargs="?", type=Path, default=Path("src"), metavar="PATH")
    root = package_in(parser.parse_args().path)
    files = sorted(file for file in root.rglob("*") if file.suffix in (".py", ".hpp", ".cpp"))
    lines = {str(file.relative_to(root)): len(file.read_text().splitlines()) for file in files}
    modules = [file for file in files if file.suffix == ".py"]
    defined = [function for file in modules for function in functions(file, root)]
    show("Modules and headers: lines", lines)
    show("Functions: lines of code", {f.name: f.code for f in defined})
    show("Functions: parameters", {f.name: f.parameters for f in defined})
    arrows = {(of(file, root), to) for file in modules for to in imported(file, root)}
    packages = {of(file, root) for file in modules}
    arrows = {(a, b) for a, b in arrows if a != b and b in packages}
    show("Packages: others that they import", {p: sum(a == p for a, _ in arrows) for p in packages})


def show(title: str, numbers: dict[str, int]) -> None:
    """Print the largest, and their total."""
    print(f"{title} ({len(numbers)}, {sum(numbers.values()):,} in all)")
    for name, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]:
        print(f"{number:7,}  {name}")
    print()


def package_in(path: Path) -> Path:
    """Return the folder of the package: the path itself, or the one in it."""
    if (path / "__init__.py").exists():
        return path
    found = [file.parent for file in path.glob("*/__init__.py")]
    if len(found) != 1:
        raise SystemExit(f"{path} is no package, nor a folder with one in it: name one, as src")
    return found[0]


def functions(file: Path, root: Path) -> Iterator[Function]:
    """Yield the functions of a module; one inside another counts in both."""
    text = file.read_text()
    code = lines_of_code(text)
    module = ".".join(file.relative_to(root).with_suffix("").parts)

    def inside(node: ast.AST, prefix: str) -> Iterator[Function]:
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, Definition | ast.ClassDef)
            name = f"{prefix}.{child.name}" if named else prefix
            if isinstance(child, Definition):
                spanned = set(range(child.body[0].lineno, (child.end_lineno or 0) + 1))
                yield Function(name, len(spanned & code - docstrings(child)), parameters(child))
            yield from inside(child, name)

    yield from inside(ast.parse(text), module)


def lines_of_code(text: str) -> set[int]:
    """Return the numbers of the lines that hold more than a comment."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in NO_CODE:
            found |= set(range(token.start[0], token.end[0] + 1))
    return found


def docstrings(node: ast.AST) -> set[int]:
    """Return the lines of the docstrings of a definition and of those inside it."""
    found: set[int] = set()
    for inner in ast.walk(node):
        if isinstance(inner, Definition | ast.ClassDef) and ast.get_docstring(inner) is not None:
            found |= set(range(inner.body[0].lineno, (inner.body[0].end_lineno or 0) + 1))
    return found


def parameters(function: Definition) -> int:
    """Return how many parameters a function has, without self or cls."""
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    names += [one.arg for one in (given.vararg, given.kwarg) if one]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def of(file: Path, root: Path) -> str:
    """Return the package, or the module beside the packages, that a file belongs to."""
    return file.relative_to(root).with_suffix("").parts[0]


def imported(file: Path, root: Path) -> Iterator[str]:
    """Yield the packages of `root` that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            top, *rest = name.split(".")
            if top == root.name and rest:
                yield rest[0]


if __name__ == "__main__":
    main()
