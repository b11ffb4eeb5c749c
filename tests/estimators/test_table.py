"""Committees on tables as they come: any library's, with every mess that people have."""

import dataclasses
import datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import GroupKFold, TimeSeriesSplit, cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import TableClassifier, TableRegressor, model_file
from chainrule.estimators.table import even_folds
from chainrule.model_file import ModelFileError

QUICK = {"cv": 3, "max_iter": 20, "hidden": 4}


def people(m=150):
    """Return customers as somebody has them, and which of them left."""
    rng = np.random.default_rng(0)
    age = rng.integers(18, 90, m).astype(float)
    income = rng.lognormal(10, 2, m) * 1e3
    kind = rng.choice(
        ["gold", "silver", "lead", "rare1", "rare2"], m, p=[0.4, 0.3, 0.28, 0.01, 0.01]
    )
    left = (age > 50) ^ (kind == "gold")
    age[rng.random(m) < 0.1] = np.nan
    frame = pd.DataFrame(
        {
            "age": age,
            "income": income,
            "kind": pd.Categorical(kind),
            "member": rng.random(m) < 0.5,
            "since": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 900, m), unit="D"),
            "children": pd.array(rng.integers(0, 4, m), dtype="Int64"),
            "note": [f"text {k}" for k in range(m)],
            "constant": 7,
            "age again": age,
            "empty": np.nan,
        }
    )
    frame.loc[::7, "children"] = pd.NA
    return frame, np.where(left, "left", "stayed")


@pytest.fixture(scope="module")
def fitted():
    X, y = people()
    return TableClassifier(**QUICK).fit(X, y)


@parametrize_with_checks([TableClassifier(max_iter=15), TableRegressor(max_iter=15)])
def test_estimator_checks(estimator, check):
    check(estimator)


def test_a_table_with_every_mess_is_learnt(fitted):
    X, y = people()
    assert fitted.score(X, y) > 0.8
    assert fitted.left_out_ == {
        "constant": "has one value",
        "age again": "is the same as 'age'",
        "empty": "has no value",
        "note": "has another text in each row",
    }
    assert fitted.notes_[0] == ("3 columns of numbers, in up to 12 pieces: age, income, children")
    assert "since" in fitted.notes_[2]


def test_all_libraries_have_the_same_bits(fitted):
    X, y = people()
    X = X.drop(columns=["note"])
    expected = TableClassifier(**QUICK).fit(X, y).predict_proba(X)
    plain = {
        name: [None if pd.isna(v) else v for v in X[name].astype(object)] for name in X.columns
    }
    plain["since"] = [v.to_pydatetime() for v in X["since"]]
    frame = pl.DataFrame(plain)
    for table in (frame, frame.lazy(), plain):
        net = TableClassifier(**QUICK).fit(table, y)
        np.testing.assert_array_equal(net.predict_proba(table), expected)


def test_tables_of_arrow(fitted):
    pa = pytest.importorskip("pyarrow")
    X, y = people()
    X = X.drop(columns=["note"])
    table = pa.Table.from_pandas(X)
    net = TableClassifier(**QUICK).fit(table, y)
    np.testing.assert_array_equal(
        net.predict_proba(table), TableClassifier(**QUICK).fit(X, y).predict_proba(X)
    )


def test_rows_to_come_may_be_new_in_everything(fitted):
    X, _ = people()
    row = X.iloc[:12].copy()
    row["kind"] = "platinum"
    row["age"], row["income"] = np.nan, 1e140
    row["member"] = None
    row["since"] = datetime.datetime(2050, 1, 1)
    p = fitted.predict_proba(row)
    assert np.isfinite(p).all()
    np.testing.assert_allclose(p.sum(axis=1), 1)
    np.testing.assert_allclose(fitted.predict_proba(row[:1]), p[:1])


