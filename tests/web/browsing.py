"""What the tests in a browser share: the views that are found, and what is asked of each."""

import re
from importlib.resources import files

ENGLISH = "en-GB"
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 320, "height": 640}
PATIENCE = 20_000  # milliseconds

STATIC = files("chainrule") / "web" / "static"
VIEWS = re.findall(r"(\w+): \(\) => import\(", (STATIC / "main.js").read_text())
READY = {  # what is seen once a view has its first answers; else its heading
    "draw": ".terms",
    "step": ".unit .terms",
    "train": ".stopped strong",
    "drive": ".orders strong",
    "check": ".passed",
}


def read(page, *labels):
    """Wait until the page has read the ink as one of some labels."""
    try:
        page.wait_for_function(
            "labels => labels.includes(document.querySelector('.read .label')?.textContent)",
            arg=labels,
        )
    except Exception as error:
        seen = page.evaluate("[document.activeElement.className, document.body.innerText]")
        error.add_note(f"the page has the focus at and says {seen}")
        raise


def axe(page):
    """Return the rules of accessibility that a page breaks, and where."""
    if page.evaluate("typeof axe === 'undefined'"):
        # The Content-Security-Policy lets no script tag load it
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text())
    return [
        (rule["id"], [node["html"][:200] for node in rule["nodes"]])
        for rule in page.evaluate("axe.run()")["violations"]
    ]


def reached_by_tab(page):
    """Press Tab until all controls should be reached; return their outlines, and what is missed."""
    count = page.evaluate(
        """() => {
            const all = "button, select, input, textarea, summary, a[href], [tabindex]";
            const stops = [...document.querySelectorAll(all)].filter((e) => e.tabIndex >= 0
                && !e.disabled && e.checkVisibility() && !(e.type === "radio" && !e.checked));
            stops.forEach((e, i) => (e.dataset.stop = i));
            document.activeElement.blur();
            return stops.length;
        }"""
    )
    outlines = {}
    for _ in range(count + 1):
        page.keyboard.press("Tab")
        stop, outline = page.evaluate(
            "(e => [e.dataset.stop ?? '', getComputedStyle(e).outlineStyle])"
            "(document.activeElement)"
        )
        outlines[stop] = outline
    missed = [
        page.locator(f"[data-stop='{i}']").evaluate("e => e.outerHTML.slice(0, 200)")
        for i in range(count)
        if str(i) not in outlines
    ]
    outlines.pop("", None)  # the document itself, after the last one
    return list(outlines.values()), missed
