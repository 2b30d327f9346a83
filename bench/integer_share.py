"""How much of a quantized network runs on integers, by operators and by their time, and what does not, and why.

python bench/integer_share.py [--models NAME ...] [--variants int8 ...] [--threads 1] [--twofold build/twofold]
"""

import argparse
import collections
import json
import pathlib
import subprocess
import tempfile

import numpy as np

from networks import add_network_options, find_networks
from variants import CONFIGS, GEMMS, quantized

ON_INTEGERS = ("integer", "table", "moved")


def as_json(twofold, *command):
    """What a command of the command line knows."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        subprocess.run([str(twofold), *map(str, command), "--json", file.name], check=True, capture_output=True)
        return json.loads(pathlib.Path(file.name).read_text())


def share(twofold, path, feed, threads, seconds):
    """Share of the operators' time on integers, Gemm-type operators left in float, and the dearest operators.

    Those are of two kinds: "inside" have integers in and out and float32 inside, "rest" are the others.
    """
    report = as_json(twofold, "bench", path, "--data", feed, "--threads", threads, "--seconds", seconds)
    lowered = as_json(twofold, "inspect", path)["lowered"]
    nodes = report["nodes"]
    total = sum(node["seconds"] for node in nodes)
    inside, rest = collections.Counter(), collections.Counter()
    for node in nodes:
        if node["kind"] == "quantized":
            inside[node["op_type"]] += node["seconds"] / total
        elif node["kind"] not in ON_INTEGERS:
            rest[f"{node['op_type']} ({node['kind']})"] += node["seconds"] / total
    gemms = [row for row in lowered if row["op_type"].removeprefix("Integer") in GEMMS]
    return {
        "time": 1 - sum(rest.values()),
        "gemms": len(gemms),
        "float_gemms": [row for row in gemms if row["kind"] == "float"],
        "inside": inside.most_common(3),
        "rest": rest.most_common(4),
    }


def percentages(parts):
    """Names with their parts of the whole."""
    return ", ".join(f"{name} {100 * part:.1f}" for name, part in parts)


def main():
    """Prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_network_options(parser)
    parser.add_argument("--variants", nargs="*", default=list(CONFIGS), choices=CONFIGS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--twofold", type=pathlib.Path, default=pathlib.Path("build/twofold"), help="the command")
    parser.add_argument(
        "--folder", type=pathlib.Path, help="keeps the quantized models, and takes those that are there"
    )
    arguments = parser.parse_args()
    print(
        "| network | variant | Conv, MatMul, Gemm on integers | of the time, % "
        "| of these with float32 inside, % of the time | the rest, % of the time |"
    )
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or pathlib.Path(temporary)
        for network in find_networks(arguments.models, arguments.ocr, folder):
            feed = folder / f"{network.name}-feed"
            feed.mkdir(exist_ok=True)
            np.savez(feed / "0.npz", **network.samples(1, seed=5)[0])
            for variant in arguments.variants:
                path = quantized(network, variant, folder)
                row = share(arguments.twofold, path, feed, arguments.threads, arguments.seconds)
                integer_gemms = row["gemms"] - len(row["float_gemms"])
                print(
                    f"| {network.name} | {variant} | {integer_gemms} of {row['gemms']} | {100 * row['time']:.1f} "
                    f"| {percentages(row['inside'])} | {percentages(row['rest'])} |",
                    flush=True,
                )
                for gemm in row["float_gemms"]:
                    print(f"  {gemm['name']} ({gemm['op_type']}): {gemm.get('why')}")


if __name__ == "__main__":
    main()
