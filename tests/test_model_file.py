"""The model file: what goes in comes out, and nothing else ever gets in."""

import errno
import io
import json
import os
import resource
import stat
import struct

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load as from_bytes
from safetensors.numpy import save as to_bytes
from scipy.sparse import csr_array

from chainrule import Network, blocks, random_theta
from chainrule.common.sealed import checksum
from chainrule.datasets import load as load_table
from chainrule.datasets.columns import Column
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.scaling import Scaling
from chainrule.model_file import Model, ModelFileError, Provenance, load, save
from chainrule.notes.activations import ACTIVATIONS


def example(**options):
    """Return a model with something in every part."""
    encoder = Encoder(
        (Column("carat", mean=0.7), Column("cut", ("fair", "good"))),
        target="price",
        dropped=("id",),
        missing="mean",
    )
    network = Network((3, 4, 2), hidden=["tanh"], output="identity")
    parts = {
        "network": network,
        "theta": random_theta(network, 3),
        "encoder": encoder,
        "scaling": Scaling(np.array([1.0, 2.0, 3.0]), np.array([1.0, 0.5, 2.0])),
        "target_scaling": Scaling(np.array([4.0, 5.0]), np.array([2.0, 3.0])),
        "provenance": Provenance("0.1.0", 3, {"lam": [1.0, 2.0]}, "t.csv", "ab", 0.25, "done"),
    }
    return Model(**(parts | options))


def assert_same(model, other):
    assert model.network == other.network
    np.testing.assert_array_equal(model.theta, other.theta)
    assert model.theta.dtype == other.theta.dtype
    assert model.encoder == other.encoder
    for name in ("scaling", "target_scaling"):
        mine, others = getattr(model, name), getattr(other, name)
        assert (mine is None) == (others is None)
        if mine is not None:
            np.testing.assert_array_equal(mine.mean, others.mean)
            np.testing.assert_array_equal(mine.scale, others.scale)
    assert model.provenance == other.provenance


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"scaling": None, "target_scaling": None},
        {"theta": random_theta(Network((3, 4, 2)), 1, np.float32)},
        {"network": Network((3, 4, 2), hidden="relu")},
        {
            "network": Network((3, 4, 2), output="softmax"),
            "encoder": Encoder(
                tuple(Column(name) for name in "abc"),
                classes=("é", 10),
                image_shape=(1, 3),
                column_major=True,
                divisor=16.0,
            ),
            "target_scaling": None,
        },
    ],
)
def test_what_goes_in_comes_out(path, options):
    model = example(**options)
    save(path, model)
    assert_same(load(path), model)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_stream_holds_what_a_file_does(path):
    model = example()
    save(path, model)
    stream = io.BytesIO()
    save(stream, model)
    stream.seek(0)
    assert_same(load(stream), model)
    with path.open("rb") as file:
        assert_same(load(file), model)


def test_a_bad_stream_is_refused_by_its_name():
    with pytest.raises(ModelFileError, match=r"^<stream>: not a model that can be used"):
        load(io.BytesIO(b"no model"))
    upload = io.BytesIO(b"no model")
    upload.name = "mine.safetensors"
    with pytest.raises(ModelFileError, match=r"^mine\.safetensors: not a model that can be used"):
        load(upload)


def test_a_loaded_theta_is_its_own_and_can_be_changed(path):
    save(path, example())
    theta = load(path).theta
    theta += 1
    assert theta.flags.owndata


def test_half_a_theta_is_float16_in_the_file_and_float32_after_it(path):
    model = example()
    save(path, model, half=True)
    theta = load(path).theta
    assert theta.dtype == np.float32
    np.testing.assert_array_equal(theta, model.theta.astype(np.float16))


def test_half_a_theta_that_float16_cannot_hold_is_kept_as_it_is(path):
    theta = example().theta.copy()
    theta[3] = 65_600
    save(path, example(theta=theta), half=True)
    np.testing.assert_array_equal(load(path).theta, theta)


