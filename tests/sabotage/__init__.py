"""Wrong backpropagations as learners write them: what a gradient checker should be able to name.

Each function is one learner's cost function, whole, with what is wrong in its docstring.  They
differ as learners' code does: whole matrices or a loop over examples, examples in rows or in
columns, classes, dictionaries and einsum, theta packed as Octave, NumPy, PyTorch or scikit-learn
do it, two to five layers.  Nothing in them uses chainrule: they are what people bring along.

The modules of wrong functions are named by where the mistake is.  `data` holds the settings (a
small data set with a network and a theta each), `entries` says what an entry of the suite is, and
`correct` has the right implementations.
"""

from . import (  # noqa: F401  (importing them fills the suite)
    accumulating,
    costs,
    matrices,
    output_error,
    pairs,
    regularising,
    right_formulas,
    slopes,
)
from .entries import SUITE, read

MISTAKES = (
    "missing-1-over-m",
    "extra-1-over-m",
    "lambda-forgotten",
    "bias-regularised",
    "lambda-factor",
    "activation-derivative-missing",
    "activation-derivative-at-wrong-point",
    "output-derivative-extra",
    "theta-transposed",
    "unrolled-by-row",
    "bias-in-delta",
    "layers-swapped",
    "labels-shifted",
    "outputs-factor",
    "sign",
    "cost-inconsistent",
    "not-differentiable",
    "not-deterministic",
    "precision",
    # Common in learners' code, and not one of the above:
    "activation-derivative-of-another-activation",  # a (1 - a) left behind under a tanh
    "accumulator-overwritten",  # Delta = in place of Delta +=
    "bias-gradient-missing",  # "the bias is not regularised" read as "its D is 0"
)
SINGLES = [entry for entry in SUITE if len(entry.mistakes) == 1]
PAIRS = [entry for entry in SUITE if len(entry.mistakes) == 2]

__all__ = ["MISTAKES", "PAIRS", "SINGLES", "SUITE", "read"]
