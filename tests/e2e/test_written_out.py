"""Functions that exporters write out in simpler operators, and masks, beside NumPy in float64."""

import json

import numpy as np
import onnxruntime
import pytest
import twofold
from small_models import node, save, weights

WIDTH, TOKENS = 16, 6
LOWEST = np.finfo(np.float32).min


def sqnr(expected, got):
    return 10 * np.log10((expected**2).sum() / ((expected - got) ** 2).sum())


def worst_sqnr(forward, model, samples, output="y"):
    session = twofold.Session(model)
    return min(sqnr(forward(**sample), session.run(sample)[output]) for sample in samples)


def rms_norm(x, gain):
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6) * gain


def softmax(x):
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def written_rms_norm(x, name):
    """x -> name, as PyTorch exports LLaMA's."""
    return [
        node("Pow", f"{x} two", f"{name}_p", f"{name}_pow"),
        node("ReduceMean", f"{name}_p", f"{name}_m", f"{name}_mean", axes=[-1]),
        node("Add", f"{name}_m eps", f"{name}_v", f"{name}_epsilon"),
        node("Sqrt", f"{name}_v", f"{name}_s", f"{name}_sqrt"),
        node("Div", f"one {name}_s", f"{name}_r", f"{name}_reciprocal"),
        node("Mul", f"{x} {name}_r", f"{name}_n", f"{name}_normalize"),
        node("Mul", f"{name}_g {name}_n", name, f"{name}_gain"),
    ]


def llama_constants():
    constants = {
        name: weights(seed, WIDTH, WIDTH) / 4
        for seed, name in enumerate(["Wx", "Wq", "Wk", "Wv", "Wo", "Wg", "Wu", "Wd"])
    }
    gains = {"a_g": 1 + weights(20, WIDTH) / 10, "f_g": 1 + weights(21, WIDTH) / 10}
    mask = np.where(np.tril(np.ones((TOKENS, TOKENS), bool)), 0, LOWEST).astype(np.float32)
    scalars = {"two": 2, "one": 1, "eps": 1e-6, "scale": WIDTH**-0.5}
    return constants | gains | {"mask": mask} | {k: np.float32(v) for k, v in scalars.items()}


def llama(path):
    """A layer of a decoder: RMSNorm, causal attention, RMSNorm, SwiGLU; and NumPy's forward."""
    c = llama_constants()
    nodes = [
        node("MatMul", "x Wx", "h", "embed"),
        *written_rms_norm("h", "a"),
        node("MatMul", "a Wq", "q", "query"),
        node("MatMul", "a Wk", "k", "key"),
        node("MatMul", "a Wv", "v", "value"),
        node("Transpose", "k", "kt", "transpose", perm=[0, 2, 1]),
        node("MatMul", "q kt", "s", "product"),
        node("Mul", "s scale", "s1", "scores"),
        node("Add", "s1 mask", "s2", "masked"),
        node("Softmax", "s2", "p", "softmax", axis=-1),
        node("MatMul", "p v", "o", "mix"),
        node("MatMul", "o Wo", "o1", "attended"),
        node("Add", "h o1", "h1", "residual"),
        *written_rms_norm("h1", "f"),
        node("MatMul", "f Wg", "g", "gate"),
        node("Neg", "g", "g1", "negate"),
        node("Exp", "g1", "g2", "exp"),
        node("Add", "g2 one", "g3", "plus_one"),
        node("Div", "g g3", "g4", "silu"),
        node("MatMul", "f Wu", "u", "up"),
        node("Mul", "g4 u", "d", "gated"),
        node("MatMul", "d Wd", "d1", "down"),
        node("Add", "h1 d1", "h2", "residual_2"),
        node("MatMul", "h2 Wx", "y", "head"),
    ]
    save(path, nodes, {"x": [1, TOKENS, WIDTH]}, {"y": [1, TOKENS, WIDTH]}, c)

    def forward(x):
        w = {k: v.astype(np.float64) for k, v in c.items()}
        h = x.astype(np.float64) @ w["Wx"]
        a = rms_norm(h, w["a_g"])
        scores = (a @ w["Wq"]) @ (a @ w["Wk"]).transpose(0, 2, 1) * w["scale"] + w["mask"]
        h = h + softmax(scores) @ (a @ w["Wv"]) @ w["Wo"]
        f = rms_norm(h, w["f_g"])
        gate = f @ w["Wg"]
        h = h + (gate / (1 + np.exp(-gate)) * (f @ w["Wu"])) @ w["Wd"]
        return h @ w["Wx"]

    return forward


