"""The model file: one ``.safetensors`` with the numbers, and a JSON header with the rest.

The tensors are theta, means and scales; the header says what they mean: the network, the columns,
the classes, where the model came from.  A file is checked against its own network and its checksum
before anything in it is used.  Nothing in it is ever executed: there is no pickle.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.common.checks import floats, refuse_path, shortened
from chainrule.common.files import File, name_of, read_bytes, reason, write_atomically
from chainrule.common.sealed import checksum
from chainrule.common.shown import summary
from chainrule.common.types import Array
from chainrule.common.words import printable
from chainrule.datasets.encoding import Encoder
from chainrule.datasets.scaling import Scaling
from chainrule.datasets.vectors import Label
from chainrule.engine.blocks import Source, Standardised
from chainrule.engine.predicting import predict
from chainrule.notes.network import Network

FORMAT = 1
KEY = "chainrule"  # key of the JSON header in the file's metadata
DTYPES = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}  # F16 in files only: float32 in memory


class ModelFileError(ValueError):
    """A model file that cannot be read or written; the message says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message, 2000))


@dataclass(frozen=True)
class Provenance:
    """Where a model came from.

    Attributes
    ----------
    version : str
        Version of the library that trained it.
    seed : int or None
    options : mapping
        What else was asked of the training.  What JSON has no word for is kept as text: "inf".
    source : str
        Name of the data.
    data_sha256 : str
        Hash of the file that held them, or of the arrays.
    J : float or None
        The cost at theta; None where it is not finite.
    stopped : str
        Why training ended, as `Result.stopped` says it.
    date : str
        When it was trained: ISO 8601, UTC.

    Raises
    ------
    ValueError
        If one is of another type.
    """

    version: str = ""
    seed: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""
    data_sha256: str = ""
    J: float | None = None
    stopped: str = ""
    date: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))

    __repr__ = summary

    def __post_init__(self) -> None:
        for name in ("seed", "J"):
            if isinstance(number := getattr(self, name), np.generic):
                object.__setattr__(self, name, number.item())
        texts = dict.fromkeys(("version", "source", "data_sha256", "stopped", "date"), str)
        kinds: dict[str, Any] = {
            **texts,
            "seed": int | None,
            "options": Mapping,
            "J": float | int | None,
        }
        for name, kind in kinds.items():
            if not isinstance(getattr(self, name), kind):
                raise ValueError(f"provenance: {name} is {getattr(self, name)!r}")
        if self.J is not None and not np.isfinite(self.J):
            object.__setattr__(self, "J", None)


@dataclass(frozen=True, eq=False)
class Model:
    """A trained network with all that is needed to use it on another table.

    Attributes
    ----------
    network : Network
    theta : ndarray of shape (network.size,)
        float32 or float64.
    encoder : Encoder
        How a table becomes X, and the names of the classes.
    scaling : Scaling or None
        Scaling of the inputs, where they were standardised.
    target_scaling : Scaling or None
        Scaling of a regression's targets.
    provenance : Provenance

    Raises
    ------
    ValueError
        If the parts do not fit each other.

    Examples
    --------
    >>> from chainrule.datasets.columns import Column
    >>> encoder = Encoder((Column("size"),), target="kind", classes=("small", "large"))
    >>> model = Model(Network((1, 1)), np.array([-3.0, 1.0]), encoder)
    >>> model.predict(np.array([[1.0], [5.0]]))
    array([[0.11920292],
           [0.88079708]])
    >>> model.labels(np.array([[1.0], [5.0]]))
    ['small', 'large']
    """

    network: Network
    theta: Array
    encoder: Encoder
    scaling: Scaling | None = None
    target_scaling: Scaling | None = None
    provenance: Provenance = field(default_factory=Provenance)

    __repr__ = summary

    def __post_init__(self) -> None:
        n, K = self.network.layers[0], self.network.K
        object.__setattr__(self, "theta", self.network.check_theta(self.theta))
        if len(self.encoder.feature_names) != n:
            raise ValueError(
                f"the network has {n} inputs, the encoder makes {len(self.encoder.feature_names)}"
            )
        classes = self.encoder.classes
        one_unit = K == 1 and classes is not None and len(classes) == 2
        if classes is not None and len(classes) != K and not one_unit:
            raise ValueError(f"the network has {K} outputs for {len(classes)} classes")
        for name, scaling, width in (
            ("scaling", self.scaling, n),
            ("target_scaling", self.target_scaling, K),
        ):
            if scaling is not None:
                _check_scaling(name, scaling, width)

    @property
    def classes(self) -> tuple[Label, ...] | None:
        """The label of each class, or None for regression."""
        return self.encoder.classes

    def predict(self, X: npt.ArrayLike | Source) -> Array:
        """Return h for encoded examples, in the units of the target.

        Parameters
        ----------
        X : array of shape (m, s_1), or Source
            As `Encoder.encode` gives them, or as ``blocks(path, encoder=model.encoder)`` reads
            them a block at a time; they are standardised here where the model's were.

        Returns
        -------
        ndarray of shape (m, K)

        Raises
        ------
        ValueError
            If the examples do not fit the network, or the names of a Source's columns are others.

        Examples
        --------
        >>> from chainrule import blocks
        >>> from chainrule.datasets.columns import Column
        >>> model = Model(Network((1, 1)), np.array([-3.0, 1.0]), Encoder((Column("size"),)))
        >>> model.predict(blocks(np.array([[1.0], [5.0]])))
        array([[0.11920292],
               [0.88079708]])
        """
        if isinstance(X, Source):
            names = self.encoder.feature_names
            if X.names and tuple(X.names) != tuple(names):
                raise ValueError(
                    f"the table's columns {shortened(X.names)} are not the model's inputs "
                    f"{shortened(names)}: open it with blocks(..., encoder=model.encoder)"
                )
            scaled: Any = Standardised(X, self.scaling) if self.scaling else X
        else:
            refuse_path(X)
            X = self.network.check_inputs(X)
            scaled = self.scaling.apply(X) if self.scaling else X
        h = predict(self.network, self.theta, scaled)
        return self.target_scaling.undo(h) if self.target_scaling else h

    def labels(self, X: npt.ArrayLike | Source) -> list[Label]:
        """Return the most probable class of each encoded example.

        Parameters
        ----------
        X : array of shape (m, s_1), or Source
            As for `predict`.

        Returns
        -------
        list of int or str

        Raises
        ------
        ValueError
            If the model is a regression.
        """
        if self.classes is None:
            raise ValueError("this model predicts numbers, it has no classes")
        return self.named(self.predict(X))

    def named(self, h: Array) -> list[Label]:
        """Return the most probable class that each row of h says."""
        codes = h.argmax(axis=1) if h.shape[1] > 1 else (h[:, 0] > 0.5).astype(int)
        return [(self.classes or ())[code] for code in codes]


