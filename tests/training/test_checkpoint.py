"""A training that is killed goes on from its checkpoint, to the same bits."""

import errno
import json
import os
import stat
import time
from dataclasses import dataclass

import numpy as np
import pytest
import safetensors.numpy

import chainrule
from chainrule import Network, train
from chainrule.common.sealed import checksum
from chainrule.optimize import Iterate, Step
from chainrule.training import checkpoint as module
from chainrule.training import epochs
from chainrule.training.checkpoint import KEY, CheckpointError, InMemory, load
from chainrule.training.recipes import RECIPES

NETWORK = Network((4, 6, 2), hidden="tanh")
SQUARES = Network((4, 5, 1), hidden="tanh", output="identity")
ALL_ROWS = ["lbfgs", "cg", "scg", "newton-cg", "gd", "lm", "br"]
RULES = ["sgd", "adam", "adamw"]


class KilledError(BaseException):
    """What ends a training as a signal that cannot be caught does: nothing is done after it."""


@pytest.fixture(scope="module")
def examples():
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 4))
    return X, (X @ rng.normal(size=(4, 2)) + rng.normal(size=(120, 2)) > 0).astype(float)


@pytest.fixture
def at_each_step(monkeypatch):
    """Write whatever it costs."""
    monkeypatch.setattr(module, "SHARE", 1e9)


def case(optimizer, examples):
    X, Y = examples
    network, Y = (SQUARES, Y[:, :1]) if optimizer in ("lm", "br") else (NETWORK, Y)
    options = {"optimizer": optimizer, "max_iter": 30, "patience": 8}
    if optimizer in RULES:
        options |= {"batch_size": 16, "dropout": 0.2}
    return (network, X, Y), options


def kill_at(told):
    """Return a callback that ends the process, as far as the training can tell."""
    left = iter(range(told))

    def callback(step):
        if next(left, None) is None:
            raise KilledError

    return callback


def assert_same(result, other):
    np.testing.assert_array_equal(result.theta, other.theta)
    np.testing.assert_array_equal(result.state.theta, other.state.theta)
    for name in ("J", "gradient_norm", "J_val"):
        np.testing.assert_array_equal(getattr(result.history, name), getattr(other.history, name))
    assert result.history.extra == other.history.extra
    found = [(r.J, r.n_iter, r.n_eval, r.stopped, r.converged) for r in (result, other)]
    assert found[0] == found[1]


# The same bits


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("optimizer", [*ALL_ROWS, *RULES])
@pytest.mark.usefixtures("at_each_step")
def test_killed_every_few_steps_it_ends_where_an_uninterrupted_one_does(
    examples, optimizer, validated, tmp_path
):
    data, options = case(optimizer, examples)
    if validated:
        options |= {"X_val": data[1][:20], "Y_val": data[2][:20]}
    whole = train(*data, **options)
    path, kills, result = tmp_path / "run.ckpt", 0, None
    while result is None:
        try:
            result = train(
                *data, checkpoint=path, checkpoint_every=0, callback=kill_at(4), **options
            )
        except KilledError:
            kills += 1
    assert kills >= 2
    assert_same(result, whole)
    assert os.listdir(tmp_path) == ["run.ckpt"]
    assert load(path).stopped == result.stopped.partition(";")[0]
    assert_same(train(*data, checkpoint=path, **options), whole)  # it was over: at once


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.usefixtures("at_each_step")
def test_minibatches_go_on_within_an_epoch(examples, dtype, tmp_path, monkeypatch):
    monkeypatch.setattr(epochs, "MOST_BATCHES", 3)
    X, Y = examples
    options = {"optimizer": "adam", "batch_size": 8, "max_iter": 4, "dtype": dtype}
    options |= {"dropout": 0.2, "distort": turned}
    whole = train(NETWORK, X, Y, **options)
    path, within, result = tmp_path / "run.ckpt", set(), None
    kept = module.Checkpoint._write
    monkeypatch.setattr(module.Checkpoint, "_write", killing_every(4, kept))
    while result is None:
        try:
            result = train(NETWORK, X, Y, checkpoint=path, checkpoint_every=0, **options)
        except KilledError:
            within.add(load(path).kept.state.batch)
    assert len(within) > 2
    assert within <= {0, 3, 6, 9, 12}
    assert_same(result, whole)


