"""Ourselves, as a user runs it: the engine that `train` calls, `train` and `predict`."""

import numpy as np
from benchmarks.contestants import ACCURACY, MAX_EPOCHS

import chainrule
from chainrule import engine
from chainrule.notes.backprop import finish
from chainrule.notes.minibatch import Minibatches
from chainrule.optimize.adam import Adam


def gradient(task):
    network, theta, X, Y = task.network, task.theta, task.X, task.Y

    def run():
        J, D = finish(network, theta, *engine.accumulate(network, theta, X, Y))
        return np.append(J, D)

    return run


def public_gradient(task):
    network, theta, X, Y = task.network, task.theta, task.X, task.Y
    return lambda: np.append(*chainrule.cost_and_gradient(network, theta, X, Y))


def lbfgs(task):
    X, Y = task.X, task.Y

    def run():
        return chainrule.train(
            task.network, X, Y, lam=1.0, optimizer="lbfgs", max_iter=50, theta=task.theta
        ).theta

    return run


def epoch(task):
    X, Y, order, rule = task.X, task.Y, task.order, Adam(learning_rate=0.001)

    def run():
        theta = task.theta.copy()
        engine.epoch(
            task.network,
            theta,
            X,
            Y,
            order,
            Minibatches(task.case.batch_size),
            rule=rule,
            state=rule.init(theta),
        )
        return theta

    return run


def predict(task):
    network, theta, X = task.network, task.theta, task.X
    return lambda: chainrule.predict(network, theta, X)


def accuracy(task, batch_size, learning_rate):
    X, Y, X_test, codes_test = task.X, task.Y, task.X_test, task.codes_test

    def reached(step):
        h = chainrule.predict(task.network, step.theta, X_test)
        return (h.argmax(axis=1) == codes_test).mean() >= ACCURACY

    def run(seed):
        return chainrule.train(
            task.network,
            X,
            Y,
            optimizer=Adam(learning_rate=learning_rate),
            batch_size=batch_size,
            max_iter=MAX_EPOCHS,
            theta=task.start(seed),
            seed=seed,
            callback=reached,
        ).state.theta

    return run
