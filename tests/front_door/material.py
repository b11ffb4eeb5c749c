"""Small tables with something to learn in them, and the ways in which programs write them down."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

Frame = dict[str, list[str]]  # a table: the cells of each column, as text

SPECIES = ("setosa", "versicolor", "virginica")


def draw(seed: int = 0) -> np.random.Generator:
    """Return a source of random numbers that gives the same ones each time."""
    return np.random.default_rng(seed)


def petals(m: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return four lengths of m flowers, and which of three species each is."""
    rng = draw()
    codes = np.arange(m) % 3
    centres = np.array([[5.0, 3.4, 1.4, 0.2], [5.9, 2.8, 4.2, 1.3], [6.6, 3.0, 5.5, 2.1]])
    return (centres[codes] + rng.normal(0, 0.2, (m, 4))).round(1), codes


def flowers(m: int = 60) -> Frame:
    """Return a table of flowers: four lengths, and the species."""
    X, codes = petals(m)
    names = ("sepal_length", "sepal_width", "petal_length", "petal_width")
    frame = {name: [f"{v:.1f}" for v in column] for name, column in zip(names, X.T, strict=True)}
    return frame | {"species": [SPECIES[code] for code in codes]}


def rooms(m: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return area, rooms and age of m houses, and their prices, most of which is the area."""
    rng = draw(1)
    area, number, age = rng.uniform(40, 240, m), rng.integers(1, 7, m), rng.integers(0, 90, m)
    X = np.column_stack([area.round(1), number, age])
    return X, (X @ [1500, 9000, -500] + 60_000 + rng.normal(0, 3000, m)).round(-2)


def houses(m: int = 60) -> Frame:
    """Return a table of houses: area, rooms, age, price."""
    X, price = rooms(m)
    return {
        "area": [f"{v:.1f}" for v in X[:, 0]],
        "rooms": [f"{v:.0f}" for v in X[:, 1]],
        "age": [f"{v:.0f}" for v in X[:, 2]],
        "price": [f"{v:.0f}" for v in price],
    }


FLOWERS, HOUSES = flowers(), houses()
# What should come of them, and of files that hold the same numbers
IRIS: dict[str, Any] = {"kind": "classes", "outputs": 3, "inputs": 4, "rows": 60, "score": 0.9}
HOUSE: dict[str, Any] = {"inputs": 3, "rows": 60}
SAME_IRIS = IRIS | {"same": np.column_stack(petals())}
SAME_HOUSE = HOUSE | {"same": np.column_stack(rooms())}


def moments(start: datetime, every: timedelta, m: int = 120) -> list[datetime]:
    """Return m moments, the same time apart."""
    return [start + every * i for i in range(m)]


def passengers(m: int = 100) -> Frame:
    """Return a table as Kaggle's of the Titanic, with its gaps."""
    rng = draw(2)
    female, rank = rng.random(m) < 0.4, rng.integers(1, 4, m)
    survived = rng.random(m) < np.where(female, 0.95, 0.05)
    age = rng.integers(1, 70, m)
    return {
        "PassengerId": [str(i + 1) for i in range(m)],
        "Survived": [str(int(v)) for v in survived],
        "Pclass": [str(v) for v in rank],
        "Name": [f'"Surname{i}, {"Mrs" if f else "Mr"}. Given{i}"' for i, f in enumerate(female)],
        "Sex": ["female" if f else "male" for f in female],
        "Age": gappy([str(v) for v in age], "", range(5, m, 6)),
        "SibSp": [str(v) for v in rng.integers(0, 3, m)],
        "Ticket": [f"A/5 {21171 + 17 * i}" for i in range(m)],
        "Fare": [f"{90 / r + rng.random():.4f}" for r in rank],
        "Cabin": [f"C{i}" if i % 5 == 0 else "" for i in range(m)],
        "Embarked": gappy([str(rng.choice(["S", "C", "Q"])) for _ in range(m)], "", [61]),
    }


def subscribers(m: int = 120) -> Frame:
    """Return a table as the one of telephone customers who leave: total charges have blanks."""
    rng = draw(3)
    tenure = rng.integers(0, 72, m)
    monthly = rng.uniform(20, 110, m)
    leaves = (tenure < 24) & (monthly > 45)
    total = [" " if t == 0 else f"{t * c:.2f}" for t, c in zip(tenure, monthly, strict=True)]
    total[40] = total[77] = " "
    return {
        "customerID": [f"{7000 + 13 * i}-VHV{i:03}" for i in range(m)],
        "gender": [str(rng.choice(["Female", "Male"])) for _ in range(m)],
        "SeniorCitizen": [str(v) for v in rng.integers(0, 2, m)],
        "Partner": [str(rng.choice(["Yes", "No"])) for _ in range(m)],
        "tenure": [str(t) for t in tenure],
        "Contract": ["Month-to-month" if t < 24 else "Two year" for t in tenure],
        "MonthlyCharges": [f"{v:.2f}" for v in monthly],
        "TotalCharges": total,
        "Churn": ["Yes" if v else "No" for v in leaves],
    }


def gappy(cells: Sequence[str], mark: str, where: Iterable[int] = (3, 17, 41)) -> list[str]:
    """Return cells with a mark in some places."""
    places = set(where)
    return [mark if i in places else cell for i, cell in enumerate(cells)]


def each(frame: Frame, name: str, write: Callable[[float], str]) -> Frame:
    """Return a table in which the numbers of one column are written otherwise."""
    return frame | {name: [write(float(cell)) for cell in frame[name]]}


def moved(frame: Frame, *first: str) -> Frame:
    """Return a table with some columns first."""
    return {name: frame[name] for name in (*first, *(n for n in frame if n not in first))}


def text(
    frame: Frame, sep: str = ",", *, header: bool = True, end: str = "\n", after: str = ""
) -> str:
    """Return a table as text; `after` ends each line."""
    lines = [sep.join(frame)] if header else []
    lines += [sep.join(cells) for cells in zip(*frame.values(), strict=True)]
    return "".join(line + after + end for line in lines)


def with_line(content: str, number: int, line: str) -> str:
    """Return a text into which a line was put, as the one of that number from 1.

    Examples
    --------
    >>> with_line("a\\nb\\n", 2, "new")
    'a\\nnew\\nb\\n'
    """
    lines = content.splitlines(keepends=True)
    return "".join([*lines[: number - 1], line + "\n", *lines[number - 1 :]])


def german(value: float, digits: int = 1) -> str:
    """Write a number as in Germany.

    Examples
    --------
    >>> german(1234.5)
    '1.234,5'
    """
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def quoted(cells: Iterable[str]) -> list[str]:
    """Return each cell between quotes."""
    return [f'"{cell}"' for cell in cells]


def sparse_lines(X: np.ndarray, y: Iterable[object], first: int = 1) -> str:
    """Return rows as svmlight writes them: the label, then number:value where not zero."""
    rows = (" ".join(f"{j + first}:{v:g}" for j, v in enumerate(x) if v) for x in X)
    return "".join(f"{label} {row}\n" for label, row in zip(y, rows, strict=True))


def arff(frame: Frame, nominal: dict[str, str], head: str = "% a comment\n\n") -> str:
    """Return a table as Weka writes it; columns that are not nominal are numeric."""
    lines = [f"@attribute {name} {nominal.get(name, 'numeric')}\n" for name in frame]
    return f"{head}@relation things\n\n{''.join(lines)}\n@data\n{text(frame, header=False)}"


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    """Return the bytes of an Excel workbook: the least that Excel itself accepts.

    A number is a number, a text stands in its cell, None is no cell.
    """

    def cell(value: object, place: str) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
        if isinstance(value, int | float):
            return f'<c r="{place}"><v>{value}</v></c>'
        if isinstance(value, datetime):
            days = (value - datetime(1899, 12, 30)) / timedelta(days=1)
            return f'<c r="{place}" s="1"><v>{days}</v></c>'
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'

    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
            for n in numbers
        )
        + "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{space}" xmlns:r="{office}"><sheets>'
        + "".join(
            f'<sheet name="{escape(name)}" sheetId="{n}" r:id="rId{n}"/>'
            for n, (name, _) in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        + "".join(
            f'<Relationship Id="rId{n}" Type="{office}/worksheet" '
            f'Target="worksheets/sheet{n}.xml"/>'
            for n in numbers
        )
        + f'<Relationship Id="rId99" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{space}"><fonts count="1"><font/></fonts>'
        '<fills count="1"><fill/></fills><borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }
    for n, (_, rows) in zip(numbers, sheets, strict=True):
        lines = "".join(
            f'<row r="{r}">'
            + "".join(cell(value, f"{chr(65 + c)}{r}") for c, value in enumerate(row))
            + "</row>"
            for r, row in enumerate(rows, 1)
        )
        parts[f"xl/worksheets/sheet{n}.xml"] = (
            f'<worksheet xmlns="{space}"><sheetData>{lines}</sheetData></worksheet>'
        )
    xml = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    return archive({name: xml + part for name, part in parts.items()})


def grid(frame: Frame) -> list[list[object]]:
    """Return a table as rows of cells for a workbook: numbers where they are numbers."""

    def value(cell: str) -> object:
        try:
            return float(cell)
        except ValueError:
            return cell or None

    return [list(frame), *([value(c) for c in row] for row in zip(*frame.values(), strict=True))]


def archive(files: dict[str, str | bytes]) -> bytes:
    """Return a zip file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return stream.getvalue()


def packed(how: str, content: str) -> bytes:
    """Return a text packed by gz, bz2 or xz."""
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[how](content.encode())


def npz(**arrays: object) -> Callable[[Path], None]:
    """Return what writes arrays to an npz."""
    return lambda path: np.savez(path, **arrays)


def npy(array: np.ndarray, allow_pickle: bool = False) -> Callable[[Path], None]:
    """Return what writes one array to an npy."""
    return lambda path: np.save(path, array, allow_pickle=allow_pickle)


def mat(**arrays: object) -> Callable[[Path], None]:
    """Return what writes arrays to a mat file, as MATLAB's ``save`` before v7.3."""
    from scipy.io import savemat

    return lambda path: savemat(path, arrays)


def words_in_cells(values: Iterable[str]) -> np.ndarray:
    """Return texts as MATLAB keeps them: a column of cells."""
    values = list(values)
    cells = np.empty((len(values), 1), dtype=object)
    cells[:, 0] = values
    return cells
