"""What the reader teaches is learnt, and can be forgotten."""

import numpy as np
import pytest
from asgi import ask, desk

from chainrule.handwriting.reading import recognise
from chainrule.photos import normalise
from chainrule.photos.strokes import draw_digit
from chainrule.web import drawing, teaching
from chainrule.web.asked import Asked
from chainrule.web.working import GivenUp, worked

X = normalise(draw_digit(1, np.random.default_rng(1))).ravel()


@pytest.fixture(autouse=True)
def _few_drawings(monkeypatch):
    monkeypatch.setattr(teaching, "REHEARSED", (300, 100))


def learn(at, **values):
    return list(teaching.learn(at, Asked(values)))


def test_a_wrong_reading_is_learnt_and_forgotten():
    at = desk()
    before = at.opened.theta.copy()
    *told, last = learn(at, x=X, y=7)
    assert {values["what"] for values in told} == {"drawing", "learning"}
    assert told[-1]["share"] == 1
    assert last["before"] < 0.1
    assert last["after"] > 0.9
    assert last["after"] == recognise(at.opened.model, X.reshape(1, 28, 28))[0, 7]
    assert ask(drawing.network, at)["own"] == last["own"] == 1
    np.testing.assert_array_equal(at.base.theta, before)
    assert {values["what"] for values in learn(at, x=X, y=7)[:-1]} == {"learning"}
    assert ask(drawing.network, at)["own"] == 2
    assert ask(teaching.forget, at) == {"own": 0}
    assert at.opened is at.base


def test_one_learning_at_a_time():
    at = desk()
    with at.teaching, pytest.raises(ValueError, match="learning already"):
        learn(at, x=X, y=7)


def test_who_leaves_ends_the_learning_and_nothing_is_learnt():
    at = desk()
    stream = teaching.learn(at, Asked({"x": X, "y": 7}))
    next(stream)
    stream.close()
    with at.teaching:  # the work lets go of it when it ends
        assert at.own == []
        assert at.opened is at.base


def test_work_that_nobody_waits_for_is_given_up():
    ended = []

    def work(tell):
        try:
            while True:
                tell({})
        except GivenUp:
            ended.append(True)
            raise

    stream = worked(work)
    next(stream)
    stream.close()
    while not ended:
        pass


def test_an_error_of_the_work_is_raised_where_it_is_waited_for():
    def work(tell):
        tell({"i": 1})
        raise ValueError("this went wrong")

    stream = worked(work)
    assert next(stream) == {"i": 1}
    with pytest.raises(ValueError, match="this went wrong"):
        next(stream)


@pytest.mark.parametrize("wrong", [{}, {"x": X, "y": 10}, {"x": X[1:], "y": 1}])
def test_what_is_no_digit_is_refused_before_the_work(wrong):
    with pytest.raises(ValueError, match="must"):
        teaching.learn(desk(), Asked(wrong))