def token_samples(count, spread, outliers=1.0):
    """Tokens of magnitudes e^(spread N(0, 1)), with two channels `outliers` times as large."""
    random = np.random.default_rng(3)
    channels = np.ones(WIDTH, np.float32)
    channels[[2, 11]] = outliers
    shape = (1, TOKENS, WIDTH)
    scales = np.exp(spread * random.standard_normal((count, 1, TOKENS, 1)))
    tokens = random.standard_normal((count, *shape)) * scales * channels
    return [{"x": x.astype(np.float32)} for x in tokens]


def floats(report):
    """Nodes with a float32 input."""
    inputs = [row for row in report["operands"] if row["operand"].startswith("input")]
    return {row["node"] for row in inputs if row["granted"] == "float32"}


@pytest.mark.parametrize(("spread", "outliers", "least"), [(0.3, 1, 12), (0.3, 20, 12), (1, 1, 4)])
def test_a_llama_layer(tmp_path, spread, outliers, least):
    forward = llama(tmp_path / "m.onnx")
    samples = token_samples(8, spread, outliers)
    found = {}
    for qtype in ("int8", "int16"):
        config = {"model_config": {"all_node_type": qtype}}
        output = tmp_path / f"{qtype}.onnx"
        report = twofold.quantize(tmp_path / "m.onnx", samples, config, output=output)
        for part in ("epsilon", "normalize", "gain"):
            assert {f"a_{part}", f"f_{part}"} <= floats(report)
        assert {"scores", "masked"} <= floats(report)
        assert not {"gated", "residual", "head"} & floats(report)
        found[qtype] = worst_sqnr(forward, output, samples)
    assert found["int8"] > least, found
    # Weights stay int8 at int16.
    assert found["int16"] > 30, found


def jax_network(path):
    """LayerNorm by E[x^2] - E[x]^2, x / (1 + exp(-x)) and a softmax by hand, as JAX has them."""
    c = {
        "W1": weights(1, WIDTH, WIDTH) / 4,
        "W2": weights(2, WIDTH, WIDTH) / 2,
        "W3": weights(3, WIDTH, 5) / 2,
        "g": 1 + weights(4, WIDTH) / 10,
        "b": weights(5, WIDTH) / 10,
    }
    c |= {"zero": np.float32(0), "one": np.float32(1), "eps": np.float32(1e-6)}
    c |= {"lowest": np.float32(-np.inf), "axis": np.array([-1])}
    nodes = [
        node("MatMul", "x W1", "h", "first"),
        node("ReduceMean", "h", "m", "mean", axes=[-1]),
        node("Mul", "h h", "h2", "square"),
        node("ReduceMean", "h2", "e2", "mean_of_squares", axes=[-1]),
        node("Mul", "m m", "m2", "square_of_mean"),
        node("Sub", "e2 m2", "v0", "variance"),
        node("Max", "zero v0", "v", "not_negative"),
        node("Sub", "h m", "c", "center"),
        node("Add", "v eps", "ve", "epsilon"),
        node("Sqrt", "ve", "sd", "sqrt"),
        node("Reciprocal", "sd", "r", "reciprocal"),
        node("Mul", "r g", "rg", "gain"),
        node("Mul", "c rg", "n0", "normalize"),
        node("Add", "n0 b", "n", "bias"),
        node("MatMul", "n W2", "a", "second"),
        node("Neg", "a", "na", "negate"),
        node("Exp", "na", "ea", "exp"),
        node("Add", "one ea", "da", "plus_one"),
        node("Div", "a da", "s", "swish"),
        node("MatMul", "s W3", "z", "third"),
        node("ReduceMax", "z", "zm0", "max", axes=[-1]),
        node("Max", "lowest zm0", "zm", "not_lowest"),
        node("Sub", "z zm", "zs", "shift"),
        node("Exp", "zs", "ze", "powers"),
        node("ReduceSum", "ze axis", "zt", "sum"),
        node("Div", "ze zt", "p", "divide"),
        node("MatMul", "p W4", "y", "last"),
    ]
    c["W4"] = weights(6, 5, 4)
    save(path, nodes, {"x": [1, TOKENS, WIDTH]}, {"y": [1, TOKENS, 4]}, c)

    def forward(x):
        w = {k: v.astype(np.float64) for k, v in c.items()}
        h = x.astype(np.float64) @ w["W1"]
        normal = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-6)
        a = (normal * w["g"] + w["b"]) @ w["W2"]
        return softmax(a / (1 + np.exp(-a)) @ w["W3"]) @ w["W4"]

    return forward


