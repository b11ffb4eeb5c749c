"""The mistakes that a gradient check can name, with their words and the line of the notes."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.notes.network import Network

Named = list[tuple[str, str]]  # mistakes with their evidence
UNKNOWN = "no-known-mistake"
LITTLE = "too little is known to compare D with the known mistakes"

# name: (what was done, the line of the notes that says otherwise).  In braces stands what the
# network's own activation and cost put there.
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
        "lambda Theta is missing in the gradient; J has its penalty",
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
        "g' is evaluated elsewhere than at z(l): at a(l), or at another layer's z, say",
        "{slope}: either written from a, or taken at z, never mixed",
    ),
    "activation-derivative-of-another-activation": (
        "g' belongs to another activation than the forward pass uses",
        "delta(l) = (Theta(l)^T delta(l+1)) .* g'(z(l)); {slope}",
    ),
    "activation-derivative-incomplete": (
        "only a part of g'(z) is there",
        "{slope}",
    ),
    "output-derivative-extra": (
        "delta(L) is multiplied by g', as if the cost were the squared error",
        "delta(L) = a(L) - y: {output}",
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
        "Theta(l) is s_(l+1) x (s_l + 1), with j = 0 the bias",
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
        "the gradient, or a part of it, is off by a constant factor",
        "D is the derivative of J: the same 1/m, the same 1/2",
    ),
    "sign": (
        "the sign is wrong",
        "delta(L) = a(L) - y, not y - a(L); theta := theta - alpha D is the optimizer's part",
    ),
    "cost-inconsistent": (
        "the gradient is that of the notes' J; the J returned is another",
        "Cost Function: J = {J}",
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
    "gradient-zero": (
        "the gradient, or a part of it, is not written: it is 0",
        "Delta(l) := Delta(l) + delta(l+1) a(l)^T, and delta(l) = (Theta(l)^T delta(l+1)) .* "
        "g'(z(l)): none of these is 0, unless g' returns 0",
    ),
    "cost-constant": (
        "J does not depend on theta: it is not written yet, or takes its weights from elsewhere",
        "Cost Function: J = {J}",
    ),
    "parameters-unused": (
        "J does not use all of theta: two layers have the same matrix, or a matrix is not used",
        "Unrolling Parameters: Theta1, Theta2, ... are cut out of thetaVector one after the other",
    ),
    "forward-without-g": (
        "forward propagation leaves out g in the hidden layers, the gradient goes through g'",
        "Forward propagation: z(l+1) = Theta(l) a(l), a(l+1) = g(z(l+1))",
    ),
    "softmax-axis": (
        "the softmax is taken along the examples, not along the classes",
        "h_k = e^z_k / sum over the classes j of e^z_j, for each example by itself",
    ),
    "activation-derivative-twice": (
        "g'(z) is multiplied in twice",
        "delta(l) = (Theta(l)^T delta(l+1)) .* g'(z(l)), once",
    ),
    "output-derivative-incomplete": (
        "delta(L) has only one of the two halves of the cost's derivative",
        "delta(L) = a(L) - y: {output}",
    ),
    "output-rounded": (
        "delta(L) takes the predicted class in place of the output a(L)",
        "delta(L) = a(L) - y, a(L) as it is",
    ),
    "labels-missing": (
        "y is missing in delta(L)",
        "delta(L) = a(L) - y, y_k = 1 for the example's own class k",
    ),
    "one-label-for-all": (
        "one example's y is used for all the examples",
        "delta(L) = a(L) - y(t), each example t with its own y(t)",
    ),
    "labels-wrong-axis": (
        "the labels are built along the wrong axis",
        "y_k(t) = 1 for the class k of example t: a row an example, or a column, in a and y alike",
    ),
    "example-left-out": (
        "an example is left out of the sum",
        "For training example t = 1 to m",
    ),
    "class-left-out": (
        "an output unit's delta does not reach the gradient",
        "delta(L) = a(L) - y, for all k = 1 to K",
    ),
    "bias-gradient-summed": (
        "the bias's gradient is taken over the units too, not over the examples alone",
        "Delta(l) := Delta(l) + delta(l+1) a(l)^T, with a_0 = 1: each unit's own delta, summed "
        "over t",
    ),
    "layer-copied": (
        "two layers have the same gradient",
        "Unrolling Parameters: [D1(:); D2(:)], each Theta(l) its own D(l)",
    ),
    "lambda-subtracted": (
        "the regularisation term is subtracted",
        "Backpropagation Algorithm: D := 1/m (Delta + lambda Theta)",
    ),
    "lambda-on-gradient": (
        "lambda multiplies the gradient, not the weights",
        "Backpropagation Algorithm: D := 1/m (Delta + lambda Theta)",
    ),
    "lambda-misplaced": (
        "the regularisation leaves out the wrong row or column",
        "Backpropagation Algorithm: D := 1/m Delta if j = 0: the first column of Theta",
    ),
    "lambda-of-another-layer": (
        "the regularisation term is that of another layer",
        "Backpropagation Algorithm: D(l) := 1/m (Delta(l) + lambda Theta(l))",
    ),
    "theta-updated": (
        "delta(l) is computed with a Theta(l) that has already been changed",
        "delta(l) = (Theta(l)^T delta(l+1)) .* g'(z(l)), all with the same Theta; "
        "theta := theta - alpha D comes after the last D",
    ),
    "packed-otherwise": (
        "D is unrolled in another order than theta is read",
        "Unrolling Parameters: thetaVector and deltaVector in the same order",
    ),
    "gradient-accumulates": (
        "the gradient is added to that of the call before",
        "Set Delta(l) := 0 for all l, at the start of each call",
    ),
    UNKNOWN: (
        "no known mistake explains D",
        "Gradient Checking: with m = 1 and lambda = 0, one Theta(l) after the other from the last",
    ),
}  # fmt: skip

SLOPES: Mapping[str, str] = {
    "sigmoid": "g'(z(l)) = a(l) .* (1 - a(l))",
    "tanh": "g'(z(l)) = 1 - a(l).^2",
    "relu": "g'(z(l)) = 1 where z(l) > 0, else 0",
    "leaky_relu": "g'(z(l)) = 1 where z(l) > 0, else 0.01",
    "elu": "g'(z(l)) = 1 where z(l) > 0, else a(l) + 1",
    "softplus": "g'(z(l)) = 1 - e^-a(l)",
    "identity": "g'(z(l)) = 1",
    "silu": "g'(z(l)) = s .* (1 + z(l) .* (1 - s)), where s = sigmoid(z(l))",
    "gelu": "g'(z(l)) = Phi(z(l)) + z(l) .* phi(z(l))",
    "mish": "g'(z(l)) = w + z(l) .* w', where w = tanh(softplus(z(l)))",
    "selu": "g'(z(l)) = 1.0507 where z(l) > 0, else a(l) + 1.7581",
}
PENALTY = "lambda/(2m) sum of Theta^2 without the bias"
COST_FORMULAS: Mapping[str, str] = {
    "sigmoid": "-1/m sum over t and k of [y log h + (1 - y) log(1 - h)]",
    "softmax": "-1/m sum over t and k of y log h",
    "identity": "1/(2m) sum over t and k of (h - y)^2",
    "exp": "1/m sum over t and k of [h - y log h]",
}


def words(name: str, network: Network | None) -> tuple[str, str]:
    """Return a mistake's words and the line of the notes, for the network's own g and J.

    Examples
    --------
    >>> words("activation-derivative-incomplete", Network((2, 3, 1), hidden="tanh"))[1]
    "g'(z(l)) = 1 - a(l).^2"
    """
    hidden = {g.name for g in network.activations} if network else set()
    slopes = [SLOPES[g] for g in sorted(hidden) if g in SLOPES] or [SLOPES["sigmoid"]]
    cost = network.cost.name if network else "sigmoid"
    formula = COST_FORMULAS.get(cost)
    own = {
        "slope": "; ".join(slopes),
        "J": f"{formula} + {PENALTY}" if formula else f"1/m sum over t of cost(t) + {PENALTY}",
        "output": "it is the derivative of J by z(L) already"
        if cost == "identity"
        else "dJ/da and g' have already cancelled",
    }
    said, note = MISTAKES[name]
    return said.format(**own), note.format(**own)
