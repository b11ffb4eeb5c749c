"""What another setting of a recipe is worth, seen without MNIST's test set.

    python -m benchmarks.recipe_choice dropout --epochs 40
    python -m benchmarks.recipe_choice dropout --epochs 40 --smooth 0.1
    python -m benchmarks.recipe_choice dropout --epochs 40 --hidden 1500 1500

The network learns the first 50,000 of MNIST's 60,000 training examples; mistakes are counted on
the last 10,000 of them, eight times on the way.  The test set is never looked at.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

from chainrule import Network, train
from chainrule.datasets.tables import load, split
from chainrule.engine.predicting import predict
from chainrule.optimize import Step
from chainrule.training.recipes import RECIPES

LEARNT = 50_000


def main() -> None:
    parser = argparse.ArgumentParser(description="Settings of a recipe, judged by validation.")
    parser.add_argument("recipe", choices=["plain", "dropout", "distorted"])
    parser.add_argument("--hidden", type=int, nargs="+", help="units of the hidden layers")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--rate", type=float, help="learning rate of the first epoch")
    parser.add_argument("--optimizer", choices=["adam", "sgd"])
    parser.add_argument("--batch-size", type=int)
    parser.add_argument(
        "--dropout", type=float, nargs="+", help="of the inputs, then hidden layers"
    )
    parser.add_argument("--max-norm", type=float)
    parser.add_argument(
        "--smooth", type=float, default=0.0, help="share of y spread over all classes"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = vars(parser.parse_args())
    seed, smooth = given.pop("seed"), given.pop("smooth")
    recipe = RECIPES[given.pop("recipe")]
    asked = {name: value for name, value in given.items() if value is not None}
    own = {name: asked.pop(name) for name in ("hidden", "epochs", "rate") if name in asked}
    recipe = replace(recipe, **own, more={**recipe.more, **asked})

    training, _ = split(load("mnist"), None, seed)
    network = Network((784, *recipe.hidden, 10), hidden="relu", output="softmax")
    X = training.X
    Y = network.check_targets(training.Y, len(X)).astype(np.float32)
    Y = (1 - smooth) * Y + np.float32(smooth / 10)
    answers = np.asarray(training.Y[LEARNT:])
    began = time.process_time()

    def count(step: Step) -> None:
        if step.iteration % max(recipe.epochs // 8, 1) == 0 or step.iteration == recipe.epochs:
            wrong = predict(network, step.theta, X[LEARNT:]).argmax(axis=1) != answers
            seconds = time.process_time() - began
            print(
                f"epoch {step.iteration:3}  J {step.J:.4f}  {wrong.sum()} of {len(wrong):,} wrong"
                f"  {seconds:.0f} s of processor time",
                flush=True,
            )

    print(recipe)
    arguments = recipe.arguments()
    train(network, X[:LEARNT], Y[:LEARNT], lam=recipe.lam, seed=seed, callback=count, **arguments)


if __name__ == "__main__":
    main()
