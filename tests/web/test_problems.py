"""What the page can train on: names, the reader's tables, and settings that may hold anything."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from chainrule.web import problems as module
from chainrule.web.asked import NamedFile
from chainrule.web.problems import FIELDS, Problems, refuse_large
from chainrule.workbench.request import Request

CSV = b"size,colour,price\n1,red,10\n2,blue,22\n3,red,29\n4,blue,41\n5,red,52\n"


def file(content=CSV, name="homes.csv"):
    stream = NamedFile(content)
    stream.name = name
    return stream


def test_settings_become_a_request():
    problem = Problems().problem(
        {"data": "digits", "hidden": [8, 4], "activation": ["tanh", "relu"], "dropout": 0.5,
         "optimizer": "adam", "seed": 2, "start": "zero"}
    )  # fmt: skip
    assert problem.request == Request(
        "digits", hidden=(8, 4), activation=("tanh", "relu"), dropout=0.5, optimizer="adam", seed=2
    )
    assert problem.zero


def test_a_table_is_read_as_the_command_reads_it():
    problems = Problems()
    number = problems.add(file())
    problem = problems.problem({"table": number, "drop": ["colour"], "target": "price"})
    assert problem.data.feature_names == ("size",)
    assert problem.name == problem.data.source == problem.request.source.name == "homes.csv"
    assert problem.request.source.getvalue() == CSV


def test_runs_with_the_same_data_share_them():
    problems = Problems()
    one = problems.problem({"data": "digits", "hidden": [8]})
    assert problems.problem({"data": "digits", "seed": 1}).data is one.data


def test_a_table_that_is_being_read_holds_up_no_other_data(monkeypatch):
    problems, begun, free, reads = Problems(), threading.Event(), threading.Event(), []
    load = module.apart.load

    def slow(source, options):
        reads.append(source)
        begun.set()
        assert free.wait(60)
        return load(source, options)

    monkeypatch.setattr(module.apart, "load", slow)
    table = {"table": problems.add(file()), "target": "price"}
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(problems.problem, table) for _ in range(2)]
        assert begun.wait(60)
        other_data = pool.submit(problems.problem, {"data": "digits"})
        wait([other_data], timeout=30)
        at_once = other_data.done()
        free.set()
        one, other = (each.result(60) for each in both)
    assert at_once
    assert len(other_data.result().data) == 1797
    assert one.data is other.data
    assert len(reads) == 1


def test_a_table_that_could_not_be_read_is_read_again():
    problems = Problems()
    table = {"table": problems.add(file(b"")), "target": "price"}
    for _ in range(2):
        with pytest.raises(ValueError, match=r"homes\.csv"):
            problems.problem(table)
    assert not problems._loaded


def test_the_last_tables_are_kept():
    problems = Problems()
    first = problems.add(file())
    for _ in range(module.TABLES):
        problems.add(file())
    with pytest.raises(ValueError, match="only the last 4 tables are kept"):
        problems.problem({"table": first})


@pytest.fixture(scope="module")
def problems():
    return Problems()


def refused(problems, settings):
    try:
        problems.problem(settings)
    except ValueError as error:
        return str(error)
    return None


VALUES = [
    None, -1, 1.5, float("inf"), True, "", "x" * 300, "no such thing", [], [[]], ["a"] * 2000,
    [None], {"a": 1}, [10**9], 10**30,
]  # fmt: skip


@pytest.mark.parametrize("name", [*FIELDS, "data", "start", "source", "threads"])
def test_no_value_of_a_setting_does_more_than_be_refused(problems, name):
    said = [refused(problems, {"data": "digits"} | {name: value}) for value in VALUES]
    assert all(line is None or "\n" not in line for line in said)
    assert sum(line is not None for line in said) > 8


def test_a_network_that_is_too_large_is_refused_in_words():
    problem = Problems().problem({"data": "digits", "hidden": [4000, 5000]})
    with pytest.raises(ValueError, match="20,315,010 weights, and the page trains at most"):
        refuse_large(problem)
