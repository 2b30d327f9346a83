"""Quantized networks against ONNX Runtime in one process: outputs are compared first, then runs alternate.

python bench/integer_models.py [--models NAME ...] [--variants int8 ...] [--threads 1 2] [--seconds 10] [--json FILE]

A ratio is the rival's time over Twofold's: above 1, Twofold is faster.
"""

import argparse
import json
import pathlib
import sys
import tempfile

import numpy as np
import twofold

from networks import add_network_options, find_networks
from rivals import onnxruntime_session, race, ratios
from variants import quantized, quantized_by_onnxruntime

# ONNX Runtime on: the float model; the same file; that file with uint8 activations; what its own quantizer makes.
FLOAT, SAME, U8S8, OWN = "fp32", "same file", "u8s8", "own u8s8"
# The least ratio that is aimed at, per variant and rival.
AIMS = {
    "int8": {U8S8: 1.0, OWN: 1.0, FLOAT: None},
    "int16 x int8": {FLOAT: 1.7, SAME: 2.2},
    "dual int16": {FLOAT: 1.0, SAME: 1.4},
    "quantize_static": {SAME: 1.0},
}
# The least cosine between Twofold's outputs and those of ONNX Runtime on the same integers, there without graph
# optimization, which saturates biases beside 16-bit weights. For int8 it is no test of exactness: a sum that is rounded
# the other way moves many of what follows by a step (bench/agreement.py looks closer).
LEAST_COSINE = {"int8": 0.9, "int16 x int8": 0.9999, "dual int16": 0.99999, "quantize_static": 0.9}


def cosine(a, b):
    """Of two arrays, flattened; 1 where both are 0."""
    a, b = a.ravel().astype(np.float64), b.ravel().astype(np.float64)
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / norm) if norm else 1.0


def our_file(network, variant, folder):
    """What Twofold runs; "quantize_static" is what ONNX Runtime's quantizer made."""
    return (
        quantized_by_onnxruntime(network, folder)
        if variant == "quantize_static"
        else quantized(network, variant, folder)
    )


def rival_files(network, variant, folder):
    """{rival: its file}, one with the integers of Twofold's first; uint8 activations are the fast ones there."""
    if variant == "int8":
        return {
            U8S8: quantized(network, variant, folder, "uint8"),
            OWN: quantized_by_onnxruntime(network, folder),
            FLOAT: network.path,
        }
    same = {SAME: our_file(network, variant, folder)}
    return same if variant == "quantize_static" else {**same, FLOAT: network.path}


def compare(network, variant, folder, threads, seconds):
    """Checks results, then races; a row per rival."""
    feed = network.samples(1, seed=5)[0]
    ours = twofold.Session(str(our_file(network, variant, folder)), threads=threads)
    theirs = {
        rival: onnxruntime_session(path, threads) for rival, path in rival_files(network, variant, folder).items()
    }
    plain = onnxruntime_session(next(iter(rival_files(network, variant, folder).values())), threads, optimize=False)
    outputs = list(ours.run(feed).values())
    closeness = min(cosine(a, b) for a, b in zip(outputs, plain.run(None, feed), strict=True))
    if not closeness >= LEAST_COSINE[variant]:
        sys.exit(f"{network.name}, {variant}: outputs differ, cosine {closeness:.6f}")
    del plain
    runs = {"Twofold": lambda: ours.run(feed)}
    for rival, session in theirs.items():
        runs[rival] = lambda session=session: session.run(None, feed)
    times = race(runs, seconds)
    for rival in theirs:
        best, median = ratios(times["Twofold"], times[rival])
        yield {
            "network": network.name,
            "variant": variant,
            "threads": threads,
            "rival": rival,
            "twofold_ms": 1e3 * min(times["Twofold"]),
            "rival_ms": 1e3 * min(times[rival]),
            "best": best,
            "median": median,
            "aim": AIMS[variant][rival],
            "runs": len(times["Twofold"]),
            "cosine": closeness,
        }


HEADER = (
    "| network | variant | threads | Twofold ms | rival | its ms | ratio, best | ratio, median | at least |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


def line(row):
    """A row of the table; a ratio below what is aimed at is marked."""
    aim = "-" if row["aim"] is None else f"{row['aim']:.1f}" + ("" if row["best"] >= row["aim"] else ", missed")
    return (
        f"| {row['network']} | {row['variant']} | {row['threads']} | {row['twofold_ms']:.1f} | {row['rival']} "
        f"| {row['rival_ms']:.1f} | {row['best']:.2f} | {row['median']:.2f} | {aim} |"
    )


def main():
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_network_options(parser)
    parser.add_argument("--variants", nargs="*", default=list(AIMS), choices=AIMS)
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10, help="per network, variant and number of threads")
    parser.add_argument(
        "--folder", type=pathlib.Path, help="keeps the quantized models, and takes those that are there"
    )
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()

    rows = []
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or pathlib.Path(temporary)
        for network in find_networks(arguments.models, arguments.ocr, folder):
            for variant in arguments.variants:
                for threads in arguments.threads:
                    for row in compare(network, variant, folder, threads, arguments.seconds):
                        rows.append(row)
                        print(line(row), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
