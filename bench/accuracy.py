"""Accuracy of the digits network at each precision, and against ONNX Runtime's own quantization.

Everything is measured on the evaluation images; calibration sees the calibration images only.

Example: python bench/accuracy.py
"""

import tempfile
from pathlib import Path

import numpy as np
import twofold
from onnxruntime import GraphOptimizationLevel
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType
from onnxruntime.quantization import quantize_static as ort_quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from exact_onnxruntime import exact_session

DIGITS = Path(__file__).resolve().parent.parent / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
GEMMS = ("Conv", "MatMul", "Gemm")


def gemms(qtype: str, base: str) -> dict:
    """A config with `base` for every operator, and `qtype` for those that multiply two inputs."""
    return {
        "model_config": {"all_node_type": base},
        "op_config": {op: {"qtype": qtype} for op in GEMMS},
    }


def int8(activation: dict | None = None, rounding: str | None = None) -> dict:
    """An all-int8 config."""
    model = {"all_node_type": "int8"}
    if activation:
        model["activation"] = activation
    if rounding:
        model["weight"] = {"rounding": rounding}
    return {"model_config": model}


VARIANTS = {
    "int8": int8(),
    "int8, nearest rounding": int8(rounding="nearest"),
    "int8, sum-preserving rounding": int8(rounding="preserve_sum"),
    "int16 x int8": {"model_config": {"all_node_type": "int16"}},
    "int16 x int8, nearest rounding": {"model_config": {"all_node_type": "int16", "weight": {"rounding": "nearest"}}},
    "dual int16": gemms("dual-int16", "int16"),
    "int16 x ec": gemms("int16-ec", "int16"),
    "mixed.yaml": DIGITS / "mixed.yaml",
}


class Calibration(CalibrationDataReader):
    """The calibration images, one at a time."""

    def __init__(self) -> None:
        images = np.load(DIGITS / "calibration.npz")["image"]
        self.feeds = iter([{"image": image[None]} for image in images])

    def get_next(self) -> dict | None:
        """The next feed."""
        return next(self.feeds, None)


def report(name: str, logits: np.ndarray, reference: np.ndarray, labels: np.ndarray) -> None:
    """Prints one row: accuracy, agreement with float, sqnr of the logits."""
    answers = logits.argmax(axis=1)
    noise = ((logits - reference).astype(np.float64) ** 2).sum()
    sqnr = "-" if noise == 0 else f"{10 * np.log10((reference.astype(np.float64) ** 2).sum() / noise):.1f}"
    accuracy = 100 * np.mean(answers == labels)
    agreement = 100 * np.mean(answers == reference.argmax(axis=1))
    print(f"| {name} | {accuracy:.1f} | {agreement:.1f} | {sqnr} |", flush=True)


def run_onnxruntime(path: Path, images: np.ndarray) -> np.ndarray:
    """The logits of a model under ONNX Runtime."""
    return exact_session(path, GraphOptimizationLevel.ORT_ENABLE_ALL).run(None, {"image": images})[0]


def main() -> None:
    """Prints a Markdown table, a row per variant."""
    evaluation = np.load(DIGITS / "evaluation.npz")
    images, labels = evaluation["image"], evaluation["label"]
    reference = run_onnxruntime(MODEL, images)
    print("| variant | accuracy % | as float % | sqnr dB |\n|---|---|---|---|")
    report("float", reference, reference, labels)
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.onnx"
        for name, config in VARIANTS.items():
            twofold.quantize(MODEL, DIGITS / "calibration.npz", config, output=model)
            report(name, twofold.Session(model).run({"image": images})["logits"], reference, labels)
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(MODEL), str(prepared), skip_symbolic_shape=True)
        for method in (
            CalibrationMethod.MinMax,
            CalibrationMethod.Percentile,
            CalibrationMethod.Entropy,
        ):
            ort_quantize_static(
                str(prepared),
                str(model),
                Calibration(),
                per_channel=True,
                activation_type=QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=method,
            )
            name = f"ONNX Runtime quantize_static, {method.name}"
            report(name, run_onnxruntime(model, images), reference, labels)


if __name__ == "__main__":
    main()