def test_an_infinite_number_is_named(fitted):
    X, y = people()
    for value, told in (
        (np.inf, "has inf in data row 4: only finite numbers can be used"),
        (-1e200, r"has -1e\+200 in data row 4: only numbers up to 1e\+150 can be used"),
    ):
        X.loc[3, "income"] = value
        for wrong in (lambda: fitted.predict(X), lambda: TableClassifier(**QUICK).fit(X, y)):
            with pytest.raises(ValueError, match=f"'income' {told}"):
                wrong()


def test_a_table_that_tells_nothing_is_refused():
    with pytest.raises(ValueError, match="no column tells anything: 'a' has one value"):
        TableRegressor().fit(pd.DataFrame({"a": [1.0] * 5}), np.arange(5.0))


def test_saved_and_loaded_it_predicts_the_same(fitted, tmp_path):
    X, _ = people()
    fitted.save(tmp_path / "m.safetensors")
    again = TableClassifier.load(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert again.get_params() == fitted.get_params()
    assert (again.notes_, again.J_) == (fitted.notes_, fitted.J_)
    with pytest.raises(ModelFileError, match="not saved by TableRegressor but by TableClassifier"):
        TableRegressor.load(tmp_path / "m.safetensors")
    model = model_file.load(tmp_path / "m.safetensors")  # as the command does
    table = {c.name: X[c.name].to_numpy() for c in model.encoder.columns if c.squash}
    assert set(table) == {"age", "income", "children"}


def test_a_regressor_saved_and_loaded(tmp_path):
    X, _ = people()
    y = X["income"].rank().to_numpy()
    net = TableRegressor(**QUICK).fit(X, y)
    net.save(tmp_path / "m.safetensors")
    again = TableRegressor.load(tmp_path / "m.safetensors")
    for one, other in zip(again.predict(X, 0.8), net.predict(X, 0.8), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_same_bits_for_any_number_of_threads():
    X, y = people()
    one, three = (TableClassifier(**QUICK, threads=n).fit(X, y) for n in (1, 3))
    np.testing.assert_array_equal(one.theta_, three.theta_)


def test_numbers_are_in_their_unit_and_range():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    y = 1e6 + 1e3 * (X[:, 0] + 0.3 * rng.normal(size=300))
    net = TableRegressor(cv=4).fit(X[:200], y[:200])
    guess, low, high = net.predict(X[200:], interval=0.9)
    assert net.score(X[200:], y[200:]) > 0.8
    assert guess.min() >= y[:200].min()
    assert guess.max() <= y[:200].max()
    assert 0.8 <= np.mean((low <= y[200:]) & (y[200:] <= high)) <= 0.97
    np.testing.assert_array_equal(net.predict(X[200:]), guess)
    with pytest.raises(ValueError, match="between 0 and 1, got 90"):
        net.predict(X, interval=90)


def test_groups_and_times_are_never_parted():
    X, y = people()
    groups = np.arange(len(y)) // 10
    net = TableClassifier(**QUICK)
    net.fit(X, y, groups=groups)
    for rows, tried in net._splits(np.zeros(len(y)), groups, np.ones(len(y), bool)):
        assert not set(groups[rows]) & set(groups[tried])
    net.set_params(cv=GroupKFold(3)).fit(X, y, groups=groups)
    net.set_params(cv=TimeSeriesSplit(3)).fit(X, y)
    assert np.isnan(net.committee_.z[:30]).all()
    with pytest.raises(ValueError, match="one group only"):
        TableClassifier(**QUICK).fit(X, y, groups=np.zeros(len(y)))


def test_validation_rows_of_ones_own():
    X, y = people()
    net = TableClassifier(**QUICK).fit(X[:100], y[:100], X_val=X[100:], y_val=y[100:])
    assert np.isnan(net.committee_.z[:100]).all()
    assert np.isfinite(net.committee_.z[100:]).all()
    with pytest.raises(ValueError, match="X_val and y_val go together"):
        TableClassifier(**QUICK).fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="y_val has the class gone"):
        TableClassifier(**QUICK).fit(X, y, X_val=X[:1], y_val=["gone"])


def test_class_weights_lean_to_their_class():
    X, y = people()
    rare = TableClassifier(**QUICK, class_weight={"left": 0.05}).fit(X, y)
    plain = TableClassifier(**QUICK).fit(X, y)
    assert (rare.predict(X) == "left").sum() < (plain.predict(X) == "left").sum()


def test_scikit_learns_tools_take_it():
    X, y = people()
    assert cross_val_score(clone(TableClassifier(**QUICK)), X, y, cv=3).mean() > 0.6


def test_what_happens_is_told(capsys):
    X, y = people()
    told = []
    TableClassifier(**QUICK, verbose=True, callback=told.append).fit(X, y)
    assert capsys.readouterr().out.count("out-of-fold cost") == len(told) == 4


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_folds_have_their_share_of_every_class(parts):
    y = np.random.default_rng(0).integers(0, 3, 100)
    found = even_folds(y, parts, np.random.default_rng(1))
    for k in range(3):
        counts = np.bincount(found[y == k], minlength=parts)
        assert counts.max() - counts.min() <= 2
    assert np.ptp(np.bincount(found)) <= 1


def test_weights_of_any_size_are_relative():
    X, y = people()
    plain = TableClassifier(**QUICK).fit(X, y)
    light = TableClassifier(**QUICK).fit(X, y, np.full(len(y), 2.0**-20))
    np.testing.assert_array_equal(light.predict_proba(X), plain.predict_proba(X))
    light = TableClassifier(**QUICK).fit(X, y, np.full(len(y), 1 / len(y)))
    assert light.encoder_.feature_names == plain.encoder_.feature_names
    assert light.score(X, y) > 0.8


def test_rows_of_weight_0_are_not_there():
    X, _ = people()
    rng = np.random.default_rng(0)
    y = X["income"].rank().to_numpy() + rng.normal(size=len(X))
    w = np.ones(len(y))
    w[::5], wrong = 0, y.copy()
    wrong[::5] = 1e9
    net = TableRegressor(**QUICK).fit(X, wrong, w)
    assert net.range_[1] < 1e9
    assert net.errors_[-1] < 1e9
    assert np.isnan(net.committee_.z[::5]).all()
    folds = [(np.arange(5, 150), np.arange(5)), (np.arange(100), np.arange(100, 150))]
    w[:5] = 0
    with pytest.raises(ValueError, match="cv has a split without a row of weight above 0"):
        TableRegressor(**{**QUICK, "cv": folds}).fit(X, y, w)
    with pytest.raises(ValueError, match="n_samples=1"):
        TableRegressor(**QUICK).fit(X, y, np.arange(150) == 7)


def test_columns_of_any_type():
    rng = np.random.default_rng(0)
    m = 60
    numbers = rng.normal(size=m)
    X = pd.DataFrame(
        {
            "interval": pd.cut(numbers, 3),
            "month": pd.period_range("2020-01", periods=m, freq="M"),
            "digits": pd.Categorical(rng.integers(0, 3, m)),
            "bytes": np.array([b"a", b"b", b"c"])[rng.integers(0, 3, m)].astype(object),
            "days": np.arange(m).astype("timedelta64[D]") * 2,
            "second": np.datetime64("2020-01-01", "s") + rng.integers(0, 10**7, m),
            "mixed": [1, "one", None, 2.5] * (m // 4),
            "lists": [[1, 2]] * m,
        }
    )
    y = (numbers > 0).astype(int)
    net = TableClassifier(**QUICK).fit(X, y)
    assert net.score(X, y) > 0.7
    assert net.left_out_ == {"lists": "holds lists, no numbers or text"}
    kinds = {column.name: column for column in net.encoder_.columns}
    assert kinds["digits"].categories == ("0", "1", "2")
    assert len(kinds["interval"].categories) == 3
    assert kinds["days"].squash is not None
    assert kinds["second"].parts
    assert kinds["month"].parts


def test_cells_without_a_value_have_many_names():
    rows = np.array([[1.0, pd.NA], [None, "a"], [3.0, "b"], [float("nan"), "a"]] * 10, dtype=object)
    net = TableClassifier(**QUICK).fit(rows, np.arange(40) % 2)
    assert [column.gaps for column in net.encoder_.columns] == [True, False]


def test_arrays_and_frames_go_by_position():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = X[:, 0] - X[:, 2]
    frame = pd.DataFrame(X, columns=["c", "a", "b"])
    expected = TableRegressor(**QUICK).fit(X, y).predict(X)
    named = TableRegressor(**QUICK).fit(frame, y)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        np.testing.assert_array_equal(named.predict(X), expected)
    np.testing.assert_array_equal(named.predict(frame), expected)
    numbered = TableRegressor(**QUICK).fit(pd.DataFrame(X), y)
    np.testing.assert_array_equal(numbered.predict(X), expected)
    np.testing.assert_array_equal(numbered.predict(X.tolist()), expected)


def test_a_few_rows_of_numbers_have_the_bits_of_a_table(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.lognormal(size=(200, 5)).round(1)
    X[:, 2], X[::3, 3] = 7, np.nan
    X[:, 4] = rng.integers(0, 2, 200)
    net = TableRegressor(**QUICK).fit(X, X[:, 0] - X[:, 1])
    rows = np.vstack([X, np.full((1, 5), np.nan), np.full((1, 5), 1e140), np.full((1, 5), -1e140)])
    expected = net.predict(rows.tolist())  # through the encoder
    np.testing.assert_array_equal(net.predict(rows), expected)
    np.testing.assert_allclose([net.predict(row[None])[0] for row in rows], expected, rtol=1e-12)
    net.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(
        TableRegressor.load(tmp_path / "m.safetensors").predict(rows), expected
    )
    rows[3, 1] = np.inf
    with pytest.raises(ValueError, match="'x1' has inf in data row 4"):
        net.predict(rows)


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda net, X, y: net.fit(X, y, groups=y[:-1]), "inconsistent numbers of samples"),
        (lambda net, X, y: net.fit(X, y, X_val=X[:9], y_val=y[:8]), "inconsistent numbers"),
        (lambda net, X, y: net.fit(X, y, groups=y, X_val=X[:9], y_val=y[:9]), "leave groups"),
        (lambda net, X, y: net.set_params(cv=None).fit(X, y), "'cv' parameter"),
        (lambda net, X, y: net.set_params(cv=[]).fit(X, y), "cv has a split without"),
        (lambda net, X, y: net.fit(X["age"], y), r"Reshape your data: this has the shape \(150,\)"),
        (lambda net, X, y: net.fit({"a": [1, 2], "b": [1]}, y), "not of one length"),
        (lambda net, X, y: net.fit([[1, 2], [3]], y), "must have rows and columns"),
        (lambda net, X, y: net.fit(X, [None, *y[1:]]), "y has no class in row 0"),
        (lambda net, X, y: net.fit(X, ["left"] * 150), "one class only, 'left'"),
        (lambda net, X, y: net.fit(X.iloc[:, [0, 0]], y), "two columns have one name"),
    ],
)
def test_what_does_not_fit_is_named(fit, message):
    X, y = people()
    with pytest.raises(ValueError, match=message):
        fit(TableClassifier(**QUICK), X, y)