def test_a_jax_network(tmp_path):
    forward = jax_network(tmp_path / "m.onnx")
    samples = token_samples(8, 1, 4)
    output = tmp_path / "q.onnx"
    # The names of the file find what they were fused into.
    config = {
        "model_config": {"all_node_type": "int16"},
        "node_config": {"square": {"qtype": "float32"}, "powers": {"qtype": "float32"}},
    }
    report = twofold.quantize(tmp_path / "m.onnx", samples, config, output=output)
    assert not [note for note in report["notes"] if "square" in note or "powers" in note]
    assert {row["op_type"] for row in report["operands"]} == {
        *["MatMul", "LayerNormalization", "Sigmoid", "Mul", "Softmax"]
    }
    assert worst_sqnr(forward, output, samples) > 20


# What no pass has a name for: the rule of docs/config.md alone.
FUNCTIONS = {
    "RMSNorm, Pow(-1/2)": (
        [
            node("Mul", "h h", "p", "square"),
            node("ReduceMean", "p", "m", "mean", axes=[-1]),
            node("Add", "m eps", "v", "epsilon"),
            node("Pow", "v half", "r", "inverse"),
            node("Mul", "r h", "o", "normalize"),
        ],
        lambda h: h / np.sqrt((h**2).mean(-1, keepdims=True) + 1e-6),
    ),
    "L2 norm": (
        [
            node("ReduceL2", "h", "l", "norm", axes=[-1]),
            node("Max", "l eps", "v", "floor"),
            node("Div", "h v", "o", "divide"),
        ],
        lambda h: h / np.maximum(np.sqrt((h**2).sum(-1, keepdims=True)), 1e-6),
    ),
    "log of a power spectrum": (
        [
            node("Mul", "h h", "p", "square"),
            node("Add", "p eps", "v", "epsilon"),
            node("Log", "v", "l", "log"),
            node("Sub", "l one", "o", "center"),
        ],
        lambda h: np.log(h**2 + 1e-6) - 1,
    ),
    "Mish by hand": (
        [
            node("Exp", "h", "e", "exp"),
            node("Add", "e one", "e1", "plus_one"),
            node("Mul", "e1 e1", "q", "square"),
            node("Sub", "q one", "n", "numerator"),
            node("Add", "q one", "d", "denominator"),
            node("Div", "n d", "t", "tanh"),
            node("Mul", "h t", "o", "mish"),
        ],
        lambda h: h * np.tanh(np.log1p(np.exp(h))),
    ),
}


@pytest.mark.parametrize("target", ["cpu", "generic"])
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_between_products(tmp_path, function, target):
    nodes, compute = FUNCTIONS[function]
    c = {"W1": weights(1, WIDTH, WIDTH) / 8, "W2": weights(2, WIDTH, 4)}
    scalars = {"eps": 1e-6, "one": 1, "half": -0.5}
    c |= {k: np.float32(v) for k, v in scalars.items() if any(k in n.input for n in nodes)}
    ends = [node("MatMul", "x W1", "h", "first"), node("MatMul", "o W2", "y", "last")]
    shapes = {"x": [1, TOKENS, WIDTH]}, {"y": [1, TOKENS, 4]}
    save(tmp_path / "m.onnx", [ends[0], *nodes, ends[1]], *shapes, c)
    samples = token_samples(8, 1)
    config = {"model_config": {"all_node_type": "int16"}}
    output = tmp_path / "q.onnx"
    report = twofold.quantize(tmp_path / "m.onnx", samples, config, output=output, target=target)
    assert floats(report) >= {n.name for n in nodes}
    counted = [n for n in report["notes"] if "as parts of functions" in n]
    assert len(counted) == 1

    def forward(x):
        return compute(x.astype(np.float64) @ c["W1"].astype(np.float64)) @ c["W2"]

    # int8 weights, and tokens that differ by orders of magnitude at 16 bits.
    assert worst_sqnr(forward, output, samples) > 25


