"""What a fitted estimator is, as one value: what files and ONNX are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.datasets.scaling import Scaling
from chainrule.evaluation.stop_report import StopReport
from chainrule.notes.network import Network


@dataclass(frozen=True, eq=False)
class Labels:
    """What a classifier's outputs stand for.

    Attributes
    ----------
    kind : {"classes", "several labels", "several columns"}
    classes : ndarray of shape (n_classes,), or list of them
        A list where y has several columns of classes.
    """

    kind: str
    classes: Any

    __repr__ = summary


@dataclass(frozen=True, eq=False)
class Fitted:
    """A fitted estimator.

    Attributes
    ----------
    estimator : str
        Its class's name.
    parameters : dict of str to object
    network : Network
    thetas : tuple of ndarray of shape (size,)
        The network's, and those of the others whose mean is the prediction.
    names : tuple of str or None
        Of the inputs, where X had names.
    labels : Labels or None
        None for a regressor.
    loss : float or None
    stop_report : StopReport or None
    scaling : Scaling or None
        Of y, where a regressor scales it.
    """

    estimator: str
    parameters: dict[str, Any]
    network: Network
    thetas: tuple[Array, ...]
    names: tuple[str, ...] | None
    labels: Labels | None
    loss: float | None
    stop_report: StopReport | None
    scaling: Scaling | None = None

    __repr__ = summary
