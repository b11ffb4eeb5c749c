"""`MLPClassifier` and others: scikit-learn's estimators over chainrule's networks."""

from chainrule.estimators.classifier import MLPClassifier
from chainrule.estimators.export import register_converters, to_onnx
from chainrule.estimators.regressor import MLPRegressor
from chainrule.estimators.table import TableClassifier, TableRegressor

__all__ = [
    "MLPClassifier",
    "MLPRegressor",
    "TableClassifier",
    "TableRegressor",
    "register_converters",
    "to_onnx",
]
