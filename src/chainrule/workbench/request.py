"""What is asked of a training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from chainrule.common.files import File
    from chainrule.datasets.meaning import Kind

LAM = 1.0  # the course's, in its exercise of handwritten digits
HIDDEN = (25,)  # the course's too
ACTIVATION, OPTIMIZER, MAX_ITER = "sigmoid", "lbfgs", 100
CV_LAMS, CV_HIDDEN = (0.1, 1.0, 10.0), ((10,), (25,), (50,))  # what cross-validation tries
DECIDED_BY_RECIPE = (
    "hidden", "activation", "output", "lam", "optimizer", "max_iter", "scale", "cv",
)  # fmt: skip


@dataclass(frozen=True)
class Request:
    """All that is asked of a training: what ``chainrule train`` takes.

    The fields have the names of the command's options, and errors call them so.

    Parameters
    ----------
    source : str, path or binary stream
    target, drop, missing, kind, header, encoding
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
        Default: 1.
    optimizer : str, optional
        Default: lbfgs.
    max_iter : int, optional
        Default: 100.
    cv : bool, default=False
        Whether lambda and the hidden units are chosen by cross-validation; one that is given stays.
    recipe : str, optional
        A name in `chainrule.training.recipes.RECIPES`.  It decides network and training.
    max_time : float, optional
        Seconds at most.
    seed : int, default=0
        Seed of the random start and of the split.
    check : bool, default=True
        Whether to check the gradient before training.

    Raises
    ------
    ValueError
        If something is given that the recipe decides.

    Examples
    --------
    >>> Request("digits", hidden=(8,), lam=0.5).optimizer is None  # lbfgs
    True
    """

    source: File
    target: str | None = None
    drop: tuple[str, ...] = ()
    missing: Literal["mean"] | None = None
    kind: Kind | None = None
    header: bool | None = None
    encoding: str | None = None
    test_size: float | None = None
    hidden: tuple[int, ...] | None = None
    activation: str | tuple[str, ...] | None = None
    output: str | None = None
    scale: bool | None = None
    lam: float | None = None
    optimizer: str | None = None
    max_iter: int | None = None
    cv: bool = False
    recipe: str | None = None
    max_time: float | None = None
    seed: int = 0
    check: bool = True

    def __post_init__(self) -> None:
        given = (n for n in DECIDED_BY_RECIPE if getattr(self, n) != getattr(Request, n))
        name = next(given, None)
        if self.recipe is not None and name is not None:
            option = name.replace("_", "-")
            raise ValueError(
                f"--recipe {self.recipe} decides --{option} itself: leave one of them out"
            )
