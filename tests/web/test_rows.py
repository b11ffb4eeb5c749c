"""A row of a table, typed column by column, is answered as `chainrule predict` answers it."""

import io
import json

import numpy as np
import pytest
from asgi import ask, desk
from typer.testing import CliRunner

from chainrule import model_file, random_theta, reshape, trace
from chainrule.commands.app import app
from chainrule.datasets import load
from chainrule.datasets.scaling import Scaling
from chainrule.notes.network import Network
from chainrule.web import drawing, stepping, ways
from chainrule.web.desk import Desk, Opened

FLATS = (
    "area,heating,built,garden,rent\n"
    "50,gas,03.02.1999,yes,510\n"
    "62.5,oil,17.05.2003,no,640\n"
    "71,wood,21.11.1987,no,610\n"
    "48,gas,09.08.2010,yes,580\n"
    "90,oil,30.12.1975,yes,905\n"
)
WINES = "a b,c;d,kind\n1.5,3,red\n2,4,white\n0.5,9,rosé\n1,1,red\n"
COINS = "size,fair\n1,0\n2,1\n3,1\n4,0\n"


def model(text, output, layers=(4,), **how):
    """Return a network of random weights on a table, standardised as `train` does it."""
    data = load(io.BytesIO(text.encode()), **how)
    K = 1 if output != "softmax" else len(data.classes)
    network = Network((data.X.shape[1], *layers, K), hidden="tanh", output=output)
    scaled = data.classes is None
    return model_file.Model(
        network,
        random_theta(network, 3),
        data.encoder,
        Scaling.fit(data.X),
        Scaling.fit(np.reshape(data.Y, (-1, 1))) if scaled else None,
    )


MODELS = {
    "numbers": (model(FLATS, "identity"), {"area": "55.5", "heating": "wood", "rent": "700"}),
    "classes": (model(WINES, "softmax"), {"a b": "1.25", "kind": "rosé"}),
    "two": (model(COINS, "sigmoid", layers=()), {"size": "2.5", "fair": "1"}),
}


def table_desk(name):
    at = Desk(Opened(desk().opened.model, "shipped digits"))
    place = at.lay(MODELS[name][0], "own.safetensors")
    assert place == "step&case=open"
    return at


def step(at, cells, name="step", **asked):
    return ask(getattr(stepping, name), at, cells=cells, lam=0.0, alpha=0.1, t=1, **asked)


@pytest.mark.parametrize("name", MODELS)
def test_a_row_is_answered_as_predict_answers_it(name, tmp_path):
    own, cells = MODELS[name]
    file, table = tmp_path / "own.safetensors", tmp_path / "row.csv"
    model_file.save(file, own)
    at = table_desk(name)
    asked = ask(stepping.step_cases, at)["cases"]["open"]["columns"]
    inputs = [each for each in asked if not each.get("target")]
    assert [each["name"] for each in inputs] == [each.name for each in own.encoder.columns]
    row = {each["name"]: cells.get(each["name"], each["start"]) for each in inputs}
    table.write_text(
        "\n".join(",".join(f'"{cell}"' for cell in line) for line in (row, row.values()))
    )
    done = CliRunner().invoke(app, ["predict", str(file), str(table), "--json"])
    predicted = json.loads(done.stdout)
    plain = CliRunner().invoke(app, ["predict", str(file), str(table)]).stdout.splitlines()[1]
    for given in (cells, {each: cells[each] for each in cells if each in row}):
        answer = step(at, given)
        L = own.network.L
        if own.classes is None:
            assert answer["h"].tolist() == predicted["h"][0]
        else:
            assert answer["label"] == str(predicted["predictions"][0])
            assert plain == f"{answer['label']},{answer['probability']:.4f}"
            np.testing.assert_allclose(answer[f"a{L}"], predicted["h"][0], rtol=1e-12)


