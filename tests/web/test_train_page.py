"""The Train view in a browser: trained, looked back at, paused, compared, fed with a table."""

import re

import pytest
from browsing import NARROW, axe

from chainrule.workbench.pipeline import run
from chainrule.workbench.request import Request

pytestmark = pytest.mark.page
ENDED = ".stopped strong"
TABLE = "width,colour,price\n" + "".join(
    f"{i % 11},{'red' if i % 2 else 'blue'},{3 * (i % 11) + i % 2}\n" for i in range(60)
)


class Quiet:
    step = note = iteration = lambda *said, **more: None


def shown(page, name):
    """Return a number at the iteration that is looked at."""
    return page.locator(f".numbers div:has(dt:text-is('{name}')) dd").inner_text()


def where(page):
    """Return the iteration that is looked at, and the last one."""
    return [int(n) for n in re.findall(r"\d+", page.locator(".slide output").inner_text())[:2]]


def until(page, text):
    page.wait_for_function("t => document.querySelector('.train')?.innerText.includes(t)", arg=text)


def test_digits_are_trained_and_every_theta_can_be_gone_back_to(visit):
    history = run(Request("digits", hidden=(25,), lam=1.0), Quiet()).result.history
    with visit(settings="train") as page:
        page.wait_for_selector(ENDED)
        assert page.locator(".steps .done").count() == 6
        assert where(page) == [100, 100]
        assert float(shown(page, "J")) == pytest.approx(history.J[100], rel=1e-3)
        page.get_by_label("iteration", exact=True).fill("17")
        until(page, "17 of 100")
        assert float(shown(page, "J")) == pytest.approx(history.J[17], rel=1e-3)
        page.keyboard.press("ArrowLeft")
        until(page, "16 of 100")
        assert "iteration=16" in page.url
        page.get_by_role("button", name="+100").click()
        until(page, "200 of 200")
        page.reload()
        page.wait_for_selector(ENDED)
        until(page, "200 of 200")  # it is there again


def test_a_training_pauses_goes_on_and_is_there_in_a_second_tab(visit, running):
    settings = "train&data=digits&hidden=200,100&optimizer=adam&max_iter=1000000&lam=1"
    with visit(settings=settings) as page:
        until(page, "training …")
        page.wait_for_function("() => document.querySelector('.slide output')?.innerText > '1'")
        page.locator("h1").click()
        page.keyboard.press("Space")
        until(page, "paused")
        at = where(page)[1]
        page.keyboard.press(".")
        until(page, f"{at + 1} of {at + 1}")
        other = page.context.new_page()
        other.goto(f"{page.url}&token={running[1]}")
        until(other, f"{at + 1} of {at + 1}")
        page.close()
        other.get_by_role("button", name="Resume").click()
        other.wait_for_function("n => document.querySelector('.slide input').max > n", arg=at + 1)
        other.get_by_role("button", name="Stop").click()
        until(other, "asked to stop")


def test_optimizers_are_compared_from_one_start(visit):
    with visit(settings="train&data=moons") as page:
        page.wait_for_selector(ENDED)
        page.get_by_text("Compare optimizers").click()
        page.get_by_role("button", name="Compare", exact=True).click()
        assert page.locator(".chart").evaluate("e => e.getBoundingClientRect().top") < 200
        assert page.locator(".train details [role=status]").text_content()
        page.wait_for_function(
            "() => 4 === [...document.querySelectorAll('.legend')]"
            ".filter((e) => / after /.test(e.innerText)).length"
        )
        page.wait_for_selector(ENDED)
        firsts = set()
        for name in ("lbfgs", "cg", "gd", "adam"):
            page.get_by_role("radio", name=name).check()
            page.get_by_label("iteration", exact=True).fill("0")
            page.wait_for_function(
                "() => document.querySelector('.slide output').textContent.startsWith('0 of ')"
            )
            firsts.add(shown(page, "J"))
        assert len(firsts) == 1
        page.get_by_label("x axis").select_option("seconds")
        page.wait_for_selector(".chart[aria-label^='lbfgs from'][aria-label*=' over seconds']")
        assert "optimizers=lbfgs,cg,gd,adam" in page.url


