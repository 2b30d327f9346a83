"""Equalization, against a network that NumPy quantizes by itself."""

import json

import numpy as np
import pytest
import small_models
import twofold
from command_line import run, succeed

CONFIG = {
    "model_config": {
        "all_node_type": "int8",
        "activation": {"calibration_type": "max", "asymmetric": False},
        "weight": {"rounding": "nearest"},
    }
}
OFF = {"model_config": {**CONFIG["model_config"], "equalization": False}}
CHANNELS = 24


def network(folder, outlier=60.0):
    """x [1,8,24] -> LayerNormalization -> two products; four channels are larger than the rest."""
    factors = np.ones(CHANNELS, np.float32)
    factors[[3, 11, 17, 20]] = outlier, outlier, outlier / 2, outlier / 3
    gamma = small_models.weights(1, CHANNELS) / 10 + factors
    beta = small_models.weights(2, CHANNELS) / 10 * factors
    w, v = (small_models.weights(seed, CHANNELS, 6) / factors[:, None] for seed in (3, 4))
    constants = {"gamma": gamma, "beta": beta, "w": w, "v": v}
    nodes = [
        small_models.node("LayerNormalization", "x gamma beta", "t", "/norm", epsilon=1e-5),
        small_models.node("MatMul", "t w", "y", "/first"),
        small_models.node("MatMul", "t v", "z", "/second"),
    ]
    shapes = {"y": [1, 8, 6], "z": [1, 8, 6]}
    model = small_models.save(
        folder / "model.onnx", nodes, {"x": [1, 8, CHANNELS]}, shapes, constants
    )
    x = np.random.default_rng(5).normal(0, 1, (8, 1, 8, CHANNELS)).astype(np.float32)
    return model, {"x": x}, constants


def quantized(model, data, config, folder, name):
    return twofold.quantize(
        model,
        [{"x": x} for x in data["x"]],
        config,
        output=folder / f"{name}.onnx",
        plan=folder / f"{name}.json",
        progress=False,
    )


def normalized(x, gamma, beta):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * gamma + beta


def rounded(values, largest):
    scale = largest / 127
    return np.clip(np.round(values / scale), -128, 127) * scale


def sqnr_by_hand(data, constants, exponents):
    """Signal over noise of both outputs, each averaged over samples, with 8 bits everywhere."""
    factors = 2.0 ** np.asarray(exponents)
    x = data["x"].astype(np.float64)
    t = normalized(x, constants["gamma"], constants["beta"])
    even = normalized(x, constants["gamma"] / factors, constants["beta"] / factors)
    even = rounded(even, np.abs(even).max())
    found = []
    for name in ("w", "v"):
        weight = constants[name].astype(np.float64) * factors[:, None]
        y = t @ constants[name]
        error = even @ rounded(weight, np.abs(weight).max(0)) - y
        power = (y**2).sum((1, 2, 3)) / (error**2).sum((1, 2, 3))
        found.append((10 * np.log10(power)).mean())
    return found


def test_gains_what_numpy_gains(tmp_path):
    model, data, constants = network(tmp_path)
    with_it = quantized(model, data, CONFIG, tmp_path, "even")
    without = quantized(model, data, OFF, tmp_path, "uneven")
    (equalization,) = twofold.Plan.load(tmp_path / "even.json").equalizations
    assert equalization["tensor"] == "t"
    assert equalization["nodes"] == ["/norm", "/first", "/second"]
    assert twofold.Plan.load(tmp_path / "uneven.json").equalizations == []
    for report, exponents in ((with_it, equalization["exponents"]), (without, [0] * CHANNELS)):
        expected = sqnr_by_hand(data, constants, exponents)
        found = [row["metrics"]["sqnr"] for row in report["outputs"]]
        # Ties and the last bits of float32 are all that is different.
        assert found == pytest.approx(expected, abs=0.1)
    gains = np.subtract(
        [row["metrics"]["sqnr"] for row in with_it["outputs"]],
        [row["metrics"]["sqnr"] for row in without["outputs"]],
    )
    assert (gains > 15).all()
    (note,) = [note for note in with_it["notes"] if "equalized" in note]
    assert "'t'" in note and "dB" in note


def test_the_plan_makes_the_same_file(tmp_path):
    model, data, _ = network(tmp_path)
    quantized(model, data, CONFIG, tmp_path, "made")
    twofold.quantize(
        model,
        from_plan=tmp_path / "made.json",
        output=tmp_path / "again.onnx",
        plan=tmp_path / "again.json",
        progress=False,
    )
    for ending in ("onnx", "json"):
        made, again = ((tmp_path / f"{name}.{ending}").read_bytes() for name in ("made", "again"))
        assert made == again


def test_verify_compares_equal_numbers(tmp_path):
    model, data, _ = network(tmp_path)
    quantized(model, data, CONFIG, tmp_path, "made")
    report = twofold.verify(model, tmp_path / "made.onnx", [{"x": x} for x in data["x"]])
    (normalization,) = [row for row in report["tensors"] if row["tensor"] == "t"]
    assert normalization["equal_share"] == 1


def test_the_debugger_reads_a_quantized_file(tmp_path):
    model, data, _ = network(tmp_path)
    np.savez(tmp_path / "x.npz", **data)
    quantized(model, data, CONFIG, tmp_path, "made")
    command = ["debug", "get-sensitivity-of-nodes"]
    file, plan = tmp_path / "made.onnx", ["--plan", tmp_path / "made.json"]
    found = []
    for name, subject in (("file", [file]), ("plan", [model])):
        report = tmp_path / f"{name}.report.json"
        options = ["-s", tmp_path / name, "--json", report, *(plan if name == "plan" else [])]
        succeed(*command, *subject, tmp_path / "x.npz", *options)
        found.append(json.loads(report.read_text())["rows"])
    assert found[0] == found[1] and found[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda item: item["exponents"].pop(), "it has 24 channels, and 23 exponents"),
        (lambda item: item.update(tensor="gone"), "the model has no such tensor"),
        (lambda item: item.update(tensor="x"), "no node computes it"),
        (lambda item: item["exponents"].__setitem__(0, 99), "must be a number from -15 to 15"),
        (lambda item: item["nodes"].pop(), "it concerns the nodes /norm, /first, /second"),
    ],
)
def test_bad_plans_are_refused(tmp_path, change, message):
    model, data, _ = network(tmp_path)
    quantized(model, data, CONFIG, tmp_path, "made")
    content = json.loads((tmp_path / "made.json").read_text())
    change(content["equalizations"][0])
    (tmp_path / "bad.json").write_text(json.dumps(content))
    result = run("quantize", model, "--from-plan", tmp_path / "bad.json", "-o", tmp_path / "o.onnx")
    assert result.returncode != 0
    assert message in result.stderr
    assert not (tmp_path / "o.onnx").exists()
