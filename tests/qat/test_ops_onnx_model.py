"""The Builder: names, shapes and types of what it writes, and what it refuses."""

import numpy as np
import onnxruntime
import pytest
import torch
from onnx import TensorProto
from twofold.quantization._ops import (
    OPS,
    OPS_BY_NAME,
    bind_function,
    bind_module,
    op_of_function,
    op_of_module,
)
from twofold.quantization._ops.onnx_model import OnnxModel, element_type


def run(model, **feed):
    session = onnxruntime.InferenceSession(model.build().SerializeToString())
    return session.run(None, feed)


def test_a_model_of_two_calls():
    model = OnnxModel("two")
    x = model.input("x", torch.zeros(2, 3))
    with model.call("scope.first"):
        half = model.node("Mul", [x, model.constant(0.5)])
    with model.call("scope.second"):
        low, high = model.node("Split", [half], 2, axis=1, split=None, num_outputs=2)
    model.output("low", low)
    model.output("high", high)
    proto = model.build()
    assert proto.ir_version == 10 and [o.version for o in proto.opset_import] == [21]
    assert proto.graph.name == "two"
    assert [n.name for n in proto.graph.node] == ["scope.first", "scope.second"]
    assert [c.name for c in proto.graph.initializer] == ["scope.first/constant_0"]
    assert model.shape(low) == (2, 2) and model.shape(high) == (2, 1)
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    first, second = run(model, x=array)
    np.testing.assert_array_equal(np.concatenate([first, second], 1), array / 2)


def test_the_last_node_has_the_name_where_there_is_no_one_product():
    model = OnnxModel()
    x = model.input("x", (2, 2))
    with model.call("twice") as call:
        y = model.node("MatMul", [model.node("MatMul", [x, x]), x])
    with model.call("empty") as empty:
        pass
    model.output("y", y)
    assert [n.name for n in model.build().graph.node] == ["twice/MatMul_0", "twice"]
    assert call.result == "twice" and empty.result == ""


def test_outputs_that_are_something_else_already():
    model = OnnxModel()
    x = model.input("x", (2,))
    with model.call("f"):
        y = model.node("Neg", [x])
    for name, tensor in (("a", y), ("b", y), ("c", x), ("d", model.constant([1.0, 2.0], name="k"))):
        model.output(name, tensor)
    model.output("k", "k")
    results = run(model, x=np.array([3, 4], np.float32))
    assert [r.tolist() for r in results] == [[-3, -4], [-3, -4], [3, 4], [1, 2], [1, 2]]


@pytest.mark.parametrize(
    ("values", "dtype", "shape"),
    [
        (1, TensorProto.INT64, []),
        (1.5, TensorProto.FLOAT, []),
        ([1, 2], TensorProto.INT64, [2]),
        ([[1.0, 2]], TensorProto.FLOAT, [1, 2]),
        (True, TensorProto.BOOL, []),
        (torch.tensor(2.0, dtype=torch.float64), TensorProto.DOUBLE, []),
        (torch.tensor([1.5], dtype=torch.bfloat16), TensorProto.BFLOAT16, [1]),
        (torch.arange(6, dtype=torch.int32).reshape(2, 3).T, TensorProto.INT32, [3, 2]),
        (torch.nn.Parameter(torch.ones(2)), TensorProto.FLOAT, [2]),
    ],
)
def test_constants(values, dtype, shape):
    model = OnnxModel()
    name = model.constant(values)
    model.output("y", name)
    (constant,) = model.build().graph.initializer
    assert constant.data_type == dtype and list(constant.dims) == shape
    tensor = torch.as_tensor(values)
    assert model.shape(name) == tuple(tensor.shape)
    raw = torch.frombuffer(bytearray(constant.raw_data), dtype=model.dtype(name))
    assert torch.equal(raw.reshape(shape), tensor.to(model.dtype(name)))


def test_numbers_do_not_follow_the_default_dtype():
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        model = OnnxModel()
        assert model.dtype(model.constant(0.5)) == torch.float32
    finally:
        torch.set_default_dtype(default)


def test_shapes_that_depend_on_values():
    model = OnnxModel()
    x = model.input("x", (4,))
    where = model.node("NonZero", [x])
    with pytest.raises(ValueError, match="depends on values"):
        model.shape(where)
    model.output("y", where, torch.zeros(1, 3, dtype=torch.int64))
    assert model.shape(where) == (1, 3)


def test_wrong_use():
    model = OnnxModel()
    x = model.input("x", (2, 3))
    with pytest.raises(ValueError, match="no output"):
        model.build()
    with pytest.raises(ValueError, match="tensor called 'x' already"):
        model.input("x", (2,))
    with pytest.raises(ValueError, match="tensor called 'x' already"):
        model.constant(1.0, name="x")
    with pytest.raises(ValueError, match="no tensor called 'y'"):
        model.node("Relu", ["y"])
    with pytest.raises(ValueError, match="no tensor called 'y'"):
        model.output("y", "y")
    with model.call("a"):
        with pytest.raises(ValueError, match="calls do not nest"), model.call("b"):
            pass
        y = model.node("Relu", [x])
    with pytest.raises(ValueError, match="node called 'a' already"), model.call("a"):
        pass
    with pytest.raises(ValueError, match=r"a2: no ONNX Gemm of x \[2, 3\]"), model.call("a2"):
        model.node("Gemm", [x, x])
    model.output("out", y)
    with pytest.raises(ValueError, match="two outputs called 'out'"):
        model.output("out", x)
    with pytest.raises(TypeError, match="complex64"):
        element_type(torch.complex64)


def test_the_table_of_operators():
    assert len(OPS_BY_NAME) == len(OPS)
    assert op_of_function(torch.add).name == "add"
    assert op_of_function(torch.fft.fft) is None
    assert bind_function(torch.fft.fft, (torch.ones(2),), {}) is None
    assert op_of_module(torch.nn.Bilinear) is None
    x = torch.randn(2, 3)
    op, bound = bind_function(torch.max, (x, x), {})
    assert op.name == "maximum" and bound.inputs[0] is x
    op, _ = bind_function(torch.div, (x, 2), {"rounding_mode": "floor"})
    assert op.name == "floor_divide"
    bound = bind_module(torch.nn.Linear(3, 4), (), {"input": x})
    assert bound.inputs[0] is x
