"""Octave's files and the course's conventions."""

import io

import numpy as np
import pytest

from chainrule import Network, random_theta, reshape, unroll
from chainrule.common.checks import DataError
from chainrule.datasets import octave
from chainrule.datasets.encoding import Encoder


def test_weights_and_examples_go_out_and_come_back(tmp_path):
    network = Network((6, 4, 3))
    theta = random_theta(network)
    Theta1, Theta2 = reshape(network, theta)
    X = np.arange(12.0).reshape(2, 6)
    octave.write(tmp_path / "w.mat", Theta1=Theta1, Theta2=Theta2, X=X, y=octave.labels([0, 3]))
    back = octave.read(tmp_path / "w.mat")
    np.testing.assert_array_equal(unroll([back["Theta1"], back["Theta2"]]), theta)
    np.testing.assert_array_equal(back["X"], X)
    np.testing.assert_array_equal(back["y"], [[10], [3]])
    np.testing.assert_array_equal(octave.digits(back["y"]), [[0], [3]])
    assert [path.name for path in tmp_path.iterdir()] == ["w.mat"]


def test_images_turn_and_turn_back():
    images = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    rows = images.reshape(2, 12)
    columns = octave.transpose_images(rows, 3, 4)
    np.testing.assert_array_equal(columns[1], images[1].ravel(order="F"))
    np.testing.assert_array_equal(octave.transpose_images(columns, 4, 3), rows)
    encoder = Encoder((), image_shape=(3, 4), column_major=True)
    np.testing.assert_array_equal(encoder.images(columns), images)


def test_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"a\.mat: cannot be read \(no such file or directory\)"):
        octave.read(tmp_path / "a.mat")
    (tmp_path / "b.mat").write_bytes(b"not a matrix, but long enough for a header" * 9)
    with pytest.raises(DataError, match=r"b\.mat: not a \.mat file that can be read"):
        octave.read(tmp_path / "b.mat")


def test_a_stream_reads_as_a_file_does(tmp_path):
    octave.write(tmp_path / "w.mat", A=np.eye(2))
    stream = io.BytesIO((tmp_path / "w.mat").read_bytes())
    np.testing.assert_array_equal(octave.read(stream)["A"], np.eye(2))
    with pytest.raises(DataError, match=r"<stream>: not a \.mat file"):
        octave.read(io.BytesIO(b"no matrix"))
