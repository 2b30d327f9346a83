"""The lines that the debugger finds, against as many 16-bit operands chosen otherwise.

For each network: all int8; the config with the debugger's lines; with the same number of 16-bit operands as that,
random ones (the mean of three draws), and activations only, the worst first by their own sensitivity; and 16 bits
everywhere. Measured on samples that the debugger has not seen: signal over noise and cosine of the output, and accuracy
in the terms of those who use the network. Cost is that of the target, relative to all int8.

Example: python bench/findings.py --ocr .cache/ocr ppocrv4-rec
"""

import argparse
import pathlib
import tempfile
from typing import NamedTuple

import numpy as np
import twofold

from networks import ENCODER, NAMES, find_networks
from task_accuracy import task_accuracy

SEEN, CALIBRATION, CALIBRATION_SEED = 8, 16, 1
UNSEEN, UNSEEN_SEED = {"ppocrv4-det": 32, "ppocrv4-rec": 500, ENCODER: 300}, 2
UNSEEN_OF_OTHERS = 8
BASE = {"model_config": {"all_node_type": "int8"}}
PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
EVERYWHERE = {
    "model_config": {"all_node_type": "int16"},
    "op_config": {op_type: {"qtype": "dual-int16"} for op_type in PRODUCTS},
}


class Figures(NamedTuple):
    """Signal over noise in dB (of the energies over all samples), mean cosine, cost, accuracy in percent (NaN: none),
    and how many operands have 16 bits."""

    decibels: float
    cosine: float
    cost: float
    accuracy: float
    sixteen: float


def integer_inputs(report):
    """(node, operand) of every input that gets 8-bit integers."""
    return [
        (row["node"], row["operand"])
        for row in report["operands"]
        if row["granted"] == "int8" and row["operand"].startswith("input")
    ]


def sixteen_bits(report):
    """The number of operands at 16 bits."""
    return sum(count for precision, count in report["operand_counts"].items() if precision in ("int16", "ec"))


def config_of(operands):
    """All int8 but these operands."""
    nodes = {}
    for node, operand in operands:
        nodes.setdefault(node, {})[operand] = "int16"
    return BASE | {"node_config": nodes}


def cost_of_plan(model, samples, plan):
    """On the target; the debugger tells it of what it begins with, soonest when it estimates on one sample."""
    options = {"data_num": 1, "estimate": True, "confirm": 0, "progress": False}
    return twofold.debug.find_remedies(model, samples[:1], plan=plan, **options)["cost"]


class Comparison:
    """One network, quantized in several ways on the same samples."""

    def __init__(self, network, folder):
        self.network, self.folder = network, folder
        self.calibration = network.samples(CALIBRATION, CALIBRATION_SEED)
        count = UNSEEN.get(network.name, UNSEEN_OF_OTHERS)
        self.unseen = network.samples(count, UNSEEN_SEED)
        self.task = task_accuracy(network, count, UNSEEN_SEED)
        self.references = list(self.outputs(network.path))
        self.taken = [self.task.take(output) for output in self.references] if self.task else []

    def outputs(self, path):
        """Yields the model's output for each unseen sample."""
        session = twofold.Session(path)
        for sample in self.unseen:
            (output,) = session.run(sample).values()
            yield output

    def describe(self):
        """What accuracy means."""
        samples = f"{self.network.name}, {len(self.unseen)} unseen samples"
        if not self.task:
            return f"{samples}; accuracy: none"
        return f"{samples}; accuracy: {self.task.words}, {self.task.score(self.taken, self.taken):.1f} % in float"

    def measure(self, config):
        """Figures of the quantized network, and quantize's report."""
        path, plan = self.folder / "quantized.onnx", self.folder / "plan.json"
        report = twofold.quantize(self.network.path, self.calibration, config, output=path, plan=plan, progress=False)
        noise, cosine, taken = [], [], []
        for output, reference in zip(self.outputs(path), self.references, strict=True):
            a, b = reference.astype(np.float64).ravel(), output.astype(np.float64).ravel()
            noise.append(((a - b) ** 2).sum() / (a**2).sum())
            cosine.append((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
            if self.task:
                taken.append(self.task.take(output))
        accuracy = self.task.score(taken, self.taken) if self.task else np.nan
        cost = cost_of_plan(self.network.path, self.calibration, plan)
        figures = Figures(-10 * np.log10(np.mean(noise)), float(np.mean(cosine)), cost, accuracy, sixteen_bits(report))
        return figures, report

    def find(self):
        """The lines that the debugger suggests."""
        options = {"data_num": SEEN, "config": BASE, "progress": False}
        return twofold.debug.find_remedies(self.network.path, self.calibration, **options)["lines"]

    def random(self, operands, count):
        """Mean figures of three draws."""
        random = np.random.default_rng(0)
        draws = []
        for _ in range(3):
            chosen = random.choice(len(operands), min(count, len(operands)), replace=False)
            draws.append(self.measure(config_of([operands[i] for i in chosen]))[0])
        return Figures(*np.mean(draws, axis=0))

    def activations_only(self, base, count):
        """Figures with the most sensitive activations at 16 bits; `base` is the report of all int8."""
        options = {"node_type": "activation", "data_num": SEEN, "config": BASE, "progress": False}
        found = twofold.debug.get_sensitivity_of_nodes(self.network.path, "sqnr", self.calibration, **options)
        order = {name: i for i, name in enumerate(found)}
        tensors = {(row["node"], row["operand"]): row["tensor"] for row in base["operands"]}
        activations = [operand for operand in integer_inputs(base) if tensors[operand] in order]
        activations.sort(key=lambda operand: order[tensors[operand]])
        return self.measure(config_of(activations[:count]))[0]

    def rows(self):
        """Yields rows: what, figures."""
        figures, base = self.measure(BASE)
        yield "all int8", figures
        lines = self.find()
        if not lines:
            yield "the debugger: nothing to do", figures
        else:
            path = self.folder / "lines.yaml"
            path.write_text("model_config: {all_node_type: int8}\n" + lines)
            figures, report = self.measure(path)
            yield "the debugger's lines", figures
            count = sixteen_bits(report)
            yield "random operands, mean of 3", self.random(integer_inputs(base), count)
            yield "activations only, worst first", self.activations_only(base, count)
        yield "16 bits everywhere", self.measure(EVERYWHERE)[0]


def print_table(comparison):
    """Prints all rows of a network, each as soon as it is there."""
    print(f"\n{comparison.describe()}\n")
    print("| config | sqnr dB | cosine | cost | accuracy % | 16-bit operands |\n|---|---|---|---|---|---|", flush=True)
    whole = None
    for name, row in comparison.rows():
        whole = whole or row.cost
        accuracy = "-" if np.isnan(row.accuracy) else f"{row.accuracy:.1f}"
        figures = f"{row.decibels:.1f} | {row.cosine:.5f} | {row.cost / whole:.2f} | {accuracy} | {row.sixteen:.0f}"
        print(f"| {name} | {figures} |", flush=True)


def main():
    """Prints a table per network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=[*NAMES, ENCODER], help=f"of {', '.join([*NAMES, ENCODER])}")
    parser.add_argument("--ocr", type=pathlib.Path, default=pathlib.Path(".cache/ocr"), help="folder of the OCR models")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for network in find_networks(options.networks, options.ocr, folder):
            print_table(Comparison(network, folder))


if __name__ == "__main__":
    main()