DROP = """([name, text]) => {
    const given = new DataTransfer();
    given.items.add(new File([text], name));
    document.querySelector(".train").dispatchEvent(
        new DragEvent("drop", { dataTransfer: given, bubbles: true, cancelable: true }));
}"""


def test_a_dropped_table_is_told_trained_on_and_mended(visit):
    with visit(settings="train&data=moons") as page:
        page.wait_for_selector(ENDED)
        page.evaluate(DROP, ["homes.csv", TABLE])
        until(page, "column 'colour': blue is 0, red is 1")
        assert page.get_by_label("missing").is_hidden()  # behind "How its columns are read"
        in_sight = "e => e.getBoundingClientRect().bottom <= innerHeight"
        assert page.get_by_role("button", name="Train", exact=True).evaluate(in_sight)
        page.get_by_role("button", name="Train", exact=True).click()
        until(page, "homes.csv, 2-25-1, lbfgs")
        until(page, "a linear model R2")
        page.wait_for_selector(ENDED)
        page.get_by_text("What was told").click()
        until(page, "cross-validation in 3 folds")
        numbered = "id,x,y\n" + "".join(f"{i},{i * i % 7},{i % 2}\n" for i in range(30))
        page.evaluate(DROP, ["t.csv", numbered])
        until(page, "column 'id' numbers the rows")
        page.get_by_role("button", name="drop = id").click()
        until(page, "30 examples, 1 input, 2 classes")


def test_a_file_that_cannot_be_read_leaves_the_data_and_the_settings_as_they_were(visit):
    with visit(settings="train&data=moons&hidden=3&max_iter=5") as page:
        page.expected = "400"
        page.wait_for_selector(ENDED)
        data = page.get_by_label("data", exact=True)
        for name, text in [("a.csv", ""), ("b.csv", "%PDF-1.7\n\x00\x01")]:
            page.evaluate(DROP, [name, text])
            told = f"document.getElementById('trouble').textContent.includes({name!r})"
            page.wait_for_function(f"() => {told}")
            assert data.input_value() == "moons", name
            assert data.locator("option[value=table]").count() == 0
            assert page.get_by_label("hidden", exact=True).input_value() == "3"
            until(page, "300 examples, 2 inputs, 2 classes")
        page.evaluate(DROP, ["homes.csv", TABLE])
        until(page, "column 'colour': blue is 0, red is 1")
        page.evaluate(DROP, ["a.csv", ""])
        page.wait_for_function("() => !document.getElementById('trouble').hidden")
        assert data.locator("option:checked").text_content() == "homes.csv"


def test_a_lost_connection_is_told_and_comes_back(visit):
    with visit(settings="train&data=moons") as page:
        page.wait_for_selector(ENDED)
        page.expected = "ERR_FAILED"
        lost = []

        def lose_once(route):
            if lost:
                route.continue_()
            else:
                lost.append(route.abort())

        page.route("**/api/events", lose_once)
        page.reload()
        page.wait_for_function("() => !document.getElementById('trouble').hidden")
        page.wait_for_function("() => document.getElementById('trouble').hidden")
        page.wait_for_function("() => document.querySelector('.slide input').max === '100'")


def test_all_that_opens_is_for_everyone_at_320_pixels(visit):
    with visit(settings="train&data=sine&optimizer=adam", viewport=NARROW) as page:
        page.wait_for_selector(ENDED)
        page.evaluate("document.querySelectorAll('.train details').forEach((e) => (e.open = true))")
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_a_divergence_and_a_start_of_zeros_are_told_in_words(visit):
    with visit(settings="train&data=moons") as page:
        page.wait_for_selector(ENDED)
        page.get_by_label("see it").select_option("diverges")
        until(page, "Diverged: J rose from")
        until(page, "Try: a smaller learning rate.")
        until(page, "leaps over the valley")
        page.get_by_label("see it").select_option("zero start")
        until(page, "all nodes will update to the same value")
        until(page, "theta of zeros")
