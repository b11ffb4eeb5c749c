"""What is asked of a training."""

import pytest

from chainrule.workbench.request import DECIDED_BY_RECIPE, Request

GIVEN = {
    "hidden": (25,), "activation": "sigmoid", "output": "softmax", "lam": 0.0,
    "optimizer": "lbfgs", "max_iter": 100, "scale": False, "cv": True,
}  # fmt: skip


@pytest.mark.parametrize("name", DECIDED_BY_RECIPE)
def test_what_a_recipe_decides_cannot_be_given_even_as_it_would_be_by_default(name):
    option = name.replace("_", "-")
    with pytest.raises(ValueError, match=f"--recipe plain decides --{option} itself"):
        Request("mnist", recipe="plain", **{name: GIVEN[name]})


def test_a_recipe_leaves_the_rest_to_the_user():
    assert Request("mnist", recipe="plain", seed=3, max_time=1.0, check=False).seed == 3
