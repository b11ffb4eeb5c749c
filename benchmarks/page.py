"""How soon the page answers: ``python -m benchmarks.page`` prints it in about a minute.

In Chromium, by Playwright: frames a second while digits are drawn and read, and the time from a
point of the pen to the picture that the network saw.  By plain connections: the gaps in the stream
of a training with 1 and with 50 listeners, and how soon a drawing is read meanwhile.

It needs ``pip install playwright`` and a Chromium, which CHROMIUM may name.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from benchmarks import machine
from playwright.sync_api import Browser, Page, sync_playwright

from chainrule.photos.strokes import digit_paths, draw_digit
from chainrule.web import wire

STREAMED = 8.0  # seconds
LISTENERS = (1, 50)
MEASURED = """
window.pen = []; window.frames = []; window.sent = []; window.heard = []; window.seen = [];
let waiting = null;
addEventListener("pointermove", (event) => event.buttons && pen.push(event.timeStamp), true);
const ask = window.fetch;
window.fetch = async (address, options) => {
  if (!String(address).endsWith("/api/ink")) return ask(address, options);
  const one = sent.push(performance.now()) - 1, answer = await ask(address, options);
  heard[one] = performance.now();
  waiting = one;
  return answer;
};
const put = CanvasRenderingContext2D.prototype.putImageData;
CanvasRenderingContext2D.prototype.putImageData = function (...given) {
  put.apply(this, given);
  const one = waiting;
  waiting = null;  // the first picture after an answer; it is seen with the next frame
  if (one !== null) requestAnimationFrame(() => (seen[one] = performance.now()));
};
const frame = (now) => { frames.push(now); requestAnimationFrame(frame); };
requestAnimationFrame(frame);
"""


def main() -> None:
    print(f"{machine.description()}; load {load()}")
    with looking() as (port, token):
        with opened() as browser:
            drawing(browser, port, token)
        for n in LISTENERS:
            asyncio.run(streaming(port, token, n))
    print(f"load at the end: {load()}")


def load() -> str:
    """Return how many processes have wanted a core, in the last 1 and 5 minutes."""
    return ", ".join(f"{value:.1f}" for value in os.getloadavg()[:2])


@contextmanager
def looking(*what: str) -> Iterator[tuple[int, str]]:
    """Run `chainrule look`; give its port and its secret."""
    command = [sys.executable, "-c", "from chainrule.commands.app import main; main()", "look"]
    process = subprocess.Popen([*command, "--no-browser", *what], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    found = re.search(r":(\d+)/#.*token=(\S+)", first)
    assert found, first
    try:
        yield int(found[1]), found[2]
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


@contextmanager
def opened() -> Iterator[Browser]:
    """Start a Chromium."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


