"""How many digits a network of fewer than 28x28 pixels reads, of drawn ones and of MNIST's.

    python -m benchmarks.own_digits MODEL [MODEL ...]

A model is what `chainrule train digits --out MODEL` writes.  MNIST's test digits are read where
there is a mnist.npz, here or in the folder CHAINRULE_DATA.
"""

import argparse

import numpy as np

from chainrule.common.checks import DataError
from chainrule.datasets import load
from chainrule.handwriting.frames import fitted, inputs
from chainrule.handwriting.learning import drawings, normalised
from chainrule.handwriting.reading import check_model
from chainrule.model_file import load as load_model
from chainrule.photos import SIDE

DRAWN, SEED = 400, 2026  # other drawings than those by which the frame is chosen
OF_MNIST = 600


def share(model, X, labels) -> float:
    """Return the share of 28x28 pictures, of shape (n, 784), that a model reads right."""
    h = model.predict(inputs(model, X.reshape(-1, SIDE, SIDE)))
    names = np.array([str(name) for name in model.classes])
    return float((names[h.argmax(axis=1)] == labels).mean())


def mnist() -> tuple[np.ndarray, np.ndarray] | None:
    """Return digits of MNIST's test set normalised as a photo's marks, or None."""
    try:
        test = load("mnist").held_out
    except DataError:
        return None
    pictures = test.X[:OF_MNIST].reshape(-1, SIDE, SIDE)
    return normalised(pictures / pictures.max()), test.Y[:OF_MNIST].astype(str)


def main():
    """Print a line for each model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", nargs="+")
    models = parser.parse_args().models
    X, y = drawings(DRAWN, 0, SEED)
    sets = {f"{DRAWN} drawn": (X, y.astype(str))}
    if (test := mnist()) is not None:
        sets[f"{OF_MNIST} of MNIST"] = test
    print("| model | frame |" + "".join(f" {name} |" for name in sets))
    print("|---|---|" + "---:|" * len(sets))
    for path in models:
        model = check_model(load_model(path))
        shares = "".join(f" {share(model, *given):.1%} |" for given in sets.values())
        print(f"| {path} | {fitted(model).frame} |{shares}", flush=True)


if __name__ == "__main__":
    main()
