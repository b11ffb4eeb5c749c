"""The pictures beside a training are those of the library's displays, at any of its thetas."""

import numpy as np
import pytest
from asgi import ask
from page_runs import table, trained

from chainrule import ErrorBars, forward, predict, reshape, trace
from chainrule.evaluation import Evaluation
from chainrule.plots import DecisionRegionsDisplay, PredictionDisplay
from chainrule.web.looks import cell, looks, run_unit
from chainrule.workbench.picture import decision_regions


@pytest.fixture(scope="module")
def digits():
    return trained(data="digits", hidden=[9], lam=1.0, max_iter=12)


@pytest.fixture(scope="module")
def tabled():
    return trained(file=("people.csv", table()), hidden=[4], lam=0.1, max_iter=15)


@pytest.fixture(scope="module")
def sine():
    return trained(
        data="sine", hidden=[5], activation="tanh", optimizer="lm", lam=0.01, max_iter=20
    )


@pytest.mark.parametrize("iteration", [0, 5, 12])
def test_pictures_of_units_and_a_confusion_matrix_at_any_iteration(digits, iteration):
    at, run = digits
    answer = ask(looks, at, run=run.id, iteration=iteration)
    theta, held_out = run.theta(iteration), run.prepared.held_out
    Theta = reshape(run.network, theta)[0]
    np.testing.assert_array_equal(answer["units"], Theta[:, 1:].reshape(9, 8, 8).astype(np.float32))
    h = predict(run.network, theta, held_out.X)
    evaluation = Evaluation(h, held_out.Y, held_out.classes)
    np.testing.assert_array_equal(answer["confusion"], evaluation.confusion)
    assert answer["score"] == f"{100 * evaluation.accuracy:.1f} % right"
    assert (answer["examples"], answer["rows"]) == ("held out", len(held_out))
    assert answer["classes"] == [str(k) for k in range(10)]


def test_a_cell_opens_its_pictures_the_surest_first(digits):
    at, run = digits
    held_out = run.prepared.held_out
    h = predict(run.network, run.theta(3), held_out.X)
    counts = ask(looks, at, run=run.id, iteration=3)["confusion"]
    wrong = [(t, g) for t, g in np.argwhere(counts) if t != g]
    for truth, given in [*wrong[:5], (7, 7)]:
        answer = ask(cell, at, run=run.id, iteration=3, truth=int(truth), given=int(given))
        assert answer["in_all"] == counts[truth, given]
        rows = answer["rows"]
        assert (held_out.Y[rows] == truth).all()
        assert (h[rows].argmax(axis=1) == given).all()
        np.testing.assert_array_equal(answer["sure"], h[rows, given])
        assert (np.diff(answer["sure"]) <= 0).all()
        np.testing.assert_array_equal(
            answer["pictures"], np.rint(255 * held_out.X[rows]).reshape(-1, 8, 8)
        )


def test_the_columns_of_a_table_have_names_weights_and_shares(tabled):
    at, run = tabled
    answer = ask(looks, at, run=run.id, iteration=15)
    Theta = reshape(run.network, run.theta(15))[0]
    names = list(run.prepared.training.feature_names)
    order = [names.index(name) for name in answer["inputs"]]
    np.testing.assert_array_equal(answer["Theta"], Theta[:, [0, *(i + 1 for i in order)]].T)
    sizes = np.abs(Theta[:, 1:]).sum(axis=0)
    np.testing.assert_allclose(answer["shares"], (sizes / sizes.sum())[order])
    assert (np.diff(answer["shares"]) <= 0).all()
    assert "units" not in answer
    counts = answer["confusion"]
    truth, given = np.argwhere(counts)[0]
    rows = ask(cell, at, run=run.id, iteration=15, truth=int(truth), given=int(given))
    assert rows["inputs"] == names
    np.testing.assert_array_equal(rows["X"], run.prepared.held_out.X[rows["rows"]])


def test_with_many_classes_the_commonest_confusions_are_listed():
    rng = np.random.default_rng(1)
    y = np.arange(400) % 20
    lines = [
        f"{v:.3f},{w:.3f},c{k:02}" for k, v, w in zip(y, *rng.normal(0, 1, (2, 400)), strict=True)
    ]
    at, run = trained(
        file=("many.csv", "\n".join(["a,b,kind", *lines]).encode()), hidden=[3], lam=1.0, max_iter=3
    )
    answer = ask(looks, at, run=run.id, iteration=3)
    assert "confusion" not in answer
    truth, given, n = answer["confused"].T
    assert (truth != given).all()
    assert (np.diff(n) <= 0).all()
    assert n.min() > 0


def test_two_inputs_give_the_regions_of_the_display_in_the_tables_units():
    at, run = trained(data="spiral", hidden=[6], activation="tanh", lam=0.01, max_iter=8)
    answer = ask(looks, at, run=run.id, iteration=8)
    prepared = run.prepared
    X, Y = prepared.trained_on
    display = DecisionRegionsDisplay.from_theta(run.network, run.theta(8), X, Y)
    np.testing.assert_array_equal(answer["regions"], display.answers)
    np.testing.assert_array_equal(answer["X"], prepared.training.X)
    np.testing.assert_array_equal(answer["codes"], Y)
    left, right, bottom, top = answer["extent"]
    assert left < prepared.training.X[:, 0].min() < prepared.training.X[:, 0].max() < right
    assert bottom < prepared.training.X[:, 1].min() < prepared.training.X[:, 1].max() < top


