"""Classes, several labels, several columns of classes."""

import numpy as np
import pytest
from irises import LABELS, X, iris
from scipy.sparse import csc_array, csr_matrix, lil_matrix
from sklearn.base import clone

from chainrule import MLPClassifier

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_k_logistic_units_are_the_notes_network():
    net = MLPClassifier(6, output="sigmoid", solver="lbfgs", random_state=0).fit(X, iris)
    assert net.out_activation_ == "logistic"
    assert net.network_.output == "sigmoid"
    np.testing.assert_allclose(net.predict_proba(X).sum(axis=1), 1)
    assert net.score(X, iris) > 0.95


def test_several_columns_of_classes():
    y = np.c_[iris, (X[:, 0] > 5.8).astype(int) + 5]
    net = MLPClassifier(20, solver="lbfgs", alpha=0.01, random_state=0, max_iter=500).fit(X, y)
    assert [list(classes) for classes in net.classes_] == [[0, 1, 2], [5, 6]]
    p = net.predict_proba(X)
    assert [p_j.shape for p_j in p] == [(150, 3), (150, 2)]
    for p_j in p:
        np.testing.assert_allclose(p_j.sum(axis=1), 1)
    assert (net.predict(X) == y).mean() > 0.95


def test_partial_fit_of_several_columns_of_classes():
    y = np.c_[iris, (X[:, 0] > 5.8).astype(int) + 5]
    net = MLPClassifier(20, learning_rate_init=0.02, random_state=0)
    net.partial_fit(X[:50], y[:50], classes=[[2, 0, 1], [5, 6]])  # 50 rows of one species
    for _ in range(60):
        net.partial_fit(X, y, classes=[[0, 1, 2], [5, 6]])
    assert [list(classes) for classes in net.classes_] == [[0, 1, 2], [5, 6]]
    assert (net.predict(X) == y).mean() > 0.9
    for other in ([[0, 1, 2], [5, 7]], [[0, 1, 2]]):
        with pytest.raises(ValueError, match="not the same as on the last call"):
            net.partial_fit(X, y, classes=other)
    with pytest.raises(ValueError, match=r"unknown categories .*9.* in column 1"):
        net.partial_fit(X, np.where(y == 6, 9, y))


