"""The terminal that a training is told to."""

import pytest

from chainrule.commands import terminal
from chainrule.optimize import Step


def step(iteration, norm=0.25):
    return Step(iteration, J=0.5, gradient_norm=norm, theta=None, n_eval=iteration)


def told(capsys, *steps, **options):
    with terminal.Terminal(**options) as tell:
        for each in steps:
            tell.iteration(each, 100)
    return capsys.readouterr().err


def test_the_line_shows_the_last_iteration(capsys):
    line = told(capsys, step(1), step(2))
    assert "2/100  J 0.5  |D| 0.25  " in line
    assert line.endswith(" left\n")
    assert line.count("\n") == 1


def test_the_start_has_no_rate(capsys):
    assert told(capsys, step(0)).endswith("0/100  J 0.5  |D| 0.25  \n")


def test_minibatches_have_no_gradient_of_all_rows(capsys):
    assert "|D|" not in told(capsys, step(1, float("nan")))


def test_the_time_left_is_never_more_than_max_time_leaves(capsys):
    assert "0:00 left" in told(capsys, step(1), max_time=0.0)


def test_what_is_told_next_ends_the_line(capsys):
    with terminal.Terminal() as tell:
        tell.note("data: 3 rows", heading=True)
        tell.note("[2] of them")
        tell.iteration(step(1), 100)
        tell.step(1, "a [b]")
    first, second, line, heading, found = capsys.readouterr().err.splitlines()
    assert (first, second, found) == ("data: 3 rows", "  [2] of them", "  a [b]")
    assert "1/100" in line
    assert heading == "1 Randomly initialize the weights"


def test_an_error_leaves_no_line_moving(capsys):
    def fails(tell):
        with tell:
            tell.iteration(step(1), 100)
            raise MemoryError

    tell = terminal.Terminal()
    with pytest.raises(MemoryError):
        fails(tell)
    assert "1/100" in capsys.readouterr().err
    assert told(capsys, step(2)).count("\n") == 1  # two lines at once would be an error


def test_progress_is_told_in_shares(capsys):
    with terminal.Terminal().progress("drawing") as done:
        done(0.5)
        done(1.0)
    assert "drawing" in (said := capsys.readouterr().err)
    assert "100 %" in said


def test_without_threads_a_bar_is_drawn_at_its_end(no_threads, capsys):
    assert "1/100" in told(capsys, step(0), step(1))
