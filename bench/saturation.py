"""What ONNX Runtime reads with 8-bit and with 7-bit weights, on this CPU: PP-OCRv4 on rendered lines.

python bench/saturation.py [--lines 200] [--models .cache/saturation]

On x86 without VNNI ONNX Runtime's kernels of int8 weights saturate sums of two products at int16, which 7-bit weights
(`weight: {reduce_range: true}`) mostly avoid. Prints lines read as rendered: of ONNX Runtime as users get it, of ONNX
Runtime with exact sums, and of Twofold's engine, whose sums are exact everywhere. Models that lie in --models are
taken as they are, so that they can be made on one machine and run on another, or on an emulated CPU:

    python bench/saturation.py && qemu-x86_64 -cpu Haswell .venv/bin/python bench/saturation.py
"""

import argparse
import sys
from pathlib import Path

import twofold
from onnxruntime import GraphOptimizationLevel

from exact_onnxruntime import default_session, exact_session

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "examples" / "ocr"))
import task as tasks  # noqa: E402
from decode import line_accuracy  # noqa: E402

BATCH = 10
WEIGHTS = {"8-bit": {}, "7-bit": {"weight": {"reduce_range": True}}}


def quantized(task, name, folder):
    """The path of the model whose weights are `name`, quantized if it is not there."""
    path = folder / f"{name}.onnx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        config = {"model_config": {"all_node_type": "int8", **WEIGHTS[name]}}
        twofold.quantize(str(task.model), task.calibration_samples(), config=config, output=str(path))
    return path


def runners(path):
    """{name: function from a batch to the output}."""
    default = default_session(str(path))
    exact = exact_session(str(path), GraphOptimizationLevel.ORT_ENABLE_ALL)
    engine = twofold.Session(str(path), threads=1)
    return {
        "ONNX Runtime": lambda feed: default.run(None, feed)[0],
        "exact ONNX Runtime": lambda feed: exact.run(None, feed)[0],
        "Twofold": lambda feed: next(iter(engine.run(feed).values())),
    }


def lines_read(task, run):
    """Lines read as rendered, in percent."""
    texts = []
    for first in range(0, len(task.truth), BATCH):
        texts += task.read(run({task.input_name: task.evaluation(first, first + BATCH)}))
    return line_accuracy(texts, task.truth)


def main():
    """Prints a row for each number of bits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=200, help="rendered lines that are read (200)")
    parser.add_argument("--models", type=Path, default=ROOT / ".cache" / "saturation", help="folder of the models")
    options = parser.parse_args()
    task = tasks.text_lines(options.lines)
    print("| weights | ONNX Runtime | exact ONNX Runtime | Twofold |\n|---|---|---|---|")
    for name in WEIGHTS:
        cells = [f"{lines_read(task, run):.1f}" for run in runners(quantized(task, name, options.models)).values()]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
