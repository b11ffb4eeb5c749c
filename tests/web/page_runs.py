"""What tests of a run's looks and ways out share: runs that have ended, on a desk."""

import threading

import numpy as np
from asgi import ask, desk

from chainrule.web.asked import NamedFile
from chainrule.web.runs import OVER
from chainrule.web.training import train

PATIENCE = 60  # seconds


def trained(at=None, *, file=None, stop_after=None, **settings):
    """Train by the page's own answers until the end, or stop; return the desk and the run."""
    at = at or desk()
    if file is not None:
        stream = NamedFile(file[1])
        stream.name = file[0]
        settings["table"] = at.problems.add(stream)
    [number] = ask(train, at, settings=settings)["runs"]
    run = at.runs.run(number)
    waited = threading.Event()
    for _ in range(100 * PATIENCE):
        if run.state == OVER:
            break
        if stop_after is not None and len(run) > stop_after:
            at.runs.stop([run])
        waited.wait(0.01)
    if run.trouble is not None:
        raise run.trouble
    return at, run


def table(m=120):
    """Return a csv of three columns and a class; one text is what a spreadsheet would run."""
    rng = np.random.default_rng(0)
    age, height = rng.normal(40, 12, m), rng.normal(170, 9, m)
    town = rng.choice(["north", "=1+2"], m)
    yes = np.where(age / 12 + height / 9 + rng.normal(0, 0.3, m) > 22.2, "yes", "no")
    rows = [f"{a:.2f},{h:.1f},{t},{y}" for a, h, t, y in zip(age, height, town, yes, strict=True)]
    return ("\n".join(["age,height,town,answer", *rows]) + "\n").encode()
