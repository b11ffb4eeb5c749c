"""Estimators and models of tables out to ONNX, alone or behind a StandardScaler."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from chainrule.common.files import write_atomically
from chainrule.common.types import Array
from chainrule.datasets.columns import Column
from chainrule.datasets.scaling import Scaling
from chainrule.estimators.base import BaseMLP
from chainrule.estimators.columns_export import columns_from_inputs
from chainrule.estimators.fitted import Fitted, Labels
from chainrule.estimators.graph import OPSET, Graph
from chainrule.estimators.table import BaseTable
from chainrule.model_file import Model
from chainrule.notes.activations import ACTIVATIONS, LEAK, SELU_ALPHA, SELU_SCALE
from chainrule.notes.network import Network
from chainrule.notes.theta import blocks

SKL2ONNX = "skl2onnx.convert_sklearn exports it after chainrule.estimators.register_converters()"


Function = Callable[[Graph, str], str]  # adds an activation of a value, and returns its name


def _operator(kind: str, **attributes: Any) -> Function:
    return lambda graph, z: graph.node(kind, z, **attributes)


def _silu(graph: Graph, z: str) -> str:
    return graph.node("Mul", z, graph.node("Sigmoid", z))


def _gelu(graph: Graph, z: str) -> str:
    """Add z (1 + erf(z / sqrt(2))) / 2."""
    half = graph.node("Mul", z, graph.constant(np.float32(0.5)))
    erf = graph.node("Erf", graph.node("Mul", z, graph.constant(np.float32(np.sqrt(0.5)))))
    return graph.node("Mul", half, graph.node("Add", erf, graph.constant(np.float32(1))))


def _mish(graph: Graph, z: str) -> str:
    return graph.node("Mul", z, graph.node("Tanh", graph.node("Softplus", z)))


HIDDEN: dict[str, Function] = {
    "sigmoid": _operator("Sigmoid"),
    "tanh": _operator("Tanh"),
    "relu": _operator("Relu"),
    "leaky_relu": _operator("LeakyRelu", alpha=LEAK),
    "elu": _operator("Elu"),
    "softplus": _operator("Softplus"),
    "identity": _operator("Identity"),
    "silu": _silu,
    "gelu": _gelu,
    "mish": _mish,
    "selu": _operator("Selu", alpha=SELU_ALPHA, gamma=SELU_SCALE),
}
OUTPUT: dict[str, Function] = {
    "sigmoid": _operator("Sigmoid"),
    "softmax": _operator("Softmax", axis=1),
    "identity": _operator("Identity"),
    "exp": _operator("Exp"),
    "absolute": _operator("Identity"),
    "huber": _operator("Identity"),
    "quantile": _operator("Identity"),
}


def to_onnx(model: Any, path: str | os.PathLike[str] | None = None) -> Any:
    """Return a fitted estimator, or a pipeline of StandardScalers and one, as an ONNX model.

    Parameters
    ----------
    model : MLPClassifier, MLPRegressor, TableClassifier, TableRegressor or Pipeline
    path : path, optional
        Where to write it, too.

    Returns
    -------
    onnx.ModelProto
        Its input ``X`` is float32 of shape (m, n).  A table's has an input of shape (m, 1) for each
        column that is used, by the column's name: float32 for numbers, nan where one is missing;
        text for categories, "" where it is missing; int64 for dates, the seconds since 1970, the
        least int64 (as NumPy's NaT) where one is missing.  A classifier has the outputs ``label``
        and ``probabilities``, or for several columns of classes ``label`` of shape (m, columns) and
        ``probabilities_0``, ``probabilities_1``, ...; a regressor ``variable`` of shape (m, K).

    Raises
    ------
    TypeError
        If it is another library's estimator.
    sklearn.exceptions.NotFittedError
        If it has not been fitted.
    ValueError
        If a step, an activation or a cost has no counterpart here.
    ImportError
        Without ``pip install chainrule[onnx]``.
    """
    *scalers, (_, estimator) = getattr(model, "steps", [("", model)])
    if isinstance(estimator, BaseTable) and not scalers:
        model = estimator.to_model()
        labels = Labels("classes", estimator.classes_) if model.classes is not None else None
        return _written(model_of_table(model, labels), path)
    if not isinstance(estimator, BaseMLP):
        raise TypeError(
            f"to_onnx exports chainrule's estimators, those of tables by themselves, not "
            f"{type(estimator).__name__}: {SKL2ONNX}"
        )
    for name, scaler in scalers:
        if type(scaler).__name__ != "StandardScaler":
            raise ValueError(
                f"step {name!r} is a {type(scaler).__name__}, and before the network only "
                f"StandardScaler can be exported: {SKL2ONNX}"
            )
    return _written(model_of(estimator._fitted(), scalers), path)


def _written(proto: Any, path: str | os.PathLike[str] | None) -> Any:
    if path is not None:
        write_atomically(path, proto.SerializeToString())
    return proto


def register_converters() -> None:
    """Let skl2onnx convert chainrule's estimators, behind whatever steps it knows itself.

    After one call `skl2onnx.convert_sklearn` and `skl2onnx.to_onnx` take pipelines and searches in
    which a fitted `MLPClassifier` or `MLPRegressor` is the last step, with any activation, loss and
    scale that `to_onnx` exports.

    Raises
    ------
    ImportError
        Without ``pip install skl2onnx``.
    """
    from skl2onnx import update_registered_converter

    from chainrule.estimators.classifier import MLPClassifier
    from chainrule.estimators.regressor import MLPRegressor

    zipmap = {"zipmap": [True, False, "columns"], "nocl": [True, False]}
    for Estimator, options in (
        (MLPClassifier, {**zipmap, "output_class_labels": [False, True]}),
        (MLPRegressor, None),
    ):
        update_registered_converter(
            Estimator, f"Chainrule{Estimator.__name__}", _shapes, _convert, options=options
        )


def _shapes(operator: Any) -> None:
    """Tell skl2onnx the types of a network's outputs."""
    from onnx import TensorProto
    from skl2onnx.common import data_types

    kinds = {
        TensorProto.FLOAT: data_types.FloatTensorType,
        TensorProto.INT64: data_types.Int64TensorType,
        TensorProto.STRING: data_types.StringTensorType,
    }
    m = operator.inputs[0].get_first_dimension()
    outputs = _model_for(operator).graph.output
    for variable, output in zip(operator.outputs, outputs, strict=True):
        of_tensor = output.type.tensor_type
        sizes = [dimension.dim_value for dimension in of_tensor.shape.dim[1:]]
        variable.type = kinds[of_tensor.elem_type]([m, *sizes])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add a network's nodes to the graph that skl2onnx makes, under names of their own there."""
    from onnx import TensorProto, helper, numpy_helper

    graph = _model_for(operator).graph
    given = scope.get_unique_variable_name("chainrule_X")
    container.add_node(
        "Cast", operator.inputs[0].full_name, given, to=TensorProto.FLOAT,
        name=scope.get_unique_operator_name("chainrule_Cast"),
    )  # fmt: skip
    names = {"X": given}
    names |= {
        output.name: variable.full_name
        for output, variable in zip(graph.output, operator.outputs, strict=True)
    }

    def known(name: str) -> str:
        if name not in names:
            names[name] = scope.get_unique_variable_name(f"chainrule_{name}")
        return names[name]

    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        content = [str(v).encode() for v in values.ravel()] if values.dtype == object else values
        container.add_initializer(
            known(constant.name), constant.data_type, list(constant.dims),
            content if isinstance(content, list) else content.ravel(),
        )  # fmt: skip
    for node in graph.node:
        container.add_node(
            node.op_type,
            [known(name) for name in node.input],
            [known(name) for name in node.output],
            name=scope.get_unique_operator_name(f"chainrule_{node.op_type}"),
            op_version=OPSET,
            **{a.name: helper.get_attribute_value(a) for a in node.attribute},
        )


def _model_for(operator: Any) -> Any:
    fitted = operator.raw_operator._fitted()
    if fitted.labels is not None and fitted.labels.kind == "several columns":
        raise ValueError(
            "skl2onnx knows no classifier with several columns of classes: export it with "
            "chainrule.estimators.to_onnx"
        )
    return model_of(fitted)


def model_of(fitted: Fitted, scalers: Sequence[tuple[str, Any]] = ()) -> Any:
    """Return a fitted network, behind named StandardScalers, as an ONNX model."""
    from onnx import TensorProto

    network, graph = fitted.network, Graph()
    X = graph.input("X", TensorProto.FLOAT, network.layers[0])
    for _, scaler in scalers:
        if scaler.with_mean:
            X = graph.node("Sub", X, graph.constant(np.float32(scaler.mean_)))
        if scaler.with_std:
            X = graph.node("Div", X, graph.constant(np.float32(scaler.scale_)))
    h = [_hypothesis(graph, X, network, theta) for theta in fitted.thetas]
    value = h[0] if len(h) == 1 else graph.node("Mean", *h)
    if fitted.scaling is not None:
        value = _in_units(graph, value, fitted.scaling)
    if fitted.labels is not None:
        _classes(graph, value, fitted.labels, network)
    else:
        graph.output("variable", value, TensorProto.FLOAT, network.K)
    return graph.model()


def model_of_table(model: Model, labels: Labels | None = None) -> Any:
    """Return a model with what its table's columns become, as an ONNX model.

    Where all are numbers as they are, or pixels, one input ``X`` has them all.
    """
    from onnx import TensorProto

    graph, network, encoder = Graph(), model.network, model.encoder
    if all(column == Column(column.name) for column in encoder.columns):
        value = graph.input("X", TensorProto.FLOAT, network.layers[0])
    else:
        value = columns_from_inputs(graph, encoder.columns)
    if encoder.divisor != 1:
        value = graph.node("Div", value, graph.constant(np.float32(encoder.divisor)))
    if model.scaling is not None:
        value = graph.node("Sub", value, graph.constant(np.float32(model.scaling.mean)))
        value = graph.node("Div", value, graph.constant(np.float32(model.scaling.scale)))
    value = _hypothesis(graph, value, network, model.theta)
    if model.target_scaling is not None:
        value = _in_units(graph, value, model.target_scaling)
    if "range" in model.provenance.options:
        least, most = model.provenance.options["range"]
        ends = graph.constant(np.float32(least)), graph.constant(np.float32(most))
        value = graph.node("Clip", value, *ends)
    if model.classes is not None:
        _classes(graph, value, labels or Labels("classes", np.array(model.classes)), network)
    else:
        graph.output("variable", value, TensorProto.FLOAT, network.K)
    return graph.model()


def _in_units(graph: Graph, value: str, scaling: Scaling) -> str:
    """Add what takes standardised numbers back to the target's units."""
    value = graph.node("Mul", value, graph.constant(np.float32(scaling.scale)))
    return graph.node("Add", value, graph.constant(np.float32(scaling.mean)))


def _hypothesis(graph: Graph, value: str, network: Network, theta: Array) -> str:
    """Add a network, and return the name of its h."""
    for g, block in zip(
        _functions(network), blocks(network, theta.astype(np.float32)), strict=True
    ):
        value = graph.node("Gemm", value, graph.constant(block[1:]), graph.constant(block[0]))
        value = g(graph, value)
    family, _, parameters = network.cost.name.partition(":")
    if family == "softmax" and parameters:  # a softmax for each column of classes
        parts = [int(part) for part in parameters.split(",")]
        borders = pairwise(np.cumsum([0, *parts]))
        groups = [_columns(graph, value, 1, start, end) for start, end in borders]
        value = graph.node("Concat", *(graph.node("Softmax", z, axis=1) for z in groups), axis=1)
    levels = network.cost.units if family == "quantile" else 1
    if levels > 1:  # the lowest quantile, and softplus of what each of the others adds to it
        value = graph.node("Reshape", value, graph.constant(np.array([0, -1, levels])))
        lowest = _columns(graph, value, 2, 0, 1)
        steps = graph.node("Softplus", _columns(graph, value, 2, 1, levels))
        value = graph.node("Concat", lowest, steps, axis=2)
        value = graph.node("CumSum", value, graph.constant(np.array(2)))
        value = graph.node("Reshape", value, graph.constant(np.array([0, network.K])))
    return value


def _columns(graph: Graph, value: str, axis: int, start: int, end: int) -> str:
    """Add the columns start to end of a value, and return their name."""
    return graph.node("Slice", value, *(graph.constant(np.array([i])) for i in (start, end, axis)))


def _classes(graph: Graph, h: str, labels: Labels, network: Network) -> None:
    """Add labels and probabilities, as `predict` and `predict_proba` make them of h."""
    from onnx import TensorProto

    K = network.K
    if labels.kind == "several labels":
        many = graph.node("Greater", h, graph.constant(np.float32(0.5)))
        marks = graph.node("Cast", many, to=TensorProto.INT64)
        graph.output("label", marks, TensorProto.INT64, K)
        graph.output("probabilities", h, TensorProto.FLOAT, K)
        return
    several = labels.kind == "several columns"
    columns = labels.classes if several else [labels.classes]
    as_text = any(not isinstance(c, int) for classes in columns for c in classes.tolist())
    kind = TensorProto.STRING if as_text else TensorProto.INT64

    def label(p: str, classes: Any) -> str:
        names = graph.constant(classes.astype(str if as_text else np.int64))
        return graph.node("Gather", names, graph.node("ArgMax", p, axis=1, keepdims=int(several)))

    if several:
        borders = pairwise(np.cumsum([0, *map(len, columns)]))
        p = [_columns(graph, h, 1, start, end) for start, end in borders]
        names = graph.node("Concat", *map(label, p, columns), axis=1)
        graph.output("label", names, kind, len(columns))
        for j, p_j in enumerate(p):
            graph.output(f"probabilities_{j}", p_j, TensorProto.FLOAT, len(columns[j]))
        return
    if K == 1:
        rest = graph.node("Sub", graph.constant(np.ones(1, np.float32)), h)
        h = graph.node("Concat", rest, h, axis=1)
    elif network.cost.name != "softmax":
        h = graph.node("Max", h, graph.constant(np.float32(1e-30)))  # not 0 / 0 far from the data
        h = graph.node("Div", h, graph.node("ReduceSum", h, graph.constant(np.array([1]))))
    graph.output("label", label(h, columns[0]), kind)
    graph.output("probabilities", h, TensorProto.FLOAT, len(columns[0]))


def _functions(network: Network) -> list[Function]:
    """Return what adds each layer's activation, the last one's included.

    Quantiles and several softmaxes are only ``Identity`` here: `_hypothesis` adds the rest.
    """
    hidden = [HIDDEN.get(g.name) if g is ACTIVATIONS.get(g.name) else None
              for g in network.activations]  # fmt: skip
    output = network.output if isinstance(network.output, str) else ""
    family, several, _ = output.partition(":")
    last = HIDDEN["identity"] if family == "softmax" and several else OUTPUT.get(family)
    found = [g for g in (*hidden, last) if g is not None]
    if len(found) < network.L - 1:
        raise ValueError(f"ONNX has no counterpart for a function of {network}")
    return found
