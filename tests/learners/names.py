"""Which of the check's names are true of a kind of mistake, as patterns.

Filled in after the programs were written, from the list of names and nothing else. A kind without
a name cannot be named right.
"""

OF_KIND: dict[str, tuple[str, ...]] = {
    "zero gradient": (),
    "zero layer": (),
    "zero part": ("bias-gradient-missing",),
    "g' not written": (),
    "J is zero": (),
    "J does not depend on theta": (),
    "factor in a part": ("wrong-factor",),
    "wrong factor": ("wrong-factor",),
    "mean over the outputs in J only": ("outputs-factor",),
    "sign": ("sign",),
    "missing 1/m": ("missing-1-over-m",),
    "bias gradient averaged twice": ("extra-1-over-m",),
    "bias gradient summed over everything": (),
    "bias regularised": ("bias-regularised",),
    "lambda forgotten": ("lambda-forgotten",),
    "lambda in one layer only": ("lambda-forgotten",),
    "lambda factor": ("lambda-factor",),
    "lambda subtracted": ("lambda-factor",),
    "lambda leaves out the wrong row": (),
    "lambda leaves out the wrong column": (),
    "lambda of another layer": (),
    "lambda on the gradient": (),
    "delta from updated Theta2": (),
    "first example left out": (),
    "an example left out": (),
    "one label for all": (),
    "labels shifted": ("labels-shifted",),
    "hidden forward pass without g": ("activation-forgotten",),
    "g' left out": ("activation-derivative-missing",),
    "g' at the wrong point": ("activation-derivative-at-wrong-point",),
    "g' of another activation": ("activation-derivative-of-another-activation",),
    "g' of tanh without the square": ("activation-derivative-incomplete",),
    "slope of another layer": (),
    "output derivative extra": ("output-derivative-extra",),
    "output derivative missing": ("output-derivative-missing", "cost-inconsistent"),
    "softmax along the examples": (),
    "gradient added up from call to call": (),
    "tied or copied layers": (),
    "accumulator overwritten": ("accumulator-overwritten",),
    "Theta with its bias column going back": ("bias-in-delta",),
    "Theta not transposed going back": ("theta-transposed",),
    "transposed": ("unrolled-by-row",),  # the same numbers in a square matrix
    "unrolled in the other order": ("unrolled-by-row",),
    "layers swapped": ("layers-swapped",),
    "bias misplaced": ("bias-misplaced",),
}

OF_CASE: dict[str, tuple[str, ...]] = {
    "last-layer-negative": ("sign",),  # in that layer
}
