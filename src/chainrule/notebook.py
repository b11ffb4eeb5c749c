"""Views of the page in a notebook: every line of a trace, and a gradient beside the numerical one.

Type ``pip install 'chainrule[notebook]'``; then, in a cell::

    from chainrule import notebook

    notebook.step(chainrule.trace(network, theta, x, y))
    notebook.check(chainrule.check_gradient(cost, network))

The views are the page's own modules.  What they ask, the notebook's kernel answers once its cell
has ended; no server runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import threading
import traceback
from collections.abc import AsyncIterator, Mapping
from typing import Any

import numpy as np

from chainrule.handwriting.reading import shipped_model
from chainrule.notes.gradient_report import GradientReport
from chainrule.notes.theta import unroll
from chainrule.notes.trace import Trace
from chainrule.web.asked import Asked
from chainrule.web.desk import Desk, Opened
from chainrule.web.stepping import step as answer_step

try:
    import anywidget
    import traitlets

    from chainrule.web import wire
    from chainrule.web.routes import ROUTES, Values
    from chainrule.web.server import framed, frames, page_files
except ImportError as error:
    raise ImportError(
        "the views in a notebook need anywidget: type pip install 'chainrule[notebook]'"
    ) from error

IMPORTED = re.compile(r'from "\./([\w/.]+)"')
# A module that imports others by their blobs, for a widget is one text without an address
LOADER = """
const addresses = {};
function address(name) {
  return addresses[name] ??= URL.createObjectURL(new Blob(
    [MODULES[name].replace(/from "\\.\\/([\\w/.]+)"/g, (_, other) => `from "${address(other)}"`)],
    { type: "text/javascript" }));
}
export default (await import(address("notebook.js"))).default;
"""


class View(anywidget.AnyWidget):
    """One view of the page, which is answered by a desk in this process.

    A message from the page is ``{"id": id, "name": name}`` with the values as `wire` packs them;
    each answer to it is ``{"id": id}`` with a frame of `server.frames`, and the last one has none.
    ``{"id": id}`` alone gives up.

    Attributes
    ----------
    view : str
        ``"step"`` or ``"check"``.
    settings : dict of str to str
        What the page's address would hold; it follows what the reader chooses.
    """

    view = traitlets.Unicode().tag(sync=True)
    settings = traitlets.Dict().tag(sync=True)
    style = traitlets.Unicode().tag(sync=True)

    def __init__(self, desk: Desk, view: str, settings: Mapping[str, str]) -> None:
        super().__init__(
            _esm=module(), style=_text("style.css"), view=view, settings=dict(settings)
        )
        self.desk = desk
        self.waiting: set[float] = set()
        self.on_msg(self._heard)

    def _heard(self, _: View, content: Mapping[str, Any], buffers: list[memoryview]) -> None:
        """Answer in a thread, so that the reader can give up meanwhile."""
        if "name" not in content:
            self.waiting.discard(content["id"])
            return
        self.waiting.add(content["id"])
        thread = threading.Thread(target=self._answer, args=(content, bytes(buffers[0])))
        thread.daemon = True
        thread.start()

    def _answer(self, content: Mapping[str, Any], message: bytes) -> None:
        id = content["id"]
        try:
            asyncio.run(self._tell(id, content["name"], message))
        except Exception as error:  # a mistake of ours
            traceback.print_exc()
            self.send({"id": id}, [framed({"error": f"chainrule made a mistake: {error!r}"})])
        finally:
            self.waiting.discard(id)

    async def _tell(self, id: float, name: str, message: bytes) -> None:
        async with contextlib.aclosing(frames(self._answers(name, message))) as told:
            async for frame in told:
                if id not in self.waiting:
                    return
                self.send({"id": id}, [frame])
        self.send({"id": id})

    async def _answers(self, name: str, message: bytes) -> AsyncIterator[Values]:
        """Yield what a row of `ROUTES` answers: one message or many."""
        answer = ROUTES[name].answer(self.desk, Asked(wire.unpack(message)))
        if isinstance(answer, AsyncIterator):
            async for values in answer:
                yield values
        else:
            for values in [answer] if isinstance(answer, Mapping) else answer:
                yield values


def step(trace: Trace | None = None) -> View:
    """Walk through the Backpropagation Algorithm line by line, with every number.

    Parameters
    ----------
    trace : Trace, optional
        What `chainrule.trace` returned; every number of it can be changed in the view.
        Default: the notes' own example, and others to choose from.

    Returns
    -------
    View
        Shown where it is a cell's last value.

    Raises
    ------
    ValueError
        If the network is too large to be walked through, has an activation or a cost of your own,
        or one lambda for each layer.

    Examples
    --------
    >>> from chainrule import Network, notebook, trace
    >>> shown = trace(Network((2, 1)), [0.5, -1.0, 2.0], [3.0, 4.0], 1)
    >>> view = notebook.step(shown)
    >>> view.settings["theta"], view.settings["X"]
    ('0.5,-1.0,2.0', '3.0,4.0')
    """
    return View(_desk(), "step", {} if trace is None else _settings(trace))


def check(report: GradientReport | None = None) -> View:
    """Show a gradient beside the numerical one, component by component, and what is wrong in it.

    Parameters
    ----------
    report : GradientReport, optional
        What `chainrule.check_gradient` returned.  Default: a right program, mistakes to make, and
        the game of finding one.

    Returns
    -------
    View
        Shown where it is a cell's last value.

    Examples
    --------
    >>> from chainrule import check_gradient, notebook
    >>> report = check_gradient(lambda theta: (theta @ theta, 2 * theta), [1.0, 2.0])
    >>> notebook.check(report).view
    'check'
    """
    desk = _desk()
    desk.report = report
    return View(desk, "check", {})


def _desk() -> Desk:
    return Desk(Opened(shipped_model(), "shipped digits"))


def _settings(trace: Trace) -> dict[str, str]:
    """Return a trace as the address of the Step view has it; refuse what the view refuses."""
    network, lam = trace.network, trace.lam
    if np.ndim(lam):
        raise ValueError("this view has one lambda for all layers: trace with a number as lam")
    values = {
        "layers": list(network.layers),
        "hidden": [g.name for g in network.activations],
        "output": network.cost.name,
        "theta": np.asarray(unroll(trace.Theta), np.float64),
        "X": np.asarray(trace.a[0], np.float64)[None],
        "Y": np.asarray(trace.y, np.float64)[None],
        "lam": float(lam),  # type: ignore[arg-type]
        "alpha": 1.0,
    }
    answer_step(_desk(), Asked(values | {"t": 1}))
    return {"case": "own"} | {name: _written(value) for name, value in values.items()}


def _written(value: Any) -> str:
    """Return a value, or a few with commas between; repr has every digit of a number."""
    if isinstance(value, str):
        return value
    return ",".join(
        each if isinstance(each, str) else repr(each) for each in np.ravel(value).tolist()
    )


def module() -> str:
    """Return the page's modules that the views need, as one."""
    modules: dict[str, str] = {}
    missing = ["notebook.js"]
    while missing:
        name = missing.pop()
        modules[name] = _text(name)
        missing += set(IMPORTED.findall(modules[name])) - set(modules)
    return f"const MODULES = {json.dumps(modules)};\n{LOADER}"


def _text(name: str) -> str:
    return page_files()[f"/{name}"][0].decode()
