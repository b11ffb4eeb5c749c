"""The Check view in a browser: it fills, names mistakes, and a game is played by keyboard."""

import re

import pytest
from browsing import axe
from conftest import looking

pytestmark = pytest.mark.page
MARKS = ".scatter .mark"


def checked(page):
    page.wait_for_selector(".passed, .failed")
    return page.locator(".verdict").text_content()


def wrong_parts(page):
    return page.locator(".parts .bad th").all_text_contents()


def test_the_scatter_fills_and_the_error_curve_has_two_arms(visit):
    with visit(settings="check", reduced_motion="no-preference") as page:
        checked(page)
        page.evaluate(
            """window.seen = new Set();
            new MutationObserver(() => seen.add(document.querySelectorAll(".scatter .mark").length))
                .observe(document.querySelector(".scatter"), { childList: true, subtree: true })"""
        )
        page.keyboard.press("c")
        page.wait_for_function("() => seen.has(43)")
        assert page.evaluate("seen.size") > 2
        assert "The check passes" in checked(page)
        assert page.locator(MARKS).count() == 43
        assert page.locator("h2 small").first.text_content() == "43 of 43 components"
        assert wrong_parts(page) == []
        page.wait_for_function(
            "() => document.querySelector('.errors .line')?.points.length === 23"
        )
        heights = page.evaluate("[...document.querySelector('.errors .line').points].map(p => p.y)")
        lowest = heights.index(max(heights))
        assert 4 < lowest < 12
        assert heights[0] < heights[3] < heights[lowest] > heights[-4] > heights[-1]
        slider = page.get_by_role("slider")
        slider.focus()
        for _ in range(12):
            page.keyboard.press("ArrowRight")
        assert "ε = 1e−10" in page.locator("output").text_content()
        assert "ε = 1e−10" in page.locator(".parts + .note").text_content()
        error = page.locator(".parts td").first.text_content()
        assert float(error.replace("−", "-")) > 1e-7


def test_a_mistake_that_is_made_is_named_and_its_line_marked(visit):
    with visit(settings="check&mode=slip") as page:
        checked(page)
        page.get_by_label("The mistake:").select_option(label="no g'")
        page.wait_for_selector("text=activation-derivative-missing: g'(z) is missing")
        assert wrong_parts(page) == ["Θ(1) bias", "Θ(1) weights"]
        line = page.locator(".program .slip")
        assert line.count() == 1
        assert "delta2 = delta3 @ Theta2[:, 1:] * sigmoid_prime(z2)" in line.text_content()
        assert "the notes: delta(l) = (Theta(l)^T delta(l+1)) .* g'(z(l))" in checked(page)
        page.reload()
        checked(page)
        assert page.locator(".program .slip").count() == 1


def test_the_program_on_show_is_copied(visit):
    with visit(settings="check&mode=slip&slip=3") as page:
        page.wait_for_selector(".program li")
        page.get_by_role("button", name="Copy as").click()
        assert page.locator(".menu h2").all_text_contents() == ["This program as cost.py"]
        page.get_by_role("button", name="Python", exact=True).click()
        text = page.get_by_role("region", name="The text to copy").text_content()
        for line in page.locator(".program li > code").all_text_contents():
            assert line in text


def test_a_round_of_the_game_is_played_by_keyboard(visit):
    with visit(settings="check&mode=game&seed=4") as page:
        page.wait_for_selector(".program input")
        assert page.locator(".program .slip").count() == 0
        page.locator(".program input").first.focus()
        for _ in range(9):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        assert checked(page).startswith("Found!")
        assert page.evaluate("document.activeElement.textContent") == "Another one"
        assert page.locator(".score").text_content() == "You found 1 of 1 so far."
        wrong = page.locator(".program .slip").all_text_contents()
        assert any("D1 = (Delta1 + lam * no_bias(Theta1)) / m" in text for text in wrong)
        assert axe(page) == []
        page.keyboard.press("n")
        page.wait_for_selector(".program input:not([disabled])")
        assert re.search(r"mode=game.*seed=\d+", page.url)
        assert "seed=4&" not in page.url + "&"
        page.get_by_role("button", name="Give up").press("Enter")
        page.wait_for_selector(".program .slip")
        assert page.locator(".score").text_content() == "You found 1 of 2 so far."
        page.locator(".task button").press("Enter")
        page.wait_for_selector(".program input:not([disabled])")
        page.wait_for_function("document.activeElement.textContent === 'Another one'")


def test_of_two_lines_two_are_chosen(visit):
    with visit(settings="check&mode=game&seed=1&level=3") as page:
        page.wait_for_selector(".program input")
        for i in (0, 1, 2):
            page.locator(".program input").nth(i).check()
        chosen = page.locator(".program input:checked")
        assert [box.get_attribute("value") for box in chosen.all()] == ["1", "2"]
        page.get_by_role("button", name="Check this gradient").click()
        assert checked(page).startswith("That was not it.")
        assert page.locator(".program .slip").count() >= 2


def test_another_network_is_checked_and_a_bad_one_told(visit):
    with visit(settings="check") as page:
        page.expected = "400"
        checked(page)
        page.get_by_text("Network and examples").click()
        page.get_by_label("to begin with").select_option("one number, deep")
        page.wait_for_selector("text=37 of 37 components")
        page.get_by_role("textbox", name="layers").fill("4-5-many")
        page.get_by_role("textbox", name="layers").press("Enter")
        page.get_by_role("alert").wait_for()
        assert page.get_by_role("alert").text_content() == "layers must be sizes as in 4-5-3"
        page.get_by_role("textbox", name="layers").fill("2-3-1")
        page.get_by_role("textbox", name="layers").press("Enter")
        page.wait_for_selector("text=13 of 13 components")


def test_a_file_of_ones_own_is_checked_at_each_save(visit, tmp_path):
    file = tmp_path / "cost.py"
    right = "theta = [1.0, 2.0]\n\n\ndef cost(theta):\n    return theta @ theta, 2 * theta\n"
    file.write_text(right.replace("2 * theta", "-2 * theta"))
    with looking(f"{file}:cost") as (process, port, token):
        assert process.place == "check&"
        with visit((port, token)) as page:
            page.goto(f"http://127.0.0.1:{port}/#check")
            assert "sign: the sign is wrong" in checked(page)
            assert page.locator(".path").text_content() == str(file)
            file.write_text(right.replace("2 * theta", "2 * thet"))
            page.wait_for_selector("text=cost.py, line 5: NameError")
            assert not page.locator(".scatter").is_visible()  # which was of the version before
            assert "Mend it and save" in page.get_by_role("status").text_content()
            assert "thet" in page.locator(".program .slip").text_content()
            assert axe(page) == []
            file.write_text(right)
            page.wait_for_selector("text=The check passes")
            assert "Gone since the last check: sign" in page.locator(".verdict").text_content()
            assert "2 * theta" in page.locator(".changes ins").first.text_content()
            assert not page.locator(".parts").is_visible()  # no network: no parts
            file.unlink()
            page.wait_for_selector("text=The file is gone")
            assert checked(page) == "cost.py: cannot be read (no such file or directory)"
            assert not page.locator(".scatter").is_visible()
            file.write_text("while True: pass\n")
            page.wait_for_selector("text=Still running")
            page.get_by_role("button", name="Stop").click()
            page.wait_for_selector("text=nothing of yours runs now")