@pytest.mark.parametrize("name", MODELS)
def test_a_target_brings_delta_and_D_and_without_one_there_is_the_way_forward(name):
    own, cells = MODELS[name]
    at = table_desk(name)
    [target] = own.encoder.targets
    without = {each: text for each, text in cells.items() if each != target}
    shown, forward = step(at, cells), step(at, without)
    L = own.network.L
    assert {"y", f"delta{L}", "D", "J"} <= set(shown)
    assert not {"y", "costs", f"delta{L}", "D", "J"} & set(forward)
    for l in range(1, L + 1):
        np.testing.assert_array_equal(forward[f"a{l}"], shown[f"a{l}"])
    y = shown["y"]
    if own.classes is None:
        assert own.target_scaling.undo(y[None])[0] == pytest.approx([float(cells[target])])
    else:
        code = [str(label) for label in own.classes].index(cells[target])
        assert y.tolist() == (
            [code] if own.network.K == 1 else np.eye(own.network.K)[code].tolist()
        )
    expected = trace(own.network, own.theta, shown["a1"], y)
    for Theta, D in zip(reshape(own.network, shown["D"]), expected.D, strict=True):
        np.testing.assert_array_equal(Theta, D)
    unit = step(at, cells, "step_unit", l=2, j=1)
    assert unit["names"] == list(own.encoder.feature_names)
    np.testing.assert_array_equal(unit["Delta"], expected.Delta[0][0])
    unit = step(at, without, "step_unit", l=2, j=1)
    assert unit["adds"].sum() == pytest.approx(unit["z"])
    assert set(unit["equations"]) == {"z", "a"}
    assert not {"delta", "Delta", "D"} & set(unit)


def test_a_row_starts_in_the_middle_and_a_date_is_written_as_in_training():
    at = table_desk("numbers")
    case = ask(stepping.step_cases, at)["cases"]["open"]
    columns = {each["name"]: each for each in case["columns"]}
    days = ["1999-02-03", "2003-05-17", "1987-11-21", "2010-08-09", "1975-12-30"]
    middle = np.mean([np.datetime64(day).astype(int) for day in days])
    built = np.datetime64(round(middle), "D").item().strftime("%d.%m.%Y")
    assert {name: each["start"] for name, each in columns.items()} == {
        "area": "64.3",
        "heating": "gas",
        "built": built,
        "garden": columns["garden"]["categories"][0],
        "rent": "",
    }
    assert columns["heating"]["categories"] == ["gas", "oil", "wood"]
    assert step(at, {"built": "01.01.2000"})["a1"].shape == (
        MODELS["numbers"][0].network.layers[0],
    )


def test_numbers_with_decimal_commas_start_so_and_large_ones_without_an_exponent():
    text = "size;price;y\n0,5;250000,5;1,5\n1,25;310000;2,5\n3;190000;2\n"
    own = model(text, "identity", kind="numbers")
    at = desk()
    at.lay(own, "own.safetensors")
    case = ask(stepping.step_cases, at)["cases"]["open"]
    assert [each["start"] for each in case["columns"]] == ["1,583", "250000", ""]
    at1 = own.scaling.undo(step(at, {"size": "0,5"})["a1"][None])
    np.testing.assert_allclose(at1, [[0.5, 250000]])


def test_times_start_as_times():
    text = "at,y\n10:30,1\n11:00,2.5\n23:15,2.7\n00:15,3\n"
    at = desk()
    at.lay(model(text, "identity", kind="numbers"), "own.safetensors")
    case = ask(stepping.step_cases, at)["cases"]["open"]
    assert case["columns"][0]["start"] == "11:15"
    assert step(at, {})["a1"].tolist() == [0]


def test_an_answer_after_steps_of_descent_is_that_of_the_new_weights():
    own, cells = MODELS["classes"]
    at = table_desk("classes")
    before, after = step(at, cells), step(at, cells, descents=20)
    assert after["probability"] != before["probability"]
    assert after["probability"] == pytest.approx(after[f"a{own.network.L}"].max())


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"area": "large"}, "column 'area' has 'large'"),
        ({"area": ""}, "column 'area' has 1 missing value"),
        ({"rent": "much"}, "'rent'"),
        ({"area": 3}, "cells must be the text"),
        ([], "cells must be the text"),
    ],
)
def test_what_a_column_cannot_hold_is_told(cells, message):
    with pytest.raises(ValueError, match=message):
        step(table_desk("numbers"), cells)


def test_a_network_of_a_table_reads_no_pictures_and_says_so():
    at = table_desk("classes")
    told = ask(drawing.network, at)
    assert told["image"] is None
    assert told["classes"] == [str(label) for label in at.opened.model.classes]
    assert "digit" not in ask(stepping.step_cases, at)["cases"]
    picture = np.zeros((64, 64), np.uint8)
    with pytest.raises(ValueError, match="reads no pictures of digits"):
        ask(drawing.ink, at, ink=picture)
    with pytest.raises(ValueError, match="reads no pictures"):
        ask(stepping.step, at, digit=7, y=1, lam=0.0, alpha=0.1, t=1)
    copied = ask(ways.copied, at)
    assert copied["command"] == "chainrule predict own.safetensors table.csv"
    compile(copied["python"], "copied", "exec")