def test_validation_rows_have_as_many_members_as_folds():
    X, y = people()
    net = TableClassifier(cv=2, max_iter=5, hidden=3).fit(
        X[:90], y[:90], X_val=X[90:], y_val=y[90:]
    )
    kept = sum(kind.share > 0 for kind in net.committee_.kinds)
    assert net.network_.layers[1] == kept * 2 * 3


def test_numbers_that_cannot_be_squared_are_no_targets():
    X, _ = people()
    y = np.where(np.arange(150) == 3, -1e200, 1.0)
    with pytest.raises(ValueError, match=r"target 'y' has -1e\+200 in data row 4"):
        TableRegressor(**QUICK).fit(X, y)
    with pytest.raises(ValueError, match=r"between 0 and 1, got '0\.9'"):
        TableRegressor(**QUICK).fit(X, np.arange(150.0)).predict(X, interval="0.9")


def test_parameters_come_back_with_their_types(tmp_path):
    X, y = people()
    asked = {"hidden": np.int64(3), "class_weight": {"left": 2.0}, "random_state": 7}
    net = TableClassifier(**{**QUICK, **asked, "cv": GroupKFold(3)})
    net.fit(X, y, groups=np.arange(150) // 5).save(tmp_path / "m.safetensors")
    again = TableClassifier.load(tmp_path / "m.safetensors")
    assert {name: again.get_params()[name] for name in asked} == asked
    assert again.cv == 8  # splits are not in the file


@pytest.mark.parametrize(
    "change",
    [
        {"classes": ["left"]}, {"classes": 7}, {"classes": ["a", "b", "c"]},
        {"dtype": "<U1000000000"}, {"columns": ["age"]}, {"columns": 3}, {"left_out": [["a", 3]]},
        {"parameters": {"threads": "x"}}, {"parameters": {"no": 1}}, {"named": None, "columns": {}},
    ],
)  # fmt: skip
def test_altered_files_are_refused(fitted, tmp_path, change):
    fitted.save(tmp_path / "m.safetensors")
    model = model_file.load(tmp_path / "m.safetensors")
    options = {**model.provenance.options, **change}
    about = dataclasses.replace(model.provenance, options=options)
    model_file.save(tmp_path / "m.safetensors", dataclasses.replace(model, provenance=about))
    with pytest.raises(ModelFileError, match="not an estimator that can be used"):
        TableClassifier.load(tmp_path / "m.safetensors")


def test_a_file_without_scaling_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "m.safetensors")
    model = model_file.load(tmp_path / "m.safetensors")
    model_file.save(tmp_path / "m.safetensors", dataclasses.replace(model, scaling=None))
    with pytest.raises(ModelFileError, match="the inputs have no scaling"):
        TableClassifier.load(tmp_path / "m.safetensors")


