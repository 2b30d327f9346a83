"""Times calibration against ONNX Runtime's calibrators of the same method, one per process.

The thresholds that both find for the same tensors must agree, or no time is printed.

Example: python bench/calibration.py det.onnx --shape 1,3,640,640 --samples 100
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from text_pages import text_pages

METHODS = ("max", "percentile", "kl")
PERCENTILE = 99.99
# Largest median difference between thresholds; the bins of the two kl searches differ too much.
TOLERANCE = {"max": 1e-3, "percentile": 0.05}


def make_images(folder: Path, shape: tuple[int, ...], samples: int) -> None:
    """Writes pages of rendered text, one .npy per sample."""
    for i, page in enumerate(text_pages(np.random.default_rng(1), shape, samples)):
        np.save(folder / f"{i:04}.npy", page)


def prepare_model(source: Path, target: Path, shape: tuple[int, ...]) -> None:
    """Gives the model's input a fixed shape and does what ONNX Runtime recommends before calibration.

    Both calibrate the result, in which BatchNormalization is folded and constants are initializers.
    """
    import onnx
    from onnxruntime.quantization.shape_inference import quant_pre_process
    from onnxruntime.tools.onnx_model_utils import make_input_shape_fixed

    model = onnx.load(source)
    make_input_shape_fixed(model.graph, model.graph.input[0].name, list(shape))
    onnx.save(model, target)
    quant_pre_process(target, target, skip_symbolic_shape=True)


# The stages of `twofold.quantize` that calibration consists of; applying, evaluating and writing come on top.
STAGES = ("import", "simplify", "calibrate", "adjust weights", "search ranges")


def calibrate_twofold(model: Path, data: Path, method: str) -> tuple[dict[str, float], float]:
    """Returns the threshold of each quantized tensor, and the seconds that finding them took."""
    import twofold

    activation = {"calibration_type": method}
    if method == "percentile":
        activation["max_percentile"] = PERCENTILE / 100
    config = {"model_config": {"activation": activation, "weight": {"rounding": "nearest"}}}
    report = twofold.quantize(model, data, config)
    thresholds = {row["tensor"]: row["threshold"] for row in report["operands"] if row["method"].startswith(method)}
    return thresholds, sum(s["seconds"] for s in report["stages"] if s["stage"] in STAGES)


def calibrate_onnxruntime(model: Path, data: Path, method: str) -> tuple[dict[str, float], float]:
    """Returns the threshold of each tensor, from the library's symmetric ranges, and the seconds."""
    import onnx
    from onnxruntime.quantization.calibrate import (
        CalibrationDataReader,
        CalibrationMethod,
        create_calibrator,
    )

    class OneSample(CalibrationDataReader):
        """The calibrators keep every tensor of a reader's samples, so each sample gets a reader."""

        def __init__(self, feed: dict[str, np.ndarray]):
            self.feed = feed

        def get_next(self) -> dict[str, np.ndarray] | None:
            feed, self.feed = self.feed, None
            return feed

    name = onnx.load(model).graph.input[0].name
    choice, options = {
        "max": (CalibrationMethod.MinMax, {}),
        "percentile": (CalibrationMethod.Percentile, {"percentile": PERCENTILE}),
        "kl": (CalibrationMethod.Entropy, {}),
    }[method]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        augmented = str(Path(folder) / "augmented.onnx")
        calibrator = create_calibrator(
            model,
            augmented_model_path=augmented,
            calibrate_method=choice,
            extra_options={"symmetric": True, **options},
        )
        for path in sorted(data.glob("*.npy")):
            calibrator.collect_data(OneSample({name: np.load(path)}))
        ranges = calibrator.compute_data()
    seconds = time.perf_counter() - start
    thresholds = {
        tensor: float(max(np.abs(np.asarray(bound)).max() for bound in entry.range_value[:2]))
        for tensor, entry in ranges.items()
    }
    return thresholds, seconds


RIVALS = {"twofold": calibrate_twofold, "onnxruntime": calibrate_onnxruntime}


def measure(rival: str, model: Path, data: Path, method: str) -> dict:
    """Runs one calibration in a new process; seconds do not include starting Python."""
    command = [
        sys.executable,
        __file__,
        str(model),
        "--worker",
        rival,
        "--data",
        str(data),
        "--methods",
        method,
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])


def work(arguments: argparse.Namespace) -> None:
    """Calibrates once and prints the outcome as JSON."""
    rival = RIVALS[arguments.worker]
    thresholds, seconds = rival(arguments.model, arguments.data, arguments.methods[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mib": peak, "thresholds": thresholds}))


def check(method: str, ours: dict[str, float], theirs: dict[str, float]) -> str:
    """Says how far the thresholds are apart; raises where that is too far."""
    shared = ours.keys() & theirs.keys()
    if not shared:
        raise SystemExit(f"{method}: the two calibrations have no tensor in common")
    differences = {t: abs(ours[t] - theirs[t]) / max(abs(theirs[t]), 1e-6) for t in shared}
    median = float(np.median(list(differences.values())))
    if median > TOLERANCE.get(method, np.inf):
        worst = max(differences, key=differences.__getitem__)
        raise SystemExit(f"{method}: '{worst}' has {ours[worst]} against {theirs[worst]}")
    return f"{len(shared)} tensors, median difference {median:.1e}"


def main() -> None:
    """Prints a table, a method per line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--shape", default="1,3,640,640", help="of the model's one input")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--worker", choices=RIVALS, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        return work(arguments)
    shape = tuple(int(dim) for dim in arguments.shape.split(","))
    print("| method | s | onnxruntime s | times as fast | MiB | onnxruntime MiB | same results |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        data, model = Path(folder) / "data", Path(folder) / "model.onnx"
        data.mkdir()
        prepare_model(arguments.model, model, shape)
        make_images(data, shape, arguments.samples)
        for method in arguments.methods:
            ours, theirs = (measure(rival, model, data, method) for rival in RIVALS)
            same = check(method, ours["thresholds"], theirs["thresholds"])
            columns = [
                method,
                f"{ours['seconds']:.2f}",
                f"{theirs['seconds']:.2f}",
                f"{theirs['seconds'] / ours['seconds']:.1f}",
                f"{ours['peak_mib']:.0f}",
                f"{theirs['peak_mib']:.0f}",
                same,
            ]
            print("|", " | ".join(columns), "|", flush=True)


if __name__ == "__main__":
    main()
