"""The Drive view in a browser."""

import numpy as np
import pytest
from browsing import NARROW, axe

from chainrule.driving.recording import shipped

pytestmark = pytest.mark.page
DRIVER, LAP = shipped()


def shows(page, look, driver=DRIVER, images=LAP.images):
    """Wait until the page shows a look, and a driver's orders at it to the last digit shown."""
    own = driver.orders(driver.activations(images[look])[1])
    page.wait_for_function(
        """([look, steering, speed]) => {
          const told = document.querySelector(".orders strong")?.textContent ?? "";
          const [, angle, side, fast] = told.match(/^([\\d.]+)° (left|right), speed (\\d+)$/) ?? [];
          return document.querySelector(".drive input")?.value === String(look)
            && Math.abs((side === "right" ? 1 : -1) * angle - steering) < 0.051
            && Math.abs(fast - speed) < 0.51;
        }""",
        arg=[look, float(np.degrees(own.steering)), own.speed],
    )


def heights(page, kind="output"):
    return [
        float(bar.get_attribute("height"))
        for bar in page.locator(".hill").first.locator(f".{kind}").all()
    ]


def test_a_unit_is_switched_off_and_the_hills_move_as_the_driver_says(visit):
    with visit(settings="drive&look=100") as page:
        shows(page, 100)
        page.keyboard.press("3")
        page.wait_for_selector(".neuron.off")
        without = DRIVER.without([3])
        shows(page, 100, without)
        assert "unchanged" in page.get_by_role("status").text_content()
        hill = without.activations(LAP.images[100])[1][:30]
        np.testing.assert_allclose(heights(page), 60 * hill, atol=1e-3)
        assert page.url.endswith("#drive&look=100&off=3")
        page.reload()
        shows(page, 100, without)
        page.get_by_role("switch", name="unit 3").click()
        page.wait_for_selector(".neuron.off", state="detached")
        shows(page, 100)
        assert "unchanged" not in page.get_by_role("status").text_content()


def test_the_lap_on_show_is_copied(visit):
    with visit(settings="drive&off=2&look=5") as page:
        page.wait_for_selector(".orders strong")
        page.get_by_role("button", name="Copy as").click()
        assert page.locator(".menu h2").all_text_contents() == ["This lap as"]
        page.get_by_role("button", name="Python", exact=True).click()
        text = page.get_by_role("region", name="The text to copy").text_content()
        assert "driver = driver.without([2])" in text


def test_a_view_that_is_left_writes_nothing_into_the_next_one_s_address(visit):
    with visit(settings="drive&look=100") as page:
        shows(page, 100)
        page.get_by_role("button", name="Play").click()
        page.wait_for_function("document.querySelector('.play').textContent === 'Pause'")
        page.evaluate("location.hash = 'check'")
        page.wait_for_selector(".passed")
        assert "look" not in page.url


def test_a_part_of_the_retina_is_covered_by_mouse_keyboard_and_finger(visit):
    with visit(settings="drive&look=100") as page:
        shows(page, 100)
        box = page.locator(".over").bounding_box()
        cell = box["width"] / 32
        page.mouse.move(box["x"] + 0.5 * cell, box["y"] + 0.5 * cell)
        page.mouse.down()
        page.mouse.move(box["x"] + 19.5 * cell, box["y"] + 14.5 * cell, steps=4)
        page.mouse.up()
        page.wait_for_function("() => location.hash.includes('card=0,0,15,20')")
        page.get_by_label("Covered, they see").select_option("grass")
        images = LAP.images.reshape(-1, 30, 32).copy()
        images[:, :15, :20] = -1
        shows(page, 100, images=images.reshape(-1, 960))
        page.locator(".over").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Shift+ArrowLeft")
        page.wait_for_function("() => location.hash.includes('card=1,0,16,19')")
        assert axe(page) == []
        page.keyboard.press("Delete")
        shows(page, 100)
    with visit(settings="drive&look=100", viewport=NARROW, has_touch=True, is_mobile=True) as page:
        shows(page, 100)
        page.locator(".over").tap(position={"x": 100, "y": 100})
        page.wait_for_function("() => /card=\\d+,\\d+,\\d+,\\d+/.test(location.hash)")
        page.locator(".over").tap(position={"x": 100, "y": 100})
        page.wait_for_function("() => !location.hash.includes('card=')")


def test_the_lap_plays_pauses_and_is_scrubbed(visit):
    with visit(settings="drive") as page:
        shows(page, 0)  # nothing moves by itself for those who want no motion
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        shows(page, 2)
        page.keyboard.press("Shift+ArrowRight")
        shows(page, 27)
        page.keyboard.press("Space")
        page.get_by_role("button", name="Pause").wait_for()
        page.wait_for_function("() => Number(document.querySelector('.drive input').value) > 30")
        page.keyboard.press("Space")
        page.get_by_role("button", name="Play").wait_for()
        page.keyboard.press("End")
        shows(page, len(LAP.orders) - 1)
        page.get_by_label("Time in the lap").fill("200")
        shows(page, 200)
    with visit(settings="drive", reduced_motion="no-preference") as page:
        page.wait_for_function("() => Number(document.querySelector('.drive input')?.value) > 3")
        page.get_by_role("button", name="Pause").click()
