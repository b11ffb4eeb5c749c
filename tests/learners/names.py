"""Which of the check's names are true of a kind of mistake, as patterns.

Filled in after the programs were written, from the list of names and nothing else. A kind without
a name cannot be named right.
"""

OF_KIND: dict[str, tuple[str, ...]] = {
    "zero gradient": ("gradient-zero",),
    "zero layer": ("gradient-zero",),
    "zero part": ("bias-gradient-missing", "gradient-zero"),
    "g' not written": ("gradient-zero",),
    "J is zero": ("cost-constant",),
    "J does not depend on theta": ("cost-constant",),
    "factor in a part": ("wrong-factor",),
    "wrong factor": ("wrong-factor",),
    "mean over the outputs in J only": ("outputs-factor",),
    "sign": ("sign",),
    "missing 1/m": ("missing-1-over-m",),
    "bias gradient averaged twice": ("extra-1-over-m",),
    "bias gradient summed over everything": ("bias-gradient-summed",),
    "bias regularised": ("bias-regularised",),
    "lambda forgotten": ("lambda-forgotten",),
    "lambda in one layer only": ("lambda-forgotten", "lambda-misplaced"),
    "lambda factor": ("lambda-factor",),
    "lambda subtracted": ("lambda-subtracted",),
    "lambda leaves out the wrong row": ("lambda-misplaced",),
    "lambda leaves out the wrong column": ("lambda-misplaced",),
    "lambda of another layer": ("lambda-of-another-layer",),
    "lambda on the gradient": ("lambda-on-gradient",),
    "delta from updated Theta2": ("theta-updated",),
    "first example left out": ("example-left-out",),
    "an example left out": ("example-left-out",),
    "one label for all": ("one-label-for-all",),
    "labels shifted": ("labels-shifted",),
    "hidden forward pass without g": ("forward-without-g", "activation-forgotten"),
    "g' left out": ("activation-derivative-missing",),
    "g' at the wrong point": ("activation-derivative-at-wrong-point",),
    "g' of another activation": ("activation-derivative-of-another-activation",),
    "g' of tanh without the square": ("activation-derivative-incomplete",),
    "slope of another layer": ("activation-derivative-at-wrong-point",),
    "output derivative extra": ("output-derivative-extra",),
    "output derivative missing": ("output-derivative-missing", "cost-inconsistent"),
    "softmax along the examples": ("softmax-axis",),
    "gradient added up from call to call": ("gradient-accumulates",),
    "tied or copied layers": ("layer-copied",),
    "accumulator overwritten": ("accumulator-overwritten",),
    "Theta with its bias column going back": ("bias-in-delta",),
    "Theta not transposed going back": ("theta-transposed",),
    "transposed": ("unrolled-by-row",),  # the same numbers in a square matrix
    "unrolled in the other order": ("unrolled-by-row",),
    "layers swapped": ("layers-swapped",),
    "bias misplaced": ("bias-misplaced", "packed-otherwise"),
}

OF_CASE: dict[str, tuple[str, ...]] = {
    "last-layer-negative": ("sign",),  # in that layer
    "rounded-predictions": ("output-rounded",),
}