def turned(X, rng):
    return X + 0.1 * rng.normal(size=X.shape)


def killing_every(n, write):
    written = [0]

    def write_and_be_killed(self, stopped):
        write(self, stopped)
        written[0] += 1
        if written[0] % n == 0:
            raise KilledError

    return write_and_be_killed


def test_writing_within_an_epoch_changes_no_bit_and_is_not_told(examples, tmp_path, monkeypatch):
    monkeypatch.setattr(epochs, "MOST_BATCHES", 2)
    data, options = case("adam", examples)
    told = []
    result = train(
        *data, checkpoint=tmp_path / "a.ckpt", checkpoint_every=0, callback=told.append, **options
    )
    assert not any(step.batch for step in told)
    assert_same(result, train(*data, **options))


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_ctrl_c_in_any_phase_loses_nothing(examples, optimizer, tmp_path):
    data, options = case(optimizer, examples)
    options |= {"X_val": data[1][:20], "Y_val": data[2][:20]}
    whole = train(*data, **options)
    path, results = tmp_path / "run.ckpt", []
    for at in (3, 7):

        def stop(step, at=at):
            if step.iteration == at:
                raise KeyboardInterrupt

        results.append(train(*data, checkpoint=path, callback=stop, **options))
        assert results[-1].interrupted
        assert load(path).stopped == ""
    assert_same(train(*data, checkpoint=path, **options), whole)


def test_an_exception_of_the_callback_leaves_a_checkpoint(examples, tmp_path):
    data, options = case("adam", examples)
    path = tmp_path / "run.ckpt"

    def fail(step):
        if step.iteration == 5:
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        train(*data, checkpoint=path, callback=fail, **options)
    assert load(path).kept.last.iteration == 5
    assert_same(train(*data, checkpoint=path, **options), train(*data, **options))


@pytest.mark.parametrize("optimizer", ["lbfgs", "lm", "sgd"])
def test_a_larger_max_iter_goes_on_where_a_smaller_one_ended(examples, optimizer, tmp_path):
    data, options = case(optimizer, examples)
    options["patience"] = None
    short = train(*data, checkpoint=tmp_path / "run.ckpt", **options | {"max_iter": 5})
    assert short.n_iter == 5
    assert_same(train(*data, checkpoint=tmp_path / "run.ckpt", **options), train(*data, **options))


@pytest.mark.parametrize("validated", [False, True])
@pytest.mark.parametrize("optimizer", [*ALL_ROWS, *RULES])
def test_one_kept_in_memory_goes_on_with_a_larger_max_iter(examples, optimizer, validated):
    data, options = case(optimizer, examples)
    if validated:
        options |= {"X_val": data[1][:20], "Y_val": data[2][:20]}
    keeper = InMemory()
    parts = [
        train(*data, checkpoint=keeper, **(options | {"max_iter": most})) for most in (4, 11, 30)
    ]
    assert_same(parts[-1], train(*data, **options))
    assert_same(parts[0], train(*data, **(options | {"max_iter": 4})))  # as it was handed back


def test_max_time_counts_what_was_used_before(examples, tmp_path):
    data, options = case("adam", examples)
    options |= {"max_iter": 10**6, "patience": None, "checkpoint": tmp_path / "run.ckpt"}
    first = train(*data, max_time=0.2, **options)
    again = train(*data, max_time=0.2, **options)
    assert "max_time = 0.2 s is over" in first.stopped
    assert (again.stopped, again.n_iter) == (first.stopped, first.n_iter)
    np.testing.assert_array_equal(again.theta, first.theta)
    assert train(*data, max_time=0.4, **options).n_iter > first.n_iter


def test_a_callback_that_ended_a_training_ends_it_again(examples, tmp_path):
    data, options = case("lbfgs", examples)
    options |= {"checkpoint": tmp_path / "run.ckpt", "callback": lambda s: s.iteration == 4}
    first = train(*data, **options)
    again = train(*data, **options)
    assert (first.stopped, again.n_iter) == ("stopped by the callback", 4)
    assert_same(again, first)