ABC = tuple(Column(name) for name in "abc")
WORDLESS = {
    "an infinite option": {"provenance": Provenance(options={"max_time": np.inf})},
    "options of NumPy": {
        "provenance": Provenance(options={"lam": np.float32(0.5), "X": np.ones(2), 3: {4}})
    },
    "a function": {"provenance": Provenance(options={"learning_rate": lambda epoch: 0.1})},
    "a seed of NumPy": {"provenance": Provenance(seed=np.int64(3), J=np.float32(0.5))},
    "labels of NumPy": {
        "network": Network((3, 4, 2), output="softmax"),
        "encoder": Encoder(ABC, classes=tuple(np.arange(2))),
        "target_scaling": None,
    },
    "text labels of NumPy": {
        "network": Network((3, 4, 2), output="softmax"),
        "encoder": Encoder(
            tuple(Column(name) for name in "abc"), classes=tuple(np.array(["a", "b"]))
        ),
        "target_scaling": None,
    },
    "a mean of NumPy": {
        "encoder": Encoder((Column("carat", mean=np.float32(0.5)), Column("b"), Column("c")))
    },
    "a scaling of whole numbers": {"scaling": Scaling(np.arange(3), np.arange(1, 4))},
}


@pytest.mark.parametrize("options", WORDLESS.values(), ids=WORDLESS)
def test_what_json_has_no_word_for_does_not_lose_the_network(path, options):
    model = example(**options)
    save(path, model)
    loaded = load(path)
    np.testing.assert_array_equal(loaded.theta, model.theta)
    assert loaded.classes == model.classes


def test_a_model_that_load_would_refuse_does_not_replace_one(path):
    save(path, example())
    before = path.read_bytes()
    for options in (
        {"encoder": Encoder(ABC, target=3)},
        {"encoder": Encoder((*ABC[:2], Column(4)))},
        {"encoder": Encoder((Column("carat", mean=np.nan), *ABC[1:]))},
    ):
        with pytest.raises(ModelFileError, match=r"not be loaded again .*nothing was changed"):
            save(path, example(**options))
        assert path.read_bytes() == before


def test_predictions_are_in_the_targets_units_and_survive_the_file(path):
    model = example()
    X = np.array([[0.7, 1.0, 0.0], [1.2, 0.0, 1.0]])
    save(path, model)
    plain = example(scaling=None, target_scaling=None)
    standardised = (X - [1, 2, 3]) / [1, 0.5, 2]
    expected = plain.predict(standardised) * [2, 3] + [4, 5]
    np.testing.assert_allclose(load(path).predict(X), expected, rtol=1e-14)
    with pytest.raises(ValueError, match="predicts numbers"):
        model.labels(X)


def test_parts_that_do_not_fit_are_refused():
    encoder = Encoder((Column("a"), Column("b"), Column("c")), classes=("x", "y", "z"))
    for options, message in (
        ({"network": Network((2, 4, 2))}, r"theta must have shape \(22,\)"),
        ({"encoder": Encoder((Column("a"),))}, "3 inputs, the encoder makes 1"),
        ({"encoder": encoder}, "2 outputs for 3 classes"),
        ({"scaling": Scaling(np.ones(2), np.ones(2))}, "scaling needs 3 means"),
        ({"target_scaling": Scaling(np.ones(2), np.zeros(2))}, "target_scaling has a scale that"),
        ({"scaling": Scaling(np.full(3, np.inf), np.ones(3))}, "scaling has values that are not"),
    ):
        with pytest.raises(ValueError, match=message):
            example(**options)


def test_a_cost_that_is_not_finite_is_kept_as_none(path):
    save(path, example(provenance=Provenance(J=np.inf)))
    assert load(path).provenance.J is None


def test_functions_of_ones_own_cannot_be_saved(path):
    network = Network((3, 4, 2), hidden=ACTIVATIONS["tanh"], output="identity")
    with pytest.raises(ModelFileError, match="holds activations and outputs by name"):
        save(path, example(network=network))
    assert not path.exists()


