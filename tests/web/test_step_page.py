"""The Step view in a browser: the notes' algorithm walked through, and every number changed."""

import re

import numpy as np
import pytest
from browsing import NARROW, axe, read

from chainrule import Network, random_theta, trace
from chainrule.notes.formulas import (
    ACTIVATION_FORMULAS,
    COST_FORMULAS,
    in_letters,
    in_numbers,
)
from chainrule.web.stepping import CASES

pytestmark = pytest.mark.page
LINEAR = CASES["linear"]
NETWORK = Network((1, 4, 1), hidden="tanh", output="identity")
THETA, X, Y = (np.array(LINEAR[name], float) for name in ("theta", "X", "Y"))
LINES, LOOP, AFTER = 12, 2, 9  # of L = 3: lines, the first in the loop, the first behind it


def minus(text):
    return text.replace("−", "-")


def rounded(value, digits=4):
    """Return a number as the page shows it."""
    return float(f"{value:.{digits}g}")


def at(page, text):
    page.wait_for_function(
        "text => document.querySelector('.transport [role=status]')?.textContent === text",
        arg=text,
    )


def column(page, n):
    """Return a column of the table of the current line."""
    cells = page.locator(f".shown .values tbody td:nth-of-type({n})").all_text_contents()
    return [float(minus(cell)) for cell in cells]


def test_all_lines_of_the_notes_case_lead_to_the_digits_that_the_notes_print(visit):
    with visit(settings="step") as page:
        at(page, "line 1 of 12")
        keys = page.keyboard
        for t in (1, 2, 3):
            shown = trace(NETWORK, THETA, X[t - 1], Y[t - 1], 0.01)
            for line in range(LOOP if t > 1 else 0, AFTER):
                at(page, (f"t = {t} of 3 · " if line >= LOOP else "") + f"line {line + 1} of 12")
                match line:
                    case 3:
                        assert column(page, 2) == [rounded(a) for a in shown.a[1]]
                    case 5:
                        assert column(page, 3) == [rounded(shown.delta[1][0])]
                    case 6:
                        assert column(page, 5) == [rounded(delta) for delta in shown.delta[0]]
                keys.press("ArrowRight")
        for line in range(AFTER, LINES):
            at(page, f"line {line + 1} of 12")
            keys.press("ArrowRight")
        at(page, "line 2 of 12 · after 1 step of descent")
        keys.press("ArrowLeft")
        at(page, "line 12 of 12")
        gradient = page.locator(".unrolled td.gradient").all_text_contents()
        assert [minus(D) for D in gradient] == LINEAR["D"]
        assert page.locator(".unrolled .cost td").first.text_content() == LINEAR["J"]
        told = [minus(each) for each in page.locator(".unrolled td.same").all_text_contents()]
        assert told == [f"{digits} ✓" for digits in [LINEAR["J"], *LINEAR["D"]]]
        keys.press("Home")
        at(page, "line 1 of 12")
        keys.press("End")
        at(page, "line 12 of 12")


def test_a_changed_weight_changes_all_that_follows_as_trace_says(visit):
    with visit(settings="step&t=2&line=6") as page:
        at(page, "t = 2 of 3 · line 7 of 12")
        page.get_by_label("Theta1(3,2)").fill("0,25")
        theta = THETA.copy()
        theta[6] = 0.25
        shown = trace(NETWORK, theta, X[1], Y[1], 0.01)
        expected = [rounded(delta) for delta in shown.delta[0]]
        page.wait_for_function("() => !document.querySelector('.unrolled .same')")
        assert column(page, 5) == expected
        assert "theta=3.1,1.6,1.5,-2.9,-1.3,-0.8,0.25," in page.url
        page.get_by_label("Theta1(3,2)").fill("a quarter")
        page.get_by_label("Theta1(3,2)").press("Enter")
        page.get_by_role("alert").wait_for()
        assert page.get_by_role("alert").text_content() == "Theta1(3,2): “a quarter” is no number"
        assert column(page, 5) == expected
        page.reload()  # the address holds what was changed
        at(page, "t = 2 of 3 · line 7 of 12")
        assert column(page, 5) == expected


def test_J_falls_as_theta_descends(visit):
    with visit(settings="step&case=xor") as page:
        at(page, "line 1 of 12")
        page.get_by_role("button", name="100 steps").click()
        at(page, "line 1 of 12 · after 100 steps of descent")
        told = page.locator(".ended [role=status]").text_content()
        J, after = (float(number) for number in re.findall(r"0\.\d+", told))
        assert after < J < 0.05
        page.get_by_role("button", name="Back to the start").click()
        at(page, "line 1 of 12")
        assert "J = 0.637" in page.locator(".ended [role=status]").text_content()


