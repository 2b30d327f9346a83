"""How many multiplications each product of a network takes, and which of them are beyond int8 x int8."""

import math

import onnx

from exact_onnxruntime import default_session

PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
MOVERS = ("Clip", "Concat", "Flatten", "Gather", "Identity", "MaxPool", "Pad", "Relu", "Reshape", "Slice", "Split")
MOVERS += ("Squeeze", "Transpose", "Unsqueeze")


def multiplications(path, feed):
    """{node: MACs} of every product of a float model on one feed. The shapes are those of a run."""
    model = onnx.load(path)
    nodes = [(f"{n.op_type}_{i}", n) for i, n in enumerate(model.graph.node)]
    products = [(n.name or unnamed, n) for unnamed, n in nodes if n.op_type in PRODUCTS]
    tensors = sorted({name for _, n in products for name in (*n.input[:2], n.output[0])})
    constants = {t.name: list(t.dims) for t in model.graph.initializer}
    wanted = [name for name in tensors if name not in constants]
    del model.graph.output[:]
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in feed)
    names = [output.name for output in model.graph.output]
    arrays = default_session(model.SerializeToString()).run(names, feed)
    shapes = constants | {name: list(a.shape) for name, a in (feed | dict(zip(names, arrays, strict=True))).items()}
    return {name: _macs(node, shapes) for name, node in products}


def _macs(node, shapes):
    first, second, result = (shapes[name] for name in (*node.input[:2], node.output[0]))
    if node.op_type == "Conv":
        return math.prod(result) * math.prod(second[1:])
    if node.op_type == "ConvTranspose":
        return math.prod(first) * math.prod(second[1:])
    transposed = any(a.name == "transA" and a.i for a in node.attribute)
    return math.prod(result) * (first[0] if transposed else first[-1])


def share_beyond_int8(macs, operands):
    """The part of all MACs that are not int8 x int8; `operands` are those of quantize's report."""
    granted = {}
    for row in operands:
        granted.setdefault(row["node"], {})[row["operand"]] = row["granted"]
    within = [
        count
        for node, count in macs.items()
        if [granted.get(node, {}).get(f"input{i}") for i in (0, 1)] == ["int8", "int8"]
    ]
    return 1 - sum(within) / sum(macs.values()) if macs else 0.0


def share_of_floats(path, feed):
    """The part of all MACs of a QDQ model's products that do not take both inputs from a DequantizeLinear.

    What only moves or clamps numbers may lie between the two.
    """
    macs = multiplications(path, feed)
    nodes = onnx.load(path).graph.node
    maker = {name: n for n in nodes for name in n.output}

    def quantized(name):
        node = maker.get(name)
        if node and node.op_type in MOVERS:
            return all(map(quantized, node.input if node.op_type == "Concat" else node.input[:1]))
        return node is not None and node.op_type == "DequantizeLinear"

    products = [n for n in nodes if n.op_type in PRODUCTS]
    both = [all(map(quantized, n.input[:2])) for n in products]
    return 1 - sum(m for m, b in zip(macs.values(), both, strict=True) if b) / sum(macs.values()) if macs else 0.0
