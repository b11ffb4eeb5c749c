import doctest
import inspect

import pytest

import chainrule


@pytest.mark.parametrize("name", chainrule.__all__)
def test_a_public_name_is_documented_with_an_example(name):
    documented = getattr(chainrule, name)
    doc = inspect.getdoc(documented)
    assert documented.__doc__, f"{name} has no docstring"
    assert "\nExamples\n--------\n" in doc
    assert doctest.DocTestParser().get_examples(doc), "its Examples section runs nothing"
    if inspect.isfunction(documented):
        assert "\nReturns\n-------\n" in doc
        for parameter in inspect.signature(documented).parameters:
            assert (
                f"{parameter} :" in doc or f"{parameter}, " in doc or f", {parameter} :" in doc
            ), f"{name} does not document {parameter}"


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
