"""LiteRT's kernels for int16 activations and int8 weights ("16x8") against Twofold's, on the same integers.

python bench/litert.py [--models conv3x3 gemm128 ...] [--threads 1 2] [--seconds 4] [--json FILE]

Needs LiteRT: python -m pip install ai-edge-litert. Twofold quantizes operators, chains of them and networks, and they
are translated to TensorFlow Lite models with the same scales, weights and biases, of either type of bias that LiteRT
knows. Both runtimes begin and end with integers: a network ends before its last product, whose output is float.
Results are compared first, and nothing is timed where they are too far apart; then runs of the two alternate in one
process. A ratio is LiteRT's time over Twofold's: above 1, Twofold is faster.
"""

import argparse
import json
import pathlib
import sys
import tempfile
from importlib import metadata

import numpy as np
import onnx
import twofold
from onnx import numpy_helper

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:
    sys.exit("LiteRT is not installed: python -m pip install ai-edge-litert")

from integer_models import LEAST_COSINE, cosine
from integer_tensors import QdqModel
from models import SHAPED
from networks import Network
from operator_models import CHAINS, OPERATORS
from rivals import race, ratios
from tflite_translation import BIAS_TYPES, Translation
from variants import quantized

VARIANT = "int16 x int8"
NETWORKS = {"resnet50-shaped": "ResNet-50", "mobilenetv2-shaped": "MobileNetV2"}
TITLES = {name: model.title for name, model in (OPERATORS | CHAINS).items()} | NETWORKS
# Of one operator: LiteRT scales sums in fixed point, Twofold exactly. For more than one there is LEAST_COSINE.
MOST_STEPS = 2
# LiteRT's threads spin for 2 ms when a product is done (ruy/wait.cc), on cores that Twofold's next run needs.
PAUSE = 0.004


def channels_last(array):
    """[N,C,H,W] as [N,H,W,C]; matrices stay."""
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)) if array.ndim == 4 else array


def integer_part(name, folder):
    """(quantized model from the first to the last integers, name of its input, integers for that)."""
    path = folder / f"{name}.onnx"
    float_model = SHAPED[name]() if name in NETWORKS else (OPERATORS | CHAINS)[name].model()
    onnx.save(float_model, path)
    shape = tuple(d.dim_value for d in float_model.graph.input[0].type.tensor_type.shape.dim)
    network = Network(name, path, shape)
    model = QdqModel(quantized(network, VARIANT, folder))
    first = next(iter(model.quantized()))
    last_product = model.producers[model.model.graph.output[0].name]
    last = model.producers[last_product.input[0]].input[0]
    content, _, _ = model.part(last, [first])
    scale = numpy_helper.to_array(model.constants[model.producers[first].input[1]])
    sample = network.samples(1, seed=5)[0][network.input]
    return content, first, np.clip(np.rint(sample / scale), -32768, 32767).astype(np.int16)


class LiteRtSession:
    """An interpreter, with LiteRT's defaults, of a model with one input and one output."""

    def __init__(self, content, threads):
        self.interpreter = Interpreter(model_content=content, num_threads=threads)
        self.interpreter.allocate_tensors()
        self.input = self.interpreter.get_input_details()[0]["index"]
        self.output = self.interpreter.get_output_details()[0]["index"]

    def run(self, array):
        """The output, of an input with channels last, as LiteRT has them."""
        self.interpreter.set_tensor(self.input, array)
        self.interpreter.invoke()
        return self.interpreter.get_tensor(self.output)

    def delegated(self):
        """Whether a delegate took parts of the model; XNNPACK is there by default."""
        return any(op["op_name"] == "DELEGATE" for op in self.interpreter._get_ops_details())


def difference(name, ours, theirs):
    """{"equal": share of the integers, "largest": difference in steps}; ends the program where that is too much."""
    steps = np.abs(ours.astype(np.int64) - theirs)
    largest, closeness = int(steps.max()), cosine(ours, theirs)
    if closeness < LEAST_COSINE[VARIANT] or (name in OPERATORS and largest > MOST_STEPS):
        sys.exit(f"{name}: integers differ by up to {largest} steps, cosine {closeness:.6f}")
    return {"equal": float((steps == 0).mean()), "largest": largest}


def compare(name, folder, threads, seconds):
    """For each type of bias checks results, then races; a row each."""
    content, first, x = integer_part(name, folder)
    ours = twofold.Session(content, threads=threads)
    expected = channels_last(next(iter(ours.run({first: x}).values())))
    x_channels_last = channels_last(x)
    for bias in BIAS_TYPES:
        theirs = LiteRtSession(Translation(onnx.load_from_string(content), x.shape, bias).serialize(), threads)
        found = difference(name, expected, theirs.run(x_channels_last))
        runs = {"Twofold": lambda: ours.run({first: x}), "LiteRT": lambda theirs=theirs: theirs.run(x_channels_last)}
        times = race(runs, seconds, pause=PAUSE if threads > 1 else 0)
        best, median = ratios(times["Twofold"], times["LiteRT"])
        yield {
            "model": name,
            "bias": bias,
            "threads": threads,
            "twofold_ms": 1e3 * min(times["Twofold"]),
            "litert_ms": 1e3 * min(times["LiteRT"]),
            "best": best,
            "median": median,
            "runs": len(times["Twofold"]),
            "delegated": theirs.delegated(),
            **found,
        }


HEADER = (
    "| model | threads | Twofold ms | int32 bias | int64 bias | int32, % equal | int64, % equal |\n"
    "|---|---|---|---|---|---|---|"
)


def line(rows):
    """The rows of one comparison as one of the table."""
    first = rows[0]
    speed = " | ".join(f"{row['best']:.2f} / {row['median']:.2f}" for row in rows)
    equal = " | ".join(f"{100 * row['equal']:.2f} ({row['largest']})" for row in rows)
    return f"| {TITLES[first['model']]} | {first['threads']} | {first['twofold_ms']:.3g} | {speed} | {equal} |"


def main():
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=list(TITLES), choices=TITLES, help="default: all")
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=4, help="per model, type of bias and number of threads")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()

    rows = []
    print(f"LiteRT {metadata.version('ai-edge-litert')}\n\n{HEADER}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.models:
            for threads in arguments.threads:
                compared = list(compare(name, pathlib.Path(folder), threads, arguments.seconds))
                rows += compared
                print(line(compared), flush=True)
    delegated = dict.fromkeys(TITLES[row["model"]] for row in rows if row["delegated"])
    print(f"\nXNNPACK, LiteRT's default delegate, took parts of: {', '.join(delegated) or 'none'}.")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
