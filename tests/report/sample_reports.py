"""Reports and figures to look at: a small one with everything in it, and one of a large model."""

import math
import random

HOSTILE = '</script><img src=x onerror="window.hacked=1">\'&{{data}}<!--'


def bell(bins, low, step, total, width=1.0):
    """Counts of a normal distribution, in bins of a histogram."""
    weights = [math.exp(-0.5 * ((low + (i + 0.5) * step) / width) ** 2) for i in range(bins)]
    return [round(total * weight / sum(weights)) for weight in weights]


def histogram(bins=128, total=100000, random_state=None):
    """Float values, and what 33 quantized values make of them."""
    width = 0.5 + (random_state.random() if random_state else 0.5)
    low, step = -4.0, 8.0 / bins
    counts = bell(bins, low, step, total, width)
    quantized = [0] * bins
    grid = max(1, bins // 33)
    for i, count in enumerate(counts):
        at = min(max(i, bins // 5), bins - bins // 5)
        quantized[at // grid * grid] += count
    limit = round(-low * 0.6, 3)
    return {
        "low": low,
        "step": step,
        "thresholds": [-limit, limit],
        "series": [
            {"name": "float", "counts": counts},
            {"name": "quantized", "counts": quantized},
        ],
    }


def boxes(channels, seed=0):
    """One box per channel, of different spreads."""
    state = random.Random(seed)
    found = []
    for _ in range(channels):
        middle, spread = state.gauss(0, 0.1), state.lognormvariate(-1, 0.6)
        found.append([round(middle + spread * part, 5) for part in (-3, -0.7, 0, 0.7, 3.2)])
    return found


def node_name(i):
    """A name as exporters make them."""
    parts = [
        "attention/self/query/MatMul",
        "attention/output/dense/Add",
        "intermediate/dense/MatMul",
    ]
    return f"/encoder/layer.{i // 3}/{parts[i % 3]}"


def figures():
    """One of each kind, by name; some at the limits."""
    state = random.Random(3)
    names = [node_name(i) for i in range(120)]
    grow = [1e-6 * 1.09**i * (1 + 0.4 * state.random()) for i in range(120)]
    gaps = [v / 7 if i % 9 else None for i, v in enumerate(grow)]
    return {
        "lines": {
            "kind": "lines",
            "title": "Error that builds up node by node",
            "subtitle": "output last_hidden_state, 8 samples",
            "x_label": "node",
            "y_label": "1 - cosine-similarity",
            "y_scale": "log",
            "x": names,
            "series": [
                {"name": "everything quantized", "values": grow},
                {"name": "weights", "values": gaps},
                {"name": "activations", "values": [v / 2 for v in grow]},
            ],
        },
        "lines_numbers": {
            "kind": "lines",
            "title": "Many curves on numbers, linear",
            "x_label": "units quantized",
            "y_label": "cosine-similarity",
            "x": list(range(0, 1000, 20)),
            "series": [
                {"name": f"order {k}", "values": [1 - k * 1e-4 * i for i in range(50)]}
                for k in range(9)
            ],
        },
        "histogram": {
            "kind": "histogram",
            "title": "/encoder/layer.0/attention/self/query/MatMul, input 0",
            "x_label": "value",
            "note": "0.3 % clipped",
            **histogram(1024),
        },
        "boxes": {
            "kind": "boxes",
            "title": "Per channel: conv1.weight",
            "x_label": "channel",
            "y_label": "value",
            "names": [str(i) for i in range(48)],
            "boxes": boxes(48),
            "thresholds": [-1.27, 1.27],
        },
        "boxes_many": {
            "kind": "boxes",
            "title": "Per channel: 2048 channels",
            "x_label": "channel",
            "boxes": boxes(2048, 1),
            "thresholds": [-2, 2],
        },
        "bars": {
            "kind": "bars",
            "title": "The 40 most sensitive nodes",
            "x_label": "1 - cosine-similarity",
            "series": "int8",
            "names": names[:40],
            "values": [0.03 * 0.9**i for i in range(38)] + [None, "nan"],
        },
    }


def tensor(name, node, kind, bins, state):
    """One tensor with its statistics."""
    return {
        "name": name,
        "kind": kind,
        "node": node,
        "dtype": "int8",
        "shape": "1x197x768",
        "min": -3.9123,
        "max": 4.0123,
        "mean": 0.0123,
        "deviation": 1.0234,
        "scale": 0.0315748,
        "zero_point": 0,
        "clipped": 0.0031,
        "sqnr": round(20 + 20 * state.random(), 3),
        "cosine": 0.99987,
        "histogram": histogram(bins, 150000, state),
    }


def graph_and_tensors(nodes, bins, state, seed_names=None):
    """Blocks of twelve nodes with two branches and a residual edge each, as in transformers."""
    ops = [
        "LayerNormalization",
        "MatMul",
        "MatMul",
        "MatMul",
        "Reshape",
        "Reshape",
        "MatMul",
        "Softmax",
        "MatMul",
    ]
    ops += ["MatMul", "Add", "Gelu"]
    reads = [[-1], [-1], [-2], [-3], [-3], [-3], [-2, -1], [-1], [-1, -5], [-1], [-1, -11], [-1]]
    made, tensors = [], []
    for i in range(nodes):
        k = i % len(ops)
        inputs = [i + back for back in reads[k] if i + back >= 0]
        name = f"/encoder/layer.{i // len(ops)}/{ops[k]}_{k}"
        if seed_names and i < len(seed_names):
            name = seed_names[i]
        measured = ops[k] not in ("Reshape", "LayerNormalization")
        made.append(
            {
                "name": name,
                "op_type": ops[k],
                "inputs": inputs,
                "error": round(10 ** state.uniform(-6, -2), 9) if measured else None,
                "precisions": "int8 x int8",
                "tensors": [2 * i, 2 * i + 1],
            }
        )
        tensors.append(tensor(f"{name}_input_0", name, "activation", bins, state))
        tensors.append(tensor(f"{name}_output_0", name, "output", bins, state))
    label = "1 - cosine-similarity of the output with this node alone quantized"
    return {"nodes": made, "error_label": label}, tensors


def sensitivity(unit, graph):
    """A row per node, worst first."""
    rows = [
        {
            "name": node["name"],
            "op_type": node["op_type"],
            "metrics": {
                "cosine-similarity": round(1 - node["error"], 9),
                "sqnr": "inf" if i == 3 else 12.5 + i % 40,
            },
            "threshold": 1.25,
            "bits": 8,
        }
        for i, node in enumerate(graph["nodes"])
        if node["error"] is not None
    ]
    rows.sort(key=lambda row: row["metrics"]["cosine-similarity"])
    return {"unit": unit, "metrics": ["cosine-similarity", "sqnr"], "rows": rows}


def report(nodes=60, bins=64, hostile=False):
    """A report with everything in it."""
    state = random.Random(7)
    graph, tensors = graph_and_tensors(nodes, bins, state, [HOSTILE] if hostile else None)
    tensors[1]["boxes"] = {"boxes": boxes(96), "thresholds": [-1.2, 1.2], "y_label": "value"}
    names = [node["name"] for node in graph["nodes"]]
    config = "node_config:\n  /encoder/layer.0/MatMul_1:\n    input0: int16\n    weight: ec\n"
    findings = [
        {
            "severity": "limit",
            "title": "All residual Adds together limit the model to 6.8 dB",
            "text": "Raising MatMul to dual int16 is no help while these are at 8 bits.\n"
            "Inputs of Add have a few channels that are 40 times as wide as the others.",
            "nodes": [name for name in names if "Add" in name],
            "config": config,
        },
        {
            "severity": "both",
            "title": "Both inputs are sensitive: " + names[1],
            "text": "Neither the weight nor the input alone explains the error.",
            "nodes": names[1:2],
            "table": {
                "headings": ["change", "cosine-similarity", "sqnr"],
                "rows": [
                    ["int8", 0.9712, 12.1],
                    ["input int16", 0.98, 14],
                    ["both", 0.9999, "inf"],
                ],
            },
            "config": config,
        },
        {
            "severity": "operand",
            "title": "Clipping dominates in " + names[0],
            "text": "A threshold of 3.9 instead of 2.4 gains 8 dB.",
            "nodes": names[:1],
        },
        {"severity": "note", "title": "Single errors add up to 0.8 of the error of all units."},
    ]
    return {
        "title": HOSTILE if hostile else "encoder.onnx",
        "facts": [
            ["Model", "/models/encoder.onnx"],
            ["Target", HOSTILE if hostile else "cpu"],
            ["Samples", "8"],
            ["Time", "12.3 s"],
        ],
        "outputs": [
            {
                "name": "last_hidden_state",
                "metrics": {"cosine-similarity": 0.98123, "sqnr": 12.34, "mse": 1.2e-5},
            },
            {"name": "pooled", "metrics": {"cosine-similarity": 1, "sqnr": "inf", "mse": 0}},
        ],
        "findings": findings,
        "config": config * 2,
        "sensitivity": [sensitivity("node", graph), sensitivity("weight", graph)],
        "figures": [
            {"section": "Error curves", "figure": figures()["lines"]},
            {"section": "Error curves", "figure": figures()["lines_numbers"]},
            {"section": "Distributions", "figure": figures()["histogram"]},
            {"section": "Distributions", "figure": figures()["boxes_many"]},
        ],
        "graph": graph,
        "tensors": tensors,
    }
