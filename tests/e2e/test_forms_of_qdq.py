"""How a file says what integers it means makes no difference: to how they run, nor to a bit."""

import numpy as np
import onnx
import pytest
import twofold
from qdq_model import QdqModel

RANDOM = np.random.default_rng(0)
WEIGHT = RANDOM.integers(-90, 90, (8, 6)).astype(np.int8)
SECOND = RANDOM.integers(-90, 90, (6, 5)).astype(np.int8)
SCALES = RANDOM.uniform(0.001, 0.01, 6).astype(np.float32)
BIAS = RANDOM.integers(-900, 900, 6).astype(np.int32)
X = RANDOM.uniform(-1, 1, (4, 8)).astype(np.float32)
WIDTHS = {"int8": (np.int8, 0.01), "uint8": (np.uint8, 0.005), "int16": (np.int16, 4e-5)}


class Form(QdqModel):
    """x [4,8] -> Gemm -> Relu -> MatMul -> y, written as `how` says."""

    def __init__(self, how, width):
        super().__init__()
        self.how = how
        dtype, step = WIDTHS[width]
        x = self.edge(self.input("x", np.float32, [4, 8]), dtype, step)
        inputs = [x, self.weight(WEIGHT, SCALES), self.bias(step)]
        y = self.edge(self.node("Relu", self.node("Gemm", *inputs)), dtype, 3 * step)
        if how == "duplicated pairs":
            self.output(self.edge(y, dtype, 3 * step), np.float32, 2)
        self.output(self.node("MatMul", y, self.weight(SECOND, np.float32(0.01))), np.float32, 2)

    def number(self, value):
        """A scale or a zero point for all."""
        return self.constant(np.asarray([value] if self.how == "one-element vectors" else value))

    def edge(self, x, dtype, step):
        """What x is as integers, dequantized."""
        scale, zero = np.float32(step), dtype(0)
        kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        inputs, attributes = [self.number(scale), self.number(zero)], {}
        if self.how == "no zero points":
            inputs, attributes = inputs[:1], {"output_dtype": kind}
        if self.how == "an axis that does not matter":
            attributes["axis"] = -1
        q = self.node("QuantizeLinear", x, *inputs, **attributes)
        if self.how == "Identity between":
            q = self.node("Identity", q)
        attributes.pop("output_dtype", None)
        return self.node("DequantizeLinear", q, *inputs, **attributes)

    def weight(self, integers, scale):
        """Along axis 1."""
        axis = -1 if self.how == "negative axes" else 1
        zeros = None if self.how == "no zero points" else np.zeros(scale.shape, np.int8)
        attributes = {"axis": axis} if scale.ndim else {}
        if self.how == "Constant nodes":
            values = self.node("Constant", value=onnx.numpy_helper.from_array(integers))
        else:
            values = self.constant(integers)
        return self.dequantize(values, scale, zeros, **attributes)

    def bias(self, step):
        """int32, in units of both scales."""
        zeros = np.zeros(6, np.int32) if self.how == "a zero point of int32" else None
        return self.dequantize(self.constant(BIAS), np.float32(step) * SCALES, zeros, axis=0)


def kinds(path):
    products = ("Gemm", "MatMul")
    rows = twofold.inspect(path)["lowered"]
    return [row["kind"] for row in rows if any(p in row["op_type"] for p in products)]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    "how",
    [
        "no zero points",
        "one-element vectors",
        "an axis that does not matter",
        "negative axes",
        "Identity between",
        "Constant nodes",
        "duplicated pairs",
        "a zero point of int32",
    ],
)
def test_forms_run_alike(tmp_path, how, width):
    results = []
    for form in ("plain", how):
        model = Form(form, width)
        path = tmp_path / "model.onnx"
        path.write_bytes(model.bytes())
        session = twofold.Session(path)
        results.append((kinds(path), session.run({"x": X})[model.outputs[-1].name]))
    assert results[0][0] == ["integer", "integer"]
    assert results[1][0] == results[0][0]
    np.testing.assert_array_equal(results[1][1], results[0][1])