def probability(h: Array) -> Array:
    """Return how probable the class is that each row of h names, of shape (m,).

    Examples
    --------
    >>> probability(np.array([[0.1], [0.75]]))
    array([0.9 , 0.75])
    """
    return np.asarray(h.max(axis=1) if h.shape[1] > 1 else abs(h[:, 0] - 0.5) + 0.5)


def save(file: File, model: Model, *, half: bool = False) -> None:
    """Write a model to a file, wholly or not at all, or to a stream.

    Parameters
    ----------
    file : path or binary stream
        An existing file is replaced, and only once the new one is safely on disk.
    model : Model
    half : bool, default=False
        Whether to keep theta in float16: half the size of float32, three digits of each weight.
        A theta that float16 cannot hold, beyond 65,504, is kept as it is.

    Raises
    ------
    ModelFileError
        If the network has functions of the user's own, which a file cannot hold, the file cannot
        be written, or `load` would refuse it; what was there before is as it was.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from chainrule.datasets.columns import Column
    >>> model = Model(Network((1, 1)), np.array([0.5, 1.0]), Encoder((Column("size"),)))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(Path(folder, "model.safetensors"), model)
    ...     load(Path(folder, "model.safetensors")).theta
    array([0.5, 1. ])
    """
    from safetensors.numpy import save as to_bytes

    network = model.network
    hidden = network.hidden if isinstance(network.hidden, tuple) else (network.hidden,)
    if not all(isinstance(name, str) for name in (*hidden, network.output)):
        raise ModelFileError(
            f"{name_of(file)}: a model file holds activations and outputs by name, not functions "
            "of your own; pass their names to Network"
        )
    header = {
        "format": FORMAT,
        "network": {
            "layers": network.layers,
            "hidden": network.hidden,
            "output": network.output,
        },
        "encoder": model.encoder.to_json(),
        "provenance": asdict(model.provenance),
    }
    half = half and bool(np.abs(model.theta).max() <= np.finfo(np.float16).max)
    tensors = {"theta": model.theta.astype(np.float16) if half else model.theta}
    for name in ("scaling", "target_scaling"):
        scaling = getattr(model, name)
        if scaling is not None:
            tensors[f"{name}.mean"] = floats(scaling.mean, name)
            tensors[f"{name}.scale"] = floats(scaling.scale, name)
    tensors = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    text = json.dumps(as_json(header), allow_nan=False)
    metadata = {KEY: text, "sha256": checksum(text, tensors)}
    content = to_bytes(tensors, metadata)
    try:
        _model(content)
    except (ValueError, TypeError, KeyError) as error:
        raise ModelFileError(
            f"{name_of(file)}: this model could not be loaded again ({error}); nothing was changed"
        ) from None
    if not isinstance(file, str | os.PathLike):
        file.write(content)
        return
    try:
        write_atomically(file, content)
    except OSError as error:
        raise ModelFileError(
            f"{name_of(file)}: the model cannot be saved here ({reason(error)}); nothing was "
            "changed: free some space or choose another place"
        ) from None


