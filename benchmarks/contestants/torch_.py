"""PyTorch: tensors at hand before the clock starts, fused Adam, or one compiled graph a step."""

import os

import numpy as np
import torch
import torch.nn.functional as F
from benchmarks.contestants import ACCURACY, MAX_EPOCHS

torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
# No guards on shapes and no Python in the graph's wrapper: the least overhead a call
COMPILE = {"fullgraph": True, "dynamic": False, "options": {"cpp_wrapper": True}}
HIDDEN = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
OUTPUT = {
    "sigmoid": torch.sigmoid,
    "softmax": lambda z: torch.softmax(z, 1),
    "identity": lambda z: z,
}
COST_SUM = {
    "sigmoid": lambda z, Y: F.binary_cross_entropy_with_logits(z, Y, reduction="sum"),
    "softmax": lambda z, codes: F.cross_entropy(z, codes, reduction="sum"),
    "identity": lambda z, Y: 0.5 * F.mse_loss(z, Y, reduction="sum"),
}


def parameters(task, theta=None):
    """Return weight, bias, weight, bias, ... in the layout of torch.nn.Linear."""
    return [
        torch.from_numpy(np.ascontiguousarray(array))
        for W, b in task.layers(theta)
        for array in (W.T, b)
    ]


def unroll(task, P):
    arrays = [p.detach().numpy() for p in P]
    return task.unroll([(W.T, b) for W, b in zip(arrays[::2], arrays[1::2], strict=True)])


def functions(task):
    """Return z(L) and J as functions of the parameters."""
    g, cost_sum = HIDDEN[task.case.hidden], COST_SUM[task.case.output]

    def forward(P, x):
        for W, b in zip(P[:-2:2], P[1:-2:2], strict=True):
            x = g(F.linear(x, W, b))
        return F.linear(x, P[-2], P[-1])

    def J(P, x, y):
        return cost_sum(forward(P, x), y) / len(x)

    return forward, J


def targets(task, Y):
    """Class codes are what cross_entropy is fastest with; the other costs take the rows of Y."""
    return torch.from_numpy(Y.argmax(axis=1) if task.case.output == "softmax" else Y)


def fused_adam(J, learning_rate=0.001):
    """Return ``begin(P)``, which returns ``step(x, y)``, which moves P."""

    def begin(P):
        for p in P:
            p.requires_grad_()
        adam = torch.optim.Adam(P, lr=learning_rate, fused=True)

        def step(x, y):
            for p, D in zip(P, torch.autograd.grad(J(P, x, y), P), strict=True):
                p.grad = D
            adam.step()

        return step

    return begin


def compiled_adam(J):
    """Return the same with J, its gradient and the update in one compiled graph."""

    @torch.compile(**COMPILE)
    def update(P, M, V, t, x, y):
        t += 1
        alpha = 0.001 * torch.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        for p, m, v, D in zip(P, M, V, torch.func.grad(J)(P, x, y), strict=True):
            m.lerp_(D, 0.1)
            v.lerp_(D * D, 0.001)
            p.sub_(alpha * m / (v.sqrt() + 1e-8))

    def begin(P):
        M, V = [torch.zeros_like(p) for p in P], [torch.zeros_like(p) for p in P]
        t = torch.zeros(())
        return lambda x, y: update(P, M, V, t, x, y)

    return begin


def gradient(task, compiled):
    _, J = functions(task)
    if compiled:
        J = torch.compile(J, **COMPILE)
    P = [p.requires_grad_() for p in parameters(task)]
    X, Y = torch.from_numpy(task.X), targets(task, task.Y)

    def run():
        cost = J(P, X, Y)
        D = torch.autograd.grad(cost, P)
        return np.append(cost.detach().numpy(), unroll(task, D))

    return run


def epoch(task, compiled):
    _, J = functions(task)
    begin = compiled_adam(J) if compiled else fused_adam(J)
    b = task.case.batch_size
    X = torch.from_numpy(task.X_in_order).split(b)
    Y = targets(task, task.Y_in_order).split(b)

    def run():
        P = parameters(task)
        step = begin(P)
        for x, y in zip(X, Y, strict=True):
            step(x, y)
        return unroll(task, P)

    return run


def predict(task, compiled):
    forward, _ = functions(task)
    g = OUTPUT[task.case.output]

    def h(P, x):
        return g(forward(P, x))

    if compiled:
        h = torch.compile(h, **COMPILE)
    P, X = parameters(task), torch.from_numpy(task.X)

    def run():
        with torch.inference_mode():
            return h(P, X).numpy()

    return run


def accuracy(task, batch_size, learning_rate):
    forward, J = functions(task)
    begin = fused_adam(J, learning_rate)
    X, Y = torch.from_numpy(task.X), targets(task, task.Y)
    X_test, codes_test = torch.from_numpy(task.X_test), torch.from_numpy(task.codes_test)

    def train(seed, epochs):
        P = parameters(task, task.start(seed))
        step = begin(P)
        for number in range(epochs):
            for rows in torch.from_numpy(task.epoch_order(seed, number)).split(batch_size):
                step(X[rows], Y[rows])
            with torch.inference_mode():
                right = (forward(P, X_test).argmax(1) == codes_test).double().mean()
            if right >= ACCURACY:
                break
        return unroll(task, P)

    train(0, 1)
    return lambda seed: train(seed, MAX_EPOCHS)