def test_the_input_gradient_of_each_of_two_classes():
    y = np.where(iris == 0, "no", "yes")
    net = MLPClassifier(5, activation="tanh", solver="lbfgs", random_state=0).fit(X, y)
    second = net.input_gradient(X, 1)
    e = 1e-6 * np.eye(4)

    def z(X):
        p = net.predict_proba(X)
        return np.log(p[:, 1] / p[:, 0])

    numerical = np.column_stack([(z(X + e_j) - z(X - e_j)) / 2e-6 for e_j in e])
    np.testing.assert_allclose(second, numerical, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(net.input_gradient(X, 0), -second)
    each = np.where(net.predict(X) == "yes", 1, -1)[:, None] * second
    np.testing.assert_array_equal(net.input_gradient(X), each)
    with pytest.raises(ValueError, match="0 or 1, the place of a class, got 2"):
        net.input_gradient(X, 2)


@pytest.mark.parametrize("first", ["fit", "partial_fit", "warm fit"])
@pytest.mark.parametrize("y", [X[:, 0], X[:, :2]])
def test_numbers_are_no_classes_and_the_error_names_the_regressor_in_one_line(first, y):
    net = MLPClassifier(3, max_iter=2, warm_start=True)
    if first != "fit":
        net.fit(X, iris)
    says = "^Unknown label type: y holds numbers with a fraction.*MLPRegressor predicts numbers$"
    with pytest.raises(ValueError, match=says):
        (net.partial_fit if first == "partial_fit" else net.fit)(X, y)


BIG = 2**53  # from here on float64 cannot tell neighbours apart


@pytest.mark.parametrize(
    "form", [np.asarray, list, lambda y: pytest.importorskip("pandas").Series(y, dtype="Int64")]
)
@pytest.mark.parametrize("several", [False, True])
def test_labels_stay_apart_to_the_last_digit(form, several, tmp_path):
    y = np.array([BIG, BIG + 1, BIG + 2])[iris]
    net = MLPClassifier(8, solver="lbfgs", alpha=0.01, random_state=0, max_iter=300)
    if several:
        if form is not np.asarray:
            pytest.skip("several columns are an array")
        y = np.c_[y, y + 5]
    net.fit(X, y if several else form(y))
    net.save(tmp_path / "net.safetensors")
    for one in (net, MLPClassifier.load(tmp_path / "net.safetensors")):
        assert (np.asarray(one.predict(X)) == y).mean() > 0.95
    if not several:
        assert list(net.classes_) == [BIG, BIG + 1, BIG + 2]
        assert net.score(X, form(y)) > 0.95
        assert net.score(X, form(y + 3)) == 0  # all wrong, by one to three


@pytest.mark.parametrize("average", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_k_logistic_units_have_probabilities_however_far_from_the_data(average, dtype):
    net = MLPClassifier(
        6, output="sigmoid", solver="lbfgs", random_state=0, n_restarts=2, average=average
    )
    net.fit(X.astype(dtype), iris)
    directions = np.random.default_rng(0).normal(size=(200, 4))
    far = np.vstack([10.0**power * directions for power in range(1, 25, 4)]).astype(dtype)
    if not average:
        assert (net._hypothesis(far).sum(axis=1) == 0).any()  # all three say no
    p = net.predict_proba(far)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(net.predict(far), p.argmax(axis=1))
    near = net._hypothesis(X.astype(dtype))
    np.testing.assert_array_equal(
        net.predict_proba(X.astype(dtype)), near / near.sum(axis=1, keepdims=True)
    )
    assert not np.isnan(net.predict_log_proba(far)).any()


def test_of_logistic_units_that_all_say_no_the_least_decided_one_wins():
    net = MLPClassifier((), output="sigmoid", max_iter=1, random_state=0).fit(X, iris)
    net.coefs_, net.intercepts_ = [np.zeros((4, 3))], [np.array([-801.0, -800.0, -802.0])]
    assert net._hypothesis(X[:1]).sum() == 0
    e = np.exp([-1.0, 0.0, -2.0])
    np.testing.assert_allclose(net.predict_proba(X[:1])[0], e / e.sum())
    assert net.predict(X[:1])[0] == 1


@pytest.mark.parametrize("make", [csr_matrix, csc_array, lil_matrix])
@pytest.mark.parametrize("how", [{}, {"early_stopping": True}, {"class_weight": "balanced"}])
def test_sparse_indicators_of_several_labels_are_the_dense_ones(make, how):
    y = LABELS["several labels"]
    net = MLPClassifier(5, max_iter=4, random_state=0, **how)
    dense = clone(net).fit(X, y)
    sparse = clone(net).fit(X, make(y))
    np.testing.assert_array_equal(sparse.theta_, dense.theta_)
    np.testing.assert_array_equal(sparse.predict(X).toarray(), dense.predict(X))
    assert sparse.score(X, make(y)) == dense.score(X, y)
    sparse.fit(X, make(y), sample_weight=np.arange(150), X_val=X, y_val=make(y))
    first = clone(net).set_params(early_stopping=False, class_weight=None)
    first.partial_fit(X, make(y), classes=range(5)).partial_fit(X, make(y))
    assert first.predict(X).shape == (150, 5)


@pytest.mark.parametrize("shares", [(130, 12, 8), (100, 30, 10, 10), (60, 89, 1)])
def test_the_validation_rows_have_each_class_as_often_as_all_rows(shares):
    y = np.repeat(np.arange(len(shares)), shares)
    seen = []

    def scoring(net, X, y):
        seen.append(np.bincount(y, minlength=len(shares)))
        return net.score(X, y)

    net = MLPClassifier(
        5, max_iter=1, early_stopping=True, scoring=scoring, random_state=0, validation_fraction=0.2
    )
    net.fit(X, y)
    assert (np.abs(seen[0] - 0.2 * np.array(shares)) <= 1).all()
    net.set_params(scoring="neg_log_loss")
    if min(shares) > 1:
        assert np.isfinite(net.fit(X, y).best_validation_score_)


def test_where_a_validation_set_cannot_have_every_class_it_has_some():
    y = np.arange(30) % 15
    net = MLPClassifier(5, max_iter=1, early_stopping=True, random_state=0).fit(X[:30], y)
    assert len(net.validation_scores_) == 1


TRUTH = np.c_[X[:, 0] > 5.8, X[:, 2] > 3, X[:, 3] > 1.5].astype(float)
HOLES = np.where(np.random.default_rng(1).random(TRUTH.shape) < 0.3, np.nan, TRUTH)
HOLES[:2] = np.nan  # of two rows nothing is known


@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm"])
def test_labels_that_nobody_knows_count_nothing(solver):
    how = {
        "hidden_layer_sizes": 6, "solver": solver, "max_iter": 200, "random_state": 0,
        "learning_rate_init": 0.02, "activation": "tanh",
    }  # fmt: skip
    net = MLPClassifier(**how).fit(X, HOLES)
    seen = MLPClassifier(**how).fit(X[2:], HOLES[2:])
    np.testing.assert_allclose(net.predict_proba(X), seen.predict_proba(X), atol=1e-5)
    assert (net.predict(X) == TRUTH).mean() > 0.9
    right = ((net.predict(X) == HOLES) | np.isnan(HOLES)).all(axis=1)
    known = ~np.isnan(HOLES).all(axis=1)
    assert net.score(X, HOLES) == pytest.approx(right[known].mean())
    assert net.score(X, TRUTH) > 0.8


def test_unknown_labels_go_with_early_stopping_and_partial_fit_and_not_with_single_classes():
    how = {"hidden_layer_sizes": 6, "max_iter": 4, "random_state": 0}
    early = MLPClassifier(early_stopping=True, **how).fit(X, HOLES)
    assert np.isfinite(early.best_validation_score_)
    own = MLPClassifier(**how).fit(X, TRUTH, X_val=X, y_val=HOLES)
    assert np.isfinite(own.validation_loss_curve_).all()
    own.partial_fit(X, HOLES)
    with pytest.raises(ValueError, match="y has NaN: labels may be unknown where several"):
        MLPClassifier(**how).fit(X, np.c_[iris, np.where(iris == 2, np.nan, iris)])
    with pytest.raises(ValueError, match=r"y has NaN.*without class_weight"):
        MLPClassifier(class_weight="balanced", **how).fit(X, HOLES)
    with pytest.raises(ValueError, match="Input y contains NaN"):
        MLPClassifier(**how).fit(X, HOLES[:, 0])


def test_weights_of_labels_say_which_matters():
    how = {"hidden_layer_sizes": 1, "solver": "lbfgs", "random_state": 0, "activation": "tanh"}
    Z = (X - X.mean(axis=0)) / X.std(axis=0)
    y = (Z[:, :2] > 0).astype(int)  # one hidden unit can tell one of them

    def right(weights):
        return (MLPClassifier(output_weights=weights, **how).fit(Z, y).predict(Z) == y).mean(axis=0)

    first, second = right([1.0, 0.01]), right([0.01, 1.0])
    assert first[0] > second[0] + 0.1
    assert second[1] > first[1] + 0.1
    with pytest.raises(ValueError, match="output_weights is for several labels at once"):
        MLPClassifier(output_weights=[1, 2, 3]).fit(X, iris)


@pytest.mark.parametrize("output", ["softmax", "sigmoid"])
@pytest.mark.parametrize(
    ("first", "then"),
    [("ac", "abc"), ("ab", "abc"), ("bc", "abcd"), ("abc", "abcde"), ("bd", "abcd"), ("b", "ab"),
     ("a", "ab"), ("b", "abc")],
)  # fmt: skip
def test_a_later_partial_fit_may_name_more_classes(output, first, then):
    rng = np.random.default_rng(0)
    centres = {label: 4 * rng.normal(size=5) for label in "abcde"}

    def rows(labels):
        y = np.array(list(labels))[rng.integers(0, len(labels), 200)]
        return np.array([centres[label] for label in y]) + rng.normal(size=(200, 5)), y

    net = MLPClassifier((8, 6), output=output, random_state=0, learning_rate_init=0.02)
    X1, y1 = rows(first)
    for _ in range(30):
        net.partial_fit(X1, y1, classes=list(first))
    before = net.predict_proba(X1)
    X2, y2 = rows(then)
    net._learn_more_classes(X2, np.array(list(then)))
    assert list(net.classes_) == list(then)
    after = net.predict_proba(X1)
    np.testing.assert_allclose(after.sum(axis=1), 1)
    places = np.searchsorted(list(then), list(first))
    if len(first) > 1 and output == "softmax":  # the old classes to each other as before
        some = after[:, places]
        np.testing.assert_allclose(some / some.sum(axis=1, keepdims=True), before, atol=1e-6)
    assert (after[:, places].argmax(axis=1) == before.argmax(axis=1)).all()
    for _ in range(60):
        net.partial_fit(X2, y2, classes=list(then))
    assert net.score(X2, y2) > 0.95
    assert (1 if len(then) == 2 else len(then)) == net.network_.K
    assert net.fit(X1, y1).classes_.tolist() == list(first)


def test_more_classes_go_with_a_mean_of_networks_early_stopping_and_files(tmp_path):
    how = {"hidden_layer_sizes": 6, "random_state": 0, "learning_rate_init": 0.02}
    net = MLPClassifier(n_restarts=3, average=True, max_iter=20, **how)
    two = iris < 2
    net.fit(X[two], iris[two])
    before = net.predict(X[two])
    net._learn_more_classes(X, np.arange(3))
    assert (net.predict(X[two])[net.predict(X[two]) < 2] == before[net.predict(X[two]) < 2]).all()
    for _ in range(60):
        net.partial_fit(X, iris, classes=[0, 1, 2])
    assert net.score(X, iris) > 0.9
    early = MLPClassifier(early_stopping=True, **how)
    early.partial_fit(X[two], iris[two], classes=[0, 1], X_val=X[two], y_val=iris[two])
    early.partial_fit(X, iris, classes=[0, 1, 2], X_val=X, y_val=iris)
    assert len(early.validation_scores_) == 2
    early.save(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(
        MLPClassifier.load(tmp_path / "net.safetensors").predict(X), early.predict(X)
    )


def test_classes_that_leave_some_out_or_come_unannounced_are_refused_and_change_nothing():
    net = MLPClassifier(4, random_state=0).partial_fit(X, iris, classes=[0, 1, 2])
    theta = net.theta_.copy()
    for classes in ([0, 1], [0, 1, 3], [5]):
        with pytest.raises(ValueError, match="is not the same as on the last call to partial_fit"):
            net.partial_fit(X, iris, classes=classes)
    with pytest.raises(ValueError, match=r"partial_fit\(classes=\) may name more"):
        net.partial_fit(X, iris + 1)
    with pytest.raises(ValueError, match="features"):
        net.partial_fit(X[:, :2], iris, classes=[0, 1, 2, 3])
    assert net.classes_.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(net.theta_, theta)