def as_json(value: Any) -> Any:
    """Return a value as JSON holds it, what it has no word for as text.

    Examples
    --------
    >>> as_json({"max_time": np.inf, "layers": (2, np.int64(1)), 3: np.tanh})
    {'max_time': 'inf', 'layers': [2, 1], '3': 'tanh'}
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): as_json(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [as_json(part) for part in value]
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, float) and np.isfinite(value):
        return value
    return getattr(value, "__name__", str(value))


def load(file: File) -> Model:
    """Read a model from a file, and check it before anything in it is used.

    Parameters
    ----------
    file : path or binary stream

    Returns
    -------
    Model

    Raises
    ------
    ModelFileError
        If the file is absent, no model, truncated, altered, oversized, or of a newer format.

    Examples
    --------
    >>> import io
    >>> from chainrule.datasets.columns import Column
    >>> stream = io.BytesIO()
    >>> save(stream, Model(Network((1, 1)), np.array([0.5, 1.0]), Encoder((Column("size"),))))
    >>> load(io.BytesIO(stream.getvalue())).theta
    array([0.5, 1. ])
    """
    from safetensors import SafetensorError

    name = name_of(file)
    try:
        return _model(read_bytes(file))
    except SafetensorError as error:
        what = f"it is truncated, altered or no .safetensors file ({error})"
    except OSError as error:
        raise ModelFileError(f"{name}: the model cannot be read ({reason(error)})") from None
    except KeyError as error:
        what = f"its header lacks {error}"
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        what = str(error)
    except (ArithmeticError, LookupError, MemoryError) as error:
        what = f"{type(error).__name__}: {error}"
    raise ModelFileError(f"{name}: not a model that can be used: {what}") from None


def _model(content: bytes) -> Model:
    """Return the model that a file holds."""
    from safetensors import deserialize

    parts = dict(deserialize(content))  # type: ignore[no-untyped-call]  # checks every length
    n = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + n]).get("__metadata__", {})
    header = _header(metadata.get(KEY))
    network = _network(header["network"])
    found = {key: (part["dtype"], tuple(part["shape"])) for key, part in parts.items()}
    _check_tensors(found, network)
    tensors = {
        key: np.frombuffer(part["data"], DTYPES[part["dtype"]]).reshape(part["shape"])
        for key, part in parts.items()
    }
    if checksum(metadata[KEY], tensors) != metadata.get("sha256"):
        raise ValueError("its checksum does not match: it was altered")
    theta = tensors["theta"]
    return Model(
        network,
        theta.astype(np.float32 if theta.dtype == np.float16 else theta.dtype),
        Encoder.from_json(header["encoder"]),
        _scaling(tensors, "scaling"),
        _scaling(tensors, "target_scaling"),
        Provenance(**header["provenance"]),
    )


def _header(text: str | None) -> dict[str, Any]:
    if text is None:
        raise ValueError("it is a .safetensors file, but not one of chainrule's")
    header = json.loads(text, parse_constant=_refuse_constant)
    version = header["format"]
    if isinstance(version, int) and version > FORMAT:
        raise ValueError(
            f"a newer chainrule wrote it (format {version}, this one reads up to {FORMAT}): "
            "upgrade chainrule"
        )
    if version != FORMAT:
        raise ValueError(f"its format {version!r} is unknown")
    return dict(header)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"its header has {name} for a number")


def _network(fields: Mapping[str, Any]) -> Network:
    layers, hidden, output = (fields[name] for name in ("layers", "hidden", "output"))
    if not isinstance(output, str):
        raise ValueError(f"unknown output {output!r}")
    return Network(layers, hidden=hidden, output=output)


def _check_tensors(found: Mapping[str, tuple[str, tuple[int, ...]]], network: Network) -> None:
    """Compare names, dtypes and shapes with those that the network needs, before any is read."""
    needed = {"theta": (network.size,)}
    for name, width in (("scaling", network.layers[0]), ("target_scaling", network.K)):
        if f"{name}.mean" in found or f"{name}.scale" in found:
            needed |= {f"{name}.mean": (width,), f"{name}.scale": (width,)}
    for name, shape in needed.items():
        if name not in found:
            raise ValueError(f"{name} is missing")
        if found[name][0] not in DTYPES or found[name][1] != shape:
            raise ValueError(
                f"{name} is {found[name][0]} of shape {found[name][1]}; layers {network.layers} "
                f"need floats of shape {shape}"
            )
    if set(found) != set(needed):
        raise ValueError(f"it has unknown tensors {sorted(set(found) - set(needed))}")


def _scaling(tensors: Mapping[str, Array], name: str) -> Scaling | None:
    if f"{name}.mean" not in tensors:
        return None
    return Scaling(tensors[f"{name}.mean"], tensors[f"{name}.scale"])


def _check_scaling(name: str, scaling: Scaling, width: int) -> None:
    if scaling.mean.shape != (width,) or scaling.scale.shape != (width,):
        raise ValueError(f"{name} needs {width} means and scales")
    if not (np.isfinite(scaling.mean).all() and np.isfinite(scaling.scale).all()):
        raise ValueError(f"{name} has values that are not finite")
    if not (scaling.scale > 0).all():
        raise ValueError(f"{name} has a scale that is not positive")
