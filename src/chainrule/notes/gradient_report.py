"""What a gradient check found, in numbers and in words.

D, num and noise are the slopes that were compared, the numerical ones, and what rounding in J may
have put into each of these.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from chainrule.common.shown import summary
from chainrule.common.types import Array

EVERY_COMPONENT = 2000  # the notes' loop up to this many components; beyond, random directions
RELATIVE_TOLERANCE = 1e-7  # of |D| + |num|: the central difference's own error at epsilon = 1e-4
SHOWN = 3  # mistakes that a printed report explains; it names the others


@dataclass(frozen=True)
class Part:
    """One row of the report's table.

    Attributes
    ----------
    name : str
        ``Theta(1) bias``, ``Theta(1) weights``, ...
    start, stop : int
        Its components of theta, counted from 0.
    error : float
        |D - num| / (|D| + |num|) over the part.
    ok : bool
        Whether that is within the tolerance.
    components : list of int or None
        Which components, where they are not all those from start to stop.
    """

    name: str
    start: int
    stop: int
    error: float
    ok: bool
    components: list[int] | None = None

    __repr__ = summary

    @property
    def where(self) -> slice | list[int]:
        """Its components, as an index of D."""
        return slice(self.start, self.stop) if self.components is None else self.components

    @property
    def size(self) -> int:
        """How many they are."""
        return self.stop - self.start if self.components is None else len(self.components)


class Shaped(Protocol):
    """What a report by layer needs to know of a network."""

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """The shape (s_{l+1}, s_l + 1) of each Theta(l)."""


def parts_of(network: Shaped) -> Iterator[tuple[str, int, int]]:
    """Yield the name, start and stop of each Theta(l)'s bias and weights."""
    start = 0
    for l, (out, columns) in enumerate(network.shapes, start=1):
        yield f"Theta({l}) bias", start, start + out
        yield f"Theta({l}) weights", start + out, start + out * columns
        start += out * columns


def agree(D: Array, num: Array, noise: Array) -> bool:
    """|D - num| <= 1e-7 (|D| + |num|) + |noise|."""
    allowed = RELATIVE_TOLERANCE * (np.linalg.norm(D) + np.linalg.norm(num))
    return bool(np.linalg.norm(D - num) <= allowed + np.linalg.norm(noise))


def part_of(name: str, start: int, stop: int, D: Array, num: Array, noise: Array) -> Part:
    """Return the row of the table for components start to stop, from their slopes."""
    size = np.linalg.norm(D) + np.linalg.norm(num)
    error = float(np.linalg.norm(D - num) / size) if size else 0.0
    return Part(name, start, stop, error, agree(D, num, noise))


def largest_error(slopes: Array, num: Array, noise: Array) -> tuple[float, int]:
    """Return the largest relative error beyond the noise, and where it is.

    A difference within the noise says nothing, however small the component.  Where all are, the
    error of the largest component is returned.
    """
    difference, sizes = np.abs(slopes - num), np.abs(slopes) + np.abs(num)
    errors = difference / np.where(sizes > 0, sizes, 1)
    beyond = np.where(difference > noise, errors, 0)
    where = int(beyond.argmax() if beyond.any() else sizes.argmax())
    return float(errors[where]), where


@dataclass(frozen=True)
class Finding:
    """A mistake that the pattern of a wrong gradient shows.

    Attributes
    ----------
    name : str
        Its public name, such as ``bias-regularised``.
    words : str
        What was done, in a sentence.
    evidence : str
        The numbers that show it.
    note : str
        The line of the notes that it violates; what to try next where no mistake is known.

    Examples
    --------
    >>> from chainrule import check_gradient
    >>> report = check_gradient(lambda theta: (theta @ theta, -2 * theta), [1.0, 2.0])
    >>> report.diagnosis[0].name
    'sign'
    """

    name: str
    words: str
    evidence: str
    note: str

    @property
    def source(self) -> str:
        """What the note is: the notes' line, or what to try where no mistake is known."""
        return "try next" if self.name == "no-known-mistake" else "the notes"


