"""Float execution against ONNX Runtime, in one run: outputs are compared first, then runs of the two alternate.

python bench/float_models.py [--models NAME ...] [--ocr DIR] [--threads 1 2] [--seconds 10] [--json FILE]
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile

import numpy as np
import twofold

from networks import add_network_options, find_networks
from rivals import onnxruntime_session, race


def compare(path, shape, threads, budget):
    theirs = onnxruntime_session(path, threads)
    ours = twofold.Session(str(path), threads=threads)
    name = theirs.get_inputs()[0].name
    feed = {name: np.random.default_rng(1).standard_normal(shape).astype(np.float32)}

    expected, got = theirs.run(None, feed), ours.run(feed)
    names = [output.name for output in theirs.get_outputs()]
    errors = [float(np.max(np.abs(got[n] - e))) for n, e in zip(names, expected, strict=True)]
    scale = max(float(np.max(np.abs(e))) for e in expected)

    times = race({"twofold": lambda: ours.run(feed), "onnxruntime": lambda: theirs.run(None, feed)}, budget)
    result = {"threads": threads, "runs": len(times["twofold"]), "max_abs_error": max(errors), "max_abs_output": scale}
    for engine, values in times.items():
        result[f"{engine}_best_ms"] = min(values) * 1e3
        result[f"{engine}_median_ms"] = statistics.median(values) * 1e3
    result["ratio_best"] = result["twofold_best_ms"] / result["onnxruntime_best_ms"]
    result["ratio_median"] = result["twofold_median_ms"] / result["onnxruntime_median_ms"]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_network_options(parser)
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10, help="time spent on each model and number of threads")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="largest error over the largest output")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()

    results, failed = [], False
    print(f"{'model':20} threads   ours ms    ORT ms  ratio (best)  ratio (median)  max error / max output")
    with tempfile.TemporaryDirectory() as folder:
        for network in find_networks(arguments.models, arguments.ocr, pathlib.Path(folder)):
            for threads in arguments.threads:
                r = {"model": network.name, **compare(network.path, network.shape, threads, arguments.seconds)}
                results.append(r)
                failed |= not r["max_abs_error"] <= arguments.tolerance * r["max_abs_output"]
                print(
                    f"{network.name:20} {threads:7} {r['twofold_best_ms']:9.2f} {r['onnxruntime_best_ms']:9.2f} "
                    f"{r['ratio_best']:13.2f} {r['ratio_median']:15.2f}  {r['max_abs_error']:.2e} / "
                    f"{r['max_abs_output']:.2e}",
                    flush=True,
                )
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    if failed:
        sys.exit("outputs differ by more than --tolerance")


if __name__ == "__main__":
    main()