def test_D_is_drawn_in_two_lines_and_a_weight_pointed_at_is_shown_in_all_places(visit):
    with visit(settings="step&line=9") as page:
        at(page, "line 10 of 12")
        assert page.locator(".network .edge.grow").count() == 8  # those with j > 0
        page.keyboard.press("ArrowRight")
        at(page, "line 11 of 12")
        assert page.locator(".network .edge.grow").count() == 5
        page.get_by_role("group", name=re.compile("arrow keys point at one")).focus()
        for _ in range(3):
            page.keyboard.press("ArrowDown")
        assert "thetaVector(3) = Theta1(3,1)" in page.locator(".pointed-at").text_content()
        row = page.locator(".unrolled tr[data-k='8']")
        row.hover()
        pointed = page.locator(".pointed-at")
        assert "thetaVector(9) = Theta2(1,1)" in pointed.text_content()
        assert page.locator(".network .edge.pointed").get_attribute("data-k") == "8"
        page.get_by_label("Theta1(4,2)").focus()
        assert "thetaVector(8) = Theta1(4,2)" in pointed.text_content()
        assert "pointed" in page.locator(".unrolled tr[data-k='7']").get_attribute("class")
        page.locator(".network .weight[data-k='12']").click()
        page.wait_for_function("() => document.activeElement.ariaLabel === 'Theta2(1,5)'")


def test_the_numbers_on_show_are_copied_as_a_program(visit):
    with visit(settings="step&case=xor") as page:
        at(page, "line 1 of 12")
        page.get_by_role("button", name="Copy as").click()
        page.get_by_role("button", name="Python", exact=True).click()
        text = page.get_by_role("region", name="The text to copy").text_content()
        assert "X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])" in text
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog[open]", state="detached")
        assert page.evaluate("document.activeElement.getAttribute('aria-controls')") == "ways-menu"
        page.keyboard.press("d")
        page.wait_for_selector(".pad")
        page.get_by_role("button", name="Copy as").click()
        assert page.get_by_role("button", name="Octave", exact=True).count() == 0


def test_rows_of_ones_own_are_pasted_and_a_network_is_typed(visit):
    with visit(settings="step&case=own") as page:
        at(page, "line 1 of 12")
        field = page.get_by_label("x1, t = 1")
        field.focus()
        page.evaluate(
            "() => { const data = new DataTransfer();"
            "data.setData('text', '1\\t0,5\\t-1\\t1\\n2\\t0\\t3\\t0\\n');"
            "document.activeElement.dispatchEvent(new ClipboardEvent('paste', "
            "{ clipboardData: data, bubbles: true, cancelable: true })) }"
        )
        page.wait_for_selector("[aria-label='y1, t = 2']")
        assert page.get_by_label("layers").input_value() == "3-3-1"
        page.get_by_label("layers").fill("3-2-2-1")
        page.get_by_label("layers").press("Enter")
        at(page, "line 1 of 15")
        page.get_by_label("g of layer 3").select_option("relu")
        page.get_by_label("output with its cost").select_option("identity")
        page.wait_for_function("() => location.hash.includes('output=identity')")
        for each in ("layers=3,2,2,1", "hidden=sigmoid,relu", "X=1,0.5,-1;2,0,3", "Y=1;0"):
            assert f"&{each}&" in page.url + "&"


ZEROS = (
    "step&case=own&layers=2,2,1&X=0,0;1,1&Y=1;0"
    "&theta=0.1,-0.4,0.3,0.5,-0.2,0.7,0.2,-0.6,0.8&lam=0&alpha=0.1"
)


def test_where_all_inputs_are_0_the_bias_learns_and_the_tables_fit_beside_each_other(visit):
    with visit(settings=ZEROS) as page:
        bias = page.locator(".unit .rows tbody tr").first
        assert bias.inner_text().split("\t")[:2] == ["bias", "0.06713"]
        assert page.locator(".unit").get_by_text("δ is 0").count() == 0
        page.wait_for_function("() => document.querySelector('.examples thead')")
        lefts = """rows => rows.map((row) =>
            [...row.cells].map((cell) => Math.round(cell.getBoundingClientRect().left)))"""
        head, first, _ = page.locator(".examples tr").evaluate_all(lefts)
        assert head == first
        wide = "all => all.filter((e) => e.scrollWidth > e.clientWidth).map((e) => e.ariaLabel)"
        assert page.locator(".step .scroll, .step .unrolled").evaluate_all(wide) == []


def test_at_the_first_line_x_is_there_and_no_number_that_is_not_known(visit):
    with visit(settings=f"{ZEROS}&unit=2,2") as page:
        page.get_by_text("Only x is known yet: press “next”").wait_for()
        assert (
            page.locator(".network .unit:not(.bias) .a").all_text_contents() == ["0"] * 2 + [""] * 3
        )
        page.set_viewport_size(NARROW)
        page.get_by_text("Here only those into the unit that is picked.").wait_for()
        shown = [text for text in page.locator(".network .weight").all_text_contents() if text]
        assert shown == ["−0.4", "0.5", "0.7"]
    with visit(settings="step&case=digit") as page:
        page.get_by_text("Only x is known yet: press “next”").wait_for()
        assert page.get_by_text("0.0 %").first.is_hidden()


