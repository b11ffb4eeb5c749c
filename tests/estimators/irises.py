"""The irises with every kind of target, and estimators of both libraries for them."""

import numpy as np
import sklearn.neural_network as reference
from sklearn.datasets import load_iris, make_multilabel_classification

import chainrule
from chainrule import MLPClassifier, MLPRegressor

X, iris = load_iris(return_X_y=True)
rng = np.random.default_rng(0)
LABELS = {
    "two classes": (iris > 0).astype(int),
    "three classes": iris,
    "words": np.array(["a", "b", "c"], dtype=object)[iris],
    "several labels": make_multilabel_classification(150, 4, random_state=0)[1],
}
NUMBERS = {"one": 2 * X[:, 0] + 1, "two": X[:, 2:] - 1, "counts": rng.poisson(2.0, 150)}
TARGETS = LABELS | NUMBERS
ACTIVATIONS = ("identity", "logistic", "tanh", "relu")
NAMES = ["sepal length", "sepal width", "petal length", "petal width"]
FRAMES = {
    "pandas": lambda library, X: library.DataFrame(X, columns=NAMES),
    "polars": lambda library, X: library.DataFrame(X, schema=NAMES),
}
FITTED = {
    "two classes": ({}, LABELS["two classes"]),
    "three classes": ({"activation": ("elu", "softplus")}, iris),
    "words": ({"output": "sigmoid"}, LABELS["words"]),
    "several labels": ({}, LABELS["several labels"]),
    "several columns": ({}, np.c_[iris, iris[::-1] + 5, iris > 0]),
    "columns of words": ({}, np.array([["a", "x"], ["b", "y"], ["c", "x"]], dtype=object)[iris]),
    "silu and gelu": ({"activation": ("silu", "gelu")}, iris),
    "mish and selu": ({"activation": ("mish", "selu")}, iris),
    "mean of three": ({"n_restarts": 3, "average": True}, iris),
    "one": ({"activation": "leaky_relu"}, NUMBERS["one"]),
    "two": ({"loss": "huber"}, NUMBERS["two"]),
    "counts": ({"loss": "poisson"}, NUMBERS["counts"]),
    "quantiles": ({"loss": "quantile", "quantile": [0.1, 0.5, 0.9]}, NUMBERS["two"]),
    "scaled": ({"scale_y": True}, 1000 * NUMBERS["two"] + 5),
    "scaled quantiles": (
        {"loss": "quantile", "quantile": [0.2, 0.8], "scale_y": True},
        9 * NUMBERS["one"] - 50,
    ),
}


def pair(kind, **parameters):
    """Return our estimator and scikit-learn's for a kind of target, with the same parameters."""
    parameters = {"hidden_layer_sizes": (7, 5), "random_state": 3} | parameters
    name = "MLPClassifier" if kind in LABELS else "MLPRegressor"
    if kind == "counts":
        parameters["loss"] = "poisson"
    return [getattr(package, name)(**parameters) for package in (chainrule, reference)]


def fitted(kind):
    """Return an estimator fitted to a kind of target."""
    parameters, y = FITTED[kind]
    regression = kind in (*NUMBERS, "quantiles", "scaled", "scaled quantiles")
    Estimator = MLPRegressor if regression else MLPClassifier
    net = Estimator(hidden_layer_sizes=(6, 4), max_iter=5, random_state=0, **parameters)
    return net.fit(X, y)
