"""How far Twofold's integers are from ONNX Runtime's, in int8 models, and why.

python bench/agreement.py [--models NAME ...] [--own] [--json FILE]
python bench/agreement.py --files tests/data/foreign/*.onnx

Both run the same file. First the whole network; there one difference of a step early on makes many later. Then every
part, the operators between integer tensors, alone, on the integers that Twofold has there, three times: ONNX Runtime
with its integer kernels, ONNX Runtime without graph optimization (dequantize, float operator, quantize), and Twofold.
--own takes what ONNX Runtime's quantizer makes of the network; there every operator has integers before and behind it.
--files takes files as they are, with one float input of a fixed shape, for which there are random numbers.
"""

import argparse
import collections
import json
import pathlib
import tempfile

import numpy as np
import onnx
import twofold
from onnxruntime import GraphOptimizationLevel

from exact_onnxruntime import exact_session
from integer_tensors import QdqModel
from networks import add_network_options, find_networks
from variants import GEMMS, quantized, quantized_by_onnxruntime


class Difference:
    """Of integer tensors: share of equal ones and the largest difference in steps, over all that are added."""

    def __init__(self):
        self.count = self.equal = self.largest = self.tensors = 0

    def add(self, a, b):
        """Takes in two arrays of one shape."""
        steps = np.abs(a.astype(np.int64) - b.astype(np.int64))
        self.tensors += 1
        self.count += steps.size
        self.equal += int((steps == 0).sum())
        self.largest = max(self.largest, int(steps.max(initial=0)))

    def as_row(self):
        """As JSON."""
        return {"tensors": self.tensors, "equal": self.equal / max(self.count, 1), "largest": self.largest}


def run_onnxruntime(model, feed, optimize):
    """{output: array}."""
    level = GraphOptimizationLevel.ORT_ENABLE_ALL if optimize else GraphOptimizationLevel.ORT_DISABLE_ALL
    session = exact_session(model, level)
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feed), strict=True))


def compare_whole(model, feed):
    """Twofold's integer tensors, and how the whole networks compare: inner integers and each output."""
    types = model.quantized()
    everything = model.with_outputs(types)
    ours = twofold.Session(everything).run(feed)
    kernels, plain = (run_onnxruntime(everything, feed, optimize) for optimize in (True, False))
    result = {}
    for pair, (a, b) in {
        "Twofold, kernels": (ours, kernels),
        "Twofold, float": (ours, plain),
        "kernels, float": (kernels, plain),
    }.items():
        inner = Difference()
        for name in types:
            inner.add(a[name], b[name])
        outputs = [output.name for output in model.model.graph.output]
        relative = {o: float(np.abs(a[o] - b[o]).max() / max(np.abs(b[o]).max(), 1e-30)) for o in outputs}
        result[pair] = {"inner": inner.as_row(), "outputs": relative}
    return ours, result


def label(operators):
    """What the parts of a row have in common: the product with "..." for what follows it, or the operators."""
    gemm = next((op for op in operators if op in GEMMS), None)
    others = [op for op in operators if op != gemm and op not in ("Relu", "Clip", "Shape", "Cast", "Slice")]
    if gemm:
        return f"{gemm} ..." if others else gemm
    return " ".join(others[:2]) + (" ..." if len(others) > 2 else "") or "requantize"


def compare_parts(model, integers):
    """{label: {"kernels": Difference, "float": ..., "rivals": ...}}; the last is ONNX Runtime against itself."""
    result = collections.defaultdict(lambda: collections.defaultdict(Difference))
    for name in model.quantized():
        part = model.part(name)
        if part is None:
            continue
        content, inputs, operators = part
        feed = {i: integers[i] for i in inputs}
        ours = twofold.Session(content).run(feed)[name]
        kernels, plain = (run_onnxruntime(content, feed, optimize)[name] for optimize in (True, False))
        row = result[label(operators)]
        row["kernels"].add(ours, kernels)
        row["float"].add(ours, plain)
        row["rivals"].add(kernels, plain)
    return {key: {name: difference.as_row() for name, difference in row.items()} for key, row in result.items()}


def cell(row):
    """How many of a million differ, and the largest difference."""
    return f"{1e6 * (1 - row['equal']):.3g} ({row['largest']})" if row["largest"] else "0"


def print_parts(results):
    """Differing integers per million, and the largest difference in steps."""
    print("\n| network | operators | parts | Twofold, kernels | Twofold, float | kernels, float |")
    print("|---|---|---|---|---|---|")
    for result in results:
        for operators, row in sorted(result["parts"].items()):
            cells = " | ".join(cell(row[key]) for key in ("kernels", "float", "rivals"))
            print(f"| {result['network']} | {operators} | {row['float']['tensors']} | {cells} |")


def models_of(arguments, folder):
    """Yields (name, path of the quantized model, a feed)."""
    for path in arguments.files:
        x = onnx.load(path, load_external_data=False).graph.input[0]
        shape = [d.dim_value for d in x.type.tensor_type.shape.dim]
        yield path.stem, path, {x.name: np.random.default_rng(5).standard_normal(shape).astype(np.float32)}
    for network in [] if arguments.files else find_networks(arguments.models, arguments.ocr, folder):
        path = (
            quantized_by_onnxruntime(network, folder) if arguments.own else quantized(network, "int8", folder, "uint8")
        )
        yield network.name, path, network.samples(1, seed=5)[0]


def main():
    """Prints two Markdown tables: whole networks, then their parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_network_options(parser)
    parser.add_argument("--own", action="store_true", help="models of ONNX Runtime's quantizer, not Twofold's")
    parser.add_argument(
        "--files", nargs="*", type=pathlib.Path, default=[], help="quantized models, instead of networks"
    )
    parser.add_argument(
        "--folder", type=pathlib.Path, help="keeps the quantized models, and takes those that are there"
    )
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()

    results = []
    print("| network | compared | integers equal, % | largest difference, steps | outputs, relative |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or pathlib.Path(temporary)
        for name, path, feed in models_of(arguments, folder):
            model = QdqModel(path)
            integers, whole = compare_whole(model, feed)
            results.append({"network": name, "whole": whole, "parts": compare_parts(model, integers)})
            for pair, row in whole.items():
                errors = ", ".join(f"{e:.1e}" for e in row["outputs"].values())
                inner = row["inner"]
                print(
                    f"| {name} | {pair} | {100 * inner['equal']:.2f} | {inner['largest']} | {errors} |",
                    flush=True,
                )
    print_parts(results)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
