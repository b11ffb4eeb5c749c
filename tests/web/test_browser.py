"""The page in a browser, as people use it: by mouse, finger, keyboard and screen reader."""

import re

import numpy as np
import pytest
from browsing import NARROW, PATIENCE, READY, VIEWS, axe, reached_by_tab, read
from conftest import looking
from PIL import Image

from chainrule import read_digits
from chainrule.commands.looking import leading_to
from chainrule.photos.strokes import digit_paths

pytestmark = pytest.mark.page
LETTERS = {"draw": "d", "step": "s", "train": "t", "check": "c", "drive": "v"}


def places(page, paths):
    """Return paths of the unit square as places on the pad."""
    box = page.locator(".pad").bounding_box()
    scale = np.array([box["width"], box["height"]])
    return [np.array([box["x"], box["y"]]) + scale * (0.2 + 0.6 * path) for path in paths]


def write(page, paths):
    """Draw strokes with the mouse."""
    for path in places(page, paths):
        page.mouse.move(*path[0])
        page.mouse.down()
        for point in path[1:]:
            page.mouse.move(*point, steps=max(1, 20 // len(path)))
        page.mouse.up()


def test_the_first_screen_works_and_the_secret_leaves_the_address(visit, running):
    with visit() as page:
        read(page, "7")
        assert page.url == f"http://127.0.0.1:{running[0]}/"
        assert "99.9 % sure" in page.locator(".read").text_content()
        assert page.locator(".answer").count() == 11
        assert page.locator(".answer.most").text_content().startswith("7")
        page.reload()
        read(page, "7")


def test_an_example_is_written_stroke_by_stroke(visit):
    with visit(reduced_motion="no-preference") as page:
        read(page, "7")


def test_each_digit_drawn_with_the_mouse_is_read(visit):
    with visit() as page:
        read(page, "7")
        for digit in range(10):
            page.get_by_role("button", name="Clear").click()
            read(page, "")
            write(page, digit_paths(digit, np.random.default_rng(digit)))
            read(page, str(digit))


def test_undo_and_clear(visit):
    with visit() as page:
        read(page, "7")
        write(page, [np.array([[0.5, 0.0], [0.5, 1.0]])])
        read(page, "1")
        page.get_by_role("button", name="Undo").click()
        read(page, "")
        assert "nothing drawn yet" in page.locator(".read").text_content()
        write(page, [np.array([[0.5, 0.0], [0.5, 1.0]])])
        read(page, "1")
        page.get_by_role("button", name="Clear").click()
        read(page, "")
        page.get_by_role("button", name="Undo").click()  # the clearing, too, can be taken back
        read(page, "1")


def test_of_two_digits_either_can_be_looked_into(visit):
    with visit() as page:
        read(page, "7")
        bar, ring = np.linspace(0, 1, 9), np.linspace(0, 2 * np.pi, 30)
        write(page, [np.stack([0 * bar, bar], 1)])
        write(page, [np.stack([0.75 + 0.25 * np.cos(ring), 0.5 + 0.4 * np.sin(ring)], 1)])
        page.get_by_role("button", name="show mark 1, read as 1").click()
        read(page, "1")
        page.get_by_role("button", name="show mark 2, read as 0").click()
        read(page, "0")


def test_the_keyboard_draws_and_takes_back(visit):
    with visit() as page:
        read(page, "7")
        page.locator(".pad").focus()
        for _ in range(11):
            page.keyboard.press("ArrowUp")
        page.keyboard.press("Space")
        for _ in range(22):
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        read(page, "1")
        page.keyboard.press("Control+z")
        read(page, "")
        page.keyboard.press("4")
        read(page, "4")


def test_a_finger_draws_and_scrolls_nothing(visit):
    with visit(viewport=NARROW, has_touch=True, is_mobile=True) as page:
        read(page, "7")
        [path] = places(page, [np.stack([np.full(12, 0.5), np.linspace(0, 1, 12)], 1)])
        touch = page.context.new_cdp_session(page)
        for i, (x, y) in enumerate(path):
            kind = "touchMove" if i else "touchStart"
            at = [{"x": float(x), "y": float(y)}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        read(page, "1")
        assert page.evaluate("scrollY") == 0


def number(text):
    return float(text.replace("−", "-"))


def test_a_clicked_unit_is_explained_by_terms_that_add_up(visit):
    with visit() as page:
        read(page, "7")
        page.get_by_role("slider").first.click(position={"x": 35, "y": 185})
        page.wait_for_selector("text=Unit 364 of layer 2")
        assert page.url.endswith("#draw&unit=2,364")
        table = page.locator(".terms tbody tr")
        adds = [number(row.locator("td").last.text_content()) for row in table.all()]
        assert abs(sum(adds[:-1]) - adds[-1]) < 6 * 0.5e-4  # each is rounded to four decimals
        page.reload()
        page.wait_for_selector("text=Unit 364 of layer 2")


def test_a_unit_is_chosen_by_keyboard_and_taught_by_a_target(visit):
    with visit() as page:
        read(page, "7")
        layer = page.get_by_role("slider").nth(1)
        layer.focus()
        for key in ("Home", "ArrowRight", "ArrowDown", "Enter"):
            page.keyboard.press(key)
        page.wait_for_selector("text=Unit 12 of layer 3")
        assert layer.get_attribute("aria-valuetext").startswith("unit 12: ")
        bars = page.get_by_role("group", name="The network's answers")
        bars.get_by_role("button").nth(0).focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=Output “1”, layer 4")
        assert page.locator("math:has-text('δ')").count() == 0
        page.get_by_label("What would it learn, if this were").select_option("4")
        page.wait_for_selector("math:has-text('δ')")


def test_sorted_squares_begin_with_the_largest(visit):
    with visit() as page:
        read(page, "7")
        page.get_by_role("button", name="sort by value").click()
        layer = page.get_by_role("slider").first
        layer.focus()
        page.keyboard.press("Home")
        largest = page.locator(".layer table").first.locator("tr").first
        name, value = (largest.locator(cell).text_content() for cell in ("th", "td"))
        assert layer.get_attribute("aria-valuetext") == f"unit {name}: {value}"


def test_a_wrong_reading_is_taught_and_forgotten(visit):
    with visit() as page:
        read(page, "7")
        page.get_by_role("button", name="Clear").click()
        write(page, [np.array([[0.5, 0.0], [0.5, 1.0]])])
        read(page, "1")
        page.get_by_label("Wrong? It is a").select_option("7")
        with page.expect_response("**/api/ink"):  # a late answer does not take the choice away
            write(page, [np.array([[0.5, 0.2], [0.5, 0.9]])])
        page.wait_for_timeout(200)
        page.get_by_role("button", name="Learn it").click()
        page.get_by_role("status").wait_for(timeout=10 * PATIENCE)
        assert page.get_by_role("status").text_content().startswith("7: ")
        read(page, "7")
        assert axe(page) == []
        page.get_by_role("button", name="Forget").click()
        read(page, "1")


def test_a_photo_is_read_as_the_command_reads_it(visit, sheet):
    digits = read_digits(sheet)
    with visit() as page:
        read(page, "7")
        page.locator("input[accept='image/*']").set_input_files(sheet)
        page.wait_for_selector(".photo button")
        boxes = page.locator(".photo button")
        assert boxes.all_text_contents() == [str(digit.label) for digit in digits]
        assert page.locator(".marks strong").text_content() == "0 1 2 3 4 / 5 6 7 8 9"
        paper = page.locator(".sheet").bounding_box()
        with Image.open(sheet) as image:
            scale = paper["width"] / image.width
        for i in (0, 9):
            box, (x0, y0, _, _) = boxes.nth(i).bounding_box(), digits[i].box
            assert abs(box["x"] - paper["x"] - scale * x0) < 4
            assert abs(box["y"] - paper["y"] - scale * y0) < 4
        boxes.nth(5).click()
        read(page, str(digits[5].label))
        assert axe(page) == []
        page.get_by_role("button", name="Clear").click()
        read(page, "")
        assert page.locator(".photo").count() == 0


def test_a_photo_on_the_command_line_is_open_when_the_page_is(visit, sheet):
    with looking(sheet) as (process, port, token):
        assert process.place == "draw&photo=1&"
        settings = process.place + f"token={token}"
        with visit((port, token), settings=settings) as page:
            page.wait_for_selector(".photo button")
            assert page.url.endswith("/#draw&photo=1")
            page.reload()
            page.wait_for_selector(".photo button:nth-of-type(10)")
            page.get_by_role("button", name="Clear").click()
            read(page, "")
            assert page.url.endswith("/#draw")


def test_a_table_on_the_command_line_is_trained_on_when_the_page_opens(visit, tmp_path):
    table = tmp_path / "flowers & <b>.csv"
    table.write_text("a,b,kind\n" + "1,2,red\n3,4,blue\n" * 20)
    with looking(str(table)) as (process, port, token):
        settings = process.place + f"token={token}"
        with visit((port, token), settings=settings) as page:
            for _ in range(2):
                page.wait_for_selector(".stopped strong")
                page.wait_for_selector(".decided summary")
                chosen = page.locator("select:visible option:checked").first
                assert chosen.text_content() == table.name
                page.reload()
            page.wait_for_selector(".decided summary")


def test_the_file_that_the_browser_is_given_leads_to_the_page(browser, running):
    port, token = running
    page = browser.new_page()
    with leading_to(f"http://127.0.0.1:{port}/#draw&token={token}") as address:
        page.goto(address)
        read(page, "7")
    assert page.url == f"http://127.0.0.1:{port}/#draw"
    page.close()


def test_what_is_no_photo_is_told_in_one_line(visit, tmp_path):
    (tmp_path / "cat<b>.png").write_bytes(b"<script>alert(1)</script>")
    with visit() as page:
        page.expected = "400"
        read(page, "7")
        page.locator("input[accept='image/*']").set_input_files(tmp_path / "cat<b>.png")
        page.get_by_role("alert").wait_for()
        assert page.get_by_role("alert").text_content().startswith("cat<b>.png: not an image")


def test_a_file_that_is_no_model_is_told_in_one_line_and_the_page_lives(visit, tmp_path):
    (tmp_path / "notes.safetensors").write_bytes(b"nothing")
    with visit() as page:
        page.expected = "400"
        read(page, "7")
        page.locator("input[accept='.safetensors']").set_input_files(tmp_path / "notes.safetensors")
        alert = page.get_by_role("alert")
        alert.wait_for()
        assert alert.text_content().startswith("notes.safetensors: not a model")
        page.keyboard.press("1")
        read(page, "1", "7")


def test_when_the_server_has_ended_the_page_says_so(visit):
    with looking() as (process, port, token), visit((port, token)) as page:
        page.expected = "ERR_|Failed"
        read(page, "7")
        process.send_signal(2)
        process.wait(60)
        write(page, [np.array([[0.5, 0.0], [0.5, 1.0]])])
        page.get_by_role("alert").wait_for()
        assert "start chainrule look again" in page.get_by_role("alert").text_content()


def test_without_the_secret_the_page_says_what_to_open(visit, running):
    with visit((running[0], "wrong")) as page:
        page.expected = "403"
        page.get_by_role("alert").wait_for()
        assert "open the address it printed" in page.get_by_role("alert").text_content()


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_for_everyone(visit, view):
    """For screen readers, at 320 px, at a zoom of 200 %, in the dark, by keyboard alone."""
    with visit(settings=view) as page:
        page.wait_for_selector(READY.get(view, "#view h1"))
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            for width in (320, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                assert axe(page) == [], (scheme, width)
        for width in (320, 640):  # 640: a window of 1280 at a zoom of 200 %
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.set_viewport_size({"width": 1280, "height": 800})
        reached, missed = reached_by_tab(page)
        assert missed == []
        assert [outline for outline in reached if outline == "none"] == []


@pytest.mark.parametrize("view", VIEWS)
def test_keys_are_listed_and_change_the_view(visit, view):
    with visit(settings=view) as page:
        page.wait_for_selector(READY.get(view, "#view h1"))
        page.keyboard.press("?")
        dialog = page.get_by_role("dialog", name="Keys")
        dialog.wait_for()
        listed = dialog.locator("caption").all_text_contents()
        assert listed == [page.title().split(" ")[0], "Everywhere"]
        assert axe(page) == []
        page.keyboard.press("3")  # is for the dialog, not for what lies behind it
        page.keyboard.press("Escape")
        dialog.wait_for(state="hidden")
        assert re.search(rf"#{view}(&|$)", page.url)
        for other in VIEWS:
            page.keyboard.press(LETTERS[other])
            page.wait_for_function("view => location.hash.match(/\\w+/)[0] === view", arg=other)


def test_single_keys_can_be_switched_off(visit):
    with visit() as page:
        read(page, "7")
        page.keyboard.press("?")
        page.get_by_label("Single letters and digits work").uncheck()
        page.keyboard.press("Escape")
        page.keyboard.press("4")
        page.keyboard.press("?")
        assert page.get_by_role("dialog").count() == 0
        assert page.locator(".read .label").text_content() == "7"
        page.get_by_role("button", name="Keys").click()
        page.get_by_label("Single letters and digits work").check()
        page.keyboard.press("Escape")
        page.keyboard.press("4")
        read(page, "4")
