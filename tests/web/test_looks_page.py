"""The pictures beside a training, and the ways out, in a browser."""

import json
import re

import numpy as np
import pytest
from browsing import NARROW, axe
from conftest import looking
from page_runs import table

from chainrule import model_file
from chainrule.evaluation import Evaluation
from chainrule.workbench.pipeline import run
from chainrule.workbench.request import Request

pytestmark = pytest.mark.page
ENDED = ".stopped strong"
DIGITS = "train&data=digits&hidden=9&lam=1&max_iter=20"


class Quiet:
    step = note = iteration = lambda *said, **more: None


def scored(page, text):
    page.wait_for_function(
        "t => document.querySelector('.looks .confusion')?.closest('.card').innerText.includes(t)",
        arg=text,
    )


def downloaded(page, name):
    """Take the file that an item of the menu offers."""
    page.get_by_role("button", name="Copy as").click()
    with page.expect_download() as found:
        page.get_by_role("button", name=name).click()
    return found.value


def sound(page):
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_units_and_confusions_follow_the_slider_and_open_what_they_count(visit):
    outcome = run(Request("digits", hidden=(9,), lam=1.0, max_iter=20), Quiet())
    evaluation = outcome.evaluations["held out"]
    with visit(settings=DIGITS) as page:
        page.wait_for_selector(ENDED)
        scored(page, f"Held out: {100 * evaluation.accuracy:.1f} % right")
        assert page.locator(".looks .tiles button").count() == 9
        truth, given = np.argwhere(evaluation.confusion * (1 - np.eye(10)))[0]
        n = evaluation.confusion[truth, given]
        rows = f"{n} {'row' if n == 1 else 'rows'} of {truth}, answered {given}"
        page.get_by_role("button", name=rows).click()
        page.wait_for_selector(f"text={truth} taken for {given}: {n}")
        assert page.locator(".found .tiles button").count() == n
        page.locator(".found .tiles button").first.click()
        page.wait_for_selector("text=Unit 1 of layer 2")
        page.wait_for_selector("text=What switches it on most")
        row = int(page.get_by_label("held-out row").input_value())
        mistaken = (evaluation.truth == truth) & (evaluation.answer == given)
        assert mistaken[row - 1]
        assert page.get_by_label("What would it learn, if this were").input_value() == str(truth)
        assert page.locator(".looks .unit .tiles button").count() == 12
        sound(page)
        sum_before = page.locator(".looks .terms .sum td").inner_text()
        page.get_by_label("iteration", exact=True).fill("2")
        page.wait_for_function(
            "before => document.querySelector('.looks .terms .sum td').innerText !== before",
            arg=sum_before,
        )
        model = outcome.model
        early = run(Request("digits", hidden=(9,), lam=1.0, max_iter=2), Quiet()).model
        h = early.predict(outcome.held_out.X)
        early_score = Evaluation(h, outcome.held_out.Y, model.classes).accuracy
        scored(page, f"{100 * early_score:.1f} % right")
        page.get_by_label("Layer").select_option("3")
        page.wait_for_selector("text=Output “0”, layer 3")
        page.keyboard.press("Escape")
        assert page.locator(".looks .unit .terms").count() == 0


def test_fits_are_drawn_whole_and_told_in_words(visit):
    with visit(settings="train&data=spiral&hidden=6&activation=tanh&lam=0.01&max_iter=8") as page:
        page.wait_for_selector(ENDED)
        regions = page.get_by_role("img", name=re.compile("^A map of the answers .*0 on [0-9]+ %"))
        regions.wait_for()
        assert regions.locator(".mark").count() == 240
        assert page.locator(".looks caption", has_text="The answer at places of the map").count()
        origin = page.url.split("#")[0]
        page.goto(f"{origin}#train&data=sine&hidden=5&activation=tanh&optimizer=br&max_iter=30")
        page.wait_for_selector(".looks .band")
        assert page.locator(".looks caption", has_text="The curve at eleven places").count()
        sound(page)
        page.set_viewport_size(NARROW)
        sound(page)
        page.goto(f"{origin}#train&data=bend&hidden=5&optimizer=lbfgs&lam=0.1&max_iter=5")
        page.wait_for_selector("text=No error bars: they come from")


def test_a_tables_columns_are_weighed_and_its_run_is_taken_along(visit, tmp_path, browser):
    (tmp_path / "people.csv").write_bytes(table())
    options = {"permissions": ["clipboard-read", "clipboard-write"], "accept_downloads": True}
    with visit(settings="train&data=moons&max_iter=5", **options) as page:
        page.wait_for_selector(ENDED)
        page.locator(".train input[type=file]").set_input_files(tmp_path / "people.csv")
        page.wait_for_selector("text=column 'town'")
        page.get_by_label("hidden", exact=True).fill("4")
        page.get_by_label("lam", exact=True).fill("0.5")
        page.get_by_role("button", name="Train", exact=True).click()
        page.wait_for_selector("text=people.csv, 3-4-1")
        page.wait_for_selector(".strips >> text=height")
        shares = page.locator(".strips tbody td:last-child").all_inner_texts()
        assert sum(float(share.split()[0]) for share in shares if share) == pytest.approx(
            100, abs=2
        )
        page.get_by_role("button", name="Explain a unit").click()
        page.wait_for_selector(".terms.named")
        page.locator(".count").first.click()
        page.wait_for_selector(".found tbody tr")
        page.wait_for_selector(ENDED)
        sound(page)

        page.get_by_role("button", name="Copy as").click()
        sound(page)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")  # a command
        page.wait_for_selector("dialog[open] >> text=Copied.")
        command = page.evaluate("navigator.clipboard.readText()")
        assert command == (
            "chainrule train people.csv --hidden 4 --activation sigmoid --lam 0.5 "
            "--optimizer lbfgs --max-iter 100"
        )
        assert "Type it where people.csv is" in page.locator("dialog[open]").inner_text()
        sound(page)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Copy as").click()
        page.get_by_role("button", name="Octave, for J and D").click()
        with page.expect_download() as matrices:
            page.get_by_role("button", name="Download people-run.mat").click()
        assert matrices.value.suggested_filename == "people-run.mat"
        page.keyboard.press("Escape")
        model = downloaded(page, "the network")
        assert model.suggested_filename == "people.safetensors"
        assert model_file.load(model.path()).network.layers == (3, 4, 1)
        record = tmp_path / "people-run.json"
        downloaded(page, "the run").save_as(record)
        page.get_by_role("button", name="Copy as").click()
        page.get_by_role("button", name="A link").click()
        assert "token" not in page.locator("dialog[open] pre").inner_text()
    J = json.loads(record.read_text())["result"]["J"]
    with looking(str(record)) as (process, port, token):
        assert process.place.startswith("train&hidden=4&activation=sigmoid&lam=0.5")
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}/#{process.place}token={token}")
        page.wait_for_selector(ENDED)
        page.wait_for_selector(f"dd:text-is('{J:.4g}')")
        page.close()


def test_in_front_of_a_drawing_the_menu_has_the_network(visit):
    with visit(accept_downloads=True) as page:
        page.wait_for_selector(".terms")
        found = downloaded(page, "the network")
        assert found.suggested_filename == "shipped-digits.safetensors"
        page.get_by_role("button", name="Copy as").click()
        page.get_by_role("button", name="Python").click()
        page.wait_for_selector("dialog[open] pre:has-text('read_digits')")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Copy as").click()
        page.keyboard.press("Escape")
        assert page.locator(".menu").is_hidden()
