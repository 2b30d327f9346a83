"""The debugger's exact sensitivity of every node against the naive loop, and how both grow with the network.

python bench/sensitivity.py [--models NAME ...] [--threads 2] [--rounds 3] [--json FILE]
python bench/sensitivity.py --growth FOLDER [--sizes 100 300 1000 3000]

Needs build/bench/sensitivity/sensitivity_bench, whose head says what is compared, and for --growth also
build/twofold_report_page, which draws the two figures. A ratio above 1 means that the debugger is faster.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import onnx

from models import bert_base, branchy, chain
from networks import find_networks

BUILD = Path(__file__).resolve().parent.parent / "build"
BENCH = BUILD / "bench" / "sensitivity" / "sensitivity_bench"
REPORT_PAGE = BUILD / "twofold_report_page"
SIZE = 1000
GENERATED = {
    "bert-4-shaped": partial(bert_base, layers=4, width=256, heads=4),
    "chain": partial(chain, SIZE),
    "branchy": partial(branchy, SIZE),
}
NAMES = ("ppocrv4-rec", *GENERATED)
# Commands of sensitivity_bench.
WAYS = {"exact": "exact", "whole": "naive loop", "estimate": "--estimate"}
CPU_FEATURES = ("avx2", "avx_vnni", "avx512f", "avx512_vnni")


def cpu_features():
    """Those that matter here, of this machine."""
    flags = Path("/proc/cpuinfo").read_text().split("flags", 1)[-1].split("\n", 1)[0].split()
    return " ".join(flag for flag in CPU_FEATURES if flag in flags)


def write_generated(make, folder):
    """A generated model and two samples of noise: (path, folder)."""
    model = make()
    path = folder / f"{model.graph.name}.onnx"
    onnx.save(model, path)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    return path, write_samples(np.random.default_rng(1).standard_normal((2, *shape), np.float32), path)


def write_samples(arrays, path):
    """The folder of a model's samples."""
    data = path.parent / f"{path.stem}_data"
    data.mkdir(exist_ok=True)
    for i, array in enumerate(arrays):
        np.save(data / f"{i}.npy", array)
    return data


def write_network(name, ocr, folder):
    """(path, folder of samples) of one of NAMES."""
    if name in GENERATED:
        return write_generated(GENERATED[name], folder)
    network = next(find_networks([name], ocr, folder), None)
    if network is None:
        sys.exit(1)
    arrays = [next(iter(sample.values())) for sample in network.samples(4, seed=1)]
    return network.path, write_samples(arrays, folder / network.path.name)


def run(*command):
    """What sensitivity_bench prints."""
    environment = {"GOMP_SPINCOUNT": "1000", **os.environ}
    done = subprocess.run([BENCH, *map(str, command)], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def print_comparison(arguments, folder):
    """Returns the rows."""
    rows = []
    print(f"CPU: {cpu_features()}; {arguments.threads} threads, median of {arguments.rounds} rounds\n")
    print(
        "| network | operators | units | ms per unit | ratio | by CPU time | ceiling | reached, % | ratio, scratch "
        "| making a whole variant, ms | running it, ms | running behind the unit, ms | estimated, ratio "
        "| share of the worst, % |\n" + "|---" * 14 + "|",
        flush=True,
    )
    for name in arguments.models:
        row = run("compare", *write_network(name, arguments.ocr, folder), arguments.threads, arguments.rounds)
        parts = row["parts_cpu_ms"]
        making = sum(parts[part] for part in ("copy", "apply", "lower", "prepare"))
        print(
            f"| {name} | {row['operators']} | {row['units']} | {1e3 * row['exact_s'] / row['units']:.2f} "
            f"| {row['ratio']:.2f} | {row['cpu_ratio']:.2f} | {row['ceiling']:.2f} | {100 * row['reached']:.0f} "
            f"| {row['scratch_cpu_ratio']:.2f} | {making:.2f} | {parts['run']:.2f} | {parts['run_behind']:.2f} "
            f"| {row['estimate_cpu_ratio']:.1f} | {100 * row['estimate_share']:.1f} |",
            flush=True,
        )
        rows.append({"network": name, **row})
    return rows


PIPES = {"capture_output": True, "text": True, "check": True}


def draw(title, label, series, sizes, path):
    """Writes a figure with one line per series."""
    figure = {
        "kind": "lines",
        "title": title,
        "subtitle": f"one sample, two threads, {cpu_features()}",
        "x": [str(size) for size in sizes],
        "series": [{"name": name, "values": values} for name, values in series.items()],
        "x_label": "operators",
        "y_label": label,
        "y_scale": "log",
    }
    path.write_text(subprocess.run([REPORT_PAGE, "--svg"], input=json.dumps(figure), **PIPES).stdout)


def print_growth(arguments, folder):
    """Draws the figures of the branchy network and returns the rows."""
    rows, seconds, memory = [], {}, {}
    print("| way | operators | CPU s | MiB |\n|---|---|---|---|", flush=True)
    for size in arguments.sizes:
        path, data = write_generated(partial(branchy, size), folder)
        for way, title in WAYS.items():
            row = run(way, path, data, arguments.threads)
            seconds.setdefault(title, []).append(row["cpu_seconds"])
            memory.setdefault(title, []).append(row["mib"])
            rows.append({"way": title, **row})
            print(f"| {title} | {row['operators']} | {row['cpu_seconds']:.2f} | {row['mib']:.1f} |", flush=True)
    folder = arguments.growth
    draw("Sensitivity of every node: time", "CPU seconds", seconds, arguments.sizes, folder / "sensitivity_growth.svg")
    draw("Sensitivity of every node: memory", "MiB", memory, arguments.sizes, folder / "sensitivity_memory.svg")
    return rows


def main():
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--ocr", type=Path, default=Path(".cache/ocr"), help="folder of PP-OCRv4 files")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--growth", type=Path, metavar="FOLDER", help="draw sensitivity_{growth,memory}.svg there")
    parser.add_argument("--sizes", nargs="*", type=int, default=[100, 300, 1000, 3000])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = (print_growth if arguments.growth else print_comparison)(arguments, Path(folder))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