def test_regions_tell_300_classes_apart(monkeypatch):
    def of_300(*given):
        display = decision_regions(*given)
        display.answers = display.answers + 299
        return display

    at, run = trained(data="spiral", hidden=[2], lam=0.01, max_iter=1)
    before = ask(looks, at, run=run.id, iteration=1)["regions"].astype(int)
    monkeypatch.setattr("chainrule.web.looks.decision_regions", of_300)
    regions = ask(looks, at, run=run.id, iteration=1)["regions"]
    np.testing.assert_array_equal(regions, before + 299)


def test_one_input_gives_the_curve_with_the_error_bars_of_the_library(sine):
    at, run = sine
    answer = ask(looks, at, run=run.id, iteration=20)
    X, Y = run.prepared.trained_on
    theta = run.theta(20)
    bars = ErrorBars.at(run.network, theta, X, Y, 0.01)
    display = PredictionDisplay.from_theta(run.network, theta, X, Y, bars)
    scale = run.prepared.target_scaling
    np.testing.assert_allclose(answer["curve_h"], scale.undo(display.h), rtol=1e-12)
    np.testing.assert_allclose(answer["spread"], 1.645 * display.std * scale.scale, rtol=1e-12)
    np.testing.assert_allclose(answer["band"], 1.645 * display.band * scale.scale, rtol=1e-12)
    assert answer["no_bars"] == ""
    np.testing.assert_array_equal(answer["Y"], run.prepared.training.Y)
    np.testing.assert_array_equal(answer["true"], run.prepared.held_out.Y)
    assert answer["score"].startswith("RMSE ")


def test_without_error_bars_it_is_said_why():
    few = b"x,y\n" + b"".join(b"%d,%d.5\n" % (x, x * x) for x in range(5))
    fit = {"hidden": [3], "activation": "tanh", "lam": 0.0, "max_iter": 2, "test_size": 0}
    for optimizer, why in (("lbfgs", "optimizer"), ("lm", "take a smaller network")):
        at, run = trained(file=("few.csv", few), optimizer=optimizer, **fit)
        answer = ask(looks, at, run=run.id, iteration=2)
        assert why in answer["no_bars"]
        assert "band" not in answer
        assert answer["examples"] == "trained on"


@pytest.mark.parametrize(("l", "j"), [(2, 1), (2, 9), (3, 10)])
def test_a_unit_is_explained_with_the_theta_on_show_and_taught_by_the_rows_own_class(digits, l, j):
    at, run = digits
    answer = ask(run_unit, at, run=run.id, iteration=4, l=l, j=j, row=11)
    x, y = run.prepared.held_out.X[11], int(run.prepared.held_out.Y[11])
    shown = trace(run.network, run.theta(4), x, np.eye(10)[y])
    np.testing.assert_array_equal(
        answer["weights"], reshape(run.network, run.theta(4))[l - 2][j - 1]
    )
    assert answer["z"] == pytest.approx(shown.z[l - 2][j - 1], abs=1e-12)
    assert answer["delta"] == pytest.approx(shown.delta[l - 2][j - 1], rel=1e-9, abs=1e-15)
    assert answer["y"] == y
    np.testing.assert_array_equal(answer["picture"], np.rint(255 * x).reshape(8, 8))
    a, _ = forward(run.network, run.theta(4), run.prepared.held_out.X)
    most = np.argsort(-a[l - 1][:, j - 1])[:12]
    np.testing.assert_array_equal(answer["most"], most)
    assert answer["most_pictures"].shape == (12, 8, 8)
    other = ask(run_unit, at, run=run.id, iteration=4, l=l, j=j, row=11, y=9 if y != 9 else 0)
    assert other["delta"] != answer["delta"]


def test_a_unit_that_nothing_switches_on_has_no_examples():
    dead = {"activation": "relu", "optimizer": "sgd", "learning_rate": 10.0, "lam": 0.0}
    at, run = trained(data="digits", hidden=[4], max_iter=3, **dead)
    theta = run.theta(1).copy()
    reshape(run.network, theta)[0][0] = -1.0
    run.thetas[1] = theta
    answer = ask(run_unit, at, run=run.id, iteration=1, l=2, j=1, row=0)
    assert answer["most"].size == 0
    assert answer["most_pictures"].shape == (0, 8, 8)


def test_a_unit_of_a_fit_of_numbers_is_taught_by_the_rows_own_number(sine):
    at, run = sine
    answer = ask(run_unit, at, run=run.id, iteration=20, l=3, j=1, row=2)
    X, Y = run.prepared.test
    shown = trace(run.network, run.theta(20), X[2], Y[2])
    assert answer["delta"] == pytest.approx(shown.delta[1][0], rel=1e-9)
    assert "y" not in answer


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        (looks, {"iteration": 13}),
        (looks, {"iteration": -1}),
        (looks, {"run": 99}),
        (cell, {"truth": 10, "given": 0}),
        (cell, {"truth": 0}),
        (run_unit, {"l": 2, "j": 10, "row": 0}),
        (run_unit, {"l": 2, "j": 1, "row": 10**6}),
        (run_unit, {"l": 2, "j": 1, "row": 0, "y": 10}),
    ],
)
def test_what_is_not_there_is_refused_in_a_line(digits, function, wrong):
    at, run = digits
    with pytest.raises(ValueError, match=r"must be|is not there"):
        ask(function, at, **{"run": run.id, "iteration": 2} | wrong)
