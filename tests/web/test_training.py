"""What the Train view is told: settings in, numbers out, and a stream that anyone may lose."""

import asyncio
from random import Random

import numpy as np
import pytest
from asgi import ask, desk

from chainrule import train
from chainrule.web import training
from chainrule.web.asked import Asked, NamedFile
from chainrule.web.runs import OVER, PAUSED, TRAINING
from chainrule.web.server import framed
from chainrule.workbench.beside import advice, comparisons, shown

DIGITS = {"data": "digits", "hidden": [8], "lam": 0.5}
HOMES = "size,colour,price\n" + "".join(
    f"{7 * i % 13},{'red' if i % 2 else 'blue'},{3 * i + i % 2}\n" for i in range(30)
)
PATIENCE = 60  # seconds


@pytest.fixture
def at():
    made = desk()
    yield made
    made.runs.end()


def begun(at, optimizers=None, **settings):
    more = {} if optimizers is None else {"optimizers": optimizers}
    answer = ask(training.train, at, settings=DIGITS | settings, **more)
    return [at.runs.run(id) for id in answer["runs"]]


def ended(*runs):
    for run in runs:
        run.thread.join(PATIENCE)
        assert run.state == OVER
        assert run.trouble is None


def heard(at, n, until=lambda event: False):
    """Return the first messages of a stream that a page reads until it closes."""

    async def listen():
        said = []
        async for event in training.events(at, Asked({})):
            said.append(event)
            if len(said) == n or until(event):
                return said

    return asyncio.run(asyncio.wait_for(listen(), PATIENCE))


def test_the_curve_s_numbers_are_the_history_of_train(at):
    [run] = begun(at, max_iter=12, validation=0.2)
    ended(run)
    answer = ask(training.history, at, run=run.id)
    prepared = run.prepared
    X_val, Y_val = prepared.validation
    alone = train(
        prepared.plan.network, *prepared.trained_on, lam=0.5, max_iter=12, X_val=X_val, Y_val=Y_val
    )
    assert answer["J"].tolist() == alone.history.J
    assert answer["J_val"].tolist() == alone.history.J_val
    assert answer["gradient_norm"].tolist() == alone.history.gradient_norm
    assert (np.diff(answer["seconds"]) > 0).all()
    assert answer["n_eval"][-1] == alone.n_eval
    assert ask(training.history, at, run=run.id, since=10)["J"].tolist() == alone.history.J[10:]


def test_what_an_optimizer_tells_besides_is_there(at):
    [run] = begun(at, data="sine", optimizer="br", max_iter=5)
    ended(run)
    answer = ask(training.history, at, run=run.id)
    assert set(answer) >= {"damping", "lam", "effective parameters"}


def test_a_run_is_described_with_the_six_steps_and_why_it_ended(at):
    [run] = begun(at, max_iter=3)
    ended(run)
    said = ask(training.run, at, run=run.id)
    assert said["steps"][0] == "theta has 610 weights, drawn with seed 0"
    assert len(said["steps"]) == 6
    assert said["notes"][0] == {
        "text": "digits: 1,797 examples, 64 inputs, 10 classes",
        "heading": True,
    }
    assert said["stopped"] == run.result.stopped
    assert [name for name, _ in said["scores"]][:3] == ["trained on", "held out", "a linear model"]
    assert said["report"] == [said["stopped"]]  # more is said by the scores
    assert said["kept"].tolist() == [0, 1, 2, 3]
    assert said["layers"] == [64, 8, 10]
    assert ask(training.runs, at)["runs"][0]["taken"] == 3


def noise():
    """Return a csv whose answers have nothing to do with its inputs."""
    draw = Random(1)
    rows = [
        [*(f"{draw.gauss(0, 1):.3f}" for _ in range(4)), draw.choice(["yes", "no", "yes"])]
        for _ in range(90)
    ]
    return "\n".join(",".join(row) for row in [["a", "b", "c", "d", "answer"], *rows]).encode()


def test_the_page_says_of_scores_what_the_command_says(at):
    stream = NamedFile(noise())
    stream.name = "noise.csv"
    [number] = ask(training.train, at, settings={"table": at.problems.add(stream), "lam": 0})[
        "runs"
    ]
    run = at.runs.run(number)
    ended(run)
    said = ask(training.run, at, run=number)
    beside = comparisons(run.outcome)
    assert said["advice"] == advice(run.outcome, beside)
    assert "by heart" in said["advice"][0]
    scores = {**run.outcome.evaluations, **beside}
    assert said["scores"] == [[name, shown(score)] for name, score in scores.items()]
    assert not [line for line in said["report"] if "more iterations" in line]


def test_a_stream_tells_where_runs_stand_and_one_that_comes_back_misses_nothing(at):
    [run] = begun(at, max_iter=100_000, optimizer="adam")
    first = heard(at, 8)
    lost = first[-1]["n"]
    again = heard(at, 8, lambda event: event["n"] > lost + 20)
    assert [event["n"] for event in first + again] == sorted(event["n"] for event in first + again)
    assert all(len(framed(event)) < 300 for event in first + again)
    missed = ask(training.history, at, run=run.id, since=max(lost, 0))
    n = again[-1]["n"]
    assert missed["J"][n - max(lost, 0)] == again[-1]["now"][0] == run.history.J[n]
    assert at.listeners == 0
    ask(training.stop, at, runs=[run.id])
    assert heard(at, 100, lambda event: event["state"] == OVER)[-1]["n"] == len(run) - 1


