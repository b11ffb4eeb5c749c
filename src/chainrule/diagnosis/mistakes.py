"""The mistakes that a gradient check can name, with their words and the line of the notes."""

from __future__ import annotations

from collections.abc import Mapping

# name: (what was done, the line of the notes that says otherwise)
MISTAKES: Mapping[str, tuple[str, str]] = {
    "missing-1-over-m": (
        "the sum over the examples is not divided by m",
        "Backpropagation Algorithm: D := 1/m (Delta + lambda Theta)",
    ),
    "extra-1-over-m": (
        "the gradient is divided by m once too often",
        "Backpropagation Algorithm: D := 1/m (Delta + lambda Theta), 1/m once",
    ),
    "lambda-forgotten": (
        "J is regularised, the gradient is not",
        "Backpropagation Algorithm: D := 1/m (Delta + lambda Theta) if j != 0",
    ),
    "bias-regularised": (
        "the bias column is regularised too",
        "Backpropagation Algorithm: D := 1/m Delta if j = 0",
    ),
    "lambda-factor": (
        "the regularisation term of the gradient has the wrong factor or form",
        "Backpropagation Algorithm: D := 1/m (Delta + lambda Theta): the derivative of "
        "lambda/(2m) Theta^2 is lambda/m Theta, a matrix",
    ),
    "activation-derivative-missing": (
        "g'(z) is missing in a hidden layer's delta",
        "delta(l) = (Theta(l)^T delta(l+1)) .* g'(z(l))",
    ),
    "activation-derivative-at-wrong-point": (
        "g' is evaluated at a in place of z, or its form in a is given z",
        "g'(z(l)) = a(l) .* (1 - a(l)): in terms of a, or sigmoidGradient(z), never mixed",
    ),
    "activation-derivative-of-another-activation": (
        "g' belongs to another activation than the forward pass uses",
        "delta(l) = (Theta(l)^T delta(l+1)) .* g'(z(l)); for tanh, g'(z) = 1 - g(z)^2",
    ),
    "activation-derivative-incomplete": (
        "only one factor of g'(z) = a (1 - a) is there",
        "g'(z(l)) = a(l) .* (1 - a(l))",
    ),
    "output-derivative-extra": (
        "delta(L) is multiplied by g', as if the cost were the squared error",
        "delta(L) = a(L) - y: dJ/da and g' have already cancelled",
    ),
    "output-derivative-missing": (
        "delta(L) is dJ/da, without g'(z(L))",
        "delta(L) = dJ/da da/dz = a(L) - y",
    ),
    "theta-transposed": (
        "Theta (or Delta) is used transposed",
        "delta(l) = (Theta(l)^T delta(l+1)) .* g'(z(l)); Delta(l) := Delta(l) + delta(l+1) a(l)^T",
    ),
    "unrolled-by-row": (
        "matrices are unrolled row by row on one side, column by column on the other",
        "Unrolling Parameters: [D1(:); D2(:)], and (:) runs down the columns",
    ),
    "bias-in-delta": (
        "the bias unit is not dropped from delta",
        "delta(l) has s_l elements: the bias unit has none, nothing leads into it",
    ),
    "bias-gradient-missing": (
        "the gradient of the bias weights is left zero",
        "Delta(l) := Delta(l) + delta(l+1) a(l)^T, with a_0 = 1",
    ),
    "bias-misplaced": (
        "the bias column of the gradient is the last one, in place of the first",
        "Theta(l) is s_{l+1} x (s_l + 1), with j = 0 the bias",
    ),
    "layers-swapped": (
        "quantities of two layers are exchanged",
        "Unrolling Parameters: [D1(:); D2(:)] in this order; Delta(l) takes a(l) and delta(l+1)",
    ),
    "labels-shifted": (
        "the labels are one off in the gradient",
        "delta(L) = a(L) - y, y_k = 1 for the example's own class k",
    ),
    "activation-forgotten": (
        "Delta takes z(l) in place of a(l)",
        "Delta(l) := Delta(l) + delta(l+1) a(l)^T",
    ),
    "accumulator-overwritten": (
        "Delta is overwritten by each example, not added to",
        "Delta(l) := Delta(l) + delta(l+1) a(l)^T",
    ),
    "outputs-factor": (
        "a factor of the number of outputs K is in one of J and gradient and not in the other",
        "J sums over k = 1..K, without 1/K; delta(L) = a(L) - y",
    ),
    "wrong-factor": (
        "the whole gradient is off by a constant factor",
        "D is the derivative of J: the same 1/m, the same 1/2",
    ),
    "sign": (
        "the sign is wrong",
        "delta(L) = a(L) - y, not y - a(L); theta := theta - alpha D is the optimizer's part",
    ),
    "cost-inconsistent": (
        "the gradient is that of the notes' J; the J returned is another",
        "Cost Function: J = -1/m sum over t and k of [y log h + (1 - y) log(1 - h)] + "
        "lambda/(2m) sum of Theta^2 without the bias",
    ),
    "not-differentiable": (
        "J has a kink at this theta: there is no gradient to compare with; check at another",
        "Gradient Checking assumes that J has a derivative at Theta",
    ),
    "not-deterministic": (
        "the same theta gives another J or gradient each time",
        "Gradient Checking: J(Theta + epsilon) - J(Theta - epsilon) must differ by epsilon alone",
    ),
    "precision": (
        "the arithmetic is too coarse for this epsilon (float32?); no mistake is shown",
        "Gradient Checking: a good small epsilon; much smaller, and numerical problems show",
    ),
    "right-only-at-zero": (
        "the gradient is right at theta = 0 and wrong elsewhere",
        "D must hold at every Theta: check at a random one",
    ),
}  # fmt: skip
