"""Feed-forward neural networks whose gradient you can check and whose every value you can see."""

import typing

from chainrule.common.types import ElasticNet
from chainrule.diagnosis import check_gradient
from chainrule.engine.predicting import forward, predict
from chainrule.engine.summing import accumulate, cost_and_gradient
from chainrule.evaluation.error_bars import ErrorBars
from chainrule.notes.backprop import finish
from chainrule.notes.gradient_check import numerical_gradient
from chainrule.notes.gradient_report import Finding, GradientReport
from chainrule.notes.network import Network
from chainrule.notes.theta import random_theta, reshape, unroll
from chainrule.notes.trace import Trace, trace
from chainrule.optimize import SGD, Adam, History, Result, State, Step
from chainrule.training.checked import WrongGradientError
from chainrule.training.steps import train

if typing.TYPE_CHECKING:
    from chainrule.engine.readers import blocks
    from chainrule.estimators import (
        MLPClassifier,
        MLPRegressor,
        TableClassifier,
        TableRegressor,
    )
    from chainrule.handwriting.reading import Digit, read_digits

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "Digit",
    "ElasticNet",
    "ErrorBars",
    "Finding",
    "GradientReport",
    "History",
    "MLPClassifier",
    "MLPRegressor",
    "Network",
    "Result",
    "State",
    "Step",
    "TableClassifier",
    "TableRegressor",
    "Trace",
    "WrongGradientError",
    "accumulate",
    "blocks",
    "check_gradient",
    "cost_and_gradient",
    "finish",
    "forward",
    "numerical_gradient",
    "predict",
    "random_theta",
    "read_digits",
    "reshape",
    "trace",
    "train",
    "unroll",
]


def __getattr__(name: str) -> typing.Any:
    """Import what needs more than NumPy when it is first used."""
    if name in ("MLPClassifier", "MLPRegressor", "TableClassifier", "TableRegressor"):
        from chainrule import estimators

        return getattr(estimators, name)
    if name == "blocks":
        from chainrule.engine.readers import blocks

        return blocks
    if name in ("Digit", "read_digits"):
        from chainrule.handwriting import reading

        return getattr(reading, name)
    raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