def test_a_run_that_is_told_to_have_paused_has_no_number_to_come(at):
    (run,) = begun(at, max_iter=3)
    ended(run)
    looks = []

    class Moving:
        """It ends its last iteration and pauses after the first look at it."""

        def __getattr__(self, name):
            if name == "state":
                looks.append(name)
                return TRAINING if len(looks) == 1 else PAUSED
            return getattr(run, name)

        def __len__(self):
            looks.append("n")
            return len(run) - (len(looks) == 1)

    told = training.event(Moving())
    assert (told["state"], told["n"]) == (TRAINING, 3)


def test_a_stream_sends_at_most_twenty_messages_a_second(at, monkeypatch):
    slept = []

    async def sleep(seconds):
        slept.append(seconds)

    begun(at, ["cg", "gd"], max_iter=50)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    said = heard(at, 5)
    assert len(slept) >= len(said) - 1
    assert min(slept) >= 1 / 20


def test_more_listeners_than_there_may_be_are_refused(at):
    at.listeners = training.LISTENERS
    with pytest.raises(ValueError, match="50 pages listen already"):
        heard(at, 1)


def test_optimizers_are_compared_from_one_start_on_one_core(at):
    names = ["lbfgs", "cg", "gd", "adam"]
    runs = begun(at, names, max_iter=5, optimizer="adam", learning_rate=0.01, patience=3)
    ended(*runs)
    assert [run.optimizer for run in runs] == names
    assert {run.request.threads for run in runs} == {1}
    assert runs[0].request.learning_rate is None
    assert runs[3].request.learning_rate == 0.01
    firsts = np.array([run.history.J[0] for run in runs])
    np.testing.assert_allclose(firsts, firsts[0], rtol=1e-14)  # a sum in another order
    for run in runs[1:]:
        np.testing.assert_array_equal(run.theta(0), runs[0].theta(0))


def test_lambda_is_chosen_once_for_all_that_are_compared(at):
    ids = ask(training.train, at, settings={"data": "moons", "max_iter": 3},
              optimizers=["cg", "gd"])["runs"]  # fmt: skip
    one, other = map(at.runs.run, ids)
    ended(one, other)
    assert len(one.prepared.plan.choices) > 1
    assert other.prepared.plan.choices == ()
    assert one.lam == other.lam


def test_a_table_of_ones_own_is_told_as_the_command_tells_it(at):
    given = ask(training.table, at, file=np.frombuffer(HOMES.encode(), np.uint8), name="homes.csv")
    assert given == {"table": 1, "name": "homes.csv"}
    said = ask(training.data, at, settings={"table": 1})
    assert (said["name"], said["rows"], said["target"]) == ("homes.csv", 30, "price")
    assert said["columns"] == ["size", "colour", "price"]
    assert "column 'colour': blue is 0, red is 1" in said["notes"]
    [run] = [
        at.runs.run(id)
        for id in ask(training.train, at, settings={"table": 1, "lam": 0.1, "max_iter": 5})["runs"]
    ]
    ended(run)
    assert run.prepared.data.notes[-1] in said["notes"]


def test_what_mends_a_table_is_offered(at):
    table = np.frombuffer(
        b"id,x,y\n" + b"".join(b"%d,%d,%d\n" % (i, i * i % 7, i % 2) for i in range(30)), np.uint8
    )
    ask(training.table, at, file=table, name="t.csv")
    said = ask(training.data, at, settings={"table": 1})
    assert said == {"trouble": "t.csv: column 'id' numbers the rows", "mend": {"drop": ["id"]}}
    said = ask(training.data, at, settings={"table": 1} | said["mend"])
    assert said["inputs"] == 1


@pytest.mark.parametrize("name", training.DATA)
def test_each_data_set_goes_well_with_its_own_settings(at, name):
    if name not in training.names():
        pytest.skip("no MNIST here: CHAINRULE_DATA names the folder of mnist.npz")
    if name == "mnist":
        pytest.skip("its training takes minutes")
    [run] = [
        at.runs.run(id)
        for id in ask(training.train, at, settings={"data": name} | dict(training.DATA[name]))[
            "runs"
        ]
    ]
    ended(run)
    score = run.outcome.evaluations["trained on" if name == "bend" else "held out"].score
    assert score > 0.9, score


PRESETS = {
    "works": lambda run: run.outcome.evaluations["held out"].score > 0.9,
    "diverges": lambda run: run.report.why.startswith("diverged"),
    "dead units": lambda run: run.report.dead[0] >= 4,
    "zero start": lambda run: (
        np.ptp(run.result.theta[: 65 * 16].reshape(65, 16), axis=1) == 0
    ).all(),
}


@pytest.mark.parametrize("name", training.PRESETS)
def test_each_preset_shows_what_it_says(at, name):
    preset = training.PRESETS[name]
    settings = dict(training.DATA[preset["data"]]) | dict(preset)
    [id] = ask(training.train, at, settings=settings)["runs"]
    ended(at.runs.run(id))
    assert PRESETS[name](at.runs.run(id))