@dataclass(frozen=True)
class GradientReport:
    """What `check_gradient` found.  ``print(report)`` shows it; it is true where ``ok`` is.

    Attributes
    ----------
    ok : bool
        Whether |D - num| <= 1e-7 (|D| + |num|) + 10 eps |J| sqrt(n) / epsilon, in the Euclidean
        norm over the n compared values.  The second term is what rounding in J alone can cause.
    largest_relative_error : float
        The largest |D_i - num_i| / (|D_i| + |num_i|) of those components whose difference is more
        than rounding in J can cause; where there are none, that of the largest component.
    where : int
        The component (or the direction) that has it, counted from 0.
    J : float
        The cost at theta.
    epsilon : float
    error_estimate : float
        What the last three numerical values may themselves be off: a third of the change when
        epsilon is doubled (truncation), plus eps |J| / epsilon (rounding).
    D, numerical : ndarray of shape (n,)
        The compared values: components of the gradient, or slopes along directions.
    directions : int or None
        How many random directions were compared; None where it was all components.
    parts : list of Part
        The table by layer, where the network is known.
    complex_step : bool
        Whether the numerical values are those of a complex step.
    component : int or None
        Where directions were compared and they disagree: a component that is wrong.
    n_eval : int
        Evaluations of the objective.
    diagnosis : list of Finding
        The mistakes that explain a failed check, likeliest first.
    about_J : str
        How J differs from the notes' J, where network, X, Y and lam are known and it does.
    place : str
        Where ``where`` stands, such as ``Theta(1), row 2, column 1``, if it is a component and the
        order of theta is known.  Rows and columns count from 1; column 1 is the bias.

    Examples
    --------
    >>> from chainrule.notes.gradient_check import compare
    >>> report = compare(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0])
    >>> bool(report), report.D, report.numerical.round(6)
    (True, array([2., 4.]), array([2., 4.]))
    """

    ok: bool
    largest_relative_error: float
    where: int
    J: float
    epsilon: float
    error_estimate: float
    D: Array
    numerical: Array
    directions: int | None
    parts: list[Part] = field(default_factory=list)
    complex_step: bool = False
    component: int | None = None
    n_eval: int = 0
    diagnosis: list[Finding] = field(default_factory=list)
    about_J: str = ""
    place: str = ""

    __repr__ = summary

    @property
    def relative_errors(self) -> Array:
        """|D_i - num_i| / (|D_i| + |num_i|) of each compared value, rounding and all."""
        sizes = np.abs(self.D) + np.abs(self.numerical)
        return np.asarray(np.abs(self.D - self.numerical) / np.where(sizes > 0, sizes, 1))

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        what = "component" if self.directions is None else "random direction"
        i = self.where
        place = f" ({self.place})" if self.place else ""
        lines = [
            f"gradient check {'passed' if self.ok else 'FAILED'}: {len(self.D)} {what}s, "
            f"epsilon = {self.epsilon:g}{'i' * self.complex_step}, J = {self.J:.6g}",
            f"largest relative error of one {what}: {self.largest_relative_error:.2g} at {what} "
            f"{i}{place}: D = {self.D[i]:.9g}, numerical = {self.numerical[i]:.9g}",
        ]
        if self.about_J:
            lines.insert(1, self.about_J)
        if self.component is not None:
            lines.append(f"bisection leads to component {self.component} (counted from 0)")
        if self.parts:
            width = max(18, *(len(part.name) + 1 for part in self.parts))
            lines.append(f"{'':<{width}}{'values':>9}  |D - num| / (|D| + |num|)")
            lines += [
                f"{part.name:<{width}}{part.size:>9}  {part.error:.2g}"
                + ("" if part.ok else "  <- wrong")
                for part in self.parts
            ]
        for rank, finding in enumerate(self.diagnosis[:SHOWN], start=1):
            lines += [
                f"{rank}. {finding.name}: {finding.words}",
                f"   evidence: {finding.evidence}",
                f"   {finding.source}: {finding.note}",
            ]
        if more := self.diagnosis[SHOWN:]:
            lines.append("less likely: " + ", ".join(finding.name for finding in more))
        return "\n".join(lines)

    def to_json(self) -> str:
        """Return the report as JSON, the compared values left out where there are many.

        Returns
        -------
        str

        Examples
        --------
        >>> from chainrule.notes.gradient_check import compare
        >>> report = compare(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0])
        >>> json.loads(report.to_json())["ok"]
        True
        """
        values: dict[str, Any] = asdict(self)
        for name in ("D", "numerical"):
            values[name] = values[name].tolist() if len(self.D) <= EVERY_COMPONENT else None
        return json.dumps(values)

    def _repr_html_(self) -> str:
        """Return the report as an HTML fragment, for notebooks."""
        from html import escape

        head = "<br>".join(
            escape(line) for line in str(self).splitlines()[: 1 + bool(self.about_J)]
        )
        rows = "".join(
            f"<tr><td>{escape(part.name)}</td><td>{part.size}</td>"
            f"<td>{part.error:.2g}</td><td>{'ok' if part.ok else '<b>wrong</b>'}</td></tr>"
            for part in self.parts
        )
        table = (
            "<table><tr><th>part</th><th>values</th><th>|D - num| / (|D| + |num|)</th><th></th>"
            f"</tr>{rows}</table>"
            if rows
            else ""
        )
        items = "".join(
            f"<li><b>{escape(finding.name)}</b>: {escape(finding.words)}<br>"
            f"evidence: {escape(finding.evidence)}<br>{finding.source}: {escape(finding.note)}</li>"
            for finding in self.diagnosis[:SHOWN]
        )
        return f"<p>{head}</p>{table}" + (f"<ol>{items}</ol>" if items else "")
