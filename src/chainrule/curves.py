"""Another name of `chainrule.plots`, for the displays of a fit."""

from chainrule.plots import (
    DecisionRegionsDisplay,
    ErrorHistogramDisplay,
    HiddenResponsesDisplay,
    PredictionDisplay,
    RegressionDisplay,
    TrainingStateDisplay,
)

__all__ = [
    "DecisionRegionsDisplay",
    "ErrorHistogramDisplay",
    "HiddenResponsesDisplay",
    "PredictionDisplay",
    "RegressionDisplay",
    "TrainingStateDisplay",
]
