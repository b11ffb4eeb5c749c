"""Files of arrays, under the names that people give them."""

import io
import zipfile

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csr_matrix, random_array, save_npz
from tables import refused, write

from chainrule.common.checks import DataError
from chainrule.datasets import arrays, foreign, formats, octave
from chainrule.datasets.tables import load, load_like

X = np.arange(24.0).reshape(12, 2) % 7
y = np.arange(12) % 3
WORDS = np.array(["setosa", "versicolor", "virginica"])[y]


def npz(**named):
    """Return an npz file's bytes."""
    stream = io.BytesIO()
    np.savez(stream, **named)
    return stream.getvalue()


def mat(**named):
    """Return a mat file's bytes."""
    stream = io.BytesIO()
    savemat(stream, named)
    return stream.getvalue()


def contents(content, target=None, name="t.npz"):
    """Return what a file holds."""
    return formats.read(io.BytesIO(content), target, name=name)


@pytest.mark.parametrize(
    ("inputs", "target", "label"),
    [
        ("X", "y", "y"),
        ("X", "Y", "Y"),
        ("x", "labels", "labels"),
        ("x_train", "y_train", "y"),
        ("X_train", "y_train", "y"),
        ("trainX", "trainY", "Y"),
        ("train_images", "train_labels", "labels"),
        ("arr_0", "arr_1", "arr_1"),
        ("data", "target", "target"),
        ("data", "labels", "labels"),
        ("features", "label", "label"),
        ("fea", "gnd", "gnd"),
        ("meas", "species", "species"),
        ("inputs", "targets", "targets"),
        ("irisInputs", "irisTargets", "irisTargets"),
        ("x", "t", "t"),
        ("A", "b", "b"),  # by their shapes
    ],
)
def test_inputs_and_target_under_any_names(inputs, target, label):
    for name, content in (
        ("t.npz", npz(**{target: y, inputs: X})),
        ("t.mat", mat(**{target: y[:, None], inputs: X})),
        ("t.mat", mat(**{inputs: X, target: y[None]})),  # y as a row
    ):
        read = contents(content, name=name)
        assert list(read.table) == ["x1", "x2"]
        np.testing.assert_array_equal(np.array(list(read.table.values())).T, X)
        np.testing.assert_array_equal(read.y, y)
        assert read.target == label


def test_a_test_set_under_any_names():
    for names in (("X_test", "y_test"), ("Xtest", "ytest"), ("x_test", "y_test"),
                  ("test_images", "test_labels")):  # fmt: skip
        named = dict(zip(names, (X[:3], y[:3]), strict=True))
        table, truth = contents(npz(x_train=X, y_train=y, **named)).held_out
        np.testing.assert_array_equal(np.array(list(table.values())).T, X[:3])
        np.testing.assert_array_equal(truth, y[:3])
        model = load(io.BytesIO(npz(X=X, y=y)), name="t.npz").encoder
        later = load_like(io.BytesIO(npz(**named)), model, name="u.npz")  # to evaluate on
        np.testing.assert_array_equal(later.X, X[:3])
        np.testing.assert_array_equal(later.Y, y[:3])


def test_strings_cells_and_bytes_are_classes():
    cells = np.array([*WORDS], dtype=object)[:, None]
    for name, content in (
        ("t.npz", npz(X=X, y=WORDS)),
        ("t.npz", npz(X=X, y=WORDS.astype(bytes))),
        ("t.npz", npz(data=X, target=y, target_names=np.unique(WORDS))),
        ("t.mat", mat(meas=X, species=cells)),
        ("t.mat", mat(meas=X, species=WORDS)),  # a matrix of characters, padded
    ):
        assert contents(content, name=name).y.tolist() == WORDS.tolist()