def drawing(browser: Browser, port: int, token: str) -> None:
    """Draw ten digits with the mouse, and print what the page measured."""
    page = browser.new_page(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page.add_init_script(MEASURED)
    page.goto(f"http://127.0.0.1:{port}/#draw&token={token}")
    page.wait_for_selector(".terms")
    page.evaluate("() => { for (const a of [pen, frames, sent, heard, seen]) a.length = 0; }")
    for digit in range(10):
        page.get_by_role("button", name="Clear").click()
        write(page, digit)
    page.wait_for_timeout(500)
    pen, frames, sent, heard, seen = (
        np.array(page.evaluate(f"() => [...{name}].map((t) => t ?? NaN)"), float)
        for name in ("pen", "frames", "sent", "heard", "seen")
    )
    gaps = np.diff(frames)
    print(f"drawing: {len(pen)} points of the pen, {len(sent)} drawings read")
    table(
        "frames", gaps, f", {1000 / np.median(gaps):.0f} a second; {np.sum(gaps > 100)} over 100 ms"
    )
    n = min(len(sent), len(heard))
    table("ask", heard[:n] - sent[:n])
    shown = np.flatnonzero(np.isfinite(seen))  # a drawing without ink has no picture
    first = np.searchsorted(sent[shown], pen)  # the first drawing that has the point in it
    pen, which = pen[first < len(shown)], shown[first[first < len(shown)]]
    table("pen to ask", sent[which] - pen)
    table("answer to picture", seen[shown] - heard[shown])
    table("pen to picture", seen[which] - pen)
    page.close()


def write(page: Page, digit: int, at_each: Callable[[], object] = lambda: None) -> None:
    """Draw a digit with the mouse, about sixty points of each stroke."""
    box = page.locator(".pad").bounding_box()
    assert box
    for path in digit_paths(digit, np.random.default_rng(digit)):
        points = np.array([box["x"], box["y"]]) + box["width"] * (0.2 + 0.6 * path)
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=max(1, 60 // len(path)))
            at_each()
        page.mouse.up()


async def streaming(port: int, token: str, listeners: int) -> None:
    """Train on digits while some listen and one draws, and print how that went."""
    until = time.perf_counter() + STREAMED + listeners / 20
    heard = [asyncio.create_task(listened(port, token, until)) for _ in range(listeners)]
    await asyncio.sleep(listeners / 20)
    settings = {"data": "digits", "hidden": [25], "optimizer": "adam", "max_iter": 1_000_000}
    settings |= {"patience": 1_000_000}
    run = (await asked(port, token, "train", settings=settings))["runs"][0]
    ink = np.uint8(255 * draw_digit(3, np.random.default_rng(3)))
    waits = []
    while time.perf_counter() < until:
        began = time.perf_counter()
        await asked(port, token, "ink", ink=ink)
        waits.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(0.05)
    times = [[(t, n) for t, one, n in each if one == run] for each in await asyncio.gather(*heard)]
    await asked(port, token, "stop", runs=[run])
    print(f"a training streamed for {STREAMED:g} s to {listeners}: digits, 64-25-10, Adam")
    gaps = np.concatenate([1000 * np.diff([t for t, _ in each]) for each in times])
    table("gaps", gaps, f", {len(gaps) / listeners / STREAMED:.0f} a second for each")
    soonest: dict[int, float] = {}
    for t, n in sorted(pair for each in times for pair in each):
        soonest.setdefault(n, t)
    if listeners > 1:
        later = [1000 * (t - soonest[n]) for each in times for t, n in each]
        table("heard later than by the first", later)
    table("ask meanwhile", waits)


async def listened(port: int, token: str, until: float) -> list[tuple[float, int, int]]:
    """Listen to all trainings; return when each message came, its run, the iteration it told."""
    head = b""
    while not head.startswith(b"HTTP/1.1 200"):  # 50 at once are more than are let in
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(port, token, "events", wire.pack({})))
        head = await reader.readuntil(b"\r\n\r\n")
    found = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(until - time.perf_counter()):
            while True:
                size = int(await reader.readline(), 16)
                chunk = await reader.readexactly(size + 2)
                told = wire.unpack(chunk[4:-2])
                found.append((time.perf_counter(), told["run"], told.get("n", 0)))
    writer.close()
    return found


async def asked(port: int, token: str, name: str, **values: Any) -> dict[str, Any]:
    """Ask for an answer as the page does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request(port, token, name, wire.pack(values)))
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length
    body = await reader.readexactly(int(length[1]))
    writer.close()
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(body.decode())
    return wire.unpack(body)


def request(port: int, token: str, name: str, body: bytes) -> bytes:
    """Return a request as bytes."""
    return (
        f"POST /api/{name} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nX-Chainrule-Token: {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def table(what: str, milliseconds: Sequence[float] | Any, more: str = "") -> None:
    """Print a row: the median, the value that 95 of 100 stay under, the largest."""
    p50, p95, most = np.percentile(milliseconds, [50, 95, 100])
    print(f"  {what}: p50 {p50:.1f}, p95 {p95:.1f}, largest {most:.1f} ms{more}")


if __name__ == "__main__":
    main()