def test_each_restart_has_a_file_and_goes_on(examples, tmp_path):
    data, options = case("lbfgs", examples)
    options |= {"n_restarts": 2, "seed": 5}
    whole = train(*data, **options)
    path = tmp_path / "run.ckpt"
    train(*data, checkpoint=path, **options | {"max_iter": 7})
    assert sorted(os.listdir(tmp_path)) == ["run.ckpt.5", "run.ckpt.6"]
    result = train(*data, checkpoint=path, **options)
    assert_same(result, whole)
    assert result.minima == whole.minima


# What cannot go on


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lam": 2.0}, r"another lam \(0 then, 2 now\)"),
        ({"seed": 1}, r"another seed \(0 then, 1 now\)"),
        ({"patience": None}, r"another patience \(8 then, None now\)"),
        ({"optimizer": "cg"}, r"another optimizer \(lbfgs then, cg now\)"),
        ({"dtype": "float32"}, "another dtype"),
        ({"engine": "numpy"}, "the kernel on .*, not NumPy on"),
    ],
)
def test_another_training_is_refused_in_one_sentence(examples, change, says, tmp_path):
    data, options = case("lbfgs", examples)
    path = tmp_path / "run.ckpt"
    train(*data, checkpoint=path, **options | {"max_iter": 3})
    before = path.read_bytes()
    with pytest.raises(CheckpointError, match=says) as caught:
        train(*data, checkpoint=path, **options | change)
    assert "resume=False begins anew, resume='anyway' goes on" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_other_data_or_another_network_are_refused(examples, tmp_path):
    (network, X, Y), options = case("lbfgs", examples)
    options |= {"checkpoint": tmp_path / "run.ckpt"}
    train(network, X, Y, **options)
    other = X.copy()
    other[7, 2] += 1e-9
    with pytest.raises(CheckpointError, match="with other data:"):
        train(network, other, Y, **options)
    with pytest.raises(CheckpointError, match="with other data:"):
        train(network, X, Y, X_val=X, Y_val=Y, **options)
    with pytest.raises(CheckpointError, match=r"another network \(Network\(layers=\(4, 6, 2\)"):
        train(Network((4, 7, 2), hidden="tanh"), X, Y, **options)


def test_another_version_is_taken_with_a_word(examples, tmp_path, monkeypatch):
    data, options = case("lbfgs", examples)
    path = tmp_path / "run.ckpt"
    train(*data, checkpoint=path, **options | {"max_iter": 3})
    monkeypatch.setattr(chainrule, "__version__", "99.0")
    with pytest.raises(CheckpointError, match=r"with chainrule .*, not chainrule 99\.0"):
        train(*data, checkpoint=path, **options)
    assert train(*data, checkpoint=path, resume="anyway", **options).n_iter == 30


def test_resume_false_begins_anew_and_replaces_the_file(examples, tmp_path):
    data, options = case("lbfgs", examples)
    path = tmp_path / "run.ckpt"
    train(*data, checkpoint=path, **options | {"max_iter": 3})
    result = train(*data, checkpoint=path, resume=False, lam=2.0, **options)
    assert_same(result, train(*data, lam=2.0, **options))
    assert load(path).made.options["lam"] == "2"


def test_a_file_that_is_no_checkpoint_is_neither_used_nor_replaced(examples, tmp_path):
    data, options = case("lbfgs", examples)
    path = tmp_path / "run.ckpt"
    train(*data, checkpoint=path, **options | {"max_iter": 3})
    good = path.read_bytes()
    bad = {
        "no .safetensors file": b"a,b\n1,2\n",
        "truncated": good[:-9],
        "its checksum does not match": good[:-1] + bytes([good[-1] ^ 1]),
    }
    for says, content in bad.items():
        path.write_bytes(content)
        for resume in (True, False, "anyway"):
            with pytest.raises(CheckpointError, match=f"{says}.* move it away or name another"):
                train(*data, checkpoint=path, resume=resume, **options)
        assert path.read_bytes() == content


def test_a_history_of_two_lengths_is_refused():
    columns = {"J": np.zeros(0), "gradient_norm": np.zeros(3), "J_val": np.zeros(0), "extra": {}}
    with pytest.raises(ValueError, match="0 costs and 3 gradients"):
        module.history_of(columns)


