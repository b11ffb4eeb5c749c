"""A row of a table goes through a network of the reader's own, in a browser."""

import io

import numpy as np
import pytest
from browsing import NARROW, axe
from conftest import looking

from chainrule import Network, random_theta
from chainrule.datasets import load
from chainrule.datasets.scaling import Scaling
from chainrule.model_file import Model, probability, save

pytestmark = pytest.mark.page
FLATS = (
    "area,heating,kind & size\n"
    "50,gas,small\n62.5,oil,large\n71,wood,large\n48,gas,small\n90,oil,huge\n"
)


def saved(file, text, hidden):
    """Write the file of a network of random weights on a table; return the model."""
    data = load(io.BytesIO(text.encode()))
    network = Network((data.X.shape[1], hidden, 3), hidden="tanh", output="softmax")
    scaling = Scaling.fit(data.X)
    model = Model(network, random_theta(network, 1), data.encoder, scaling)
    save(file, model)
    return model


def test_a_row_is_typed_and_goes_forward_then_back(visit, tmp_path):
    file = tmp_path / "flats.safetensors"
    model = saved(file, FLATS, 4)

    def answer(row):
        X, _ = model.encoder.encode(
            {"area": np.array([row[0]]), "heating": np.array([row[1]], object)}, "row"
        )
        p = probability(model.predict(X))[0]
        return f"kind & size: {model.labels(X)[0]}, with probability {p:.4f}"

    with looking(str(file)) as (process, port, token):
        assert process.place == "step&case=open&"
        with visit((port, token), settings="step&case=open", color_scheme="dark") as page:

            def says(text):
                page.wait_for_function(
                    "text => document.querySelector('.answered')?.textContent === text", arg=text
                )

            page.expected = "400"  # of what a column cannot hold
            said = page.locator(".transport [role=status]")
            says(answer((64.3, "gas")))
            assert said.text_content() == "line 1 of 4"
            assert page.locator(".ended").is_hidden()
            page.get_by_label("area").fill("55.5")
            page.get_by_label("area").press("Enter")
            page.get_by_label("heating").select_option("wood")
            says(answer((55.5, "wood")))
            page.wait_for_selector(".unit .terms th:has-text('heating=wood')")
            page.keyboard.press("End")
            page.get_by_label("area").fill("large")
            page.get_by_label("area").press("Enter")
            page.get_by_text("column 'area' has 'large'").wait_for()
            page.get_by_label("area").fill("55.5")
            page.get_by_label("area").press("Enter")
            page.get_by_label("target kind & size").select_option("huge")
            page.wait_for_selector(".ended:visible")
            page.reload()  # the address holds the row
            says(answer((55.5, "wood")))
            assert page.get_by_label("target kind & size").input_value() == "huge"
            page.wait_for_selector(".unit .rows th:has-text('heating=wood')")
            page.set_viewport_size(NARROW)
            assert axe(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.goto(f"http://127.0.0.1:{port}/#draw")
            page.get_by_text("flats.safetensors reads no pictures").wait_for()
            assert axe(page) == []
            page.get_by_role("link", name="Step through it").click()
            says(answer((64.3, "gas")))


def test_a_column_of_hundreds_is_found_by_its_name(visit, running, tmp_path):
    rng = np.random.default_rng(0)
    names = [f"gene{n}" for n in range(1, 301)]
    lines = [",".join([*names, "kind"])]
    lines += [
        ",".join([*(f"{x:.3f}" for x in rng.normal(size=300)), "abc"[t % 3]]) for t in range(9)
    ]
    file = tmp_path / "genes.safetensors"
    saved(file, "\n".join(lines), 20)
    with looking() as (_, port, token), visit((port, token)) as page:
        page.locator(".unit .terms").wait_for()
        page.locator("#opened input").set_input_files(file)
        page.wait_for_selector(".answered:has-text('kind: ')")
        assert "case=open" in page.url
        page.get_by_label("Find a column").fill("gene29")
        page.get_by_text("11 of 300 columns").wait_for()
        assert page.locator(".row-of-table label:visible").count() == 12
        page.get_by_label("gene299").fill("2.5")
        page.get_by_label("gene299").press("Enter")
        page.wait_for_function("() => location.hash.includes('gene299')")
        assert page.get_by_label("Find a column").input_value() == "gene29"
        page.set_viewport_size(NARROW)
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
