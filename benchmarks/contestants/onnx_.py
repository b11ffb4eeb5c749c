"""ONNX Runtime: the network as a graph of Gemm nodes, `run` on a NumPy array."""

import os

import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HIDDEN = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
OUTPUT = {"sigmoid": "Sigmoid", "softmax": "Softmax", "identity": "Identity"}


def graph(task):
    """Return the network as a serialised ONNX model."""
    layers = task.layers()
    functions = [HIDDEN[task.case.hidden]] * (len(layers) - 1) + [OUTPUT[task.case.output]]
    nodes, weights, name = [], [], "X"
    for l, ((W, b), g) in enumerate(zip(layers, functions, strict=True)):
        weights += [numpy_helper.from_array(W, f"W{l}"), numpy_helper.from_array(b, f"b{l}")]
        nodes.append(helper.make_node("Gemm", [name, f"W{l}", f"b{l}"], [f"z{l}"]))
        nodes.append(helper.make_node(g, [f"z{l}"], [name := f"a{l}"]))
    inputs = helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, task.case.layers[0]])
    output = helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, task.case.layers[-1]])
    model = helper.make_model(
        helper.make_graph(nodes, "network", [inputs], [output], weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    return model.SerializeToString()


def predict(task):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    session = onnxruntime.InferenceSession(graph(task), options, providers=["CPUExecutionProvider"])
    feed = {"X": task.X}
    return lambda: session.run(None, feed)[0]