def test_examples_in_columns_are_turned():
    read = contents(mat(x=X.T, t=y[None]), name="t.mat")
    np.testing.assert_array_equal(np.array(list(read.table.values())).T, X)
    assert "an example stands in each column: turned into rows" in read.notes
    one_hot = np.eye(3)[y]
    read = contents(mat(irisInputs=X.T, irisTargets=one_hot.T), name="t.mat")
    np.testing.assert_array_equal(read.y, one_hot)


@pytest.mark.parametrize("shape", [(20, 8, 8), (20, 8, 8, 1), (20, 1, 8, 8)])
def test_pictures(shape):
    pixels = np.arange(20 * 64).reshape(shape) % 251
    for name, content in (("t.npz", npz(x=pixels, y=np.arange(20) % 2)),
                          ("t.mat", mat(x=pixels, y=np.arange(20) % 2))):  # fmt: skip
        read = contents(content, name=name)
        assert (read.image_shape, read.column_major) == ((8, 8), False)
        np.testing.assert_array_equal(np.array(list(read.table.values())).T, pixels.reshape(20, 64))
    last = contents(mat(images=np.moveaxis(pixels.reshape(20, 8, 8), 0, -1), labels=np.arange(20)),
                    name="t.mat")  # fmt: skip
    np.testing.assert_array_equal(np.array(list(last.table.values())).T, pixels.reshape(20, 64))
    colours = contents(npz(x=np.ones((5, 4, 4, 3)), y=np.arange(5)))
    assert (len(colours.table), colours.image_shape) == (48, None)


def test_sparse_inputs():
    sparse = random_array((12, 5), density=0.3, rng=0, format="csr")
    read = contents(mat(X=csr_matrix(sparse), y=y), name="t.mat")
    np.testing.assert_array_equal(np.array(list(read.table.values())).T, sparse.toarray())
    stream = io.BytesIO()
    save_npz(stream, sparse)
    table = contents(stream.getvalue()).table
    np.testing.assert_array_equal(np.array(list(table.values())).T, sparse.toarray())
    huge = io.BytesIO()
    save_npz(huge, csr_matrix((1 << 20, 1 << 20)))
    refused(
        "t.npz: a sparse matrix of 1,048,576 x 1,048,576 is too large for a table: give it to "
        "MLPClassifier or MLPRegressor, which take it as it is",
        contents, huge.getvalue(),
    )  # fmt: skip


def test_a_matrix_alone_is_a_table():
    table = np.column_stack([X, y])
    for name in ("t.npy", "t.npz"):
        stream = io.BytesIO()
        (np.save if name == "t.npy" else np.savez)(stream, table)
        data = load(io.BytesIO(stream.getvalue()), name=name)
        assert (data.feature_names, data.target) == (("x1", "x2"), "x3")
        np.testing.assert_array_equal(data.Y, y)
    fields = np.array([(1.5, "a"), (2.5, "b")], dtype=[("size", float), ("kind", "U1")])
    stream = io.BytesIO()
    np.save(stream, fields)
    read = contents(stream.getvalue(), name="t.npy").table
    assert {name: vector.tolist() for name, vector in read.items()} == {
        "size": [1.5, 2.5],
        "kind": ["a", "b"],
    }


def test_a_header_that_promises_more_than_there_is_reserves_no_memory():
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 1 << 20)}
    )
    refused(
        "t.npy: not an array that can be read (its header says shape (1099511627776, 1048576), "
        "which is more than there is)",
        contents, header.getvalue() + b"0" * 100, name="t.npy",
    )  # fmt: skip


def test_an_array_that_python_2_wrote_is_read():
    file = io.BytesIO()
    np.save(file, X)
    content = file.getvalue().replace(b"(12, 2), } ", b"(12L, 2), }")
    assert content != file.getvalue()
    assert contents(content, name="a.npy").table["x2"].tolist() == X[:, 1].tolist()


