"""g, g', h, cost(t) and delta(L) of each activation and cost, written in the notes' letters.

One template serves twice: with letters it is the formula, with numbers it is the arithmetic.
``{z}`` and ``{a}`` stand in round brackets where a number is negative; ``{z0}`` and ``{a0}``, which
have brackets of their own around them, never do.  ``Phi`` is the standard normal distribution,
``phi`` its density.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chainrule.notes.activations import LEAK, SELU_ALPHA, SELU_SCALE, Activation
from chainrule.notes.costs import Cost

SIGMOID = "1 / (1 + e^-{z})"

# name: (g(z), g'(z)), g' from a where a tells it
ACTIVATION_FORMULAS: Mapping[str, tuple[str, str]] = {
    "sigmoid": (SIGMOID, "{a} * (1 - {a})"),
    "tanh": ("tanh({z0})", "1 - {a}^2"),
    "relu": ("max(0, {z0})", "1 if {z} > 0 else 0"),
    "leaky_relu": (f"max({{z0}}, {LEAK:g} * {{z}})", f"1 if {{z}} > 0 else {LEAK:g}"),
    "elu": ("{z} if {z} > 0 else e^{z} - 1", "1 if {z} > 0 else {a} + 1"),
    "softplus": ("log(1 + e^{z})", "1 - e^-{a}"),
    "identity": ("{z}", "1"),
    "silu": ("{z} / (1 + e^-{z})", "(1 + {z} / (1 + e^{z})) / (1 + e^-{z})"),
    "gelu": ("{z} * Phi({z0})", "Phi({z0}) + {z} * phi({z0})"),
    "mish": (
        "{z} * tanh(log(1 + e^{z}))",
        "tanh(log(1 + e^{z})) + {z} * (1 - tanh(log(1 + e^{z}))^2) / (1 + e^-{z})",
    ),
    "selu": (
        f"{SELU_SCALE:.6g} * {{z}} if {{z}} > 0 else {SELU_SCALE * SELU_ALPHA:.6g} * (e^{{z}} - 1)",
        f"{SELU_SCALE:.6g} if {{z}} > 0 else {{a}} + {SELU_SCALE * SELU_ALPHA:.6g}",
    ),
}


@dataclass(frozen=True)
class CostFormulas:
    """The formulas of an output activation with its cost.

    Attributes
    ----------
    h : str
        a(L) from z(L), for all K units.
    unit : str
        The template of one unit's a from its z; empty where that takes other units' z too.
    cost : str
        cost(t), a sum over k.
    delta : str
        delta(L).
    """

    h: str
    unit: str
    cost: str
    delta: str = "a({L}) - y"


COST_FORMULAS: Mapping[str, CostFormulas] = {
    "sigmoid": CostFormulas(
        SIGMOID.format(z="z"), SIGMOID, "-sum_k [y_k log h_k + (1 - y_k) log(1 - h_k)]"
    ),
    "softmax": CostFormulas("e^z_k / sum_j e^z_j", "", "-sum_k y_k log h_k"),
    "identity": CostFormulas("z", "{z}", "1/2 sum_k (h_k - y_k)^2"),
    "exp": CostFormulas("e^z", "e^{z}", "sum_k [h_k - y_k z_k]"),
    "absolute": CostFormulas("z", "{z}", "sum_k |h_k - y_k|", "the sign of (a({L}) - y)"),
    "huber": CostFormulas(
        "z",
        "{z}",
        "sum_k [e (|h_k - y_k| - e/2)], e = min(|h_k - y_k|, {parameters})",
        "a({L}) - y, at least -{parameters} and at most {parameters}",
    ),
}


def activation_formulas(g: Activation) -> tuple[str, str]:
    """Return the templates of g and g'; an activation of one's own has its name alone.

    Examples
    --------
    >>> from chainrule.notes.activations import ACTIVATIONS
    >>> _, slope = activation_formulas(ACTIVATIONS["tanh"])
    >>> in_letters(slope), slope.format(a="0.5")
    ('1 - a^2', '1 - 0.5^2')
    """
    return ACTIVATION_FORMULAS.get(g.name, (f"{g.name}({{z0}})", f"{g.name}'({{z0}})"))


def cost_formulas(cost: Cost) -> CostFormulas:
    """Return the formulas of a cost; one that has none here is told by its name.

    Examples
    --------
    >>> from chainrule.notes.costs import find_cost
    >>> cost_formulas(find_cost("huber:1.35")).delta.format(L=3)
    'a(3) - y, at least -1.35 and at most 1.35'
    """
    family, _, parameters = cost.name.partition(":")
    found = COST_FORMULAS.get(family)
    if found is None or (family == "softmax" and parameters):
        own = f"the output {cost.name!r}"
        return CostFormulas(f"h of {own}", "", f"cost(t) of {own}", f"d cost(t) / dz of {own}")
    fill = {"parameters": parameters, "L": "{L}"}
    return CostFormulas(found.h, found.unit, found.cost.format(**fill), found.delta.format(**fill))


def in_letters(template: str) -> str:
    """Return a template as a formula in z and a."""
    return template.format(z="z", z0="z", a="a", a0="a")


def in_numbers(template: str, z: str, a: str) -> str:
    """Return a template as arithmetic.

    Examples
    --------
    >>> in_numbers("1 - {a}^2", z="-0.5", a="-0.462117")
    '1 - (-0.462117)^2'
    """
    return template.format(z=bracketed(z), z0=z, a=bracketed(a), a0=a)


def bracketed(number: str) -> str:
    """Return a written number, in round brackets where it is negative."""
    return f"({number})" if number.startswith("-") else number
