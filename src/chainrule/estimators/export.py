"""Estimators out to ONNX, alone or behind a StandardScaler."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from chainrule.activations import ACTIVATIONS, LEAK
from chainrule.network import Network
from chainrule.theta import blocks

OPSET, IR_VERSION = 17, 8  # old enough for the runtimes of the last years
Operator = tuple[str, dict[str, Any]]
HIDDEN: dict[str, Operator] = {
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": LEAK}),
    "elu": ("Elu", {}),
    "softplus": ("Softplus", {}),
    "identity": ("Identity", {}),
}
OUTPUT: dict[str, Operator] = {
    "sigmoid": ("Sigmoid", {}),
    "softmax": ("Softmax", {"axis": 1}),
    "identity": ("Identity", {}),
    "exp": ("Exp", {}),
    "absolute": ("Identity", {}),
    "huber": ("Identity", {}),
    "quantile": ("Identity", {}),  # the steps between the levels follow
}


def to_onnx(model: Any, path: str | os.PathLike[str] | None = None) -> Any:
    """Return a fitted estimator, or a pipeline of StandardScalers and one, as an ONNX model.

    Parameters
    ----------
    model : MLPClassifier, MLPRegressor or Pipeline
    path : path, optional
        Where to write it, too.

    Returns
    -------
    onnx.ModelProto
        Its input ``X`` is float32 of shape (m, n).  A classifier has the outputs ``label`` and
        ``probabilities``, a regressor ``variable`` of shape (m, K).

    Raises
    ------
    ValueError
        If a step, an activation or a cost has no counterpart in ONNX.
    ImportError
        Without ``pip install chainrule[onnx]``.
    """
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes: list[Any] = []
    constants: list[Any] = []

    def constant(values: Any) -> str:
        name = f"c{len(constants)}"
        constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def node(kind: str, *inputs: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"v{len(nodes)}"], **attributes))
        return f"v{len(nodes) - 1}"

    *scalers, (_, estimator) = getattr(model, "steps", [("", model)])
    value = "X"
    for name, scaler in scalers:
        if type(scaler).__name__ != "StandardScaler":
            raise ValueError(f"step {name!r} is no StandardScaler: only those can be exported")
        if scaler.with_mean:
            value = node("Sub", value, constant(np.float32(scaler.mean_)))
        if scaler.with_std:
            value = node("Div", value, constant(np.float32(scaler.scale_)))
    network, theta = estimator._current()
    for (kind, how), block in zip(
        operators(network), blocks(network, theta.astype(np.float32)), strict=True
    ):
        value = node("Gemm", value, constant(block[1:]), constant(block[0]))
        value = node(kind, value, **how)
    levels = getattr(estimator, "_levels", 1)
    if levels > 1:  # the lowest quantile, and softplus of what each of the others adds to it
        start, second, end, axis = (constant(np.array([i])) for i in (0, 1, levels, 2))
        value = node("Reshape", value, constant(np.array([0, -1, levels])))
        rest = node("Softplus", node("Slice", value, second, end, axis))
        value = node("Concat", node("Slice", value, start, second, axis), rest, axis=2)
        value = node("CumSum", value, constant(np.array(2)))
        value = node("Reshape", value, constant(np.array([0, network.K])))
    outputs = []

    def output(name: str, value: str, kind: int, *shape: int) -> None:
        nodes.append(helper.make_node("Identity", [value], [name]))
        outputs.append(helper.make_tensor_value_info(name, kind, [None, *shape]))

    if not hasattr(estimator, "classes_"):
        output("variable", value, TensorProto.FLOAT, network.K)
    elif estimator._multilabel:
        many = node("Greater", value, constant(np.float32(0.5)))
        output("label", node("Cast", many, to=TensorProto.INT64), TensorProto.INT64, network.K)
        output("probabilities", value, TensorProto.FLOAT, network.K)
    else:
        if network.K == 1:
            rest = node("Sub", constant(np.ones(1, np.float32)), value)
            value = node("Concat", rest, value, axis=1)
        elif estimator.out_activation_ != "softmax":
            value = node("Div", value, node("ReduceSum", value, constant(np.array([1]))))
        classes = estimator.classes_
        text = classes.dtype.kind not in "iub"
        table = constant(classes.astype(str if text else np.int64))
        label = node("Gather", table, node("ArgMax", value, axis=1, keepdims=0))
        output("label", label, TensorProto.STRING if text else TensorProto.INT64)
        output("probabilities", value, TensorProto.FLOAT, len(classes))
    X = helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, network.layers[0]])
    graph = helper.make_graph(nodes, "chainrule", [X], outputs, constants)
    opset = helper.make_opsetid("", OPSET)
    proto = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
    checker.check_model(proto, full_check=True)
    if path is not None:
        with open(path, "wb") as file:
            file.write(proto.SerializeToString())
    return proto


def operators(network: Network) -> list[Operator]:
    """Return the ONNX operator of each layer's activation, the last one's included.

    Examples
    --------
    >>> operators(Network((2, 3, 1), hidden="tanh"))
    [('Tanh', {}), ('Sigmoid', {})]
    """
    hidden = [HIDDEN.get(g.name) if g is ACTIVATIONS.get(g.name) else None
              for g in network.activations]  # fmt: skip
    name = network.output if isinstance(network.output, str) else ""
    family, parameters, _ = name.partition(":")
    found = [*hidden, None if family == "softmax" and parameters else OUTPUT.get(family)]
    if None in found:
        raise ValueError(f"ONNX has no counterpart for a function of {network}")
    return [operator for operator in found if operator is not None]
