"""Backpropagation as a program of a few lines of NumPy, right or with slips in it.

All examples are computed at once, a row each.  ``bias(a)`` puts a column of ones before a,
``no_bias(Theta)`` zeros in place of the bias column, ``sigmoid_prime(z)`` is g'(z).  The lines of
forward propagation and J are always right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chainrule.diagnosis.lines import Slip
from chainrule.diagnosis.slips import SLOPE_OF_A
from chainrule.notes.network import Network

# g' of an output unit by its own a, which stands in delta(L) by mistake
OUTPUT_SLOPES = {
    "sigmoid": "{h} * (1 - {h})",
    "softmax": "{h} * (1 - {h})",
    "identity": "(1 - {h}**2)",
    "exp": "{h}",
}


def program(network: Network, slips: Sequence[Slip] = ()) -> list[str]:
    r"""Return the lines of backpropagation for a network, those of the slips written wrong.

    Parameters
    ----------
    network : Network
    slips : sequence of Slip

    Returns
    -------
    list of str
        As many lines with slips as without.

    Raises
    ------
    KeyError
        If a slip cannot be written for this network.

    Examples
    --------
    >>> print("\n".join(program(Network((2, 3, 1)))))
    a1 = X
    z2 = bias(a1) @ Theta1.T
    a2 = sigmoid(z2)
    z3 = bias(a2) @ Theta2.T
    a3 = sigmoid(z3)
    delta3 = a3 - Y
    delta2 = delta3 @ Theta2[:, 1:] * sigmoid_prime(z2)
    Delta1 = delta2.T @ bias(a1)
    Delta2 = delta3.T @ bias(a2)
    D1 = (Delta1 + lam * no_bias(Theta1)) / m
    D2 = (Delta2 + lam * no_bias(Theta2)) / m
    D = np.r_[D1.ravel("F"), D2.ravel("F")]
    """
    L = network.L
    written = _Written(network, slips)
    functions = [*(g.name for g in network.activations), network.cost.name]
    lines = ["a1 = X"]
    for l, function in enumerate(functions, start=2):
        lines.append(f"z{l} = bias(a{l - 1}) @ Theta{l - 1}.T")
        lines.append(f"a{l} = " + (f"z{l}" if function == "identity" else f"{function}(z{l})"))
    lines.append(f"delta{L} = {written.output()}")
    lines += [f"delta{l} = {written.hidden(l)}" for l in range(L - 1, 1, -1)]
    lines += [
        f"Delta{l} = {written.line('Delta', l, '{delta}.T @ bias({a})')}" for l in range(1, L)
    ]
    lines += [f"D{l} = {written.D(l)}" for l in range(1, L)]
    return [*lines, f"D = np.r_[{written.unrolled()}]"]


def changed(network: Network, slips: Sequence[Slip]) -> list[list[int]]:
    """Return which lines of the program each slip changes, counted from 0.

    Examples
    --------
    >>> from chainrule.diagnosis.slips import SLIPS
    >>> changed(Network((2, 3, 1)), SLIPS[:1])
    [[6]]
    """
    right = program(network)
    return [
        [i for i, line in enumerate(program(network, [slip])) if line != right[i]] for slip in slips
    ]


class _Written:
    """The expressions of a program with slips."""

    def __init__(self, network: Network, slips: Sequence[Slip]) -> None:
        self.network, self.slips = network, slips

    def line(self, line: str, l: int | None, right: str, **more: str) -> str:
        """Return a line's expression in layer l; a later slip is made in what one before left."""
        names = more if l is None else self._names(l) | more
        found = right.format(**names)
        for slip in self.slips:
            if slip.line == line and slip.layer in (None, l):
                if slip.code is None:
                    raise KeyError(slip.words)
                found = slip.code.format(**names, right=found)
        return found

    def output(self) -> str:
        L, cost = self.network.L, self.network.cost.name
        h = f"a{L}"
        names = {
            "h": h,
            "z": f"z{L}",
            "Y": self.line("labels", None, "Y"),
            "g": f"{self.network.activations[-1].name if L > 2 else 'sigmoid'}_prime",
        }
        if cost in OUTPUT_SLOPES:
            names["output_slope"] = OUTPUT_SLOPES[cost].format(h=h)
        return self.line("output", None, "{h} - {Y}", **names)

    def hidden(self, l: int) -> str:
        back = self.line("back", l, "{delta} @ {Theta}[:, 1:]")
        slope = self.line("g_prime", l, "{g}({z})")
        return self.line("hidden", l, f"{back} * {slope}" if slope else back, back=f"({back})")

    def Delta(self, l: int) -> str:
        return self.line("Delta", l, "{delta}.T @ bias({a})")

    def D(self, l: int) -> str:
        penalty = self.line("penalty", l, "no_bias({Theta})")
        return self.line("D", l, "({Delta} + lam * {penalty}) / m", penalty=penalty)

    def unrolled(self) -> str:
        pieces = [self.line("unroll", l, '{D}.ravel("F")') for l in range(1, self.network.L)]
        orders = {
            "right_order": pieces,
            "reversed": pieces[::-1],
            "first_for_all": pieces[:1] * len(pieces),
            "last_for_all": pieces[-1:] * len(pieces),
        }
        joined = {name: ", ".join(order) for name, order in orders.items()}
        return self.line("order", None, "{right_order}", **joined)

    def _names(self, l: int) -> dict[str, Any]:
        """Return what a line of layer l may name."""
        network = self.network
        L, s = network.L, network.layers
        names: dict[str, Any] = {
            "a": f"a{l}",
            "z": f"z{l}" if l > 1 else "a1",
            "other_a": f"a{ {1: 2, 2: 1}.get(l, l - 1) }",
            "delta": f"delta{l + 1}",
            "delta_below": f"delta{l}",
            "delta_above": f"delta{l + 2}",
            "Delta": f"Delta{l}",
            "D": f"D{l}",
            "Theta": f"Theta{l}",
            "Theta_before": f"Theta{l - 1}",
            "Theta_next": f"Theta{l + 1}",
            "units": s[l],
            "columns": s[l - 1] + 1,
            "K": network.K,
        }
        if 1 < l < L:
            g = network.activations[l - 2].name
            names["g"] = f"{g}_prime"
            # Only there is g' of z the same as the g' by a that the slip takes
            names |= {"z_before": f"z{l - 1}"} if l > 2 else {}
            names |= {"z_next": f"z{l + 1}"} if l + 1 < L else {}
            if g in SLOPE_OF_A:
                names["slope_of_z"] = SLOPE_OF_A[g].format(a=names["z"])
        return names
