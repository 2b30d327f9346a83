"""The lines that the debugger finds, against as many 16-bit operands chosen otherwise.

For each network: all int8; the config with the debugger's lines; and, with the same number of 16-bit operands as
that, random ones (the mean of three draws), and activations only, the worst first by their own sensitivity. Measured on
samples that the debugger has not seen: signal over noise and cosine of the output.

Example: python bench/findings.py --ocr .cache/ocr ppocrv4-rec
"""

import argparse
import pathlib
import tempfile

import numpy as np
import twofold

from networks import ENCODER, NAMES, find_networks

SEEN, UNSEEN = 8, 8
CALIBRATION = 16
BASE = {"model_config": {"all_node_type": "int8"}}


def integer_inputs(report):
    """(node, operand, is a weight) of every input that gets 8-bit integers."""
    weights = {row["tensor"] for row in report["operands"] if row["method"] == "max" and row["threshold"] > 0}
    return [
        (row["node"], row["operand"], row["tensor"] in weights)
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


class Comparison:
    """One network, quantized in several ways on the same samples."""

    def __init__(self, network, folder):
        self.network, self.folder = network, folder
        self.calibration = network.samples(CALIBRATION, 1)
        self.unseen = network.samples(UNSEEN, 2)
        self.session = twofold.Session(network.path)
        self.references = [self.outputs(self.session, sample) for sample in self.unseen]

    @staticmethod
    def outputs(session, sample):
        return np.concatenate([y.astype(np.float64).ravel() for y in session.run(sample).values()])

    def measure(self, config):
        """Signal over noise (dB, of the energies over all samples), mean cosine, and quantize's report."""
        path = self.folder / "quantized.onnx"
        report = twofold.quantize(self.network.path, self.calibration, config, output=path, progress=False)
        session = twofold.Session(path)
        noise, cosine = [], []
        for sample, a in zip(self.unseen, self.references, strict=True):
            b = self.outputs(session, sample)
            noise.append(((a - b) ** 2).sum() / (a**2).sum())
            cosine.append((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
        return -10 * np.log10(np.mean(noise)), float(np.mean(cosine)), report

    def find(self):
        """What the debugger suggests."""
        return twofold.debug.find_remedies(
            self.network.path, self.calibration, data_num=SEEN, config=BASE, progress=False
        )

    def activations(self):
        """Names of activations, the most sensitive first."""
        options = {"node_type": "activation", "data_num": SEEN, "config": BASE, "progress": False}
        return list(twofold.debug.get_sensitivity_of_nodes(self.network.path, "sqnr", self.calibration, **options))


def compare(network, folder):
    """Yields rows: what, dB, cosine, operands at 16 bits."""
    comparison = Comparison(network, folder)
    decibels, cosine, base = comparison.measure(BASE)
    yield "all int8", decibels, cosine, 0
    found = comparison.find()
    path = folder / "lines.yaml"
    path.write_text("model_config: {all_node_type: int8}\n" + found["lines"])
    decibels, cosine, report = comparison.measure(path)
    count = sixteen_bits(report)
    yield f"the debugger's lines ({found['cost_after'] / found['cost']:.2f} x cost)", decibels, cosine, count
    operands = integer_inputs(base)
    random = np.random.default_rng(0)
    draws = []
    for _ in range(3):
        chosen = random.choice(len(operands), min(count, len(operands)), replace=False)
        draws.append(comparison.measure(config_of([operands[i][:2] for i in chosen]))[:2])
    yield "random operands (mean of 3)", *np.mean(draws, axis=0), count
    tensors = {(row["node"], row["operand"]): row["tensor"] for row in base["operands"]}
    order = {name: i for i, name in enumerate(comparison.activations())}
    single = sorted((op[:2] for op in operands if tensors[op[:2]] in order), key=lambda op: order[tensors[op]])
    decibels, cosine, report = comparison.measure(config_of(single[:count]))
    yield "activations only, worst first", decibels, cosine, sixteen_bits(report)


def main():
    """Prints a table per network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=[*NAMES, ENCODER], help=f"of {', '.join([*NAMES, ENCODER])}")
    parser.add_argument("--ocr", type=pathlib.Path, default=pathlib.Path(".cache/ocr"), help="folder of the OCR models")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        for network in find_networks(options.networks, options.ocr, folder):
            print(f"\n{network.name}\n\n| config | sqnr dB | cosine | 16-bit operands |\n|---|---|---|---|", flush=True)
            for name, decibels, cosine, count in compare(network, folder):
                print(f"| {name} | {decibels:.1f} | {cosine:.5f} | {count} |", flush=True)


if __name__ == "__main__":
    main()
