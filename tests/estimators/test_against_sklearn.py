"""A thousand random configurations: our networks are scikit-learn's."""

import numpy as np
import pytest
import sklearn.neural_network as reference
from scipy.sparse import csr_array

import chainrule

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # of convergence, and clipped batches

KINDS = {  # how y comes from z, of shape (m, 3)
    "two classes": lambda z, rng: (z[:, 0] > 0).astype(int),
    "three classes": lambda z, rng: z.argmax(axis=1),
    "words": lambda z, rng: np.array(["ape", "bee", "cat", "dog"])[
        (z[:, 0] > 0).astype(int) + 2 * (z[:, 1] > 0)
    ],
    "several labels": lambda z, rng: (z > 0).astype(int),
    "one number": lambda z, rng: z[:, 0] + 0.1 * rng.normal(size=len(z)),
    "three numbers": lambda z, rng: z + 0.1 * rng.normal(size=z.shape),
    "counts": lambda z, rng: rng.poisson(np.exp(np.clip(z[:, 0], -2, 2))),
}
CLASSES = ("two classes", "three classes", "words", "several labels")


def drawn(seed):
    """Return the name of an estimator, its parameters, how it is fitted, X, y and weights."""
    rng = np.random.default_rng(seed)

    def one_of(*values):
        return values[rng.integers(len(values))]

    kind = one_of(*KINDS)
    m, n = int(rng.integers(30, 160)), int(rng.integers(1, 9))
    X = rng.normal(size=(m, n))
    y = KINDS[kind](np.tanh(X @ rng.normal(size=(n, 3))) + 0.3 * rng.normal(size=(m, 3)), rng)
    solver = one_of("adam", "sgd")
    p = {
        "hidden_layer_sizes": tuple(int(s) for s in rng.integers(1, 12, rng.integers(0, 4))),
        "activation": one_of("identity", "logistic", "tanh", "relu"),
        "solver": solver,
        "alpha": one_of(0.0, 1e-4, 0.01, 1.0),
        "batch_size": one_of("auto", 1 + int(rng.integers(m)), 16, 32),
        "learning_rate_init": one_of(0.001, 0.01, 0.03),
        "max_iter": int(rng.integers(1, 13)),
        "shuffle": one_of(True, True, False),
        "random_state": int(rng.integers(1000)),
        "tol": one_of(1e-4, 1e-2, 1.0),
        "n_iter_no_change": int(rng.integers(1, 11)),
    }
    if solver == "sgd":
        p |= {
            "learning_rate": one_of("constant", "invscaling", "adaptive"),
            "power_t": one_of(0.5, 0.1),
            "momentum": one_of(0.0, 0.5, 0.9),
            "nesterovs_momentum": one_of(True, False),
        }
    else:
        p |= {
            "beta_1": one_of(0.9, 0.5),
            "beta_2": one_of(0.999, 0.9),
            "epsilon": one_of(1e-8, 1e-4),
        }
    if kind == "counts":
        p["loss"] = "poisson"
    how = one_of("fit", "fit", "fit twice", "partial_fit")
    # Ours keeps the shares of three and more classes in the validation rows, scikit-learn does not
    if how != "partial_fit" and kind not in ("three classes", "words"):
        p |= {"early_stopping": one_of(True, False), "validation_fraction": one_of(0.1, 0.3)}
    weights = one_of(None, None, rng.uniform(0.2, 3, m))
    name = "MLPClassifier" if kind in CLASSES else "MLPRegressor"
    return name, p, how, one_of(np.asarray, np.asarray, csr_array)(X), y, weights


def fitted(package, seed):
    name, p, how, X, y, weights = drawn(seed)
    net = getattr(package, name)(**p)
    if how == "partial_fit":
        known = {"classes": np.unique(y)} if name == "MLPClassifier" and y.ndim == 1 else {}
        known = {"classes": np.arange(3)} if name == "MLPClassifier" and y.ndim == 2 else known
        for first in (0, len(y) // 3, 0):
            part = slice(first, first + 2 * len(y) // 3)
            w = None if weights is None else weights[part]
            net.partial_fit(X[part], y[part], w, **(known if first == 0 else {}))
            known = {}
        return net, X
    net.fit(X, y, weights)
    if how == "fit twice":
        net.set_params(max_iter=p["max_iter"] + 2).fit(X, y, weights)
    return net, X


def same_network(seed):
    """Assert that both libraries come to the same network."""
    (ours, X), (theirs, _) = fitted(chainrule, seed), fitted(reference, seed)
    said = f"seed {seed}: {drawn(seed)[:3]}"
    for mine, other in zip(
        ours.coefs_ + ours.intercepts_, theirs.coefs_ + theirs.intercepts_, strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-7, atol=1e-7, err_msg=said)
    assert (ours.n_iter_, ours.t_) == (theirs.n_iter_, theirs.t_), said
    if ours.validation_scores_ is not None:
        np.testing.assert_allclose(
            ours.validation_scores_, theirs.validation_scores_, atol=1e-6, err_msg=said
        )
    if hasattr(ours, "classes_"):
        np.testing.assert_allclose(
            ours.predict_proba(X), theirs.predict_proba(X), atol=1e-6, err_msg=said
        )
    else:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6, atol=1e-6,
                                   err_msg=said)  # fmt: skip


def test_twenty_random_configurations_give_scikit_learns_networks():
    for seed in range(20):
        same_network(seed)


@pytest.mark.slow
def test_a_thousand_random_configurations_give_scikit_learns_networks():
    for seed in range(1000):
        same_network(seed)
