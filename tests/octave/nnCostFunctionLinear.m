function [J grad] = nnCostFunctionLinear(nn_params, il, hl, X, y, lambda)
  Theta1 = reshape(nn_params(1:hl * (il + 1)), hl, il + 1);
  Theta2 = reshape(nn_params(1 + hl * (il + 1):end), 1, hl + 1);
  m = size(X, 1);
  a1 = [ones(m, 1) X];
  a2 = [ones(m, 1) tanh(a1 * Theta1')];
  a3 = a2 * Theta2';
  J = sum((a3 - y) .^ 2) / (2 * m);
  J += lambda / (2 * m) * (sum(sum(Theta1(:, 2:end) .^ 2)) + sum(sum(Theta2(:, 2:end) .^ 2)));
  d3 = a3 - y;
  d2 = d3 * Theta2(:, 2:end) .* (1 - a2(:, 2:end) .^ 2);
  Theta1_grad = (d2' * a1 + lambda * [zeros(hl, 1) Theta1(:, 2:end)]) / m;
  Theta2_grad = (d3' * a2 + lambda * [0 Theta2(:, 2:end)]) / m;
  grad = [Theta1_grad(:); Theta2_grad(:)];
end