def test_a_sparse_matrix_that_python_2_wrote_is_read(tmp_path):
    save_npz(tmp_path / "new.npz", csr_matrix(np.eye(40, 3)))
    with (
        zipfile.ZipFile(tmp_path / "new.npz") as new,
        zipfile.ZipFile(tmp_path / "old.npz", "w") as old,
    ):
        for name in new.namelist():
            content = new.read(name)
            old.writestr(name, content.replace(b"(3,), } ", b"(3L,), }"))
    with (tmp_path / "old.npz").open("rb") as file:
        assert foreign.sparse(file).shape == (40, 3)


def test_a_matrix_that_is_nearly_empty_is_no_table(tmp_path):
    save_npz(tmp_path / "s.npz", csr_matrix((30_000, 300)))
    with pytest.raises(DataError, match="a sparse matrix of 30,000 x 300 is too large for a table"):
        load(tmp_path / "s.npz")


def test_another_array_can_be_the_target(tmp_path):
    path = write(tmp_path, "t.npz", X=X, y=y, weight=X[:, 0] * 1.5)
    assert load(path, "weight").target == "weight"
    refused("t.npz: there is no target 'wight': did you mean 'weight'?", load, path, "wight")


def test_matlabs_v7_3(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "t.mat", "w", userblock_size=512) as file:

        def put(name, value, kind):
            part = file.create_dataset(name, data=value)
            part.attrs["MATLAB_class"] = np.bytes_(kind)
            return part

        put("X", X.T, "double")
        cells = [
            put(f"#refs#/{j}", np.array([[ord(letter)] for letter in word], np.uint16), "char").ref
            for j, word in enumerate(WORDS)
        ]
        put("species", np.array([cells], dtype=h5py.ref_dtype), "cell")
        group = file.create_group("S")
        group.attrs["MATLAB_class"], group.attrs["MATLAB_sparse"] = np.bytes_("double"), 3
        group["data"], group["ir"], group["jc"] = [5.0, 6.0], [0, 2], [0, 1, 2]
    with open(tmp_path / "t.mat", "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file")
    read = formats.read(tmp_path / "t.mat", None)
    np.testing.assert_array_equal(np.array(list(read.table.values())).T, X)
    assert (read.target, read.y.tolist()) == ("species", WORDS.tolist())
    sparse = octave.values((tmp_path / "t.mat").read_bytes(), "t.mat")["S"]
    np.testing.assert_array_equal(sparse.toarray(), [[5, 0], [0, 0], [0, 6]])
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    refused(
        "t.mat: to read MATLAB's -v7.3 format, type pip install 'chainrule[matlab]', or save it "
        "with -v7",
        formats.read, tmp_path / "t.mat", None,
    )  # fmt: skip


def test_squares():
    assert [arrays.square(n) for n in (784, 64, 63, 49)] == [28, 8, None, None]


def test_arrays_that_are_not_used_are_named():
    rest = {"B": X + 1, "w": np.ones(12)}
    assert contents(npz(X=X, y=y, names=np.array(["a", "b"]))).notes == ()
    assert contents(npz(X=X, y=y, w=rest["w"])).notes == ("w is not used",)
    assert "B, w are not used" in contents(npz(X=X, y=y, **rest)).notes
    held_out = {"X_test": X, "y_test": y}
    assert contents(npz(X_train=X, y_train=y, **held_out)).notes == ()
    validation = {"X_val": X, "y_val": y}
    split = contents(npz(X_train=X, y_train=y, **held_out, **validation))
    assert split.notes == ("X_val, y_val are not used",)


def test_a_target_of_another_name_is_to_be_named():
    with pytest.raises(DataError) as error:
        load(io.BytesIO(npz(spectra=np.hstack([X, X]), conc=X)), name="t.npz")
    assert str(error.value) == (
        "t.npz: no array is called y or labels; there is conc: target='conc'"
    )
    refused(
        "t.npz: X has complex numbers: save their real and imaginary parts, as "
        "np.hstack([X.real, X.imag])",
        contents, npz(X=X + 1j, y=y),
    )  # fmt: skip
