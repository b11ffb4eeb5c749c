"""What the reader teaches is learnt, and can be forgotten."""

import asyncio
import threading

import numpy as np
import pytest
from asgi import ask, desk, told
from starlette.concurrency import run_in_threadpool

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
    return told(teaching.learn(at, Asked(values)))


def left(stream):
    """Hear the first message of a stream, and go."""

    async def heard():
        await anext(stream)
        await stream.aclose()

    asyncio.run(heard())


def test_a_wrong_reading_is_learnt_and_forgotten():
    at = desk()
    before = at.opened.theta.copy()
    *messages, last = learn(at, x=X, y=7)
    assert {values["what"] for values in messages} == {"drawing", "learning"}
    assert messages[-1]["share"] == 1
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
    left(teaching.learn(at, Asked({"x": X, "y": 7})))
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

    left(worked(work))
    while not ended:
        pass


def test_an_error_of_the_work_is_raised_where_it_is_waited_for():
    def work(tell):
        tell({"i": 1})
        raise ValueError("this went wrong")

    async def listen():
        stream = worked(work)
        assert await anext(stream) == {"i": 1}
        with pytest.raises(ValueError, match="this went wrong"):
            await anext(stream)

    asyncio.run(listen())


def test_without_threads_work_is_told_all_the_same(no_threads):
    def work(tell):
        tell({"i": 1})
        return {"i": 2}

    async def listened():
        return [message async for message in worked(work)]

    assert asyncio.run(listened()) == [{"i": 1}, {"i": 2}]


def test_streams_that_wait_for_long_work_hold_up_no_other_answer():
    free = threading.Event()

    def work(tell):
        return {"free": free.wait(60)}

    async def all_at_once():
        async def listened():
            return [message async for message in worked(work)]

        streams = [asyncio.create_task(listened()) for _ in range(100)]
        await asyncio.sleep(0)
        await run_in_threadpool(free.set)
        return await asyncio.gather(*streams)

    assert asyncio.run(all_at_once()) == 100 * [[{"free": True}]]


@pytest.mark.parametrize("wrong", [{}, {"x": X, "y": 10}, {"x": X[1:], "y": 1}])
def test_what_is_no_digit_is_refused_before_the_work(wrong):
    with pytest.raises(ValueError, match="must"):
        teaching.learn(desk(), Asked(wrong))
