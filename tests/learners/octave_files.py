"""Learners' Octave files as text: right ones in several hands, and what went wrong in them."""

from learners.records import Case

HELPERS = """
function g = sigmoid(z)
  g = 1.0 ./ (1.0 + exp(-z));
end

function g = sigmoidGradient(z)
  g = sigmoid(z) .* (1 - sigmoid(z));
end
"""

VECTORISED = (
    """
function [J grad] = nnCostFunction(nn_params, ...
                                   input_layer_size, ...
                                   hidden_layer_size, ...
                                   num_labels, ...
                                   X, y, lambda)
Theta1 = reshape(nn_params(1:hidden_layer_size * (input_layer_size + 1)), ...
                 hidden_layer_size, (input_layer_size + 1));
Theta2 = reshape(nn_params((1 + (hidden_layer_size * (input_layer_size + 1))):end), ...
                 num_labels, (hidden_layer_size + 1));
m = size(X, 1);
I = eye(num_labels);
Y = zeros(m, num_labels);
for i = 1:m
  Y(i, :) = I(y(i), :);
end
a1 = [ones(m, 1) X];
z2 = a1 * Theta1';
a2 = [ones(size(z2, 1), 1) sigmoid(z2)];
z3 = a2 * Theta2';
a3 = sigmoid(z3);
h = a3;
p = sum(sum(Theta1(:, 2:end) .^ 2, 2)) + sum(sum(Theta2(:, 2:end) .^ 2, 2));
J = sum(sum((-Y) .* log(h) - (1 - Y) .* log(1 - h), 2)) / m + lambda * p / (2 * m);
sigma3 = a3 - Y;
sigma2 = (sigma3 * Theta2) .* sigmoidGradient([ones(size(z2, 1), 1) z2]);
sigma2 = sigma2(:, 2:end);
delta_1 = (sigma2' * a1);
delta_2 = (sigma3' * a2);
p1 = (lambda / m) * [zeros(size(Theta1, 1), 1) Theta1(:, 2:end)];
p2 = (lambda / m) * [zeros(size(Theta2, 1), 1) Theta2(:, 2:end)];
Theta1_grad = delta_1 ./ m + p1;
Theta2_grad = delta_2 ./ m + p2;
grad = [Theta1_grad(:) ; Theta2_grad(:)];
end
"""
    + HELPERS
)

LOOP = (
    """
function [J grad] = nnCostFunction(nn_params, input_layer_size, hidden_layer_size, ...
                                   num_labels, X, y, lambda)
Theta1 = reshape(nn_params(1:hidden_layer_size * (input_layer_size + 1)), ...
                 hidden_layer_size, (input_layer_size + 1));
Theta2 = reshape(nn_params((1 + (hidden_layer_size * (input_layer_size + 1))):end), ...
                 num_labels, (hidden_layer_size + 1));
m = size(X, 1);
J = 0;
Theta1_grad = zeros(size(Theta1));
Theta2_grad = zeros(size(Theta2));
X = [ones(m, 1) X];
% Part 1
for i = 1:m
  h = sigmoid(Theta2 * [1; sigmoid(Theta1 * X(i, :)')]);
  for k = 1:num_labels
    J = J - (y(i) == k) * log(h(k)) - (1 - (y(i) == k)) * log(1 - h(k));
  end
end
J = J / m;
% Part 2
for t = 1:m
  a_1 = X(t, :)';
  z_2 = Theta1 * a_1;
  a_2 = [1; sigmoid(z_2)];
  z_3 = Theta2 * a_2;
  a_3 = sigmoid(z_3);
  yv = (1:num_labels)' == y(t);
  delta_3 = a_3 - yv;
  delta_2 = Theta2' * delta_3 .* [1; sigmoidGradient(z_2)];
  delta_2 = delta_2(2:end);
  Theta1_grad = Theta1_grad + delta_2 * a_1';
  Theta2_grad = Theta2_grad + delta_3 * a_2';
end
Theta1_grad = Theta1_grad / m;
Theta2_grad = Theta2_grad / m;
% Part 3
J = J + lambda / (2 * m) * (sum(sum(Theta1(:, 2:end) .^ 2)) + sum(sum(Theta2(:, 2:end) .^ 2)));
Theta1_grad(:, 2:end) = Theta1_grad(:, 2:end) + lambda / m * Theta1(:, 2:end);
Theta2_grad(:, 2:end) = Theta2_grad(:, 2:end) + lambda / m * Theta2(:, 2:end);
grad = [Theta1_grad(:) ; Theta2_grad(:)];
end
"""
    + HELPERS
)

