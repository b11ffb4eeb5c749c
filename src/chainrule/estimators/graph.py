"""An ONNX graph as it grows."""

from __future__ import annotations

from typing import Any

import numpy as np

OPSET, IR_VERSION = 17, 8  # old enough for the runtimes of the last years
CATEGORIES, CATEGORIES_OPSET = "ai.onnx.ml", 3  # the domain of operators on text


class Graph:
    """An ONNX graph as it grows: every value has a name, which the next node takes."""

    def __init__(self) -> None:
        self.inputs: list[Any] = []
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.outputs: list[Any] = []

    def input(self, name: str, kind: int, width: int) -> str:
        """Add an input, with a row for each example, and return its name."""
        from onnx import helper

        self.inputs.append(helper.make_tensor_value_info(name, kind, [None, width]))
        return name

    def constant(self, values: Any) -> str:
        """Add an array and return its name."""
        from onnx import numpy_helper

        name = f"_c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, order="C"), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operator and return the name of its value."""
        from onnx import helper

        name = f"_v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def output(self, name: str, value: str, kind: int, *shape: int) -> None:
        """Make a value, with a row for each example, an output of the model."""
        from onnx import helper

        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, kind, [None, *shape]))

    def model(self) -> Any:
        """Return what has grown, checked."""
        from onnx import checker, helper

        parts = self.nodes, "chainrule", self.inputs, self.outputs, self.constants
        opsets = [helper.make_opsetid("", OPSET)]
        if any(node.domain for node in self.nodes):
            opsets.append(helper.make_opsetid(CATEGORIES, CATEGORIES_OPSET))
        proto = helper.make_model(
            helper.make_graph(*parts), opset_imports=opsets, ir_version=IR_VERSION
        )
        checker.check_model(proto, full_check=True)
        return proto
