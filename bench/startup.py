"""From the file to the first result, and the memory that takes: Twofold against ONNX Runtime on int8 models.

python bench/startup.py [--repeat 15] [--ocr DIR]

Time: sessions are made and run once in turns, in one process, with the recognizer of PP-OCRv4; a ratio above 1 means
that Twofold is faster. Memory: each engine in a process of its own, with the detector on 640 x 640; the peak above what
the interpreter has once everything is imported and the input is there. Below 1, Twofold takes less.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import twofold

from networks import find_networks
from rivals import onnxruntime_session, race, ratios
from variants import quantized


def peak_mib(field):
    """VmRSS or VmHWM of this process, in MiB."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def first_result(engine, path, feed, threads):
    """Makes a session and runs it."""
    if engine == "twofold":
        return twofold.Session(str(path), threads=threads).run(feed)
    return onnxruntime_session(path, threads).run(None, feed)


def measure_memory(engine, path, feed_path, threads, runs=5):
    """Prints the MiB that a session and its runs add at most to this process."""
    feed = dict(np.load(feed_path))
    before = peak_mib("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    if engine == "twofold":
        session = twofold.Session(str(path), threads=threads)
        for _ in range(runs):
            session.run(feed)
    else:
        session = onnxruntime_session(path, threads)
        for _ in range(runs):
            session.run(None, feed)
    print(json.dumps(peak_mib("VmHWM") - before))


def memory(engine, path, feed_path, threads):
    """The MiB of one engine, from a new process."""
    command = [sys.executable, __file__, "--worker", engine, str(path), str(feed_path), str(threads)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])


def print_times(network, folder, threads, repeat):
    """The table of load and first run."""
    feed = network.samples(1, seed=5)[0]
    files = {"twofold": quantized(network, "int8", folder), "u8s8": quantized(network, "int8", folder, "uint8")}
    runs = {engine: lambda e=engine, p=path: first_result(e, p, feed, threads) for engine, path in files.items()}
    for run in runs.values():
        run()
    times = race(runs, 0, at_least=repeat)
    best, median = ratios(times["twofold"], times["u8s8"])
    ours, theirs = (1e3 * min(times[engine]) for engine in files)
    print(
        "| network | threads | Twofold ms | ONNX Runtime ms | ratio, best | ratio, median |\n|---|---|---|---|---|---|"
    )
    print(f"| {network.name} | {threads} | {ours:.1f} | {theirs:.1f} | {best:.2f} | {median:.2f} |\n", flush=True)


def print_memory(network, folder, threads):
    """The table of peaks."""
    feed_path = folder / "feed.npz"
    np.savez(feed_path, **network.samples(1, seed=5)[0])
    ours = memory("twofold", quantized(network, "int8", folder), feed_path, threads)
    print("| network | threads | model | Twofold MiB | rival | its MiB | ratio |\n|---|---|---|---|---|---|---|")
    for rival, path in (("u8s8", quantized(network, "int8", folder, "uint8")), ("fp32", network.path)):
        theirs = memory("onnxruntime", path, feed_path, threads)
        print(
            f"| {network.name} | {threads} | int8 | {ours:.0f} | ONNX Runtime {rival} | {theirs:.0f} "
            f"| {ours / theirs:.2f} |",
            flush=True,
        )
    float_ours = memory("twofold", network.path, feed_path, threads)
    print(f"| {network.name} | {threads} | fp32 | {float_ours:.0f} | - | - | - |", flush=True)


def main():
    """Prints two Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ocr", type=pathlib.Path, default=pathlib.Path(".cache/ocr"), help="folder of PP-OCRv4 files")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeat", type=int, default=15, help="sessions of each engine that are timed")
    parser.add_argument(
        "--folder", type=pathlib.Path, help="keeps the quantized models, and takes those that are there"
    )
    parser.add_argument("--worker", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        engine, path, feed_path, threads = arguments.worker
        return measure_memory(engine, path, feed_path, int(threads))
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or pathlib.Path(temporary)
        networks = {n.name: n for n in find_networks(["ppocrv4-rec", "ppocrv4-det"], arguments.ocr, folder)}
        print_times(networks["ppocrv4-rec"], folder, arguments.threads, arguments.repeat)
        print_memory(networks["ppocrv4-det"], folder, arguments.threads)


if __name__ == "__main__":
    main()
