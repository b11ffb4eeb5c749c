"""Who is told how a training goes, for tests."""

from contextlib import contextmanager


class Recording:
    """A Telling that takes everything down."""

    def __init__(self):
        self.steps, self.notes, self.headings, self.iterations, self.shares = [], [], [], [], {}

    def step(self, number, found=""):
        self.steps.append((number, found))

    def note(self, text, *, heading=False):
        (self.headings if heading else self.notes).append(text)

    @contextmanager
    def progress(self, what):
        yield self.shares.setdefault(what, []).append

    def iteration(self, step, max_iter):
        self.iterations.append((step.iteration, step.J, max_iter))
