"""Tables from csv, parquet, npz and mat files, and the digits that scikit-learn ships.

`load` reads a table, decides what its columns mean, and says so in `Dataset.notes`; `load_like`
reads another one as a trained model needs it; `split` sets rows aside.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from chainrule.common.checks import DataError, counted
from chainrule.common.types import Array
from chainrule.datasets.encoding import (
    Encoder,
)
from chainrule.datasets.formats import Source, _read
from chainrule.datasets.meaning import (
    Dataset,
    Kind,
    _apart,
    _encode,
    _image,
    _learn,
    _no_such,
    _refuse_identifier,
    _understand,
)


def load(
    source: Source,
    target: str | None = None,
    *,
    drop: Collection[str] = (),
    missing: str | None = None,
    kind: Kind | None = None,
) -> Dataset:
    r"""Read a table to train on.

    Parameters
    ----------
    source : str, path or binary stream
        ``"digits"`` (1,797 handwritten digits of 8x8 pixels, from scikit-learn), ``"mnist"``
        (70,000 of 28x28: mnist.npz here or in the folder ``CHAINRULE_DATA``, else fetched from
        openml.org), the path of a
        .csv, .tsv, .parquet, .npz or .mat file, or csv from a stream (``"-"`` is standard input).
        npz and mat files hold ``X`` of shape (m, n) or (m, height, width) and ``y``, in npz
        also ``names`` of the columns, and a test set ``X_test``, ``y_test`` (or ``Xtest``,
        ``ytest``) with ``X_train``, ``y_train`` for the rest.
    target : str, optional
        The target column: its name, or its position counted from 1 (from -1 at the end).  In an
        npz or mat file, the array to use in place of ``y``.  Default: the column called target,
        label, class or y, else the last.
    drop : collection of str
        Columns to leave out.
    missing : "mean", optional
        Fill missing numbers with the column's mean, and missing text with zeros for all its
        categories.  Default: refuse.  (The mean is of all rows, those set aside later too.)
    kind : "classes" or "numbers", optional
        What the target holds.  By default text is classes, and so are whole numbers when there
        are at most 30 different ones and twice as many rows; all else is numbers (regression).

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If anything in it cannot be used; the message names file, column, row and remedy.

    Examples
    --------
    >>> import io
    >>> table = io.BytesIO(b"width,colour,kind\n1.5,red,a\n2.5,blue,b\n1.0,red,b\n0.5,red,a")
    >>> data = load(table)
    >>> data.X
    array([[1.5, 0. , 1. ],
           [2.5, 1. , 0. ],
           [1. , 0. , 1. ],
           [0.5, 0. , 1. ]])
    >>> data.Y, data.classes
    (array([0, 1, 1, 0]), ('a', 'b'))
    >>> for note in data.notes:
    ...     print(note)
    target 'kind' (the last column): 4 texts, 2 distinct: classes a, b
    column 'colour' has 2 categories: one-hot
    """
    if missing not in (None, "mean"):
        raise DataError(f"missing must be 'mean' or absent, got {missing!r}")
    read = _read(source, target)
    table, y, name, why = _apart(read, target)
    notes = list(read.notes)
    Y, classes, what = _understand(y, name, kind, read)
    notes.append(f"target {name!r}{why}: {what}")
    absent = [column for column in drop if column not in read.table]
    if absent:
        raise _no_such(f"column {absent[0]!r} to drop", absent[0], list(read.table), read.name)
    table = {column: vector for column, vector in table.items() if column not in drop}
    if not table:
        raise DataError(f"{read.name}: no column is left for the inputs besides {name!r}")
    columns = []
    for column, vector in table.items():
        if read.named:
            _refuse_identifier(column, vector, read.name)
        learnt = _learn(column, vector, missing, read.name)
        columns.append(learnt)
        if learnt.categories is not None:
            notes.append(
                f"column {column!r} has {len(learnt.categories)} "
                f"{'category' if len(learnt.categories) == 1 else 'categories'}: one-hot"
            )
    encoder = Encoder(tuple(columns), name, classes, tuple(drop), missing)
    X, filled = encoder.encode(table, read.name)
    notes += filled
    shape, divisor, evidence = _image(X, read)
    notes += evidence
    if shape is not None:
        encoder = replace(
            encoder, image_shape=shape, column_major=read.column_major, divisor=divisor
        )
        X /= divisor
    held_out = None
    if read.held_out is not None:
        held_out = _encode(encoder, read, *read.held_out)
        notes.append(f"the file brings its own test set of {counted(len(held_out), 'row')}")
    return Dataset(X, Y, encoder, read.name, read.sha256, notes, held_out)


def load_like(source: Source, encoder: Encoder, *, drop: Collection[str] = ()) -> Dataset:
    r"""Read a table as the one that a model was trained on was read.

    Parameters
    ----------
    source : str, path or binary stream
        As for `load`.
    encoder : Encoder
        Of the training data.
    drop : collection of str
        Columns that training did not have.

    Returns
    -------
    Dataset
        Its Y is None if the table has no target; its notes tell what was filled or unknown.

    Raises
    ------
    DataError
        If the table cannot be used, or differs from the one in training.

    Examples
    --------
    >>> import io
    >>> data = load(io.BytesIO(b"a,b\n1,x\n2,y\n3,y\n4,x"))
    >>> load_like(io.BytesIO(b"a\n5\n6"), data.encoder).X
    array([[5.],
           [6.]])
    """
    text = {column.name for column in encoder.columns if column.categories is not None}
    if encoder.classes and isinstance(encoder.classes[0], str) and encoder.target:
        text.add(encoder.target)
    read = _read(source, encoder.target, text)
    table, y = dict(read.table), read.y
    if read.target is None and encoder.target in table:
        y = table.pop(encoder.target)
    table = {column: vector for column, vector in table.items() if column not in drop}
    data = _encode(encoder, read, table, y)
    if read.held_out is None:
        return data
    return replace(data, held_out=_encode(encoder, read, *read.held_out))


def split(
    data: Dataset, test_size: float | None = None, seed: int = 0
) -> tuple[Dataset, Dataset | None]:
    """Set rows aside to test on: of each class the same share.

    Parameters
    ----------
    data : Dataset
    test_size : float, optional
        The share of the rows, in [0, 1).  Default: the file's own test set, or else 0.2.
    seed : int, default=0
        Of the choice of rows.

    Returns
    -------
    training : Dataset
        At least one row of each class.
    test : Dataset or None
        None when no row is set aside.

    Raises
    ------
    ValueError
        If test_size is not in [0, 1).

    Examples
    --------
    >>> training, test = split(load("digits"), 0.2)
    >>> len(training), len(test), np.bincount(test.Y).tolist()
    (1438, 359, [36, 36, 35, 37, 36, 36, 37, 35, 35, 36])
    """
    if test_size is None and data.held_out is not None:
        return replace(data, held_out=None), data.held_out
    share = 0.2 if test_size is None else test_size
    if not 0 <= share < 1:
        raise ValueError(f"test_size must be at least 0 and less than 1, got {test_size!r}")
    m = len(data)
    order = np.random.default_rng(seed).permutation(m)
    keep = np.zeros(m, dtype=bool)
    if data.classes is not None and data.Y is not None:
        order = order[np.argsort(data.Y[order], kind="stable")]  # class by class
        keep[order[np.unique(data.Y[order], return_index=True)[1]]] = True
    else:
        keep[order[0]] = True
    choice = order[~keep[order]]
    n_test = min(round(share * m), len(choice))
    if not n_test:
        return replace(data, held_out=None), None
    # Evenly spaced over the classes' rows: from each its share, to within one row
    aside = choice[((np.arange(n_test) + 0.5) * (len(choice) / n_test)).astype(np.intp)]
    test = np.zeros(m, dtype=bool)
    test[aside] = True
    return _rows(data, ~test), _rows(data, test)


def _rows(data: Dataset, rows: Array) -> Dataset:
    Y = None if data.Y is None else data.Y[rows]
    return replace(data, X=data.X[rows], Y=Y, held_out=None)
