"""Float execution against ONNX Runtime, in one run: outputs are compared first, then runs of the two alternate.

python bench/float_models.py [--models NAME ...] [--ocr DIR] [--threads 1 2] [--seconds 10] [--json FILE]
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import twofold

from models import SHAPED

OCR = {"ppocrv4-det": ("*det*.onnx", (1, 3, 640, 640)), "ppocrv4-rec": ("*rec*.onnx", (1, 3, 48, 320))}


def find_models(names, ocr, folder):
    """Yields name, path and input shape of every model asked for; writes the shaped ones to `folder`."""
    for name, (pattern, shape) in OCR.items():
        if names and name not in names:
            continue
        files = sorted(ocr.rglob(pattern))
        if files:
            yield name, files[0], shape
        else:
            print(f"{name}: no {pattern} in {ocr}; give --ocr or run examples/ocr/fetch_model.py", file=sys.stderr)
    for name, make in SHAPED.items():
        if names and name not in names:
            continue
        path = folder / f"{name}.onnx"
        model = make()
        onnx.save(model, path)
        yield name, path, tuple(d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim)


def seconds_of(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(path, shape, threads, budget):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads of the two must not take the cores from each other.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if threads == 1 else "0")
    theirs = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    ours = twofold.Session(str(path), threads=threads)
    name = theirs.get_inputs()[0].name
    feed = {name: np.random.default_rng(1).standard_normal(shape).astype(np.float32)}

    expected, got = theirs.run(None, feed), ours.run(feed)
    names = [output.name for output in theirs.get_outputs()]
    errors = [float(np.max(np.abs(got[n] - e))) for n, e in zip(names, expected, strict=True)]
    scale = max(float(np.max(np.abs(e))) for e in expected)

    times = {"twofold": [], "onnxruntime": []}
    end = time.perf_counter() + budget
    while time.perf_counter() < end or len(times["twofold"]) < 5:
        times["onnxruntime"].append(seconds_of(lambda: theirs.run(None, feed)))
        times["twofold"].append(seconds_of(lambda: ours.run(feed)))
    result = {"threads": threads, "runs": len(times["twofold"]), "max_abs_error": max(errors), "max_abs_output": scale}
    for engine, values in times.items():
        result[f"{engine}_best_ms"] = min(values) * 1e3
        result[f"{engine}_median_ms"] = statistics.median(values) * 1e3
    result["ratio_best"] = result["twofold_best_ms"] / result["onnxruntime_best_ms"]
    result["ratio_median"] = result["twofold_median_ms"] / result["onnxruntime_median_ms"]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=[], choices=[*OCR, *SHAPED], help="default: all")
    parser.add_argument("--ocr", type=pathlib.Path, default=pathlib.Path(".cache/ocr"), help="folder of PP-OCRv4 files")
    parser.add_argument("--threads", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--seconds", type=float, default=10, help="time spent on each model and number of threads")
    parser.add_argument("--tolerance", type=float, default=1e-3, help="largest error over the largest output")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()

    results, failed = [], False
    print(f"{'model':20} threads   ours ms    ORT ms  ratio (best)  ratio (median)  max error / max output")
    with tempfile.TemporaryDirectory() as folder:
        for name, path, shape in find_models(arguments.models, arguments.ocr, pathlib.Path(folder)):
            for threads in arguments.threads:
                r = {"model": name, **compare(path, shape, threads, arguments.seconds)}
                results.append(r)
                failed |= not r["max_abs_error"] <= arguments.tolerance * r["max_abs_output"]
                print(
                    f"{name:20} {threads:7} {r['twofold_best_ms']:9.2f} {r['onnxruntime_best_ms']:9.2f} "
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
