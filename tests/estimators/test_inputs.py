"""Which X and y are let in, and by which place those that are not are named."""

import numpy as np
import pytest
import scipy.sparse
from irises import FRAMES, NAMES, X, iris
from sklearn.base import clone

from chainrule import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_on_the_quick_way_too(bad):
    net = MLPClassifier(5, max_iter=3).fit(X, iris)
    row = X[:1].copy()
    row[0, 2] = bad
    for call in (net.predict, net.predict_proba, net.transform):
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            call(row)
    large = np.full((1, 4), 1e200)  # whose square is not finite
    assert np.isfinite(net.predict_proba(large)).all()


def test_bad_data_is_named():
    net = MLPClassifier(5, max_iter=3)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        net.fit(X, iris[:10])
    with pytest.raises(ValueError, match="must contain at least one non-zero number"):
        net.fit(X, iris, sample_weight=np.zeros(150))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        net.fit(X, iris, sample_weight=-np.ones(150))
    with pytest.raises(ValueError, match="y_val has the class 9"):
        net.fit(X, iris, X_val=X[:1], y_val=[9])
    with pytest.raises(ValueError, match="loss='poisson' needs y >= 0, got -1"):
        MLPRegressor(loss="poisson").fit(X, -np.ones(150))
    with pytest.raises(ValueError, match="with other layers"):
        net.fit(X, iris).set_params(hidden_layer_sizes=7, warm_start=True).fit(X, iris)


@pytest.mark.parametrize("kind", FRAMES)
def test_data_frames_keep_their_names_and_refuse_nan_by_them(kind):
    library = pytest.importorskip(kind)
    frame = FRAMES[kind](library, X)
    net = MLPClassifier(5, max_iter=3, random_state=0).fit(frame, iris)
    assert list(net.feature_names_in_) == NAMES
    plain = clone(net).fit(X, iris)
    np.testing.assert_array_equal(net.predict_proba(frame), plain.predict_proba(X))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        net.predict(X)
    with pytest.raises(ValueError, match="feature names"):
        net.predict(frame[NAMES[::-1]])
    holes = X.copy()
    holes[[7, 9], 2] = np.nan
    holes[8, 3] = np.inf
    frame = FRAMES[kind](library, holes)
    where = "features 'petal length', 'petal width' in 3 rows, the first is row 7; leave those"
    for call in (lambda: net.predict(frame), lambda: clone(net).fit(frame, iris),
                 lambda: net.fit(FRAMES[kind](library, X), iris, X_val=frame, y_val=iris),
                 lambda: MLPRegressor().fit(frame, X[:, 0])):  # fmt: skip
        with pytest.raises(ValueError, match=where):
            call()


def test_a_sparse_nan_is_refused_by_its_place():
    holes = scipy.sparse.csr_array(X)
    holes[3, 1] = np.nan
    with pytest.raises(ValueError, match="NaN: feature 1 in 1 row, that is row 3"):
        MLPClassifier().fit(holes, iris)
