function [J grad] = nnCostFunction(nn_params, input_layer_size, hidden_layer_size, ...
                                   num_labels, X, y, lambda)
  split = hidden_layer_size * (input_layer_size + 1);
  Theta1 = reshape(nn_params(1:split), hidden_layer_size, input_layer_size + 1);
  Theta2 = reshape(nn_params(split + 1:end), num_labels, hidden_layer_size + 1);
  m = size(X, 1)
  Y = eye(num_labels)(y, :);
  a1 = [ones(m, 1) X];
  z2 = a1 * Theta1';
  a2 = [ones(m, 1) sigmoid(z2)];
  a3 = sigmoid(a2 * Theta2');
  J = -sum(sum(Y .* log(a3) + (1 - Y) .* log(1 - a3))) / m;
  J += lambda / (2 * m) * (sum(sum(Theta1(:, 2:end) .^ 2)) + sum(sum(Theta2(:, 2:end) .^ 2)));
  d3 = a3 - Y;
  d2 = d3 * Theta2(:, 2:end) .* sigmoidGradient(z2);
  Theta1_grad = d2' * a1 / m;
  Theta2_grad = d3' * a2 / m;
  Theta1_grad(:, 2:end) += lambda / m * Theta1(:, 2:end);
  Theta2_grad(:, 2:end) += lambda / m * Theta2(:, 2:end);
  grad = [Theta1_grad(:); Theta2_grad(:)];
end

function g = sigmoidGradient(z)
  g = sigmoid(z) .* (1 - sigmoid(z));
end