# Examples as columns, short names, no penalty matrix
SHORT = """
function [J, g] = nnCostFunction(p, n, s, K, X, y, lambda)
  T1 = reshape(p(1:s*(n+1)), s, n+1);  T2 = reshape(p(s*(n+1)+1:end), K, s+1);
  m = numel(y);  Y = double(y(:)' == (1:K)');
  A1 = [ones(1, m); X'];
  A2 = [ones(1, m); 1 ./ (1 + exp(-T1 * A1))];
  A3 = 1 ./ (1 + exp(-T2 * A2));
  W1 = T1;  W1(:, 1) = 0;
  W2 = T2;  W2(:, 1) = 0;
  J = -(Y(:)' * log(A3(:)) + (1 - Y(:))' * log(1 - A3(:))) / m;
  J += lambda / 2 / m * (W1(:)' * W1(:) + W2(:)' * W2(:));
  d3 = A3 - Y;
  d2 = (T2' * d3 .* A2 .* (1 - A2))(2:end, :);
  D1 = (d2 * A1' + lambda * W1) / m;
  D2 = (d3 * A2' + lambda * W2) / m;
  g = [D1(:); D2(:)];
end
"""

LINEAR = """
function [J grad] = nnCostFunctionLinear(nn_params, il, hl, X, y, lambda)
Theta1 = reshape(nn_params(1:hl * (il + 1)), hl, il + 1);
Theta2 = reshape(nn_params(1 + hl * (il + 1):end), 1, hl + 1);
m = size(X, 1);
a1 = [ones(m, 1) X];
a2 = [ones(m, 1) tanh(a1 * Theta1')];
a3 = a2 * Theta2';
err = a3 - y;
J = sum(err .^ 2) / (2 * m);
J = J + lambda / (2 * m) * (sum(sum(Theta1(:, 2:end) .^ 2)) + sum(Theta2(2:end) .^ 2));
d2 = (err * Theta2(:, 2:end)) .* (1 - a2(:, 2:end) .^ 2);
Theta1_grad = d2' * a1 / m;
Theta2_grad = err' * a2 / m;
Theta1_grad(:, 2:end) += lambda / m * Theta1(:, 2:end);
Theta2_grad(:, 2:end) += lambda / m * Theta2(:, 2:end);
grad = [Theta1_grad(:); Theta2_grad(:)];
end
"""

EMPTY = """
function [J grad] = nnCostFunction(nn_params, input_layer_size, hidden_layer_size, ...
                                   num_labels, X, y, lambda)
Theta1 = reshape(nn_params(1:hidden_layer_size * (input_layer_size + 1)), ...
                 hidden_layer_size, (input_layer_size + 1));
Theta2 = reshape(nn_params((1 + (hidden_layer_size * (input_layer_size + 1))):end), ...
                 num_labels, (hidden_layer_size + 1));
m = size(X, 1);
% You need to return the following variables correctly
J = 0;
Theta1_grad = zeros(size(Theta1));
Theta2_grad = zeros(size(Theta2));
% ====================== YOUR CODE HERE ======================
grad = [Theta1_grad(:) ; Theta2_grad(:)];
end
"""


def file(id: str, text: str, style: str, function: str = "nnCostFunction") -> Case:
    return Case(id, style, text=text, function=function)


