"""Right gradients made by PyTorch and JAX, where installed: no false alarm, whatever theta."""

import re
from pathlib import Path

import numpy as np
import pytest

from chainrule import Network, check_gradient, cost_and_gradient

pytestmark = pytest.mark.slow
NETWORK = Network((2, 4, 3))
RNG = np.random.default_rng(0)
X, Y, LAM = RNG.normal(size=(7, 2)), np.eye(3)[np.arange(7) % 3], 1.5


def penalised_cost(theta, array, sigmoid, log):
    """J in what arrays of either library can do; theta as Octave unrolls it."""
    m = len(X)
    W1, W2 = theta[:12].reshape(3, 4), theta[12:].reshape(5, 3)  # Theta(l) transposed
    h = sigmoid(sigmoid(array(X) @ W1[1:] + W1[0]) @ W2[1:] + W2[0])
    T = array(Y)
    J = -(T * log(h) + (1 - T) * log(1 - h)).sum() / m
    return J + LAM / (2 * m) * ((W1[1:] ** 2).sum() + (W2[1:] ** 2).sum())


def pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed: make test-slow has it")
    torch.set_num_threads(1)

    def objective(theta):
        leaf = torch.tensor(theta, requires_grad=True)
        J = penalised_cost(leaf, torch.tensor, torch.sigmoid, torch.log)
        J.backward()
        return J.item(), leaf.grad.numpy()

    return objective


def jax():
    jax = pytest.importorskip("jax", reason="JAX is not installed: make test-slow has it")
    jax.config.update("jax_enable_x64", True)
    numpy = jax.numpy

    def J(theta):
        return penalised_cost(theta, numpy.asarray, jax.nn.sigmoid, numpy.log)

    return jax.jit(jax.value_and_grad(J))


@pytest.mark.parametrize("library", [pytorch, jax], ids=lambda library: library.__name__)
def test_no_false_alarm_over_a_thousand_thetas(library):
    objective = library()
    data = {"network": NETWORK, "X": X, "Y": Y, "lam": LAM}
    for _ in range(1000):
        theta = RNG.uniform(-1, 1, NETWORK.size)
        report = check_gradient(objective, theta, **data)
        assert report.ok, report
    J, D = objective(theta)
    right = cost_and_gradient(NETWORK, theta, X, Y, LAM)
    np.testing.assert_allclose(float(J), right[0], rtol=1e-12)
    np.testing.assert_allclose(np.asarray(D), right[1], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("library", [pytorch, jax], ids=lambda library: library.__name__)
def test_a_wrong_one_is_told_what_is_wrong(library):
    objective = library()

    def summed(theta):
        J, D = objective(theta)
        return J, len(X) * np.asarray(D)

    theta = RNG.uniform(-1, 1, NETWORK.size)
    report = check_gradient(summed, theta, network=NETWORK, X=X, Y=Y, lam=LAM)
    assert report.diagnosis[0].name == "missing-1-over-m"


PAGE = (Path(__file__).parents[1] / "docs/find-your-backpropagation-bug.md").read_text()
EXAMPLES = re.findall(r"^```python\n(import .*?)^```", PAGE, re.M | re.S)


@pytest.mark.parametrize("example", EXAMPLES, ids=["function", "module", "vjp"])
def test_the_examples_of_the_page_hold(example):
    library = "torch" if "import torch" in example else "jax"
    pytest.importorskip(library, reason=f"{library} is not installed: make test-slow has it")
    exec(example, {})
