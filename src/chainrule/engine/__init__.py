"""Where Delta is summed, and by what: everything that trains or predicts goes through here.

Two engines compute the same.  ``"kernel"`` is fused C++ and runs by default; ``"numpy"`` is
the reference, for networks with activations or costs of the user's own, and for machines where
the kernel was not built.
"""

from chainrule.engine.choice import ENGINES, NOT_BUILT, chosen
from chainrule.engine.cores import available_threads
from chainrule.engine.predicting import forward, predict
from chainrule.engine.summing import (
    accumulate,
    cost,
    cost_and_gradient,
    epoch,
    hessian_vector,
    normal_equations,
)

__all__ = [
    "ENGINES",
    "NOT_BUILT",
    "accumulate",
    "available_threads",
    "chosen",
    "cost",
    "cost_and_gradient",
    "epoch",
    "forward",
    "hessian_vector",
    "normal_equations",
    "predict",
]