def test_no_altered_byte_gets_through(examples, tmp_path):
    data, options = case("adam", examples)
    path = tmp_path / "run.ckpt"
    train(*data, checkpoint=path, **options | {"max_iter": 2})
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(good), 300):
        path.write_bytes(good[:at] + bytes([good[at] ^ (1 << rng.integers(8))]) + good[at + 1 :])
        with pytest.raises(CheckpointError, match="not a checkpoint that can be used"):
            load(path)


def strange_parts(header):
    """Yield the name of a part of a checkpoint's header, and what cannot stand there."""
    kept = header["kept"]
    yield "kept", {**header, "kept": [1, 2]}
    yield "used", {**header, "used": 10**400}
    yield "notes", {**header, "notes": [["a", 1]]}
    yield "options", {**header, "made": {**header["made"], "options": ["lam"]}}
    yield "date", {**header, "date": "yesterday"}
    yield "J of the last step", {**header, "kept": {**kept, "last": {**kept["last"], "J": "low"}}}
    yield "theta", {**header, "kept": {**kept, "last": {**kept["last"], "theta": 0.5}}}
    yield "what a rule does not remember", {**header, "kept": {**kept, "rules": {"map": {
        name: {"map": {"__call__": 1}} for name in kept["rules"]["map"]}}}}  # fmt: skip
    yield "what a rule remembers", {**header, "kept": {**kept, "rules": {"map": {
        name: {"map": dict.fromkeys(known["map"], "far")}
        for name, known in kept["rules"]["map"].items()}}}}  # fmt: skip
    yield "an entry of the history", {**header, "history": {"map": {
        **header["history"]["map"], "J": kept["last"]["iteration"]}}}  # fmt: skip


@pytest.mark.parametrize("optimizer", ["adam", "lbfgs", "lm"])
def test_what_stands_there_under_a_seal_that_fits_is_checked_too(examples, tmp_path, optimizer):
    data, options = case(optimizer, examples)
    path = tmp_path / "run.ckpt"
    train(*data, checkpoint=path, **options | {"max_iter": 2})
    content = path.read_bytes()
    tensors = safetensors.numpy.load(content)
    n = int.from_bytes(content[:8], "little")
    header = json.loads(json.loads(content[8 : 8 + n])["__metadata__"][KEY])
    parts = dict(strange_parts(header))
    assert len(parts) == 10
    for what, strange in parts.items():
        sealed(path, strange, tensors)
        with pytest.raises(CheckpointError) as refused:
            train(*data, checkpoint=path, **options)
        assert "not a checkpoint that can be used" in str(refused.value), what
    shorter = {
        name: array[..., :-1].copy() if array.ndim else array for name, array in tensors.items()
    }
    sealed(path, header, shorter)
    with pytest.raises(CheckpointError, match="its theta has shape"):
        train(*data, checkpoint=path, **options)
    sealed(path, header, tensors)
    assert train(*data, checkpoint=path, **options).n_iter > 2


def sealed(path, header, tensors):
    """Write a checkpoint whose checksum fits, whatever it holds."""
    text = json.dumps(header)
    metadata = {KEY: text, "sha256": checksum(text, tensors)}
    path.write_bytes(safetensors.numpy.save(tensors, metadata))


def test_what_cannot_be_kept_is_said_before_training(examples, tmp_path):
    X, Y = examples
    path, told = tmp_path / "run.ckpt", []
    with pytest.raises(ValueError, match=r"'scipy:CG' keeps its state to itself .* leave check"):
        train(NETWORK, X, Y, optimizer="scipy:CG", checkpoint=path, callback=told.append)

    def with_state(state):
        def steps(objective, start):
            J, _ = objective(start)
            yield Step(0, J, 0.0, start, 1, state=state)

        return steps

    for state, says in ((None, "no state to go on from"), ({1, 2}, "set is none")):
        with pytest.raises(ValueError, match=says):
            train(NETWORK, X, Y, optimizer=with_state(state), checkpoint=path, callback=told.append)
    with pytest.raises(CheckpointError, match="there is no folder"):
        train(NETWORK, X, Y, checkpoint=tmp_path / "absent" / "run.ckpt")
    with pytest.raises(ValueError, match="checkpoint_every must be seconds >= 0, got -1"):
        train(NETWORK, X, Y, checkpoint=path, checkpoint_every=-1)
    with pytest.raises(ValueError, match="resume must be True, False or 'anyway', got 'yes'"):
        train(NETWORK, X, Y, checkpoint=path, resume="yes")
    assert not told
    assert not path.exists()


