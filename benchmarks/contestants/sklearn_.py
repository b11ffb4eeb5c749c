"""scikit-learn's MLPClassifier: `fit`, `partial_fit` and `predict_proba`.

K sigmoid outputs are its multilabel case, one-hot rows as Y; there its alpha is the notes' lambda.
"""

import warnings

import numpy as np
from benchmarks.contestants import ACCURACY, MAX_EPOCHS
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

ACTIVATION = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
warnings.simplefilter("ignore", ConvergenceWarning)  # the iterations are limited on purpose


def targets(task, Y):
    if task.case.output == "softmax" or Y.shape[1] == 1:
        return Y.argmax(axis=1) if Y.shape[1] > 1 else Y.ravel().astype(np.int64)
    return Y.astype(np.int64)


def estimator(task, **options):
    """Return an estimator that has seen every class, so that it takes the weights it is given."""
    options = {"alpha": 0.0, "shuffle": False, "learning_rate_init": 0.001, **options}
    model = MLPClassifier(
        task.case.layers[1:-1],
        activation=ACTIVATION[task.case.hidden],
        max_iter=1,
        warm_start=True,
        **options,
    )
    K = task.case.layers[-1]
    few = np.arange(max(K, 2))
    Y = few if task.case.output == "softmax" or K == 1 else np.eye(K, dtype=np.int64)
    return model.fit(np.zeros((len(few), task.case.layers[0]), task.case.dtype), Y)


def begin(model, task, theta=None):
    layers = task.layers(theta)
    model.coefs_ = [W for W, _ in layers]
    model.intercepts_ = [b for _, b in layers]


def unroll(model, task):
    return task.unroll(list(zip(model.coefs_, model.intercepts_, strict=True)))


def lbfgs(task):
    model = estimator(task, solver="lbfgs", alpha=1.0).set_params(max_iter=50)
    X, Y = task.X, targets(task, task.Y)

    def run():
        begin(model, task)
        model.fit(X, Y)
        return unroll(model, task)

    return run


def epoch(task):
    model = estimator(task, solver="adam", batch_size=min(task.case.batch_size, 2))
    model.set_params(batch_size=task.case.batch_size)
    X, Y = task.X_in_order, targets(task, task.Y_in_order)

    def run():
        begin(model, task)
        model.fit(X, Y)
        return unroll(model, task)

    return run


def predict(task):
    model, X = estimator(task, batch_size=2), task.X
    begin(model, task)
    return lambda: model.predict_proba(X)


def accuracy(task, batch_size, learning_rate):
    X, Y = task.X, targets(task, task.Y)
    X_test, codes_test = task.X_test, task.codes_test

    def run(seed):
        model = estimator(task, batch_size=2, learning_rate_init=learning_rate)
        model.set_params(batch_size=batch_size, shuffle=True, random_state=seed)
        begin(model, task, task.start(seed))
        del model._optimizer  # it belongs to the weights before
        for _ in range(MAX_EPOCHS):
            model.partial_fit(X, Y)
            if (model.predict(X_test) == codes_test).mean() >= ACCURACY:
                break
        return unroll(model, task)

    return run
