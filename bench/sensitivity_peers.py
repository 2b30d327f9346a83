"""Sensitivity of every layer: other toolkits' analyses against Twofold's, on the same model and samples.

python bench/sensitivity_peers.py [--models ppocrv4-rec digits] [--samples 1] [--rounds 3] [--folder PATH] [--json FILE]

The pins of the toolkits clash, so each has a virtual environment of its own, folder/NAME; those that are not there are
left out:

    python -m venv PATH/esp-ppq && PATH/esp-ppq/bin/pip install esp-ppq==1.3.12 torch==2.13.0
    python -m venv PATH/aimet-onnx && PATH/aimet-onnx/bin/pip install aimet-onnx==2.42.0 onnxruntime
    python -m venv PATH/amd-quark && PATH/amd-quark/bin/pip install amd-quark==0.13 torch==2.13.0 onnxruntime

Every analysis runs in a process of its own, in turns, with as many threads as it takes by itself. Quantizing and
calibrating, on 16 samples, are done before the clock starts; Twofold is handed its plan, and opens the model inside.
Each must give one finite number per layer. What is compared is seconds per layer: Twofold measures every node that gets
integers, the others Conv, MatMul and Gemm or, AIMET, whatever has a quantizer. A ratio above 1 means that Twofold is
faster.

    ESP-PPQ     layerwise_error_analyse: the layer alone quantized, signal to noise of the output
    AIMET       analyze_per_layer_sensitivity: the layer's quantizers alone enabled, here with the output's cosine
    AMD Quark   the analysis of AutoMixprecisionConfig (without a threshold nothing follows it): the layer alone at
                int16 in an int8 model, cosine distance of the output; two workers
"""

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from peer_process import run_peer

HERE = Path(__file__).resolve().parent


def read_samples(folder, count=None):
    """The first arrays of a folder, or all."""
    return [np.load(path) for path in sorted(Path(folder).glob("*.npy"))[:count]]


def input_of(model):
    """Name and shape of the model's one input."""
    import onnx

    value = onnx.load(model).graph.input[0]
    return value.name, [dim.dim_value for dim in value.type.tensor_type.shape.dim]


def cosine(a, b):
    """Of two arrays, flattened."""
    a, b = np.asarray(a, np.float64).ravel(), np.asarray(b, np.float64).ravel()
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-30))


# Each takes a model, a folder of samples and their number, and returns {layer: number} and seconds.


def twofold(model, data, count):
    """twofold.debug.get_sensitivity_of_nodes of a plan."""
    import twofold as package
    from twofold.debug import get_sensitivity_of_nodes

    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "plan.json"
        config = {"model_config": {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}}
        package.quantize(model, data, config, plan=plan)
        start = time.perf_counter()
        rows = get_sensitivity_of_nodes(model, calibrated_data=data, data_num=count, plan=plan)
        return {name: row["cosine-similarity"] for name, row in rows.items()}, time.perf_counter() - start


def esp_ppq(model, data, count):
    """layerwise_error_analyse."""
    import torch
    from esp_ppq.api import espdl_quantize_onnx
    from esp_ppq.quantization.analyse import layerwise_error_analyse

    samples = [torch.from_numpy(array) for array in read_samples(data)]
    _, shape = input_of(model)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "model.onnx"  # it simplifies the file in place
        copy.write_bytes(Path(model).read_bytes())
        graph = espdl_quantize_onnx(
            str(copy),
            str(Path(folder) / "model.espdl"),
            samples,
            len(samples),
            shape,
            error_report=False,
            skip_export=True,
        )
    start = time.perf_counter()
    numbers = layerwise_error_analyse(graph, samples[:count], running_device="cpu", steps=count, verbose=False)
    return numbers, time.perf_counter() - start


def aimet(model, data, count):
    """analyze_per_layer_sensitivity."""
    import onnx
    from aimet_onnx.quant_analyzer import analyze_per_layer_sensitivity
    from aimet_onnx.quantsim import QuantizationSimModel
    from onnxruntime import InferenceSession

    name, _ = input_of(model)
    calibration = [{name: array} for array in read_samples(data)]
    feeds = calibration[:count]
    session = InferenceSession(str(model), providers=["CPUExecutionProvider"])
    expected = [session.run(None, feed)[0] for feed in feeds]
    sim = QuantizationSimModel(onnx.load(model), param_type="int8", activation_type="int8")
    sim.compute_encodings(calibration)

    def score(quantized):
        return float(np.mean([cosine(quantized.run(None, f)[0], e) for f, e in zip(feeds, expected, strict=True)]))

    start = time.perf_counter()
    return analyze_per_layer_sensitivity(sim, score), time.perf_counter() - start


