import doctest
import inspect
import re

import pytest

import chainrule
from chainrule.notes import backprop


@pytest.mark.parametrize("name", chainrule.__all__)
def test_a_public_name_is_documented_with_an_example(name):
    documented = getattr(chainrule, name)
    doc = inspect.getdoc(documented)
    assert documented.__doc__, f"{name} has no docstring"
    assert "\nExamples\n--------\n" in doc
    assert doctest.DocTestParser().get_examples(doc), "its Examples section runs nothing"
    if inspect.isfunction(documented):
        in_table = notation(inspect.getmodule(documented))
        # A module with a table of its names says in a docstring's first sentence what it returns
        assert "\nReturns\n-------\n" in doc or (
            in_table and "return" in doc.split("\n\n")[0].lower()
        )
        for parameter in inspect.signature(documented).parameters:
            assert (
                parameter in in_table
                or f"{parameter} :" in doc
                or f"{parameter}, " in doc
                or f", {parameter} :" in doc
            ), f"{name} does not document {parameter}"


def notation(module):
    """Return the names that a module's notation table defines."""
    table = re.search(
        r"^=[= ]+\nname .*\n=[= ]+\n((?:.*\n)*?)=[= ]+$", module.__doc__, re.MULTILINE
    )
    rows = table[1].splitlines() if table else []
    return {name for row in rows for name in re.split(r"  +", row)[0].split(", ")}


def test_the_notation_table_is_read():
    assert {"X", "Y", "theta", "weights", "lam", "a(l)"} <= notation(backprop)
    assert "name" not in notation(backprop)
    assert notation(chainrule) == set()


def test_all_is_sorted_and_complete():
    in_order = sorted(
        chainrule.__all__, key=lambda name: (not name.isupper(), name)
    )  # as ruff does
    assert list(chainrule.__all__) == in_order
    public = {
        name
        for name, value in vars(chainrule).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    }
    assert public <= set(chainrule.__all__)
