from collections.abc import Callable, Sequence

from chainrule.common.types import Array

isa: str
BUILDS: tuple[str, ...]  # those that may compute here, the best one first
ACTIVATIONS: tuple[str, ...]  # the positions are the codes
OUTPUTS: tuple[str, ...]

class Kernel:
    def __init__(self, layers: Sequence[int], hidden: Sequence[int], output: int) -> None: ...
    def accumulate(
        self,
        theta: Array,
        X: Array,
        Y: Array,
        weights: Array | None,
        Delta: Array,
        threads: int,
    ) -> tuple[float, float]: ...
    def cost(
        self, theta: Array, X: Array, Y: Array, weights: Array | None, threads: int
    ) -> tuple[float, float]: ...
    def forward(self, theta: Array, X: Array, h: Array, threads: int) -> bool: ...
    def activations(
        self, theta: Array, X: Array, a: Sequence[Array], z: Array, threads: int
    ) -> None: ...
    def epoch(
        self,
        theta: Array,
        X: Array,
        Y: Array,
        weights: Array | None,
        order: Array,
        names: Array | None,
        rule: int,
        state: Array,
        steps: int,
        since: int,
        batch_size: int,
        learning_rate: float,
        momentum: float,
        beta1: float,
        beta2: float,
        epsilon: float,
        decay: float,
        penalty: Sequence[float],
        penalty_by_batch: bool,
        dropout: Sequence[float] | None,
        max_norm: float,
        seed: int,
        number: int,
        threads: int,
    ) -> tuple[float, float]: ...
    def normal_equations(
        self,
        theta: Array,
        X: Array,
        Y: Array,
        weights: Array | None,
        lams: Array | None,
        mean: bool,
        H: Array,
        D: Array,
        threads: int,
    ) -> float: ...
    def hessian_vector(
        self,
        theta: Array,
        v: Array,
        X: Array,
        Y: Array,
        weights: Array | None,
        RDelta: Array,
        threads: int,
    ) -> None: ...

def use(name: str | None) -> str | None:
    """Let one of `BUILDS` compute what this thread calls; return what computed before.

    None is the best one.
    """

def ask(ask: Callable[[], object] | None) -> Callable[[], object] | None:
    """Let this thread's long calls ask ``ask`` about every 20 ms; return what they asked before.

    An exception that it raises ends the call.  The caller keeps it alive.
    """

def two_loop(
    D: Array,
    s: Sequence[Array],
    y: Sequence[Array],
    sy: Sequence[float],
    scale: float,
    q: Array,
) -> None: ...
def solve_damped(H: Array, scale: Array, damping: float, D: Array, p: Array) -> tuple[float, float]:
    """Solve A p = -D for A = H + damping diag(scale), by Cholesky.

    Return the least squared pivot by its diagonal, at most 0 or nan where A is not positive
    definite: p is then not set; and the gain that the model foretells.
    """

def dot(u: Array, v: Array) -> float: ...
