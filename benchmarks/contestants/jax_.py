"""JAX: everything jitted; an epoch is one call, a scan over the batches with donated state."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from benchmarks.contestants import ACCURACY, MAX_EPOCHS

jax.config.update("jax_enable_x64", True)
tree_map = jax.tree_util.tree_map
HIDDEN = {"sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh, "relu": jax.nn.relu}
OUTPUT = {"sigmoid": jax.nn.sigmoid, "softmax": jax.nn.softmax, "identity": lambda z: z}
COST_SUM = {
    "sigmoid": lambda z, Y: (jax.nn.softplus(z) - Y * z).sum(),
    "softmax": lambda z, Y: jax.nn.logsumexp(z, axis=1).sum() - (Y * z).sum(),
    "identity": lambda z, Y: 0.5 * ((z - Y) ** 2).sum(),
}


def functions(task):
    """Return z(L) and J as functions of the parameters."""
    g, cost_sum = HIDDEN[task.case.hidden], COST_SUM[task.case.output]

    def forward(P, x):
        for W, b in P[:-1]:
            x = g(x @ W + b)
        W, b = P[-1]
        return x @ W + b

    def J(P, x, y):
        return cost_sum(forward(P, x), y) / len(x)

    return forward, J


def parameters(task, theta=None):
    return [(jnp.array(W), jnp.array(b)) for W, b in task.layers(theta)]


def unroll(task, P):
    return task.unroll([(np.asarray(W), np.asarray(b)) for W, b in P])


def adam_state(P):
    return P, tree_map(jnp.zeros_like, P), tree_map(jnp.zeros_like, P), jnp.float32(0)


def adam_step(J, state, x, y, learning_rate=0.001):
    P, M, V, t = state
    D = jax.grad(J)(P, x, y)
    t = t + 1
    alpha = learning_rate * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
    M = tree_map(lambda m, d: 0.9 * m + 0.1 * d, M, D)
    V = tree_map(lambda v, d: 0.999 * v + 0.001 * d * d, V, D)
    P = tree_map(lambda p, m, v: p - alpha * m / (jnp.sqrt(v) + 1e-8), P, M, V)
    return P, M, V, t


def gradient(task):
    _, J = functions(task)
    both = jax.jit(jax.value_and_grad(J))
    P, X, Y = parameters(task), jnp.array(task.X), jnp.array(task.Y)

    def run():
        J, D = both(P, X, Y)
        return np.append(np.asarray(J), unroll(task, D))

    return run


def epoch(task):
    _, J = functions(task)
    b, steps = task.case.batch_size, task.case.rows // task.case.batch_size

    @partial(jax.jit, donate_argnums=0)
    def whole_epoch(state, X, Y, x, y):
        def step(state, batch):
            return adam_step(J, state, *batch), None

        state, _ = jax.lax.scan(step, state, (X, Y))
        return adam_step(J, state, x, y) if len(x) else state  # a last, shorter batch

    def batches(array):
        whole = jnp.array(array[: steps * b]).reshape(steps, b, -1)
        return whole, jnp.array(array[steps * b :])

    (X, x), (Y, y) = batches(task.X_in_order), batches(task.Y_in_order)

    def run():
        P, *_ = whole_epoch(adam_state(parameters(task)), X, Y, x, y)
        return unroll(task, P)

    return run


def predict(task):
    forward, _ = functions(task)
    g = OUTPUT[task.case.output]
    h = jax.jit(lambda P, x: g(forward(P, x)))
    P, X = parameters(task), jnp.array(task.X)
    return lambda: np.asarray(h(P, X))


def accuracy(task, batch_size, learning_rate):
    forward, J = functions(task)
    X, Y, X_test = jnp.array(task.X), jnp.array(task.Y), jnp.array(task.X_test)
    codes_test = jnp.array(task.codes_test)
    steps = task.case.rows // batch_size

    @partial(jax.jit, donate_argnums=0)
    def whole_epoch(state, order, X, Y):
        def step(state, rows):
            return adam_step(J, state, X[rows], Y[rows], learning_rate), None

        state, _ = jax.lax.scan(step, state, order[: steps * batch_size].reshape(steps, -1))
        rows = order[steps * batch_size :]
        return adam_step(J, state, X[rows], Y[rows], learning_rate) if len(rows) else state

    right = jax.jit(lambda P, X, codes: (forward(P, X).argmax(axis=1) == codes).mean())

    def train(seed, epochs):
        state = adam_state(parameters(task, task.start(seed)))
        for number in range(epochs):
            state = whole_epoch(state, task.epoch_order(seed, number), X, Y)
            if right(state[0], X_test, codes_test) >= ACCURACY:
                break
        return unroll(task, state[0])

    train(0, 1)
    return lambda seed: train(seed, MAX_EPOCHS)
