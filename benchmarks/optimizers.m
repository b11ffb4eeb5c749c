% Octave's fminunc, or the course's fmincg, on a problem of optimizers.py: optimizers (input.mat, output.mat)
%
% The cost is the course's nnCostFunction, vectorised, and nnCostFunctionLinear of the lecture notes.
% Of each start the J of every evaluation is noted, and the processor's time by then.

function optimizers (input, output)
  global trace begun
  p = load (input);
  traces = cell (1, columns (p.starts));
  options = optimset ("GradObj", "on", "MaxIter", 1e6, "MaxFunEvals", 1e7, "TolX", 1e-12, "TolFun", 1e-12);
  cost (p.starts(:, 1), setfield (p, "seconds", Inf));  % what is slow the first time
  for i = 1:columns (p.starts)
    trace = zeros (0, 2);
    begun = cputime ();
    try
      feval (p.minimiser, @(theta) cost (theta, p), p.starts(:, i), options);
    catch problem
      if (! strcmp (problem.identifier, "optimizers:time"))
        rethrow (problem);
      end
    end
    traces{i} = trace;
  end
  save ("-v7", output, "traces");
end

function [J, D] = cost (theta, p)
  global trace begun
  s = double (p.layers); m = rows (p.X); split = s(2) * (s(1) + 1);
  Theta1 = reshape (theta(1:split), s(2), s(1) + 1);
  Theta2 = reshape (theta(split+1:end), s(3), s(2) + 1);
  a1 = [ones(m, 1), p.X];
  z2 = a1 * Theta1';
  if (p.linear)
    g = tanh (z2); slope = 1 - g .^ 2;
  else
    g = 1 ./ (1 + exp (-z2)); slope = g .* (1 - g);
  end
  a2 = [ones(m, 1), g];
  z3 = a2 * Theta2';
  if (p.linear)
    h = z3; total = sum ((h - p.Y)(:) .^ 2) / 2;
  else
    h = 1 ./ (1 + exp (-z3)); total = sum ((max (z3, 0) + log1p (exp (-abs (z3))) - p.Y .* z3)(:));
  end
  delta3 = h - p.Y;
  delta2 = (delta3 * Theta2(:, 2:end)) .* slope;
  R1 = [zeros(s(2), 1), Theta1(:, 2:end)]; R2 = [zeros(s(3), 1), Theta2(:, 2:end)];
  J = (total + p.lam / 2 * (sum (R1(:) .^ 2) + sum (R2(:) .^ 2))) / m;
  D = [(delta2' * a1 + p.lam * R1)(:); (delta3' * a2 + p.lam * R2)(:)] / m;
  at = cputime () - begun;
  trace(end + 1, :) = [J, at];
  if (at > p.seconds)
    error ("optimizers:time", "the seconds are over");
  end
end
