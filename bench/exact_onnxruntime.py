"""ONNX Runtime with exact sums on every CPU: what numbers are compared with, here and in the tests.

On x86 without VNNI its kernels of int8 weights saturate sums of two products at int16
(tests/e2e/test_onnxruntime_saturates.py); those of uint8 weights are exact.
"""

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from onnxruntime import GraphOptimizationLevel

# Their inputs 3 and 5 are the weight and its zero point.
INTEGER_PRODUCTS = ("QLinearConv", "QLinearMatMul", "QGemm")


def default_session(model, threads=1):
    """A session as users get it: all optimizations, and whatever is fast on this CPU."""
    return _session(model, GraphOptimizationLevel.ORT_ENABLE_ALL, threads, "0")


def exact_session(model, level=GraphOptimizationLevel.ORT_DISABLE_ALL, threads=1):
    """A session on a path or bytes whose sums are exact, at any level of optimization.

    A Q/DQ model gets integer products at ORT_ENABLE_EXTENDED, where x64quantprecision makes their weights uint8 if it
    must. Those that the file itself holds are rewritten here, so that they need no optimization.
    """
    return _session(with_uint8_weights(model), level, threads, "1")


def with_uint8_weights(model):
    """The model, a path or bytes, with int8 weights of integer products, and their zero points, shifted by 128."""
    graph_of = onnx.load_model_from_string if isinstance(model, bytes) else onnx.load
    loaded = graph_of(model)
    constants = {t.name: t for t in loaded.graph.initializer}
    products = [n for n in loaded.graph.node if n.op_type in INTEGER_PRODUCTS and n.input[3] in constants]
    if not products:
        return model  # which may be too large for bytes
    for node in products:
        for i in (3, 5):
            name = node.input[i] + "_uint8"
            values = numpy_helper.to_array(constants[node.input[i]])
            if values.dtype != np.int8:
                continue
            if name not in constants:
                shifted = (values.astype(np.int16) + 128).astype(np.uint8)
                constants[name] = numpy_helper.from_array(shifted, name)
                loaded.graph.initializer.append(constants[name])
            node.input[i] = name
    return loaded.SerializeToString()


def _session(model, level, threads, precision):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.add_session_config_entry("session.x64quantprecision", precision)
    model = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
