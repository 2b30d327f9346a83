"""Trained networks quantized by Twofold and by other toolkits, on the same samples: a table.

python bench/peers.py [network ...] [--again VARIANT ...] [--timeout 240]

Each network (bench/trained) is quantized by Twofold in four ways, and by each other toolkit with all settings of
peer_quantizers.CANDIDATES, of which the row shows the best: by the measure of the network's answers on the very samples
that are then shown, and by signal over noise among those that are equal. ONNX Runtime runs what the others make, with
exact sums. A toolkit gets the float network after ONNX Runtime's pre-processing, and where it fails the same with
other names of tensors; it runs in an environment of its own:

    python -m venv .cache/peers/nncf && .cache/peers/nncf/bin/pip install nncf==3.4.0 onnx==1.19.1 onnxruntime==1.32.0

ONNX Runtime is that of this environment. Speech needs Debian's espeak-ng. What has been measured is kept in
.cache/peers/results, and measured again only if --again names it (`ours`, `onnxruntime`, `nncf`, `failed`, `all`).
"""

import argparse

from peer_comparison import PeerComparison
from trained.all_networks import NETWORKS


def format_row(figures, whole):
    """Cells of a row; `whole` is the cost of all int8."""
    if "error" in figures:
        return f"fails: {figures['error'].strip()[:120].replace('|', '/')} | | | "
    sqnr = f"{figures['sqnr']:.1f}" if figures["sqnr"] < float("inf") else "-"
    cost = f"{figures['cost'] / whole:.2f}" if "cost" in figures and whole else "-"
    beyond = f"{100 * figures['beyond_int8']:.1f}" if "beyond_int8" in figures else "-"
    return f"{figures['score']:.1f} | {sqnr} | {cost} | {beyond}"


def print_rows(comparison):
    """Prints the rows of a network, once all are there."""
    rows = list(comparison.rows())
    whole = dict(rows)["all int8"].get("cost")
    title = f"**{comparison.network.name}**"
    for name, figures in rows:
        print(f"| {title} | {name} | {format_row(figures, whole)} |", flush=True)
        title = ""


def print_networks(names):
    """Prints what they are."""
    print("| network | from | licence | score | samples: calibration, measured |\n|---|---|---|---|---|")
    for network in (NETWORKS[name] for name in names):
        counts = f"{network.calibration_count}, {network.held_out_count}"
        print(f"| {network.name} | {network.source} | {network.licence} | {network.metric} | {counts} |")


def main():
    """Prints a table of the networks, and one of what has been measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=list(NETWORKS), help=f"of {', '.join(NETWORKS)}")
    parser.add_argument("--again", nargs="*", default=[], help="variants to measure again")
    parser.add_argument("--timeout", type=float, default=240, help="seconds that a toolkit gets for one quantization")
    options = parser.parse_args()
    print_networks(options.networks)
    print("\n| network | variant | score | sqnr dB | cost | MACs beyond int8 % |\n|---|---|---|---|---|---|")
    for name in options.networks:
        print_rows(PeerComparison(NETWORKS[name], options.again, options.timeout))


if __name__ == "__main__":
    main()
