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

from exact_onnxruntime import exact_session
from models import MATMULS
from networks import NAMES, add_network_options, find_networks
from rivals import onnxruntime_session, race, ratios
from variants import quantized, quantized_by_onnxruntime

# ONNX Runtime on: the same integers, activations being uint8 for int8, which is fastest there; what its own quantizer
# makes of the network for CPUs; the float model.
SAME, OWN, FLOAT = "same integers", "own int8", "fp32"
# The least ratio that is aimed at, per variant and rival. The variant quantize_static is that file of its own.
AIMS = {
    "int8": {SAME: 1.0, OWN: 1.0, FLOAT: None},
    "int16 x int8": {SAME: 2.2, FLOAT: 1.7},
    "dual int16": {SAME: 1.4, FLOAT: 1.0},
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
    """{rival: its file}, the same integers first."""
    same = quantized(network, variant, folder, "uint8") if variant == "int8" else our_file(network, variant, folder)
    files = {SAME: same, OWN: quantized_by_onnxruntime(network, folder), FLOAT: network.path}
    return {rival: files[rival] for rival in AIMS[variant]}


def compare(network, variant, folder, threads, seconds):
    """Checks results, then races; a row per rival."""
    feed = network.samples(1, seed=5)[0]
    ours = twofold.Session(str(our_file(network, variant, folder)), threads=threads)
    theirs = {
        rival: onnxruntime_session(path, threads) for rival, path in rival_files(network, variant, folder).items()
    }
    plain = exact_session(next(iter(rival_files(network, variant, folder).values())), threads=threads)
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


HEADER = "| network | variant | threads | Twofold ms | same integers | own int8 | fp32 |\n|---|---|---|---|---|---|---|"


def line(rows):
    """The rows of one comparison as one of the table: ratios of the best runs and of the medians."""
    cells = {row["rival"]: f"{row['best']:.2f}{missed(row)} / {row['median']:.2f}" for row in rows}
    first, found = rows[0], " | ".join(cells.get(rival, "-") for rival in (SAME, OWN, FLOAT))
    return f"| {first['network']} | {first['variant']} | {first['threads']} | {first['twofold_ms']:.1f} | {found} |"


def missed(row):
    """A mark where a ratio is below what is aimed at."""
    return "*" if row["aim"] is not None and row["best"] < row["aim"] else ""


def main():
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_network_options(parser)
    parser.set_defaults(models=[*NAMES, *MATMULS])
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
                    compared = list(compare(network, variant, folder, threads, arguments.seconds))
                    rows += compared
                    print(line(compared), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n")


if __name__ == "__main__":
    main()