def spoilt(
    id: str, kind: str, mistake: str, base: Case, *changes: tuple[str, str], facts: tuple = ()
) -> Case:
    """Return a file with some of its lines changed; facts are its wrong parts and their factor."""
    text = base.text
    for old, new in changes:
        assert text.count(old) == 1, (id, old, text.count(old))
        text = text.replace(old, new)
    parts, factor = facts if facts else ((), None)
    return Case(
        id,
        base.style,
        text=text,
        function=base.function,
        mistake=mistake,
        kind=kind,
        catalogue=kind != "outside",
        parts=parts,
        factor=factor,
    )


def renamed(text: str, names: str) -> str:
    """Put other names in place of some: ``"old new, old new"``."""
    import re

    for pair in names.split(", "):
        old, new = pair.split()
        text = re.sub(rf"\b{old}\b", new, text)
    return text


vectorised = file("octave-vectorised", VECTORISED, "Octave, whole matrices")
loop = file("octave-loop", LOOP, "Octave, loops over examples and classes")
short = file("octave-short", SHORT, "Octave, examples as columns, short names")
linear = file("octave-linear", LINEAR, "Octave, the notes' linear network", "nnCostFunctionLinear")

RIGHT = [
    vectorised,
    loop,
    short,
    linear,
    file(
        "octave-other-names",
        renamed(
            VECTORISED,
            "nnCostFunction costoRed, nn_params pesos, hidden_layer_size ocultas, lambda lamda, "
            "Theta1 W1, Theta2 W2, Theta1_grad dW1, Theta2_grad dW2, num_labels clases",
        ),
        "Octave, the learner's own names",
        "costoRed",
    ),
    file(
        "octave-guard",
        SHORT.replace("log(A3(:))", "log(A3(:) + 1e-10)").replace(
            "log(1 - A3(:))", "log(1 - A3(:) + 1e-10)"
        ),
        "Octave, guards inside the logarithms",
    ),
    file(
        "octave-prints",
        LOOP.replace("m = size(X, 1);", "m = size(X, 1)\nprintf('lambda is %g\\n', lambda);"),
        "Octave, prints on the way",
    ),
    file(
        "octave-row",
        SHORT.replace("g = [D1(:); D2(:)];", "g = [D1(:)' D2(:)'];"),
        "Octave, the gradient as a row",
    ),
    file(
        "octave-other-order",
        renamed(SHORT, "nnCostFunction netCost").replace(
            "(p, n, s, K, X, y, lambda)", "(p, X, y, lambda, n, s, K)"
        ),
        "Octave, parameters in another order: netCost(p, X, y, lambda, n, s, K)",
        "netCost",
    ),
    file(
        "octave-logistic",
        "function [J, grad] = lrCostFunction(theta, X, y, lambda)\n"
        "m = length(y);\n"
        "h = 1 ./ (1 + exp(-X * theta));\n"
        "t = [0; theta(2:end)];\n"
        "J = (-y' * log(h) - (1 - y)' * log(1 - h)) / m + lambda / (2 * m) * (t' * t);\n"
        "grad = (X' * (h - y) + lambda * t) / m;\n"
        "end\n",
        "Octave, the course's lrCostFunction",
        "lrCostFunction",
    ),
    file(
        "octave-linear-regression",
        "function [J, grad] = linearRegCostFunction(X, y, theta, lambda)\n"
        "m = length(y);\n"
        "e = X * theta - y;\n"
        "J = sum(e .^ 2) / (2 * m) + lambda / (2 * m) * sum(theta(2:end) .^ 2);\n"
        "grad = X' * e / m;\n"
        "grad(2:end) = grad(2:end) + lambda / m * theta(2:end);\n"
        "end\n",
        "Octave, the course's linearRegCostFunction",
        "linearRegCostFunction",
    ),
]

B1, W1, B2, W2 = "Theta(1) bias", "Theta(1) weights", "Theta(2) bias", "Theta(2) weights"
ALL = (B1, W1, B2, W2)