def quark(model, data, count):
    """The analysis of AutoMixprecisionConfig, timed from the first layer's score to the last one's."""
    from onnxruntime.quantization import CalibrationDataReader
    from quark.onnx import AutoMixprecisionConfig, Int8Spec, Int16Spec, ModelQuantizer, QConfig, QLayerConfig

    name, _ = input_of(model)
    arrays = read_samples(data)

    class Reader(CalibrationDataReader):
        """The samples, which may be read again."""

        def __init__(self):
            self.rewind()

        def get_next(self):
            return next(self.feeds, None)

        def rewind(self):
            self.feeds = iter([{name: array} for array in arrays])

        reset_iter = rewind

    scored = []

    def distance(expected, got):
        scored.append(time.perf_counter())
        pairs = zip(expected, got, strict=True)
        return float(np.mean([1 - cosine(a, b) for one, other in pairs for a, b in zip(one, other, strict=True)]))

    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "sensitivity.json"
        search = AutoMixprecisionConfig(
            target_layer_config=QLayerConfig(activation=Int16Spec(), weight=Int16Spec()),
            metric_distance_fn=distance,
            metric_threshold=None,
            data_size=count,
            sensitivity_cache_file=str(results),
            worker_num=2,
        )
        config = QConfig(global_config=QLayerConfig(activation=Int8Spec(), weight=Int8Spec()), algo_config=[search])
        ModelQuantizer(config).quantize_model(str(model), str(Path(folder) / "quantized.onnx"), Reader())
        rows = json.loads(results.read_text())["results"]
    # The first score is the whole model's; of n layers the clock sees n - 1.
    layers = scored[-len(rows) :]
    seconds = (layers[-1] - layers[0]) * len(rows) / max(len(rows) - 1, 1)
    return {row["name"]: row["score"] for row in rows}, seconds


PEERS = {"esp-ppq": esp_ppq, "aimet-onnx": aimet, "amd-quark": quark}
WORKERS = {"twofold": twofold} | PEERS


def measure(name, python, model, data, count, timeout):
    """{"layers", "seconds"} of one analysis in a new process, or {"error"}."""
    return run_peer([python, __file__, "--worker", name, model, data, count], timeout)


def work(name, model, data, count):
    """Runs one analysis and prints its row, once it has been checked."""
    numbers, seconds = WORKERS[name](model, data, count)
    wrong = [layer for layer, number in numbers.items() if not math.isfinite(float(number))]
    if not numbers or wrong:
        raise SystemExit(f"{name}: {len(numbers)} layers, not finite: {wrong}")
    print("\n" + json.dumps({"layers": len(numbers), "seconds": seconds}), flush=True)


def write_model(name, ocr, folder):
    """The model with a fixed shape and its samples: (path, folder)."""
    import onnx
    from onnxruntime.tools.onnx_model_utils import make_input_shape_fixed

    from networks import find_networks

    data = folder / f"{name}_data"
    data.mkdir()
    if name == "digits":
        digits = HERE.parent / "examples" / "digits"
        model = onnx.load(digits / "digits.onnx")
        images = np.load(digits / "calibration.npz")["image"]
        arrays, shape = [image[None] for image in images[:16]], [1, *images.shape[1:]]
    else:
        network = next(find_networks([name], ocr, folder))
        model = onnx.load(network.path)
        arrays, shape = [next(iter(sample.values())) for sample in network.samples(16, seed=1)], list(network.shape)
    for i, array in enumerate(arrays):
        np.save(data / f"{i:04}.npy", array)
    make_input_shape_fixed(model.graph, model.graph.input[0].name, shape)
    path = folder / f"{name}-fixed.onnx"
    onnx.save(model, path)
    return path, data


def main():
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--models", nargs="*", default=["ppocrv4-rec", "digits"], help="as bench/networks.py calls them"
    )
    parser.add_argument("--ocr", type=Path, default=Path(".cache/ocr"), help="folder of PP-OCRv4 files")
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--timeout", type=float, default=600, help="seconds that one analysis may take")
    parser.add_argument("--folder", type=Path, default=Path(".cache/peers"), help="where the environments are")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        name, model, data, count = arguments.worker
        return work(name, model, data, int(count))
    pythons = {name: arguments.folder.resolve() / name / "bin" / "python" for name in PEERS}
    for name in [name for name, python in pythons.items() if not python.exists()]:
        print(f"{name}: no {pythons.pop(name)}", file=sys.stderr)
    pythons = {"twofold": sys.executable, **pythons}
    rows = []
    print("| model | tool | layers | ms per layer | times Twofold's |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        for model_name in arguments.models:
            model, data = write_model(model_name, arguments.ocr, Path(temporary))
            found = {name: [] for name in pythons}
            for _ in range(arguments.rounds):
                for name, python in pythons.items():
                    if not any("error" in row for row in found[name]):
                        found[name].append(measure(name, python, model, data, arguments.samples, arguments.timeout))
            if any("error" in row for row in found["twofold"]):
                raise SystemExit(f"twofold: {found['twofold'][-1]['error']}")
            ours = [row["seconds"] / row["layers"] for row in found["twofold"]]
            for name, runs in found.items():
                if "error" in runs[-1]:
                    rows.append({"model": model_name, "tool": name, "error": runs[-1]["error"]})
                    print(f"| {model_name} | {name} | - | - | {runs[-1]['error']} |", flush=True)
                    continue
                each = [row["seconds"] / row["layers"] for row in runs]
                ratio = statistics.median(theirs / mine for theirs, mine in zip(each, ours, strict=True))
                rows.append(
                    {
                        "model": model_name,
                        "tool": name,
                        "layers": runs[0]["layers"],
                        "ms_per_layer": 1e3 * statistics.median(each),
                        "ratio": ratio,
                    }
                )
                print(
                    f"| {model_name} | {name} | {runs[0]['layers']} | {1e3 * statistics.median(each):.3g} "
                    f"| {ratio:.1f} |",
                    flush=True,
                )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    os.environ.setdefault("TQDM_DISABLE", "1")
    main()
