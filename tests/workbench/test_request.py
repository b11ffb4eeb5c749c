"""What is asked of a training."""

import re

import pytest

from chainrule.workbench.request import DECIDED_BY_RECIPE, Request

GIVEN = {
    "hidden": (25,), "activation": "sigmoid", "output": "softmax", "lam": 0.0,
    "optimizer": "lbfgs", "max_iter": 100, "scale": False, "cv": True, "learning_rate": 0.1,
    "batch_size": 200, "dropout": 0.5, "patience": 10, "validation": 0.1, "n_restarts": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", DECIDED_BY_RECIPE)
def test_what_a_recipe_decides_cannot_be_given_even_as_it_would_be_by_default(name):
    option = name.replace("_", "-")
    with pytest.raises(ValueError, match=f"--recipe plain decides --{option} itself"):
        Request("mnist", recipe="plain", **{name: GIVEN[name]})


def test_a_recipe_leaves_the_rest_to_the_user():
    assert Request("mnist", recipe="plain", seed=3, max_time=1.0, check=False).seed == 3


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"hidden": (0,)}, "--hidden 0: layer 2 must have a whole number >= 1 of units: 0"),
        ({"hidden": (3, 3), "activation": ("tanh",) * 3}, "--activation tanh,tanh,tanh: "),
        ({"output": "sofmax"}, "--output sofmax: unknown output 'sofmax': did you mean 'softmax'"),
        ({"optimizer": "lbfg"}, "unknown optimizer 'lbfg': did you mean 'lbfgs'"),
        ({"batch_size": 10}, "--batch-size is for minibatches, and the optimizer lbfgs sees all"),
        ({"learning_rate": 0.1, "optimizer": "cg"}, "--learning-rate is for minibatches"),
        ({"dropout": 0.5}, "--dropout is for minibatches"),
        ({"dropout": (0.2, 1.0), "optimizer": "adam"}, "--dropout 1: must be at least 0 and less"),
        ({"dropout": (0.2,) * 3, "optimizer": "adam"}, "--dropout: 3 shares for 2 layers, the inp"),
        ({"learning_rate": 0.0, "optimizer": "adam"}, "--learning-rate 0: must be more than 0"),
        ({"patience": 3}, "--patience needs --validation 0.1, or --optimizer adam"),
        ({"patience": 0, "validation": 0.1}, "--patience 0: must be at least 1"),
        ({"validation": 1.0}, "--validation 1: must be at least 0 and less than 1"),
        ({"test_size": -0.1}, "--test-size -0.1: must be at least 0 and less than 1"),
        ({"threads": 0}, "--threads 0: must be at least 1"),
        ({"n_restarts": 0}, "--n-restarts 0: must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(asked, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        Request("absent.csv", **asked)