WRONG = [
    spoilt(
        "octave-empty-template",
        "J is zero",
        "nothing is written",
        file("", EMPTY, "Octave, the course's template"),
    ),
    spoilt(
        "octave-no-backpropagation",
        "zero gradient",
        "Part 2 is not written",
        file(
            "",
            EMPTY.replace(
                "% ====================== YOUR CODE HERE ======================",
                "a2 = [ones(m, 1) 1 ./ (1 + exp(-[ones(m, 1) X] * Theta1'))];\n"
                "h = 1 ./ (1 + exp(-a2 * Theta2'));  Y = eye(num_labels)(y, :);\n"
                "J = -sum(sum(Y .* log(h) + (1 - Y) .* log(1 - h))) / m;\n"
                "J += lambda / (2 * m) * (sum(sum(Theta1(:, 2:end) .^ 2)) "
                "+ sum(sum(Theta2(:, 2:end) .^ 2)));",
            ),
            "Octave, the course's template",
        ),
        facts=(ALL, 0),
    ),
    spoilt(
        "octave-sigmoid-gradient-empty",
        "g' not written",
        "sigmoidGradient returns zeros",
        loop,
        ("  g = sigmoid(z) .* (1 - sigmoid(z));", "  g = zeros(size(z));"),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-theta1-grad-lost",
        "zero layer",
        "Theta1's gradient goes to another name",
        short,
        (
            "  D1 = (d2 * A1' + lambda * W1) / m;",
            "  D1 = zeros(size(T1));\n  D_1 = (d2 * A1' + lambda * W1) / m;",
        ),
        facts=((B1, W1), 0),
    ),
    spoilt(
        "octave-theta2-over-2m",
        "factor in a part",
        "layer 2 is divided by 2m",
        short,
        ("  D2 = (d3 * A2' + lambda * W2) / m;", "  D2 = (d3 * A2' + lambda * W2) / (2 * m);"),
        facts=((B2, W2), 0.5),
    ),
    spoilt(
        "octave-bias-regularised",
        "bias regularised",
        "lambda * Theta1 with its bias column",
        vectorised,
        (
            "p1 = (lambda / m) * [zeros(size(Theta1, 1), 1) Theta1(:, 2:end)];",
            "p1 = (lambda / m) * Theta1;",
        ),
        facts=((B1,), None),
    ),
    spoilt(
        "octave-lambda-row",
        "lambda leaves out the wrong row",
        "the first row is left out of the penalty, not the first column",
        loop,
        (
            "Theta1_grad(:, 2:end) = Theta1_grad(:, 2:end) + lambda / m * Theta1(:, 2:end);",
            "Theta1_grad(2:end, :) = Theta1_grad(2:end, :) + lambda / m * Theta1(2:end, :);",
        ),
        (
            "Theta2_grad(:, 2:end) = Theta2_grad(:, 2:end) + lambda / m * Theta2(:, 2:end);",
            "Theta2_grad(2:end, :) = Theta2_grad(2:end, :) + lambda / m * Theta2(2:end, :);",
        ),
        facts=(ALL, None),
    ),
    spoilt(
        "octave-lambda-inside-loop",
        "lambda factor",
        "lambda's part is added for each example, so that it is m times too large",
        short,
        ("  D1 = (d2 * A1' + lambda * W1) / m;", "  D1 = d2 * A1' / m + lambda * W1;"),
        ("  D2 = (d3 * A2' + lambda * W2) / m;", "  D2 = d3 * A2' / m + lambda * W2;"),
        facts=((W1, W2), None),
    ),
    spoilt(
        "octave-lambda-on-gradient",
        "lambda on the gradient",
        "lambda / m times Theta1_grad is added",
        loop,
        ("+ lambda / m * Theta1(:, 2:end);", "+ lambda / m * Theta1_grad(:, 2:end);"),
        facts=((W1,), None),
    ),
    spoilt(
        "octave-lambda-linear-one",
        "lambda in one layer only",
        "layer 1 has no penalty",
        linear,
        ("Theta1_grad(:, 2:end) += lambda / m * Theta1(:, 2:end);\n", ""),
        facts=((W1,), None),
    ),
    spoilt(
        "octave-no-1-over-m",
        "missing 1/m",
        "delta_1 is not divided by m",
        vectorised,
        ("Theta1_grad = delta_1 ./ m + p1;", "Theta1_grad = delta_1 + p1;"),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-loop-from-2",
        "first example left out",
        "for t = 2:m",
        loop,
        ("for t = 1:m", "for t = 2:m"),
        facts=(ALL, None),
    ),
    spoilt(
        "octave-one-label",
        "one label for all",
        "y(1) in place of y(t)",
        loop,
        ("yv = (1:num_labels)' == y(t);", "yv = (1:num_labels)' == y(1);"),
        facts=(ALL, None),
    ),
    spoilt(
        "octave-overwritten",
        "accumulator overwritten",
        "Theta2_grad is not added to",
        loop,
        ("  Theta2_grad = Theta2_grad + delta_3 * a_2';", "  Theta2_grad = delta_3 * a_2';"),
        facts=((B2, W2), None),
    ),
    spoilt(
        "octave-sigmoid-under-tanh",
        "g' of another activation",
        "a .* (1 - a) under a tanh",
        linear,
        (".* (1 - a2(:, 2:end) .^ 2)", ".* a2(:, 2:end) .* (1 - a2(:, 2:end))"),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-gradient-of-a",
        "g' at the wrong point",
        "sigmoidGradient(a_2)",
        loop,
        ("[1; sigmoidGradient(z_2)]", "sigmoidGradient(a_2)"),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-slope-missing",
        "g' left out",
        "sigma2 without sigmoidGradient",
        vectorised,
        ("(sigma3 * Theta2) .* sigmoidGradient([ones(size(z2, 1), 1) z2])", "(sigma3 * Theta2)"),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-end-minus-1",
        "Theta with its bias column going back",
        "delta_2(1:end-1): the last unit is cut off in place of the bias unit",
        loop,
        ("delta_2 = delta_2(2:end);", "delta_2 = delta_2(1:end-1);"),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-sign",
        "sign",
        "Y - a3",
        vectorised,
        ("sigma3 = a3 - Y;", "sigma3 = Y - a3;"),
        facts=(ALL, None),
    ),
    spoilt(
        "octave-output-slope",
        "output derivative extra",
        "d3 times A3 (1 - A3)",
        short,
        ("d3 = A3 - Y;", "d3 = (A3 - Y) .* A3 .* (1 - A3);"),
        facts=(ALL, None),
    ),
    # No list has these
    spoilt(
        "octave-mixed-up-z",
        "outside",
        "the slope is taken at z2 plus 1",
        vectorised,
        (
            "sigmoidGradient([ones(size(z2, 1), 1) z2])",
            "sigmoidGradient([ones(size(z2, 1), 1) z2 + 1])",
        ),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-x-mapped",
        "outside",
        "A1 is squared in Theta1's gradient",
        short,
        ("D1 = (d2 * A1'", "D1 = (d2 * (A1 .^ 2)'"),
        facts=((W1,), None),
    ),
    spoilt(
        "octave-learning-rate-decay",
        "outside",
        "each example's part is divided by t",
        loop,
        (
            "Theta1_grad = Theta1_grad + delta_2 * a_1';",
            "Theta1_grad = Theta1_grad + delta_2 * a_1' / t;",
        ),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-hidden-noise",
        "outside",
        "the hidden units are rounded going back",
        short,
        ("D2 = (d3 * A2'", "D2 = (d3 * round(A2)'"),
        facts=((W2,), None),
    ),
    spoilt(
        "octave-wrong-theta",
        "outside",
        "delta goes back through exp(Theta2)",
        short,
        ("(T2' * d3", "(exp(T2)' * d3"),
        facts=((B1, W1), None),
    ),
    spoilt(
        "octave-errors-sorted",
        "outside",
        "the errors are sorted before Theta2's product",
        linear,
        ("Theta2_grad = err' * a2 / m;", "Theta2_grad = sort(err)' * a2 / m;"),
        facts=((W2,), None),
    ),
]
