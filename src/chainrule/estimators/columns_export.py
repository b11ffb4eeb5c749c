"""What the columns of a table become, as ONNX operators; see `chainrule.datasets.columns`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chainrule.datasets.columns import MISSING, Column
from chainrule.estimators.graph import CATEGORIES, Graph

OUTPUTS = ("label", "probabilities", "variable")
FAR = 1e15  # as in `squashed`, for float32: from there on all numbers become the same
NO_DATE = np.iinfo(np.int64).min  # what NumPy's NaT is as a number
ONE = np.float32(1)
DAY, HOUR = 86400, 3600  # seconds
BEFORE_1970 = 719_468  # days since 1 March of the year 0


def columns_from_inputs(graph: Graph, columns: Sequence[Column]) -> str:
    """Add an input for each column, and what it becomes; return the value of them all.

    Raises
    ------
    ValueError
        If a column is called as an output is.
    """
    from onnx import TensorProto

    blocks = []
    for column in columns:
        if column.name in OUTPUTS:
            raise ValueError(
                f"a column is called {column.name!r}, as an output of the ONNX model: rename it"
            )
        if column.categories is not None:
            value = graph.input(column.name, TensorProto.STRING, 1)
            blocks.append(_of_text(graph, value, column))
        elif column.parts:
            value = graph.input(column.name, TensorProto.INT64, 1)
            blocks += _of_dates(graph, value, column)
        else:
            value = graph.input(column.name, TensorProto.FLOAT, 1)
            blocks += _of_numbers(graph, value, column)
    return graph.node("Concat", *blocks, axis=1)


def _number(graph: Graph, value: str) -> str:
    from onnx import TensorProto

    return graph.node("Cast", value, to=TensorProto.FLOAT)


def _of_numbers(graph: Graph, value: str, column: Column) -> list[str]:
    """Add a number squashed, its pieces, and whether it was missing."""
    c = graph.constant
    absent = graph.node("IsNaN", value)
    if column.mean is not None:
        value = graph.node("Where", absent, c(np.float32(column.mean)), value)
    found = [value]
    if column.squash is not None:
        centre, spread = (c(np.float32(part)) for part in column.squash)
        z = graph.node("Div", graph.node("Sub", value, centre), spread)
        z = graph.node("Clip", z, c(np.float32(-FAR)), c(np.float32(FAR)))
        third = graph.node("Div", z, c(np.float32(3)))
        root = graph.node("Sqrt", graph.node("Add", graph.node("Mul", third, third), c(ONE)))
        found = [graph.node("Div", z, root)]
    if column.edges:
        edges = np.array(column.edges)
        low, width = (c(part[None].astype(np.float32)) for part in (edges[:-1], np.diff(edges)))
        piece = graph.node("Div", graph.node("Sub", value, low), width)
        found.append(graph.node("Clip", piece, c(np.float32(0)), c(ONE)))
    if column.gaps:
        found.append(_number(graph, absent))
    return found


def _of_text(graph: Graph, value: str, column: Column) -> str:
    """Add an input for each category, or one for two; "" is a missing text."""
    categories = column.categories or ()
    codes = {name: k for k, name in enumerate(categories)}
    codes |= {"": codes[MISSING]} if MISSING in codes else {}
    code = graph.node(
        "LabelEncoder", value, domain=CATEGORIES, keys_strings=list(codes),
        values_int64s=list(codes.values()), default_int64=-1,
    )  # fmt: skip
    if not column.two:
        each = graph.constant(np.arange(len(categories))[None])
        return _number(graph, graph.node("Equal", code, each))
    unknown = graph.node("Less", code, graph.constant(np.int64(0)))
    mean = graph.constant(np.float32(column.mean or 0))
    return graph.node("Where", unknown, mean, _number(graph, code))


def _of_dates(graph: Graph, value: str, column: Column) -> list[str]:
    """Add the parts of dates in seconds since 1970.

    Year and month are those of Hinnant, *chrono-compatible low-level date algorithms*: years begin
    in March, so that the day that not all have is their last.
    """

    def c(number: int) -> str:
        return graph.constant(np.int64(number))

    def added(one: str, *others: str) -> str:
        for other in others:
            one = graph.node("Add", one, other)
        return one

    def times(one: str, number: int) -> str:
        return graph.node("Mul", one, c(number))

    def over(one: str, number: int) -> str:
        return graph.node("Div", one, c(number))  # towards 0, and nothing here is below

    absent = graph.node("Equal", value, c(NO_DATE))
    value = graph.node("Where", absent, c(round(column.mean or 0)), value)
    seconds = added(value, c(BEFORE_1970 * DAY))
    days = over(seconds, DAY)
    centuries = over(days, 146_097)  # four of them
    day = added(days, times(centuries, -146_097))
    leap = [over(day, 1460), over(day, 36_524), over(day, 146_096)]
    year = over(added(day, times(leap[0], -1), leap[1], times(leap[2], -1)), 365)
    before = [times(year, -365), times(over(year, 4), -1), over(year, 100)]
    day = added(day, *before)
    march = over(added(times(day, 5), c(2)), 153)  # months since March
    wraps = graph.node("GreaterOrEqual", march, c(10))
    month = added(march, graph.node("Where", wraps, c(-9), c(3)))
    year = added(year, times(centuries, 400), graph.node("Where", wraps, c(1), c(0)))
    weekday = added(graph.node("Mod", added(days, c(2)), c(7)), c(1))
    hour = graph.node(
        "Div", _number(graph, graph.node("Mod", seconds, c(DAY))), graph.constant(np.float32(HOUR))
    )
    elapsed = added(
        _number(graph, added(days, c(-BEFORE_1970))),
        graph.node("Div", hour, graph.constant(np.float32(24))),
    )
    whole = {"year": year, "month": month, "weekday": weekday}
    parts = {name: _number(graph, part) for name, part in whole.items()}
    parts |= {"hour": hour, "elapsed": elapsed}
    found = [parts[name] for name in column.parts]
    return [*found, _number(graph, absent)] if column.gaps else found