def test_a_unit_without_delta_still_shows_its_row(visit):
    theta = "theta=0,0,1,1,1,1,0,0,0"  # Theta(2) is 0, and so is delta(2)
    with visit(settings=f"step&case=own&layers=2,2,1&X=1,2;1,1&Y=1;0&{theta}&lam=0") as page:
        note = page.locator(".unit").get_by_text(
            "δ is 0: this example adds nothing to its row of Δ."
        )
        note.wait_for()
        assert page.locator(".unit .rows tbody tr").count() == 3


def test_what_the_address_has_wrong_is_told_and_the_case_is_there(visit):
    with visit(settings="step&case=xor&layers=2,1000000000,1") as page:
        page.expected = "400"
        at(page, "line 1 of 12")
        alert = page.get_by_role("alert")
        assert alert.text_content() == "layers must be a list of whole numbers from 1 to 32"
        assert page.get_by_label("layers").input_value() == "2-2-1"
        page.keyboard.press("End")
        at(page, "line 12 of 12")
        page.get_by_role("button", name="Drop the last").click()  # t was 4
        page.wait_for_function("() => document.querySelectorAll('.examples tbody tr').length === 3")
        assert alert.is_hidden()


FORMULAS = """async (texts) => {
    const { notation } = await import("/notation.js");
    return texts.map((text) => notation(text).textContent);
}"""


def test_each_formula_of_the_library_becomes_mathml(visit):
    templates = [part for pair in ACTIVATION_FORMULAS.values() for part in pair]
    texts = [in_letters(template) for template in templates]
    texts += [in_numbers(template, "-1.5", "-9.3e-05") for template in templates]
    texts += [part for cost in COST_FORMULAS.values() for part in (cost.h, cost.cost, cost.delta)]
    for g in ACTIVATION_FORMULAS:
        for output in ("softmax", "sigmoid", "exp"):
            network = Network((1, 11, 2), hidden=g, output=output)
            shown = trace(network, random_theta(network), [0.5], np.array([0.0, 1.0]))
            for unit in ((2, 11), (3, 2)):
                texts += [line for lines in shown.equations(*unit).values() for line in lines]
    with visit(settings="step") as page:
        read_out = page.evaluate(FORMULAS, texts)
        assert [text for text in read_out if re.search(r"[_^*]|Theta|delta", text)] == []
        wanted = [
            "z_1^(2) = Theta_10 * 1",
            "1 / (1 + e^-(-1.5))",
            "D(1)_ij - (Theta(2)^T delta(3))",
        ]
        assert page.evaluate(FORMULAS, wanted) == [
            "z1(2)=Θ10·1",
            "1/(1+e−(−1.5))",
            "Dij(1)−((Θ(2))Tδ(3))",
        ]


def test_a_digit_goes_through_the_open_network_as_squares(visit):
    with visit(settings="step&case=digit&line=5") as page:
        at(page, "t = 1 of 1 · line 6 of 15")
        assert page.locator(".answer.most").text_content().startswith("7")
        page.get_by_label("target y").select_option("1")
        page.wait_for_function("() => location.hash.includes('y=1')")
        page.get_by_role("button", name="next").click()
        page.get_by_role("button", name="next").click()
        at(page, "t = 1 of 1 · line 8 of 15")
        page.get_by_role("slider", name=re.compile("Errors δ of layer 3")).click()
        page.wait_for_selector("text=its row of D")
        assert axe(page) == []


def test_what_was_drawn_is_stepped_through(visit):
    with visit() as page:
        read(page, "7")
        page.get_by_role("link", name="Step through it").click()
        at(page, "line 1 of 15")
        assert "case=digit&drawn=1" in page.url
        digit = page.locator(".given select").first
        assert digit.locator("option:checked").text_content() == "your drawing"
        page.keyboard.press("End")
        at(page, "line 15 of 15")
        page.reload()
        at(page, "line 15 of 15")
        digit.select_option("3")
        page.wait_for_function("() => location.hash.includes('digit=3')")
        assert "drawn" not in page.url


def test_while_it_plays_the_lines_go_by_themselves(visit):
    with visit(settings="step&line=3") as page:
        at(page, "t = 1 of 3 · line 4 of 12")
        page.keyboard.press("Space")
        at(page, "t = 1 of 3 · line 5 of 12")
        at(page, "t = 1 of 3 · line 6 of 12")
        page.get_by_role("button", name="pause").click()
        page.get_by_role("button", name="play").wait_for()


def test_a_line_of_each_kind_is_for_everyone_on_a_phone_in_the_dark(visit):
    with visit(settings="step", color_scheme="dark") as page:
        at(page, "line 1 of 12")
        page.locator("summary").click()
        page.set_viewport_size(NARROW)
        for line, where in ((6, "t = 1 of 3 · line 7 of 12"), (9, "line 10 of 12")):
            page.locator(".algorithm button.line").nth(line).click()
            at(page, where)
            assert axe(page) == [], line
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), line
