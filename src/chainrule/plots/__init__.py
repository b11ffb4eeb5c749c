"""Displays: made by a ``from_...`` method and drawn by ``plot(ax=None)``, as scikit-learn's are."""

from chainrule.plots.answers import ErrorHistogramDisplay, MistakesDisplay, RegressionDisplay
from chainrule.plots.fit import (
    DecisionRegionsDisplay,
    HiddenResponsesDisplay,
    PredictionDisplay,
)
from chainrule.plots.gradient import GradientCheckDisplay
from chainrule.plots.page import training_figure
from chainrule.plots.trace import TraceDisplay
from chainrule.plots.training import TrainingCurveDisplay, TrainingStateDisplay
from chainrule.plots.trust import CalibrationDisplay, ImportancesDisplay, ResidualsDisplay
from chainrule.plots.weights import HiddenUnitsDisplay, WeightsDisplay

__all__ = [
    "CalibrationDisplay",
    "DecisionRegionsDisplay",
    "ErrorHistogramDisplay",
    "GradientCheckDisplay",
    "HiddenResponsesDisplay",
    "HiddenUnitsDisplay",
    "ImportancesDisplay",
    "MistakesDisplay",
    "PredictionDisplay",
    "RegressionDisplay",
    "ResidualsDisplay",
    "TraceDisplay",
    "TrainingCurveDisplay",
    "TrainingStateDisplay",
    "WeightsDisplay",
    "training_figure",
]