def forge(path, change_header=None, change_tensors=None, keep_checksum=False):
    """Rewrite a saved model with changes, with a checksum that fits them."""
    save(path, example())
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    header, tensors = json.loads(metadata["chainrule"]), from_bytes(content)
    if change_header:
        change_header(header)
    if change_tensors:
        change_tensors(tensors)
    text = json.dumps(header)
    seal = metadata["sha256"] if keep_checksum else checksum(text, tensors)
    path.write_bytes(to_bytes(tensors, {"chainrule": text, "sha256": seal}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda h: h.update(format=2), r"a newer chainrule wrote it \(format 2, this one reads up "
         r"to 1\): upgrade chainrule"),
        (lambda h: h.update(format="x"), "its format 'x' is unknown"),
        (lambda h: h.pop("network"), "its header lacks 'network'"),
        (lambda h: h["network"].update(layers=[3, 40, 2]), r"theta is F64 of shape \(26,\); layers "
         r"\(3, 40, 2\) need floats of shape \(242,\)"),
        (lambda h: h["network"].update(layers=[3, 10**30, 2]), "theta is F64 of shape"),
        (lambda h: h["network"].update(layers=[3, -1, 2]), "layer 2 must have a whole number"),
        (lambda h: h["network"].update(layers={"a": 1}), "layers must be a sequence"),
        (lambda h: h["network"].update(hidden="tann"), "unknown activation 'tann': did you mean"),
        (lambda h: h["network"].update(output=None), "unknown output None"),
        (lambda h: h["encoder"].update(columns=[]), "bad encoder"),
        (lambda h: h["encoder"].update(classes=[1.5, 2]), "bad encoder"),
        (lambda h: h["encoder"].update(classes=["a"]), "2 outputs for 1 classes"),
        (lambda h: h["encoder"].update(image_shape=[2, 2]), "bad encoder"),
        (lambda h: h["encoder"].update(divisor="1"), "bad encoder"),
        (lambda h: h["encoder"].update(divisor=float("nan")), "NaN"),
        (lambda h: h["encoder"].update(divisor=10**400), "bad encoder"),
        (lambda h: h["encoder"]["columns"][0].update(mean=10**400), "bad encoder"),
        (lambda h: h["encoder"].update(reading=[]), "bad encoder"),
        (lambda h: h.update(encoder=[]), "bad encoder"),
        (lambda h: h.update(network=None), "not a model that can be used"),
        (lambda h: h.update(provenance=[]), "not a model that can be used"),
        (lambda h: h["encoder"]["columns"][0].update(name=3), "bad encoder"),
        (lambda h: h["provenance"].update(extra=3), "extra"),
        (lambda h: h["provenance"].update(J="low"), "provenance: J is 'low'"),
    ],
)  # fmt: skip
def test_a_header_that_lies_is_refused(path, change, message):
    forge(path, change)
    with pytest.raises(ModelFileError, match=message):
        load(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.update(theta=t["theta"][:-1]), r"need floats of shape \(26,\)"),
        (lambda t: t.update(theta=t["theta"].astype(np.int8)), "theta is I8"),
        (lambda t: t.update(theta=t["theta"].astype(np.int64)), "theta is I64"),
        (lambda t: t.update(theta=np.full(26, np.nan)), "theta has nan in position 0"),
        (lambda t: t.pop("theta"), "theta is missing"),
        (lambda t: t.pop("scaling.mean"), "scaling.mean is missing"),
        (lambda t: t.update({"scaling.scale": np.zeros(3)}), "a scale that is not positive"),
        (lambda t: t.update({"scaling.mean": np.ones(4)}), r"scaling.mean is F64 of shape \(4,\)"),
        (lambda t: t.update(more=np.ones(10**6)), r"unknown tensors \['more'\]"),
    ],
)
def test_numbers_that_do_not_fit_the_network_are_refused(path, change, message):
    forge(path, change_tensors=change)
    with pytest.raises(ModelFileError, match=message):
        load(path)


def test_an_altered_file_is_refused(path):
    forge(path, lambda h: h["provenance"].update(seed=4), keep_checksum=True)
    with pytest.raises(ModelFileError, match=r"its checksum does not match: it was altered"):
        load(path)


def test_files_that_are_no_models_are_refused(path, tmp_path):
    save(path, example())
    content = path.read_bytes()
    for bad, message in (
        (b"", "truncated, altered or no .safetensors"),
        (b"PK\x03\x04 anything else at all", "truncated, altered or no .safetensors"),
        (content[:-1], "truncated, altered"),
        (content + b"\0", "truncated, altered"),
        (to_bytes({"theta": np.ones(3)}), "not one of chainrule's"),
        (to_bytes({"theta": np.ones(3)}, {"chainrule": "{"}), "not a model that can be used"),
        (to_bytes({"theta": np.ones(3)}, {"chainrule": "[1]"}), "not a model that can be used"),
        (to_bytes({"theta": np.ones(3)}, {"chainrule": "[" * 10**5}), "not a model that can be"),
    ):
        path.write_bytes(bad)
        with pytest.raises(ModelFileError, match=message) as caught:
            load(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelFileError, match=r"cannot be read \(no such file"):
        load(tmp_path / "absent.safetensors")
    with pytest.raises(ModelFileError, match="cannot be read"):
        load(tmp_path)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_damage_anywhere_is_noticed(path, data):
    model = example()
    save(path, model)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4), "flips")):
        place = data.draw(st.integers(0, len(content) - 1), "place")
        content[place] ^= 1 << data.draw(st.integers(0, 7), "bit")
    end = data.draw(st.one_of(st.just(len(content)), st.integers(0, len(content))), "end")
    path.write_bytes(content[:end])
    try:
        survived = load(path)
    except ModelFileError:
        return
    assert_same(survived, model)  # only what means nothing was damaged


