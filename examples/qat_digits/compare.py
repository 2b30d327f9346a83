"""Float, quantized after training, and trained with quantization: one table over three seeds.

    python examples/qat_digits/compare.py easy    # a convolutional network
    python examples/qat_digits/compare.py hard    # a depthwise-separable one, which int8 ruins

Needs PyTorch; each takes a few minutes on one core, and gives the same table again on the same
kind of CPU. Files stay in the folder that --out names.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np
import torch
import twofold

import stages
from data import Data, load
from models import Easy, Hard, finished
from training import fit

NETWORKS = {"easy": Easy, "hard": Hard}
EPOCHS, RATE = 8, 6e-3  # of the float network
QAT_EPOCHS, QAT_RATE = 3, 1e-3
# How many layers have 16 bits in both inputs.
WIDE = {"int8": 0, "int8, one layer dual int16": 1, "int8, two layers dual int16": 2}


def one_seed(kind: type, seed: int, data: tuple[Data, Data, Data], out: Path) -> dict[str, float]:
    """Accuracy in percent by the name of the row; writes the ONNX files to `out`."""
    train, calibration, evaluation = data
    torch.manual_seed(seed)
    net = kind()
    fit(net, train, EPOCHS, RATE)
    net = finished(net)
    rows = {"float": stages.torch_logits(net, evaluation)}

    file, samples = out / "float.onnx", stages.samples_of(calibration)
    stages.to_onnx(net, file)
    worst = stages.worst_products(file, calibration, max(WIDE.values()))
    print(f"seed {seed}: worst in int8: {', '.join(worst)}", flush=True)
    plans = {}
    for row, count in WIDE.items():
        name = f"{count}_wide"
        config = stages.dual_int16(worst[:count]) if count else stages.INT8
        plans[row] = out / f"{name}.json" if count else None
        twofold.quantize(file, samples, config, output=out / f"ptq_{name}.onnx", plan=plans[row])
        rows[f"PTQ {row}"] = stages.engine_logits(out / f"ptq_{name}.onnx", evaluation)
    for row, plan in plans.items():
        model = stages.trained(net, plan, train, calibration, QAT_EPOCHS, QAT_RATE, out)
        validated = stages.torch_logits(model, evaluation)
        exported = out / f"qat_{WIDE[row]}_wide.onnx"
        rows[f"QAT {row}"] = stages.exported_logits(model, exported, evaluation)
        differing = np.count_nonzero(rows[f"QAT {row}"] != validated)
        print(
            f"seed {seed}: QAT {row}: {differing} of {validated.size} logits differ on the engine"
        )
    return {row: stages.accuracy(logits, evaluation) for row, logits in rows.items()}


def table(accuracies: list[dict[str, float]]) -> str:
    """The rows of all seeds, with their means, as Markdown."""
    seeds = range(len(accuracies))
    lines = [
        f"| accuracy, % | {' | '.join(f'seed {seed}' for seed in seeds)} | mean |",
        "|---|" + "---|" * (len(accuracies) + 1),
    ]
    for row in accuracies[0]:
        numbers = [of_seed[row] for of_seed in accuracies]
        cells = " | ".join(f"{number:.2f}" for number in (*numbers, np.mean(numbers)))
        lines.append(f"| {row} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Train, quantize, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, help="folder for files; a temporary one if left out")
    options = parser.parse_args()
    torch.set_num_threads(1)
    data = load()
    with tempfile.TemporaryDirectory() as scratch:
        accuracies = []
        for seed in range(options.seeds):
            folder = (options.out or Path(scratch)) / f"{options.network}{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            accuracies.append(one_seed(NETWORKS[options.network], seed, data, folder))
    print(table(accuracies))


if __name__ == "__main__":
    main()
