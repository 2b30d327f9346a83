"""Gradients of whole networks, simplified as they are before quantizing, against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 as everybody calls it
from gradient_case import Gradients, assert_close, normal, positive
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT


def value(name):
    return helper.make_tensor_value_info(name, FLOAT, None)


class Network:
    """A graph that is written down line by line."""

    def __init__(self):
        self.nodes, self.inputs, self.outputs, self.constants = [], [], [], []
        self.arrays = {}

    def input(self, name, array):
        dtype = helper.np_dtype_to_tensor_dtype(array.dtype)
        self.inputs.append(helper.make_tensor_value_info(name, dtype, array.shape))
        self.arrays[name] = array

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return torch.tensor(array, dtype=torch.float64)

    def node(self, op, inputs, outputs, **attributes):
        node = helper.make_node(op, inputs.split(), outputs.split(), name=outputs, **attributes)
        self.nodes.append(node)

    def model(self):
        outputs = [value(y) for y in self.outputs]
        graph = helper.make_graph(self.nodes, "g", self.inputs, outputs, self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

    def gradients(self, folder, cotangents, passes=True):
        sample = {**self.arrays, **{f"cotangent:{y}": v for y, v in cotangents.items()}}
        return Gradients(self.model(), sample, folder, passes)


def compare(found, tensors, outputs, cotangents):
    """`tensors`: those whose gradients are compared, by name."""
    expected = torch.autograd.grad(
        [outputs[y] for y in cotangents],
        list(tensors.values()),
        [torch.tensor(v, dtype=torch.float64) for v in cotangents.values()],
    )
    for y, tensor in outputs.items():
        assert_close(found.outputs[y], tensor.detach().numpy(), y)
    for name, gradient in zip(tensors, expected, strict=True):
        assert_close(found.gradients[name], gradient.numpy(), name)


def doubles(array):
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("passes", [False, True])
def test_residual_convolutions(tmp_path, passes):
    """Two outputs, one of which the other is computed from; a value that is read three times."""
    net = Network()
    x = normal(2, 3, 9, 8)
    net.input("x", x)
    w1, b1 = net.constant("w1", normal(6, 3, 3, 3)), net.constant("b1", normal(6))
    w2 = net.constant("w2", normal(6, 1, 3, 3))
    s, o = net.constant("s", positive(6)), net.constant("o", normal(6))
    m, v = net.constant("m", normal(6)), net.constant("v", positive(6))
    w3 = net.constant("w3", normal(4, 6))
    net.node("Conv", "x w1 b1", "c1", strides=[2, 2], pads=[1, 1, 1, 1])
    net.node("Relu", "c1", "r1")
    net.node("Conv", "r1 w2", "c2", group=6, pads=[1, 1, 1, 1])
    net.node("BatchNormalization", "c2 s o m v", "n2")
    net.node("Add", "n2 r1", "a")
    net.node("MaxPool", "a", "p", kernel_shape=[2, 2], strides=[2, 2])
    net.node("GlobalAveragePool", "r1", "g")
    net.node("Mul", "p g", "q")
    net.node("GlobalAveragePool", "q", "h")
    net.node("Flatten", "h", "f")
    net.node("Gemm", "f w3", "y", transB=1)
    net.outputs = ["a", "y"]

    tx = doubles(x)
    r1 = F.relu(F.conv2d(tx, w1, b1, 2, 1))
    n2 = F.batch_norm(F.conv2d(r1, w2, None, 1, 1, 1, 6), m, v, s, o)
    a = n2 + r1
    q = F.max_pool2d(a, 2) * r1.mean((2, 3), keepdim=True)
    y = q.mean((2, 3)) @ w3.T
    cotangents = {"a": normal(*a.shape), "y": normal(*y.shape)}
    found = net.gradients(tmp_path, cotangents, passes)
    compare(found, {"x": tx, "r1": r1, "a": a, "q": q}, {"a": a, "y": y}, cotangents)
    assert not found.incomplete and not found.without_rule


def test_attention(tmp_path):
    net = Network()
    x = normal(2, 5, 8)
    net.input("x", x)
    scale, bias = net.constant("scale", normal(8)), net.constant("bias", normal(8))
    wq, wk, wv = (net.constant(f"w{k}", normal(8, 8)) for k in "qkv")
    w1, w2 = net.constant("w1", normal(8, 16)), net.constant("w2", normal(16, 8))
    net.constant("heads", np.array([0, 0, 2, 4], np.int64))
    net.constant("joined", np.array([0, 0, 8], np.int64))
    net.constant("root", np.array(0.5, np.float32))
    net.node("LayerNormalization", "x scale bias", "n")
    for k, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        net.node("MatMul", f"n w{k}", k)
        net.node("Reshape", f"{k} heads", f"{k}h")
        net.node("Transpose", f"{k}h", f"{k}t", perm=order)
    net.node("MatMul", "qt kt", "scores")
    net.node("Mul", "scores root", "scaled")
    net.node("Softmax", "scaled", "p")
    net.node("MatMul", "p vt", "mixed")
    net.node("Transpose", "mixed", "mt", perm=[0, 2, 1, 3])
    net.node("Reshape", "mt joined", "m")
    net.node("Add", "m x", "a")
    net.node("MatMul", "a w1", "h")
    net.node("Gelu", "h", "g")
    net.node("MatMul", "g w2", "f")
    net.node("Add", "f a", "y")
    net.outputs = ["y"]

    tx = doubles(x)
    n = F.layer_norm(tx, (8,), scale, bias)
    q, k, v = ((n @ w).reshape(2, 5, 2, 4).transpose(1, 2) for w in (wq, wk, wv))
    p = torch.softmax(q @ k.transpose(2, 3) * 0.5, -1)
    a = (p @ v).transpose(1, 2).reshape(2, 5, 8) + tx
    y = F.gelu(a @ w1) @ w2 + a
    cotangents = {"y": normal(*y.shape)}
    found = net.gradients(tmp_path, cotangents)
    compare(found, {"x": tx, "n": n, "qt": q, "p": p, "a": a}, {"y": y}, cotangents)
    assert not found.incomplete and not found.without_rule


def test_float16_inside(tmp_path):
    """Gradients of float16 values are float32; a Cast lets them through."""
    net = Network()
    x = np.array([0.5, -1.5, 2.0, 0.25], np.float32)
    net.input("x", x)
    net.node("Cast", "x", "h", to=TensorProto.FLOAT16)
    net.node("Mul", "h h", "s")
    net.node("Cast", "s", "y", to=FLOAT)
    net.outputs = ["y"]
    found = net.gradients(tmp_path, {"y": np.array([1, 2, 4, 8], np.float32)})
    assert found.gradients["h"].dtype == np.float32
    np.testing.assert_array_equal(found.gradients["x"], [1, -6, 16, 4])


def test_what_has_no_rule_is_said(tmp_path):
    """One way from x to y goes through a GRU, the other does not."""
    net = Network()
    x = normal(3, 1, 2)
    net.input("x", x)
    net.constant("w", normal(1, 12, 2))
    net.constant("r", normal(1, 12, 4))
    net.constant("two", np.array(2, np.float32))
    net.node("Mul", "x two", "a")
    net.node("GRU", "a w r", "g", hidden_size=4)
    net.node("ReduceSum", "g", "s", keepdims=0)
    net.node("Add", "s a", "y")
    net.outputs = ["y"]
    found = net.gradients(tmp_path, {"y": np.ones_like(x)})
    assert found.without_rule == ["g: no rule for GRU"]
    assert sorted(found.incomplete) == ["a", "x"]
    np.testing.assert_array_equal(found.gradients["x"], np.full_like(x, 2))
    np.testing.assert_array_equal(found.gradients["g"], np.full((3, 1, 1, 4), x.size))


def test_control_flow_has_no_rule(tmp_path):
    """What a branch reads of the outer graph is among the inputs of its If."""
    net = Network()
    x = normal(3)
    net.input("x", x)
    net.input("choice", np.array(True))
    branches = [
        helper.make_graph([helper.make_node(op, ["a"], ["b"])], "branch", [], [value("b")], [])
        for op in ("Exp", "Sin")
    ]
    net.node("Neg", "x", "a")
    net.node("If", "choice", "i", then_branch=branches[0], else_branch=branches[1])
    net.node("Add", "i a", "y")
    net.outputs = ["y"]
    found = net.gradients(tmp_path, {"y": np.ones_like(x)})
    assert found.without_rule == ["i: no rule for If"]
    assert sorted(found.incomplete) == ["a", "x"]
    np.testing.assert_array_equal(found.gradients["x"], -np.ones_like(x))
    np.testing.assert_array_equal(found.gradients["i"], np.ones_like(x))
