"""What ONNX Runtime reads with 8-bit and with 7-bit weights, on this CPU: PP-OCRv4 on rendered lines.

python bench/saturation.py [--lines 200] [--models .cache/saturation] [--runners "ONNX Runtime" ...]

On x86 without VNNI ONNX Runtime's kernels of int8 weights saturate sums of two products at int16, which 7-bit weights
(`weight: {reduce_range: true}`) mostly avoid. Prints lines read as rendered: of ONNX Runtime as users get it, of ONNX
Runtime with exact sums, and of Twofold's engine, whose sums are exact everywhere. Models that lie in --models are
taken as they are, so that they can be made on one machine and run on another, or on an emulated CPU, which takes half a
minute a line:

    python bench/saturation.py --lines 60
    qemu-x86_64 -cpu Haswell .venv/bin/python bench/saturation.py --lines 60 --runners "ONNX Runtime"
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

BATCH = 5
WEIGHTS = {"8-bit": {}, "7-bit": {"weight": {"reduce_range": True}}}


def quantized(task, name, folder):
    """The path of the model whose weights are `name`, quantized if it is not there."""
    path = folder / f"{name}.onnx"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        config = {"model_config": {"all_node_type": "int8", **WEIGHTS[name]}}
        twofold.quantize(str(task.model), task.calibration_samples(), config=config, output=str(path))
    return path


def default(path):
    """ONNX Runtime as users get it: a function from a feed to the output."""
    session = default_session(str(path))
    return lambda feed: session.run(None, feed)[0]


def exact(path):
    """ONNX Runtime with exact sums, likewise."""
    session = exact_session(str(path), GraphOptimizationLevel.ORT_ENABLE_ALL)
    return lambda feed: session.run(None, feed)[0]


def engine(path):
    """Twofold, likewise."""
    session = twofold.Session(path, threads=1)
    return lambda feed: next(iter(session.run(feed).values()))


RUNNERS = {"ONNX Runtime": default, "exact ONNX Runtime": exact, "Twofold": engine}


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
    parser.add_argument("--runners", nargs="*", default=list(RUNNERS), help=f"of {', '.join(RUNNERS)}")
    options = parser.parse_args()
    task = tasks.text_lines(options.lines)
    print(f"| weights | {' | '.join(options.runners)} |\n|---|{'---|' * len(options.runners)}")
    for name in WEIGHTS:
        model = quantized(task, name, options.models)
        cells = [f"{lines_read(task, RUNNERS[runner](model)):.1f}" for runner in options.runners]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
