"""The parameters, attributes and examples that the two estimators document alike, written once."""

from __future__ import annotations

from typing import TypeVar

from chainrule.notes.activations import ACTIVATIONS

T = TypeVar("T", bound=type)

SCIKIT_LEARNS = ("identity", "sigmoid", "tanh", "relu")  # which calls the sigmoid logistic
OTHERS = ", ".join(f"``{name!r}``" for name in ACTIVATIONS if name not in SCIKIT_LEARNS)
PARAMETERS = f"""\
hidden_layer_sizes : int, sequence of int or str, default=(100,)
    The units of each hidden layer.  Text such as ``'50,20'`` is one value that any search can set.
activation : str, Activation, or sequence of them, default='relu'
    g of the hidden layers: one for all, or one for each.  scikit-learn's ``'identity'``,
    ``'logistic'``, ``'tanh'``, ``'relu'``; also
    {OTHERS};
    or a `chainrule.notes.activations.Activation` of your own.
solver : str, default='adam'
    ``'sgd'``, ``'adam'``, ``'adamw'`` and ``'rmsprop'`` go over minibatches.  All the rows at once
    see ``'lbfgs'``, ``'cg'`` (conjugate gradient), ``'scg'`` (scaled), ``'newton-cg'``, ``'gd'``
    (gradient descent), ``'lm'`` (Levenberg-Marquardt) and ``'br'`` (Bayesian regularisation, which
    finds alpha: ``alpha_``).  The last two are for small networks.
alpha : float, default=0.0001
    The notes' lambda: each gradient has alpha W over the number of rows it is taken from, all of
    them or a minibatch (over their weights, where they have some).  With ``'adamw'`` it is no part
    of the loss: each step shrinks the weights by learning_rate_init alpha.
l1_ratio : float, default=0.0
    The share of alpha that multiplies the weights' absolute values, not half their squares, as in
    scikit-learn's linear models.  Over minibatches many weights end at exactly 0.
batch_size : int or 'auto', default='auto'
    Rows in a minibatch; ``'auto'`` is 200.
learning_rate : {{'constant', 'invscaling', 'adaptive'}}, default='constant'
    For ``'sgd'``: constant, falling as ``learning_rate_init / (t_ + 1) ** power_t``, or divided
    by 5 whenever there is no progress.
learning_rate_init : float, default=0.001
power_t : float, default=0.5
max_iter : int, default=200
    Iterations at most; with minibatches, epochs.
shuffle : bool, default=True
    Whether each epoch visits the rows in another order.
random_state : int, RandomState or None, default=None
    Of the initial weights, the validation split and the order of the rows.  The same integer
    gives the same network, bit for bit, for any number of threads.
tol : float, default=1e-4
    Progress smaller than this counts as none; for a solver that sees all the rows, the largest
    component of a gradient that counts as flat.
verbose : bool, default=False
    Whether to print the loss of each iteration.
warm_start : bool, default=False
    Whether `fit` goes on from the weights of the last one.
momentum : float, default=0.9
nesterovs_momentum : bool, default=True
    For ``'sgd'``.
early_stopping : bool, default=False
    Whether to stop when the score on validation rows has stopped rising, and go back to the best
    weights.  With every solver; in `partial_fit` with validation rows of your own.
validation_fraction : float, default=0.1
    The share of the rows that early stopping sets aside, unless `fit` gets X_val and y_val.
beta_1, beta_2, epsilon : float, default=0.9, 0.999, 1e-8
    For ``'adam'`` and ``'adamw'``.  ``'rmsprop'`` is Adam with beta_1 = 0.
n_iter_no_change : int, default=10
    Iterations without progress that are waited for.
max_fun : int, default=15000
    Evaluations of the loss at most, for a solver that sees all the rows.
output_weights : array-like of shape (n_outputs,), default=None
    How much each column of y counts in the loss, its mean being 1: of several numbers or several
    labels.
dropout : float or sequence of float, default=0.0
    The share of units to leave out at random, in hidden layers or in each layer, the inputs first.
scoring : str or callable, default=None
    What early stopping goes by: any scorer of scikit-learn.  Default: ``score``.
callback : callable, default=None
    Called with a `chainrule.Step` after each iteration; a true return value ends the fit.
n_restarts : int, default=1
    How many times to train, each from other random weights.  Kept is the best by validation score
    or, without one, by loss.
average : bool, default=False
    Whether predictions are the mean over all restarts.
theta : array, list or tuple, default=None
    The initial weights: the flat vector, a list of the notes' matrices Theta(l), or the tuple
    ``(coefs, intercepts)``.
transform_layer : int, default=None
    Which hidden layer `transform` returns, counted as in the notes: 2 is the first.  Default: the
    last.
check_gradient : bool, default=None
    Whether to check the gradient before the first step.  Default: where a function of your own is
    in it.
dtype : dtype, default=None
    float32 or float64.  Default: X's.
threads : int, default=None
    Default: the cores this process may use.
engine : {{'kernel', 'numpy'}}, default=None
    What computes.  Default: the compiled kernel where it knows the network, else NumPy.
checkpoint : path, default=None
    A file that keeps `fit` every 30 seconds and at its end.  The same fit, also in another process,
    goes on from it to the same bits; one that was over returns at once.  It needs a number as
    random_state, and a file for each fit: another fit's is refused.  With n_restarts each start has
    a file of its own, its number added.
"""

ATTRIBUTES = """\
coefs_ : list of ndarray of shape (s_l, s_{l+1})
    The weights: views of ``theta_``.  What is assigned here is what predicts.
intercepts_ : list of ndarray of shape (s_{l+1},)
    The biases, likewise.
theta_ : ndarray of shape (size,)
    The notes' unrolled vector.
network_ : Network
    Layers, activations and cost: with ``theta_``, what the rest of chainrule works on.
loss_ : float
    The loss after the last iteration; ``loss_curve_`` has them all.
loss_curve_, validation_loss_curve_ : list of float
    One for each iteration; on validation rows without alpha's part, empty where there are none.
best_loss_ : float or None
validation_scores_ : list of float or None
best_validation_score_ : float or None
    None unless early stopping goes by them; ``best_loss_`` is None if it does.
n_iter_, t_ : int
    Iterations of the last fit, and rows seen in minibatches.
alpha_ : float
    What ``solver='br'`` found, of the squared error for y less its mean, divided by its spread s:
    the fit does not depend on y's unit.  For y as it is lambda is s^2 alpha_ in each layer but the
    last one.
n_layers_, n_outputs_ : int
out_activation_ : str
n_features_in_ : int
feature_names_in_ : ndarray of shape (n_features_in_,)
    Where X had names.
stopped_early_ : bool
    After `partial_fit` with early stopping: whether the score on the validation rows has not risen
    by tol for n_iter_no_change calls.  The weights are then the best again, and further calls leave
    them so, unless the score rises.
stop_report_ : StopReport
    Why the fit ended, and what stands out about the network.
"""


def documented(cls: T) -> T:
    """Put the shared text where a class's docstring says ``{parameters}`` and ``{attributes}``."""
    doc = cls.__doc__ or ""
    for name, text in (("parameters", PARAMETERS), ("attributes", ATTRIBUTES)):
        indented = "".join(
            f"    {line}" if line.strip() else line for line in text.splitlines(True)
        )
        doc = doc.replace(f"    {{{name}}}\n", indented)
    cls.__doc__ = doc
    return cls
