"""What fitted estimators do alike: copies, hidden layers, inputs that are refused."""

import copy
import pickle

import numpy as np
import pytest
from irises import FRAMES, NAMES, X, iris
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_copies_predict_the_same_and_stand_alone(copied):
    net = MLPClassifier(5, max_iter=3, random_state=0).fit(X, iris)
    other = copied(net)
    np.testing.assert_array_equal(other.predict_proba(X), net.predict_proba(X))
    before = net.predict_proba(X)
    other.partial_fit(X, iris)
    np.testing.assert_array_equal(net.predict_proba(X), before)
    assert not hasattr(clone(net), "coefs_")
    with pytest.raises(NotFittedError):
        clone(net).predict(X)


@pytest.mark.parametrize("kind", FRAMES)
def test_set_output_names_the_hidden_units(kind):
    library = pytest.importorskip(kind)
    frame = FRAMES[kind](library, X)
    columns = ColumnTransformer(
        [("petals", StandardScaler(), NAMES[2:])], remainder="passthrough",
        verbose_feature_names_out=False,
    )  # fmt: skip
    net = MLPClassifier((5, 3), transform_layer=2, max_iter=3, random_state=0)
    piped = make_pipeline(columns, net).set_output(transform=kind).fit(frame, iris)
    assert list(net.feature_names_in_) == [*NAMES[2:], *NAMES[:2]]  # the steps see frames, too
    hidden = piped.transform(frame)
    assert isinstance(hidden, library.DataFrame)
    assert list(hidden.columns) == [f"mlpclassifier{j}" for j in range(5)]
    assert hidden.shape == (150, 5)


@pytest.mark.parametrize("sizes", ["6,4", " 6, 4 ", "(6, 4)", "6 4", "[6,4]"])
def test_hidden_layers_may_be_text_which_any_search_can_set(sizes):
    how = {"max_iter": 3, "random_state": 0}
    text, pair = (MLPClassifier(given, **how).fit(X, iris) for given in (sizes, (6, 4)))
    np.testing.assert_array_equal(text.theta_, pair.theta_)
    assert MLPClassifier("", **how).fit(X, iris).n_layers_ == 2


@pytest.mark.parametrize("sizes", [2.5, (5, 2.5), (5.0,), "5,2.5", "5,-2", "many", True, "5;2"])
def test_sizes_that_are_no_whole_numbers_are_refused(sizes):
    with pytest.raises(ValueError, match="hidden_layer_sizes"):
        MLPClassifier(sizes).fit(X, iris)


@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("use", ["score", "predict", "transform", "input_gradient"])
def test_what_is_not_fitted_says_so(Estimator, use):
    y = [iris] if use == "score" else []
    with pytest.raises(NotFittedError):
        getattr(Estimator(), use)(X, *y)


@pytest.mark.parametrize("form", [np.asarray, csr_array])
def test_a_float32_network_names_what_is_beyond_its_range(form):
    wide = X.copy()
    wide[7, 2] = 1e39
    how = {"hidden_layer_sizes": 3, "dtype": np.float32, "max_iter": 2}
    says = r"X has 1e\+39, and float32 ends at 3\.4e\+38: scale it, or compute with dtype=float64"
    with pytest.raises(ValueError, match=says):
        MLPClassifier(**how).fit(form(wide), iris)
    net = MLPClassifier(**how).fit(X, iris)
    for use in (net.predict, net.transform):
        with pytest.raises(ValueError, match=says):
            use(form(wide))
    with pytest.raises(ValueError, match="y has 1e"):
        MLPRegressor(**how).fit(X, wide[:, 2])
    assert np.isfinite(MLPClassifier(3, max_iter=2).fit(X, iris).predict_proba(wide)).all()


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
@pytest.mark.parametrize("Estimator", [MLPClassifier, MLPRegressor])
@pytest.mark.parametrize("call", ["input_gradient", "transform", "predict", "score"])
def test_a_copy_may_be_asked_anything_first(copied, Estimator, call):
    net = Estimator(hidden_layer_sizes=5, max_iter=3, random_state=0).fit(X, iris)
    rows = (X, iris) if call == "score" else (X,)
    np.testing.assert_array_equal(getattr(copied(net), call)(*rows), getattr(net, call)(*rows))


def test_the_input_gradient_of_a_mean_of_networks_is_the_mean_of_theirs():
    how = {"hidden_layer_sizes": 4, "activation": "tanh", "solver": "lbfgs", "max_iter": 20}
    net = MLPRegressor(n_restarts=3, average=True, random_state=0, **how).fit(X, X[:, 0] ** 2)
    e = 1e-5 * np.eye(4)
    numerical = np.column_stack([(net.predict(X + e_j) - net.predict(X - e_j)) / 2e-5 for e_j in e])
    np.testing.assert_allclose(net.input_gradient(X), numerical, atol=1e-7)
    net = MLPClassifier(n_restarts=3, average=True, random_state=0, **how).fit(X, iris)
    each = []
    for theta in (net.theta_, *(other.theta for other in net._committee)):
        one = MLPClassifier(theta=theta, random_state=0, **how | {"max_iter": 1}).fit(X, iris)
        one._hold(one.network_, theta)
        each.append(one.input_gradient(X, 1))
    np.testing.assert_allclose(net.input_gradient(X, 1), np.mean(each, axis=0))


def test_looking_for_what_is_not_finite_wakes_no_blas(monkeypatch):
    def refuse(*_):
        raise AssertionError("BLAS has threads of its own")

    net = MLPClassifier(3, max_iter=2, threads=1).fit(X, iris)
    for name in ("vdot", "dot", "inner"):
        monkeypatch.setattr(np, name, refuse)
    assert net.predict(X).shape == (150,)
    for bad in ([np.inf, 0.0], [np.nan, 0.0], [1e308, np.inf]):
        rows = X[:2].copy()
        rows[0, :2] = bad
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            net.predict(rows)
    rows[0, :2] = 1e308, 1e308  # whose sum is not finite
    assert net.predict(rows).shape == (2,)
