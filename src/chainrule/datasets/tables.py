"""Tables from csv, parquet, npz and mat files, and the digits that scikit-learn ships.

`load` reads a table, decides what its columns mean, and says so in `Dataset.notes`; `load_like`
reads another one as a trained model needs it; `split` sets rows aside.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from chainrule.common.checks import DataError, counted
from chainrule.common.files import File
from chainrule.common.types import Array
from chainrule.datasets.encoding import Encoder, Reading
from chainrule.datasets.formats import read
from chainrule.datasets.meaning import (
    Dataset,
    Kind,
    encoded,
    find_image,
    inputs_and_target,
    learn_columns,
    no_such,
    understand_target,
)


def load(
    source: File,
    target: str | None = None,
    *,
    drop: Collection[str] = (),
    missing: str | None = None,
    kind: Kind | None = None,
    header: bool | None = None,
    encoding: str | None = None,
    name: str | None = None,
) -> Dataset:
    r"""Read a table to train on.

    Parameters
    ----------
    source : str, path or binary stream
        ``"digits"`` (1,797 handwritten digits of 8x8 pixels, from scikit-learn), ``"mnist"``
        (70,000 of 28x28: mnist.npz here or in the folder ``CHAINRULE_DATA``, else fetched from
        openml.org), a .csv, .tsv, .parquet, .npz or .mat file by its path or as a stream, or
        ``"-"``: csv from standard input.
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
        categories.  Default: refuse.  (The mean is over all rows, also those set aside later.)
    kind : "classes" or "numbers", optional
        What the target holds.  By default text is classes, and so are whole numbers when there
        are at most 30 different ones and twice as many rows; anything else is numbers
        (regression).
    header : bool, optional
        Whether the first line of a text file names the columns; without, they are x1, x2 and so
        on.  Default: by what stands there.
    encoding : str, optional
        That of a text file, as ``"latin-1"``.  Default: by its bytes.
    name : str, optional
        What a stream's file is called, for errors; its ending says the format.  Default: the
        stream's own name, and csv where that has no ending.

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
    contents = read(source, target, Reading(header, encoding), name)
    table, y, label, why = inputs_and_target(contents, target)
    Y, classes, what = understand_target(y, label, kind, contents)
    absent = [column for column in drop if column not in contents.table]
    if absent:
        names = list(contents.table)
        raise no_such(f"column {absent[0]!r} to drop", absent[0], names, contents.name)
    table = {column: vector for column, vector in table.items() if column not in drop}
    if not table:
        raise DataError(f"{contents.name}: no column is left for the inputs besides {label!r}")
    columns, one_hot = learn_columns(table, missing, contents)
    encoder = Encoder(columns, label, classes, tuple(drop), missing, reading=contents.reading)
    X, filled = encoder.encode(table, contents.name)
    shape, divisor, evidence = find_image(X, contents)
    if shape is not None:
        encoder = replace(
            encoder, image_shape=shape, column_major=contents.column_major, divisor=divisor
        )
        X /= divisor
    notes = [*contents.notes, f"target {label!r}{why}: {what}", *one_hot, *filled, *evidence]
    held_out = None
    if contents.held_out is not None:
        held_out = encoded(encoder, contents, *contents.held_out)
        notes.append(f"the file brings its own test set of {counted(len(held_out), 'row')}")
    return Dataset(X, Y, encoder, contents.name, contents.sha256, notes, held_out)


def load_like(
    source: File,
    encoder: Encoder,
    *,
    drop: Collection[str] = (),
    header: bool | None = None,
    encoding: str | None = None,
    name: str | None = None,
) -> Dataset:
    r"""Read a table in the same way as the one that a model was trained on.

    Parameters
    ----------
    source : str, path or binary stream
        As for `load`.
    encoder : Encoder
        That of the training data.
    drop : collection of str
        Columns that training did not have.
    header, encoding : optional
        As for `load`.  Default: as in training.
    name : str, optional
        As for `load`.

    Returns
    -------
    Dataset
        Its Y is None if the table has no target; its notes say what was filled or unknown.

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
    contents = read(source, encoder.target, _reading(encoder, header, encoding), name)
    table, y = dict(contents.table), contents.y
    if contents.target is None and encoder.target in table:
        y = table.pop(encoder.target)
    table = {column: vector for column, vector in table.items() if column not in drop}
    data = encoded(encoder, contents, table, y)
    if contents.held_out is None:
        return data
    return replace(data, held_out=encoded(encoder, contents, *contents.held_out))


def _reading(encoder: Encoder, header: bool | None, encoding: str | None) -> Reading:
    """Return how a file is read whose columns are to be those of an encoder."""
    learnt, names = encoder.reading, [column.name for column in encoder.columns]
    text = [column.name for column in encoder.columns if column.categories is not None]
    if encoder.target is not None:
        names.append(encoder.target)
        if encoder.classes and isinstance(encoder.classes[0], str):
            text.append(encoder.target)
    forms = {**learnt.forms, **dict.fromkeys(names, "numbers"), **dict.fromkeys(text, "text")}
    return Reading(
        learnt.header if header is None else header,
        encoding or learnt.encoding,
        forms | dict(learnt.forms),
    )


def split(
    data: Dataset, test_size: float | None = None, seed: int = 0
) -> tuple[Dataset, Dataset | None]:
    """Set rows aside to test on, the same share of each class.

    Parameters
    ----------
    data : Dataset
    test_size : float, optional
        The share of the rows, in [0, 1).  Default: the file's own test set, or else 0.2.
    seed : int, default=0
        Seed of the choice of rows.

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
    # Evenly spaced over the rows in class order: each class gives its share, to within one row
    aside = choice[((np.arange(n_test) + 0.5) * (len(choice) / n_test)).astype(np.intp)]
    test = np.zeros(m, dtype=bool)
    test[aside] = True
    return _rows(data, ~test), _rows(data, test)


def _rows(data: Dataset, rows: Array) -> Dataset:
    Y = None if data.Y is None else data.Y[rows]
    return replace(data, X=data.X[rows], Y=Y, held_out=None)
