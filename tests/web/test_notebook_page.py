"""The views of a notebook in a browser: a bare page with a model that asks a real widget."""

import base64
import queue

import numpy as np
import pytest
from browsing import NARROW, PATIENCE, WIDE, axe

from chainrule import Network, check_gradient, cost_and_gradient, random_theta, trace

notebook = pytest.importorskip(
    "chainrule.notebook",
    reason="no anywidget here: pip install 'chainrule[notebook]'",
    exc_type=ImportError,
)
pytestmark = pytest.mark.page
ADDRESS = "http://notebook.invalid/"
PAGE = """<!doctype html><html lang="en"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width"><title>cells</title>
<style>body { font: 20px serif; background: #fff } button, h1 { color: rgb(1, 2, 3) }
main > button { background: #fff }</style>
<main><h1>A notebook</h1><div id="cell"></div><button>Run</button></main></html>"""
SHOW = """async ([esm, traits]) => {
    const heard = new Set(), bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    window.model = {
        get: (name) => traits[name], set: (name, value) => (traits[name] = value),
        save_changes() {},
        on: (name, f) => heard.add(f), off: (name, f) => heard.delete(f), waiting: heard,
        async send(content, _, buffers = []) {
            const text = buffers.map((b) => String.fromCharCode(...new Uint8Array(b))).map(btoa);
            for (const [sent, frames] of await kernel(content, text))
                for (const f of heard)
                    f(sent, frames.map((frame) => new DataView(bytes(frame).buffer)));
        },
    };
    const address = URL.createObjectURL(new Blob([esm], { type: "text/javascript" }));
    const { default: widget } = await import(address);
    window.ended = await widget.render({ model, el: document.getElementById("cell") });
}"""


@pytest.fixture
def cell(browser):
    """Return a function that shows a view in a page as a notebook would."""
    contexts, wrong = [], []

    def shown(view, viewport=WIDE, **options):
        sent = queue.Queue()
        view.send = lambda content, buffers=(): sent.put((content, buffers))

        def kernel(content, texts):
            view._handle_custom_msg(content, [memoryview(base64.b64decode(t)) for t in texts])
            answers = []
            while "name" in content and (not answers or answers[-1][1]):
                told, frames = sent.get(timeout=60)
                answers.append([told, [base64.b64encode(frame).decode() for frame in frames]])
            return answers

        context = browser.new_context(viewport=viewport, reduced_motion="reduce", **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        context.route("**/*", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if said.type != "log" else None)
        page.expose_function("kernel", kernel)
        page.goto(ADDRESS)
        traits = {"view": view.view, "settings": view.settings, "style": view.style}
        page.evaluate(SHOW, [view._esm, traits])
        return page

    yield shown
    for context in contexts:
        context.close()
    assert wrong == []


def traced():
    network = Network((2, 3, 1), hidden="tanh")
    return notebook.step(trace(network, random_theta(network, 3), [0.5, -1], 1, 0.25))


def reported(factor):
    network = Network((2, 3, 1), hidden="tanh")
    X, y = np.random.default_rng(0).normal(size=(5, 2)), np.arange(5) % 2

    def cost(theta):
        J, D = cost_and_gradient(network, theta, X, y)
        return J, D * factor

    return notebook.check(check_gradient(cost, random_theta(network, 3), network=network))


def test_a_trace_is_walked_through_and_nothing_else_hears_or_changes(cell):
    view = traced()
    page = cell(view, {"width": 1000, "height": 900})
    page.wait_for_selector(".unit .terms")
    first = page.locator("td[data-k='0'] input").first
    assert float(first.input_value()) == pytest.approx(float(view.settings["theta"].split(",")[0]))
    where = page.get_by_role("status").first
    assert where.text_content().startswith("line 1 of")
    page.get_by_role("button", name="next").click()
    page.wait_for_function("model.get('settings').line === '1'")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("model.get('settings').line === '2'")
    page.get_by_role("button", name="Run").focus()
    page.keyboard.press("ArrowRight")
    first.fill("0.5")
    first.press("Tab")
    page.wait_for_function("model.get('settings').theta.startsWith('0.5,')")
    assert page.evaluate("model.get('settings').line") == "2"
    styles = """() => ["h1", "main > button"].map((name) => {
        const style = getComputedStyle(document.querySelector(name));
        return [style.color, style.fontFamily, style.minHeight];
    })"""
    assert page.evaluate(styles)[0][:2] == ["rgb(1, 2, 3)", "serif"]
    assert page.evaluate(styles)[1][2] != "44px"
    own = page.get_by_role("button", name="One step")
    assert own.evaluate("e => getComputedStyle(e).color") != "rgb(1, 2, 3)"
    head, row = (
        page.locator(f"table.examples {part}").bounding_box() for part in ("thead", "tbody")
    )
    assert head["x"] == row["x"]
    assert head["width"] == row["width"]
    assert axe(page) == []
    page.evaluate("ended()")
    page.wait_for_function("model.waiting.size === 0")


def test_a_report_says_what_is_wrong_and_the_games_follow_as_streams(cell):
    page = cell(reported(2), NARROW, color_scheme="dark")
    page.wait_for_selector(".failed")
    assert page.locator(".checking .mark").count() >= 13
    assert page.locator(".path").count() == 0
    assert axe(page) == []
    page.get_by_role("button", name="Right program").click()
    page.wait_for_selector(".passed")
    page.wait_for_function(
        "document.querySelector('#cell > div').shadowRoot.querySelector('.errors .line')"
        "?.points.length === 23"
    )
    assert page.evaluate("document.documentElement.scrollWidth") == NARROW["width"]
    page.get_by_role("button", name="your gradient").click()
    page.wait_for_selector(".failed")
    assert page.locator(".program li").count() == 0
    page.evaluate("ended()")
    page.wait_for_function("model.waiting.size === 0")