def test_a_callback_that_fails_ends_it():
    X, y = people()

    def enough(kind):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TableClassifier(**QUICK, callback=enough).fit(X, y)


def test_intervals_are_wide_where_errors_are_large(tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1500, 2))
    y = X[:, 0] + np.exp(1.5 * X[:, 1]) * rng.normal(size=1500) / 4
    net = TableRegressor(cv=4, hidden=4).fit(X[:600], y[:600])
    X, y = X[600:], y[600:]
    guess, low, high = net.predict(X, interval=0.9)
    np.testing.assert_allclose(high - guess, guess - low)
    inside, noisy = (low <= y) & (y <= high), X[:, 1] > 1
    assert 0.85 < inside.mean() < 0.95
    assert (high - low)[noisy].mean() > 3 * (high - low)[~noisy].mean()
    same = np.quantile(np.abs(y - guess), 0.9)  # half of one width for all rows
    assert inside[noisy].mean() > np.mean(np.abs(y - guess)[noisy] < same) + 0.2
    net.save(tmp_path / "net.safetensors")
    again = TableRegressor.load(tmp_path / "net.safetensors").predict(X, interval=0.9)
    np.testing.assert_array_equal(again[1], low)


def test_rows_of_ones_own_give_one_width():
    X, y = np.random.default_rng(0).normal(size=(2, 90, 1))
    net = TableRegressor(**QUICK).fit(X[:60], y[:60, 0], X_val=X[60:], y_val=y[60:, 0])
    guess, low, high = net.predict(X, interval=0.8)
    np.testing.assert_allclose(high - low, (high - low)[0])
    assert ((low < guess) & (guess < high)).all()
