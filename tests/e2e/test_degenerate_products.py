"""Quantized products of odd, empty and impossible shapes: a result or one error, never a crash."""

import random

import numpy as np
import onnx
import pytest
import twofold
from qdq_model import QdqModel

TYPES = (np.int8, np.uint8, np.int16, np.uint16)
SIZES = (0, 1, 1, 2, 3, 5)


def sizes(rng, count):
    return [rng.choice(SIZES) for _ in range(count)]


def convolution(rng, op):
    spatial = rng.choice([1, 2, 3])
    a, b = sizes(rng, spatial + 2), sizes(rng, rng.choice([spatial, spatial, 1, 2]) + 2)
    if rng.random() < 0.7:
        b[1 if op == "Conv" else 0] = a[1]
    attributes = {
        "strides": [rng.choice([1, 2, 3])] * spatial,
        "pads": [rng.choice([0, 1, 2])] * (2 * spatial),
        "dilations": [rng.choice([1, 2])] * spatial,
        "group": rng.choice([1, 2, 3]),
        "auto_pad": rng.choice(["SAME_UPPER", "VALID"]),
    }
    return a, b, {key: value for key, value in attributes.items() if rng.random() < 0.4}


def matrices(rng, op):
    if op == "Gemm":
        a, b = sizes(rng, 2), sizes(rng, 2)
        return a, b, {"transA": rng.choice([0, 1]), "transB": rng.choice([0, 1])}
    a, b = sizes(rng, rng.choice([1, 2, 3, 4])), sizes(rng, rng.choice([1, 2, 3, 4]))
    if rng.random() < 0.7:
        b[-2 if len(b) > 1 else -1] = a[-1]
    return a, b, {}


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "MatMul", "Gemm"])
def test_any_shape_gives_a_result_or_an_error(op, monkeypatch):
    monkeypatch.setattr(onnx.checker, "check_model", lambda *_, **__: None)
    rng = random.Random(op)
    outcomes = {"result": 0, "error": 0}
    for _ in range(150):
        a, b, attributes = (convolution if op.startswith("Conv") else matrices)(rng, op)
        a_type, b_type, dynamic = rng.choice(TYPES), rng.choice(TYPES), rng.random() < 0.4
        model = QdqModel()
        x = model.dequantize(model.input("a", a_type, a), np.float32(0.1), a_type(0))
        weight = model.input("b", b_type, b) if dynamic else model.constant(np.ones(b, b_type))
        w = model.dequantize(weight, np.float32(0.1), b_type(0))
        y = model.node(op, x, w, **attributes)
        model.output(model.quantize(y, np.float32(0.1), np.int8(0)), np.int8, 2)
        feeds = {"a": np.ones(a, a_type), **({"b": np.ones(b, b_type)} if dynamic else {})}
        try:
            twofold.Session(model.bytes(), threads=1).run(feeds)
            outcomes["result"] += 1
        except twofold.Error as error:
            assert op in str(error)
            outcomes["error"] += 1
    assert min(outcomes.values()) > 10, outcomes