def test_a_full_disk_loses_nothing(path, monkeypatch):
    save(path, example())
    before = path.read_bytes()

    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ModelFileError, match=r"\(no space left on device\); nothing was changed"):
        save(path, example(theta=np.ones(26)))
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_write_that_ends_half_way_loses_nothing(path):
    save(path, example())
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (512, limits[1]))
    try:
        with pytest.raises(ModelFileError, match=r"\(file too large\); nothing was changed"):
            save(path, example(theta=np.ones(26)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_places_that_cannot_be_written_are_refused(path, tmp_path, monkeypatch):
    for place, reason in (
        (tmp_path, "a folder or a device"),
        ("/dev/full", "a folder or a device"),
        (tmp_path / "absent" / "m.safetensors", "no such file or directory"),
    ):
        with pytest.raises(ModelFileError, match=rf"cannot be saved here \(.*{reason}"):
            save(place, example())
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)

    def denied(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "replace", denied)
    with pytest.raises(ModelFileError, match=r"\(permission denied\)"):
        save(path, example())
    assert not list(tmp_path.iterdir())


def test_a_link_stays_a_link_and_ctrl_c_leaves_no_draft(path, tmp_path, monkeypatch):
    link = tmp_path / "link.safetensors"
    link.symlink_to(path)
    save(link, example())
    assert link.is_symlink()
    assert_same(load(path), example())

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(path, example())
    assert {file.name for file in tmp_path.iterdir()} == {path.name, link.name}


@pytest.fixture
def rows(tmp_path):
    """A folder with a table in two files, and it as a table in memory."""
    frame = pl.DataFrame(
        {
            "width": np.linspace(90.0, 110.0, 3000),
            "town": ["Oslo", "Rome", "Bern"] * 1000,
            "kind": ["big", "small"] * 1500,
        }
    )
    (tmp_path / "rows").mkdir()
    frame[:2000].write_parquet(tmp_path / "rows" / "part-1.parquet")
    frame[2000:].write_parquet(tmp_path / "rows" / "part-2.parquet")
    frame.write_parquet(tmp_path / "all.parquet")
    return tmp_path / "rows", load_table(tmp_path / "all.parquet", target="kind")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_table_in_blocks_has_the_answers_of_one_in_memory(rows, dtype):
    folder, data = rows
    network = Network((data.X.shape[1], 3, 1))
    theta = random_theta(network, 0).astype(dtype) * 10
    model = Model(network, theta, data.encoder, Scaling.fit(data.X))
    table = blocks(folder, encoder=model.encoder)
    h = model.predict(data.X)
    assert np.ptp(h) > 0.1
    np.testing.assert_array_equal(model.predict(table), h)
    assert model.labels(table) == model.labels(data.X)
    np.testing.assert_array_equal(model.predict(blocks(data.X)), h)
    np.testing.assert_array_equal(model.predict(blocks(csr_array(data.X))), h)


def test_targets_of_a_table_in_blocks_have_their_units():
    model = example()
    X = random_theta(model.network, 1)[: 3 * 4].reshape(4, 3)
    np.testing.assert_array_equal(model.predict(blocks(X)), model.predict(X))


def test_a_table_in_blocks_with_other_columns_is_refused(rows, tmp_path):
    _, data = rows
    n = data.X.shape[1]
    model = Model(Network((n, 1)), np.zeros(n + 1), data.encoder)
    pl.DataFrame({f"x{j}": [1.0] for j in range(n)}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(ValueError, match=r"not the model's inputs.*encoder=model\.encoder"):
        model.predict(blocks(tmp_path / "other.parquet"))
