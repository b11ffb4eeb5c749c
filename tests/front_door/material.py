"""Small tables with something to learn in them, and the ways in which programs write them down."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

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
