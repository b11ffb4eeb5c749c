"""What the benchmarks of large tables make, measure and compare by, in small."""

import gzip
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmarks import higgs, measured, scale, scale_peers

from chainrule import Network, cost_and_gradient, random_theta, reshape

MB = 2**20


def test_the_first_rows_like_higgs_are_the_same_however_many_are_made():
    few, more = list(higgs.blocks(1_000)), list(higgs.blocks(higgs.BLOCK + 10))
    assert [len(y) for _, y in more] == [higgs.BLOCK, 10]
    np.testing.assert_array_equal(few[0][0], more[0][0][:1_000])
    assert np.isfinite(more[1][0]).all()
    assert 0.4 < more[0][1].mean() < 0.7


def test_the_folder_of_gzipped_csv_has_each_row_once_below_one_header(tmp_path):
    rows = higgs.BLOCK + 7
    size = higgs.write(tmp_path / "higgs", rows, files=2)
    files = sorted((tmp_path / "higgs").iterdir())
    texts = [gzip.decompress(file.read_bytes()).decode().splitlines() for file in files]
    assert size == sum(file.stat().st_size for file in files)
    assert [text[0] for text in texts] == [",".join([higgs.TARGET, *higgs.COLUMNS])] * 2
    assert [len(text) - 1 for text in texts] == [higgs.BLOCK, 7]


def test_one_large_table_is_the_same_in_csv_and_parquet(tmp_path):
    polars = pytest.importorskip("polars")
    for ending in ("csv", "parquet"):
        scale.write_higgs(tmp_path / f"rows.{ending}", 500)
    read = polars.read_csv(tmp_path / "rows.csv").to_numpy()
    np.testing.assert_allclose(read, polars.read_parquet(tmp_path / "rows.parquet").to_numpy())


def test_a_command_that_is_watched_says_its_code_its_lines_and_its_memory():
    held = f"held = bytes(range(256)) * {200 * MB // 256}"
    code = f"import sys, time\n{held}\nprint('held')\ntime.sleep(1)\nsys.exit(3)"
    found = measured.run([sys.executable, "-c", code])
    assert found.code == 3
    assert [text for _, text in found.lines] == ["held"]
    assert found.anonymous > 200 * MB
    assert found.cpu > 0


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
def test_a_command_that_needs_more_than_its_limit_fails():
    code = f"held = bytes(range(256)) * {300 * MB // 256}"
    assert measured.run([sys.executable, "-c", code], limit=150 * MB).code != 0


def test_a_family_is_counted_with_what_its_children_used():
    assert next(measured.family(os.getpid())) == os.getpid()
    assert measured.cpu(os.getpid()) > 0


@pytest.mark.parametrize(("K", "hidden"), [(1, "relu"), (2, "sigmoid")])
def test_peers_are_compared_by_the_notes_J(K, hidden):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 3)), rng.integers(0, 2, 20)
    network = Network((3, 4, K), hidden=hidden, output="softmax" if K > 1 else "sigmoid")
    theta = random_theta(network, seed=1)
    weights = [(Theta[:, 1:].T, Theta[:, 0]) for Theta in reshape(network, theta)]
    J, _ = cost_and_gradient(network, theta, X, y)
    assert scale_peers.cost(weights, X, y, hidden == "relu") == pytest.approx(J, rel=1e-12)


def test_tables_of_the_parts_are_written_part_by_part(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "AT_ONCE", 64)
    assert scale.write_npy(tmp_path, 100, 5, "uint8", K=3) == 500
    X, y = np.load(tmp_path / "X.npy"), np.load(tmp_path / "y.npy")
    assert X.dtype == np.uint8
    assert {*y} == {0, 1, 2}
    scale.write_parquet(tmp_path)
    assert Path(tmp_path, "table.parquet").stat().st_size > 0
