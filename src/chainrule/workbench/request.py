"""What is asked of a training."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from chainrule.common.files import File
    from chainrule.datasets.targets import Kind

LAM = 1.0  # for pictures: the course's, in its exercise of handwritten digits
HIDDEN = (25,)  # the course's too
ACTIVATION, OPTIMIZER, MAX_ITER = "sigmoid", "lbfgs", 100
# What cross-validation tries: at first the middle, and further where that is better
CV_LAMS = (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
CV_HIDDEN = ((2,), (5,), (10,), (25,), (50,), (100,), (200,))
CV_FIRST = slice(2, 5)
# The same for lambda alone, where nobody chose it for a table
LAMS = (1e-4, 3e-4, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
LAMS_FIRST = slice(8, 11)
LAM_OF_FEW = 0.01  # for tables that are too short for that: a larger one would flatten them
FEWEST = 20  # rows
MINIBATCHES = ("learning_rate", "batch_size", "dropout")
DECIDED_BY_RECIPE = (
    "hidden", "activation", "output", "lam", "optimizer", "max_iter", "scale", "cv", *MINIBATCHES,
    "patience", "validation", "n_restarts",
)  # fmt: skip
OF_ONE_NETWORK = (  # what is asked of the notes' network, which a committee decides itself
    *DECIDED_BY_RECIPE, "recipe", "missing", "keep", "check", "memory", "spool", "cluster", "lanes",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """All that is asked of a training: what ``chainrule train`` takes.

    The fields have the names of the command's options, and errors call them so.

    Parameters
    ----------
    source : str, path or binary stream
    target, drop, missing, kind, header, encoding, na, keep
        As for `chainrule.datasets.load`.
    test_size : float, optional
        The share of the rows that is held out.  Default: the file's own test set, or else 0.2.
    hidden : tuple of int, optional
        Units of each hidden layer.  Default: 25.
    activation : str or tuple of str, optional
        g of the hidden layers.  Default: sigmoid.
    output : str, optional
        Default: sigmoid for classes, identity for numbers.
    scale : bool, optional
        Whether to standardise the inputs and a regression's target.  Default: tables, not images.
    lam : float, optional
        Default: 1 for pictures; for tables chosen by cross-validation, or with fewer than 20 rows
        0.01.
    optimizer : str, optional
        Default: lbfgs.
    max_iter : int, optional
        Default: 100.
    cv : bool, default=False
        Whether lambda and the hidden units are chosen by cross-validation; one that is given stays.
    learning_rate, batch_size, dropout, patience, n_restarts, threads
        As for `chainrule.train`.
    validation : float, optional
        The share of the training rows on which J_val is watched: the network is the one where that
        was lowest.
    recipe : str, optional
        A name in `chainrule.training.recipes.RECIPES`.  It decides network and training.
    max_time : float, optional
        Seconds at most.
    seed : int, default=0
        Seed of the random start and of the split.
    check : bool, default=True
        Whether to check the gradient before training.
    memory : int, optional
        Bytes that the table may take: one that would take more is read in blocks.  Default: most of
        what is free.
    spool : path, optional
        The folder for the scratch files of a table that is read in blocks.
    cluster : str, optional
        The address of a Dask scheduler, or ``"local:N"`` for N processes on this machine: the table
        is read in blocks, by the workers, who need the folder of the scratch files.
    lanes : int, optional
        As for `chainrule.train`.

    Raises
    ------
    ValueError
        If something given does not fit, or is what the recipe decides.

    Examples
    --------
    >>> Request("digits", hidden=(8,), lam=0.5).optimizer is None  # lbfgs
    True
    """

    source: File
    target: str | tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    missing: Literal["mean", "drop", "category"] | None = None
    kind: Kind | None = None
    header: bool | None = None
    encoding: str | None = None
    na: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    test_size: float | None = None
    hidden: tuple[int, ...] | None = None
    activation: str | tuple[str, ...] | None = None
    output: str | None = None
    scale: bool | None = None
    lam: float | None = None
    optimizer: str | None = None
    max_iter: int | None = None
    cv: bool = False
    learning_rate: float | None = None
    batch_size: int | None = None
    dropout: float | tuple[float, ...] | None = None
    patience: int | None = None
    validation: float | None = None
    n_restarts: int = 1
    threads: int | None = None
    recipe: str | None = None
    max_time: float | None = None
    seed: int = 0
    check: bool = True
    memory: int | None = None
    spool: str | os.PathLike[str] | None = None
    cluster: str | None = None
    lanes: int | None = None

    def __post_init__(self) -> None:
        given = (n for n in DECIDED_BY_RECIPE if getattr(self, n) != getattr(Request, n))
        name = next(given, None)
        if self.recipe is not None and name is not None:
            raise ValueError(
                f"--recipe {self.recipe} decides {_option(name)} itself: leave one of them out"
            )
        self._check_network()
        self._check_training()

    @property
    def one_network(self) -> str:
        """The first option given that is for one network by the notes' six steps; else ""."""
        given = (n for n in OF_ONE_NETWORK if getattr(self, n) != getattr(Request, n))
        name = next(given, "")
        return "--no-check" if name == "check" else name and _option(name)

    def _check_network(self) -> None:
        from chainrule.notes.network import Network

        hidden = self.hidden or HIDDEN
        _check("hidden", self.hidden, lambda _: Network((1, *hidden, 1)))
        _check("activation", self.activation, lambda g: Network((1, *hidden, 1), hidden=g))
        _check("output", self.output, lambda name: Network((1, 2), output=name))

    def _check_training(self) -> None:
        from chainrule.optimize import find, is_rule

        optimizer = self.optimizer or OPTIMIZER
        rule = is_rule(find(optimizer))
        for name in MINIBATCHES:
            if getattr(self, name) is not None and not rule:
                raise ValueError(
                    f"{_option(name)} is for minibatches, and the optimizer {optimizer} sees all "
                    "the rows at once: add --optimizer adam"
                )
        if self.lanes is not None and not rule:
            raise ValueError("--lanes is for minibatches: add --optimizer adam")
        if self.cluster is not None and rule and self.lanes is None:
            raise ValueError(
                f"--cluster learns by {optimizer} in lanes, which is another algorithm than on one "
                "machine: add --lanes 8, or leave --cluster out"
            )
        if self.patience is not None and not rule and self.validation is None:
            raise ValueError("--patience needs --validation 0.1, or --optimizer adam")
        for name, most in (("test_size", 1.0), ("validation", 1.0), ("dropout", 1.0)):
            value = getattr(self, name)
            for share in value if isinstance(value, tuple) else (value,):
                if share is not None and not 0 <= share < most:
                    raise ValueError(
                        f"{_option(name)} {share:g}: must be at least 0 and less than {most:g}"
                    )
        shares = 1 if not isinstance(self.dropout, tuple) else len(self.dropout)
        layers = len(self.hidden or HIDDEN) + 1
        if shares not in (1, layers):
            raise ValueError(
                f"--dropout: {shares} shares for {layers} layers, the inputs' and the hidden ones: "
                "give one share, or one for each layer"
            )
        for name in ("batch_size", "patience", "n_restarts", "threads", "lanes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{_option(name)} {value}: must be at least 1")
        if self.cluster is not None and self.n_restarts != 1:
            raise ValueError("--n-restarts trains side by side on one machine: leave --cluster out")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise ValueError(f"--learning-rate {self.learning_rate:g}: must be more than 0")


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _check(name: str, value: object, build: Callable[[Any], object]) -> None:
    """Say that an option is wrong where nothing can be built with it."""
    if value is None:
        return
    try:
        build(value)
    except ValueError as error:
        shown = ",".join(map(str, value)) if isinstance(value, tuple) else value
        raise ValueError(f"{_option(name)} {shown}: {error}") from None
