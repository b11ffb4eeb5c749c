"""What the coefficients of D's terms say, where J says what they should be."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.common.types import Array
from chainrule.diagnosis.cost import near
from chainrule.diagnosis.fit import Fit
from chainrule.diagnosis.mistakes import Named
from chainrule.diagnosis.problem import BIASES, DELTA, DELTA_BIAS, ONES, WEIGHTS


def scales(m: float, K: int) -> dict[float, list[str]]:
    """Return the factors of the data's part that have a meaning, with the mistakes they show."""
    found: dict[float, list[str]] = {1.0: []}
    if m > 1:
        found |= {m: ["missing-1-over-m"], 1 / m: ["extra-1-over-m"]}
        found.setdefault(1 / m**2, ["extra-1-over-m"])
    if K > 1:
        for scale, names in (
            (float(K), ["outputs-factor"]),
            (1 / K, ["outputs-factor"]),
            (K * m, ["missing-1-over-m", "outputs-factor"]),
            (m / K, ["missing-1-over-m", "outputs-factor"]),
            (K / m, ["extra-1-over-m", "outputs-factor"]),
        ):
            found.setdefault(scale, names)
    for scale in (2.0, 0.5, 4.0, 0.25):
        found.setdefault(scale, ["wrong-factor"])
    return found


def signed(m: float, K: int) -> list[float]:
    """Return these factors and their opposites, but for 1."""
    sizes = scales(m, K)
    return [r for size in sizes for r in (size, -size) if r != 1]


def merge(readings: Sequence[Named]) -> Named:
    """Return the mistakes of several readings, each named once."""
    found: dict[str, str] = {}
    for reading in readings:
        for name, evidence in reading:
            found.setdefault(name, evidence)
    return list(found.items())


def read(fit: Fit, k: Array, m: float, K: int, lam: float, any_factor: bool) -> Named | None:
    """Name the mistakes that a fit's coefficients show, where J's own coefficients are k.

    None where a factor of the data's part has no meaning; ``any_factor`` gives each one a meaning.
    """
    found: list[Named] = []
    for l, c in enumerate(fit.coefficients, start=1):
        where = f" in Theta({l})" if fit.by_layer else ""
        of_layer = _layer(c, k, m, K, lam, where, any_factor)
        if of_layer is None:
            return None
        found.append(of_layer)
    return merge(found)


def _layer(
    c: Array, k: Array, m: float, K: int, lam: float, where: str, any_factor: bool
) -> Named | None:
    if k[0] == 0:
        return None
    r, r_bias = c[DELTA] / k[0], c[DELTA_BIAS] / k[0]
    if near(r, r_bias):
        found = _factor(
            r, m, K, f"the data's part is {r:.6g} times what J needs{where}", any_factor
        )
    else:
        found = _apart(c, k, m, K, lam, where, any_factor)
    if found is None:
        return None
    penalty = _penalty(c, k, r, where)
    if ("lambda-on-gradient") in [name for name, _ in found]:
        penalty = [named for named in penalty if named[0] != "lambda-forgotten"]
    return found + penalty


def _apart(
    c: Array, k: Array, m: float, K: int, lam: float, where: str, any_factor: bool
) -> Named | None:
    """Read a factor of Delta's bias columns beside one of the rest."""
    r, r_bias = c[DELTA] / k[0], c[DELTA_BIAS] / k[0]
    of_bias = f"of Delta, the bias column is {r_bias:.6g} times what J needs{where}"
    of_rest = f"of Delta, all but the bias column is {r:.6g} times what J needs{where}"
    if lam and near(r_bias, 1) and c[WEIGHTS] == 0 and (near(r, 1 + lam / m) or near(r, 1 + lam)):
        factor = "lambda/m" if near(r, 1 + lam / m) else "lambda"
        words = f"the weights' D is (1 + {factor}) times 1/m Delta{where}, with no Theta in it"
        return [("lambda-on-gradient", words)]
    if r_bias == 0:
        biases: Named | None = [("bias-gradient-missing", of_bias)]
    else:
        biases = _factor(r_bias, m, K, of_bias, any_factor)
    weights = _factor(r, m, K, of_rest, any_factor)
    return None if biases is None or weights is None else weights + biases


def _factor(r: float, m: float, K: int, ratio: str, any_factor: bool) -> Named | None:
    """Name what a factor r of Delta shows; None where it has no meaning."""
    if r == 0:
        return [("gradient-zero", ratio.replace("is 0 times what J needs", "is 0"))]
    known = scales(m, K)
    names = next((n for scale, n in known.items() if near(abs(r), scale)), None)
    if names is None:
        return [("wrong-factor", ratio)] if any_factor else None
    found = [(name, ratio + f" (m = {m:g}, K = {K})") for name in names]
    return [*found, ("sign", ratio)] if r < 0 else found


def _penalty(c: Array, k: Array, r: float, where: str) -> Named:
    """Read the coefficients of the weights, the biases and the constant."""
    found: Named = []
    w, b = c[WEIGHTS], c[BIASES]
    if c[ONES] != 0:
        evidence = f"the number {c[ONES]:.6g} is added to each weight{where}"
        found.append(("lambda-factor", evidence))
    elif not (near(w, k[1]) or near(w, r * k[1])):
        against = f", {w / k[1]:.6g} times what J needs" if k[1] else ", J has none"
        evidence = f"D has {w:.6g} Theta{against}{where}"
        if w == 0:
            found.append(("lambda-forgotten", f"no trace of lambda Theta in D{where}"))
        elif near(w, -k[1]) or near(w, -r * k[1]):
            found.append(("lambda-subtracted", evidence))
        else:
            found.append(("lambda-factor", evidence))
    if not (near(b, k[2]) or near(b, r * k[2])):
        found.append(
            ("bias-regularised", f"D's bias column has {b:.6g} times the bias{where}")
            if b
            else ("cost-inconsistent", "J regularises the bias, the gradient does not")
        )
    return found
