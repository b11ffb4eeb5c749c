"""`MLPClassifier` and `MLPRegressor`: scikit-learn's estimators over chainrule's networks."""

from chainrule.estimators.classifier import MLPClassifier
from chainrule.estimators.export import register_converters, to_onnx
from chainrule.estimators.regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "register_converters", "to_onnx"]