@dataclass(frozen=True)
class Signs(Iterate):
    rate: float = 0.1


def signs(objective, start):
    now = start if isinstance(start, Signs) else Signs.at(objective, start)
    while True:
        yield Step(now.iteration, now.J, 1.0, now.theta, now.n_eval, state=now)
        theta = now.theta - now.rate * np.sign(now.D)
        J, D = objective(theta)
        now = Signs(theta, J, D, now.n_eval + 1, now.iteration + 1, now.rate * 0.9)


@pytest.mark.usefixtures("at_each_step")
def test_an_algorithm_of_ones_own_goes_on(examples, tmp_path):
    X, Y = examples
    options = {"optimizer": signs, "max_iter": 12, "checkpoint_every": 0}
    with pytest.raises(KilledError):
        train(NETWORK, X, Y, checkpoint=tmp_path / "a.ckpt", callback=kill_at(5), **options)
    result = train(NETWORK, X, Y, checkpoint=tmp_path / "a.ckpt", **options)
    assert_same(result, train(NETWORK, X, Y, optimizer=signs, max_iter=12))


# When the disk fails, and what writing costs


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.usefixtures("at_each_step")
def test_a_disk_that_fails_is_one_warning_and_training_goes_on(
    examples, error, tmp_path, monkeypatch
):
    data, options = case("adam", examples)
    path = tmp_path / "run.ckpt"
    written, write = [], module.write_atomically

    def failing(*given):
        written.append(given)
        if 3 < len(written) < 20:
            raise OSError(error, os.strerror(error))
        write(*given)

    monkeypatch.setattr(module, "write_atomically", failing)
    with pytest.warns(UserWarning, match="the checkpoint cannot be written") as caught:
        result = train(*data, checkpoint=path, checkpoint_every=0, **options)
    assert len(caught) == 1
    assert os.strerror(error).lower() in str(caught[0].message)
    assert_same(result, train(*data, **options))
    assert load(path).stopped  # it could be written again


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_said_at_once(examples, tmp_path):
    data, options = case("lbfgs", examples)
    tmp_path.chmod(0o555)
    with pytest.warns(UserWarning, match="permission denied") as caught:
        train(*data, checkpoint=tmp_path / "run.ckpt", **options)
    assert len(caught) == 1
    tmp_path.chmod(0o755)


def test_slow_writing_is_done_less_often(examples, tmp_path, monkeypatch):
    data, options = case("lbfgs", examples)
    keeper = module.Checkpoint(tmp_path / "run.ckpt", every=0.0)
    write = module.write_atomically
    monkeypatch.setattr(
        module, "write_atomically", lambda *given: time.sleep(0.02) or write(*given)
    )
    began = time.monotonic()
    train(*data, checkpoint=keeper, **options | {"max_iter": 0})
    assert keeper._next - began >= 0.02 / module.SHARE


def test_what_takes_less_time_than_first_leaves_no_file(examples, tmp_path):
    data, options = case("adam", examples)
    keeper = module.Checkpoint(tmp_path / "run.ckpt", first=60.0)
    train(*data, checkpoint=keeper, **options)
    assert os.listdir(tmp_path) == []


def test_the_mode_of_the_file_stays(examples, tmp_path):
    data, options = case("adam", examples)
    path = tmp_path / "run.ckpt"
    train(*data, checkpoint=path, **options | {"max_iter": 1})
    path.chmod(0o600)
    train(*data, checkpoint=path, **options)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_it_goes_on_from_is_told(examples, tmp_path):
    data, options = case("adam", examples)
    path, said = tmp_path / "run.ckpt", []
    for most in (2, 4):
        keeper = module.Checkpoint(path, tell=said.append)
        train(*data, checkpoint=keeper, **options | {"max_iter": most})
    assert len(said) == 1
    assert said[0].startswith(f"going on from epoch 2 of {path} (")


def test_what_a_recipe_asks_for_is_the_same_in_each_process():
    for recipe in RECIPES.values():
        words = [module.described(value) for value in recipe.arguments().values()]
        assert not any(" at 0x" in word or "object" in word for word in words), words