def masked_attention(path, form):
    """Scores of x with a mask of the given form; the mask of one sample differs from the next."""
    c = {"W": weights(1, WIDTH, WIDTH) / 4}
    causal = np.tril(np.ones((TOKENS, TOKENS), bool))
    inputs = {"x": [1, TOKENS, WIDTH]}
    masks = {"Where -inf": -np.inf, "Where finfo.min": LOWEST, "Where -10000": -1e4}
    if form in masks:
        c |= {"causal": causal, "low": np.float32(masks[form])}
        mask = [node("Where", "causal s low", "m", "mask")]
    elif form == "Add -inf":
        c["low"] = np.where(causal, 0, -np.inf).astype(np.float32)
        mask = [node("Add", "s low", "m", "mask")]
    else:  # Hugging Face: (1 - keep) finfo.min
        c |= {"one": np.float32(1), "low": LOWEST}
        inputs["keep"] = [1, TOKENS, TOKENS]
        mask = [
            node("Sub", "one keep", "k1", "invert"),
            node("Mul", "k1 low", "k2", "lowest"),
            node("Add", "s k2", "m", "mask"),
        ]
    nodes = [
        node("MatMul", "x W", "q", "query"),
        node("Transpose", "x", "t", "transpose", perm=[0, 2, 1]),
        node("MatMul", "q t", "s", "product"),
        *mask,
        node("Softmax", "m", "p", "softmax", axis=-1),
        node("MatMul", "p x", "y", "mix"),
    ]
    save(path, nodes, inputs, {"y": [1, TOKENS, WIDTH]}, c)

    def forward(x, keep=None):
        x = x.astype(np.float64)
        scores = x @ c["W"].astype(np.float64) @ x.transpose(0, 2, 1)
        return softmax(np.where(causal, scores, -1e30)) @ x

    keep = {"keep": causal.astype(np.float32)[None]} if "keep" in inputs else {}
    return forward, [sample | keep for sample in token_samples(6, 0.2)]


FORMS = ["Where -inf", "Where finfo.min", "Where -10000", "Add -inf", "Hugging Face"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("config", "least"),
    [
        ({}, 15),
        ({"model_config": {"all_node_type": "int16"}}, 30),
        (
            {
                "op_config": {
                    op: {"qtype": "int16"} for op in ("Softmax", "Add", "Where", "Mul", "Sub")
                }
            },
            15,
        ),
    ],
)
def test_a_mask_in_front_of_a_softmax(tmp_path, form, config, least):
    """Named, too, the mask does not set the scale of the scores, and its integers are finite."""
    forward, samples = masked_attention(tmp_path / "m.onnx", form)
    output = tmp_path / "q.onnx"
    report = twofold.quantize(tmp_path / "m.onnx", samples, config, output=output)
    assert worst_sqnr(forward, output, samples) > least, json.dumps(report["notes"])
    if "op_config" in config:
        softmax_row = next(row for row in report["operands"] if row["node"] == "softmax")
        assert softmax_row["granted"] == "int16"
        assert softmax_row["threshold"] < 1000
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Its integer kernels saturate on CPUs without VNNI; float32 does not.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(output, options, providers=["CPUExecutionProvider"])
    ours = twofold.Session(output)
    for sample in samples:
        (expected,) = session.run(None, sample)
        # Softmax and products differ in the last bits, which may move an integer by a step.
        assert sqnr(expected, ours.run(sample)["y"]) > 40


def test_an_operand_that_is_not_finite_says_so(tmp_path):
    """Log of what may be negative, of which a Where leaves nothing; and a constant."""
    nodes = [
        node("MatMul", "x W", "h", "first"),
        node("Log", "h", "l", "log"),
        node("Greater", "h zero", "c", "positive"),
        node("Where", "c l low", "w", "where"),
        node("Max", "w floor", "m", "max"),
        node("MatMul", "m W", "y", "last"),
    ]
    c = {"W": weights(1, WIDTH, WIDTH), "zero": np.float32(0)}
    c |= {"low": np.float32(-np.inf), "floor": np.float32(-3)}
    save(tmp_path / "m.onnx", nodes, {"x": [1, TOKENS, WIDTH]}, {"y": [1, TOKENS, WIDTH]}, c)
    samples = token_samples(4, 0.3)
    config = {"op_config": {"Where": {"qtype": "int8"}, "Max": {"qtype": "int8"}}}
    output, plan = tmp_path / "q.onnx", tmp_path / "plan.json"
    report = twofold.quantize(tmp_path / "m.onnx", samples, config, output=output, plan=plan)
    reasons = {
        (row["node"], row["operand"]): row.get("reason", "")
        for row in json.loads(plan.read_text())["operands"]
    }
    assert reasons["where", "input1"] == "no range can be made of 'l': it holds NaN in sample 0"
    assert reasons["where", "input2"] == (
        "no range can be made of 'low': it is a constant with NaN or infinity"
    )
    assert reasons["max", "input0"] == "no range can be made of 'w': it holds infinity in sample 0"
    assert reasons["max", "input1"] == ""
    assert any("no range can be made of 'w'" in note for note in report["notes"])

    def forward(x):
        h = x.astype(np.float64) @ c["W"].astype(np.float64)
        return np.maximum(np.where(h > 0, np.log(np.abs(h)), -np.inf), -3) @ c["W"]

    assert worst_sqnr(forward, output, samples) > 20
    with pytest.raises(twofold.Error, match="no range can be made of 'l'"):
        twofold.quantize(tmp_path / "m.onnx", samples, config, strict=True)
