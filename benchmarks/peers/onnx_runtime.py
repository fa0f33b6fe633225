"""ONNX Runtime: a graph of Gemm, Relu, Tanh and Softmax, run with NumPy arrays in and out. It only predicts.

``binding`` binds the session to two buffers, once, and copies rows into the one and answers out of the other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases import Case, InferenceCase, TrainingCase
from benchmarks.data import Array, Data
from benchmarks.peers import Predict, Settings, Training, cores, missing

_OPSET, _IR_VERSION = 17, 8
_OPERATORS = {"relu": "Relu", "tanh": "Tanh", "softmax": "Softmax"}


def available(settings: Settings) -> str | None:
    return missing("onnx", "onnxruntime")


def unsupported(case: Case) -> str | None:
    return None if case.kind == "inference" else "ONNX Runtime does not train"


def describe() -> dict[str, str]:
    import os

    import onnxruntime

    return {"version": onnxruntime.__version__, "threads": os.environ.get("OMP_NUM_THREADS", str(cores()))}


def _graph(case: InferenceCase, weights: list[Array]) -> Any:
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, constants, value = [], [], "x"
    for index, layer in enumerate(case.layers):
        kernel, bias = f"kernel_{index}", f"bias_{index}"
        constants.append(numpy_helper.from_array(weights[2 * index], kernel))
        constants.append(numpy_helper.from_array(weights[2 * index + 1], bias))
        nodes.append(helper.make_node("Gemm", [value, kernel, bias], [f"z_{index}"]))
        value = f"z_{index}"
        if layer.activation != "linear":
            value = f"y_{index}"
            nodes.append(helper.make_node(_OPERATORS[layer.activation], [f"z_{index}"], [value]))
    shapes = [("x", case.widths[0]), (value, case.widths[-1])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width]) for name, width in shapes)
    graph = helper.make_graph(nodes, case.name, [x], [y], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    checker.check_model(model)
    return model


def prepare_training(case: TrainingCase, data: Data, weights: list[Array], settings: Settings) -> Training:
    raise TypeError("ONNX Runtime does not train")


def prepare_inference(case: InferenceCase, weights: list[Array], settings: Settings) -> Predict:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if "threads" in settings:
        options.intra_op_num_threads = settings["threads"]
    model = _graph(case, weights).SerializeToString()
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    if not settings.get("binding"):
        return lambda x: session.run(None, {"x": x})[0]
    rows = np.empty((case.batch, case.widths[0]), np.float32)
    answers = np.empty((case.batch, case.widths[-1]), np.float32)
    binding, (output,) = session.io_binding(), session.get_outputs()
    binding.bind_input("x", "cpu", 0, np.float32, rows.shape, rows.ctypes.data)
    binding.bind_output(output.name, "cpu", 0, np.float32, answers.shape, answers.ctypes.data)

    def predict(x: Array) -> Array:
        np.copyto(rows, x)
        session.run_with_iobinding(binding)
        return answers.copy()

    return predict
