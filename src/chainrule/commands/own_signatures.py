"""What each parameter of a learner's cost function is, told by its name.

The course's functions, UFLDL's and those of many translations have the same parameters in other
orders and with other names.  A name says which one is meant; names that say nothing, of
seven or six parameters, take what is left of the course's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# What a parameter may be, with the names it goes by, in lower case and without underscores
ROLES = {
    "theta": "theta thetas thetavec thetavector nnparams params parameters nnweights weights w "
    "initialtheta initialnnparams unrolled opttheta",
    "X": "x data xtrain trainx features images examples samples",
    "y": "y labels target targets ytrain trainy",
    "lam": "lambda lam lmbda lamb reglambda lambdareg reg regularization learningrate "
    "weightdecay decay lambd l",
    "inputs": "inputlayersize il inputsize visiblesize ninputs ninput nx numinputs inputdim "
    "numfeatures inputunits",
    "hidden": "hiddenlayersize hl hiddensize nhidden nh numhidden hiddendim hiddenunits",
    "outputs": "numlabels ol outputsize outputlayersize numclasses nlabels nclasses ny noutputs "
    "noutput outputdim numoutputs k outputunits",
    "sizes": "layers sizes layersizes units layerdims networksize architecture netsize",
    "m": "m numexamples nexamples",
}
ROLE = {name: role for role, names in ROLES.items() for name in names.split()}

COURSE = ("theta", "inputs", "hidden", "outputs", "X", "y", "lam")
LINEAR = ("theta", "inputs", "hidden", "X", "y", "lam")


@dataclass(frozen=True)
class Signature:
    """What a function takes.

    Attributes
    ----------
    arguments : tuple of (str, str)
        The name and the role of each argument that it is given, in their order.
    kind : str
        ``"theta"`` (theta alone), ``"classes"``, ``"number"`` (the notes' linear network), or
        ``"regression"`` (no hidden layer, or one's own ``--network``).
    """

    arguments: tuple[tuple[str, str], ...]
    kind: str


def signature_of(name: str, parameters: Sequence[tuple[str, bool]]) -> Signature:
    """Tell what a function's parameters are, each a name and whether it has a default.

    Raises
    ------
    ValueError
        If the parameters are none that can be given.

    Examples
    --------
    >>> found = signature_of("f", [("theta", False), ("X", False), ("y", False), ("reg", True)])
    >>> found.kind, [role for _, role in found.arguments]
    ('regression', ['theta', 'X', 'y', 'lam'])
    """
    required = [parameter for parameter, default in parameters if not default]
    if len(required) == 1:
        roles = _named([parameter for parameter, _ in parameters])
        if not {"X", "y"} <= set(roles):
            return Signature(((required[0], "theta"),), "theta")
    names = [parameter for parameter, default in parameters if not default or _role(parameter)]
    roles = _named(names)
    if None in roles or len(set(roles)) < len(roles) or not {"theta", "X", "y"} <= set(roles):
        course = _by_the_course(required)
        if course is None:
            raise ValueError(_refused(name, required))
        names, roles = required, course
    given = tuple((n, role) for n, role in zip(names, roles, strict=True) if role)
    kinds = {role for _, role in given}
    if "outputs" in kinds or "sizes" in kinds:
        return Signature(given, "classes")
    return Signature(given, "number" if "hidden" in kinds else "regression")


def _role(parameter: str) -> str | None:
    return ROLE.get(parameter.lower().replace("_", ""))


def _named(names: Sequence[str]) -> list[str | None]:
    """Return the roles; a first parameter whose name says nothing is theta."""
    roles = [_role(name) for name in names]
    if roles and roles[0] is None and "theta" not in roles:
        roles[0] = "theta"
    return roles


def _by_the_course(required: Sequence[str]) -> list[str | None] | None:
    """Return the roles of six or seven parameters; names that say nothing take what is left.

    Examples
    --------
    >>> _by_the_course(["p", "n", "s", "K", "X", "y", "lambda"])
    ['theta', 'inputs', 'hidden', 'outputs', 'X', 'y', 'lam']
    """
    course = {len(COURSE): COURSE, len(LINEAR): LINEAR}.get(len(required))
    told = _named(required)
    known = [role for role in told if role is not None]
    if course is None or len(set(known)) < len(known) or not set(known) <= set(course):
        return None if course is None or {"X", "y"} <= set(known) else list(course)
    left = iter([role for role in course if role not in known])
    return [next(left) if role is None else role for role in told]


def _refused(name: str, required: Sequence[str]) -> str:
    return (
        f"{name} takes {len(required)} parameters; a function that can be checked takes theta "
        "alone, (nn_params, input_layer_size, hidden_layer_size, num_labels, X, y, lambda), "
        "(nn_params, il, hl, X, y, lambda) or (theta, X, y, lambda), in any order"
    )
