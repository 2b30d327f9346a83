"""How near OpenVINO's numbers are to Twofold's on int8 files: loads them, runs them, compares.

The networks are the random ones of tests/e2e. OpenVINO is no dependency: pip install openvino.
Example: PYTHONPATH=tests/e2e python bench/openvino_numbers.py 200
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import openvino
import twofold
from random_networks import RandomNetwork


def sqnr(expected, actual):
    """In dB."""
    a, b = np.asarray(expected, np.float64), np.asarray(actual, np.float64)
    noise = ((a - b) ** 2).sum()
    return np.inf if noise == 0 else 10 * np.log10(((a**2).sum() + 1e-12) / noise)


def compare(seed, folder, precision):
    """The worst sqnr of any output and sample."""
    network = RandomNetwork(seed)
    samples = network.samples()
    config = {"model_config": {"all_node_type": "int8"}}
    onnx.save(network.model(), folder / "float.onnx")
    path = folder / "quantized.onnx"
    twofold.quantize(folder / "float.onnx", samples, config, output=path, progress=False)
    session = twofold.Session(path)
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": "1"})
    worst = np.inf
    for sample in samples:
        result = compiled(sample)
        for i, output in enumerate(session.outputs):
            worst = min(worst, sqnr(session.run(sample)[output["name"]], result[i]))
    return worst


def main():
    """Prints what did not load, and the quantiles of the rest."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    found, failed = [], 0
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(count):
            try:
                found.append(compare(seed, Path(folder), "f32"))
            except RuntimeError as error:
                failed += 1
                print(f"seed {seed}: {str(error).splitlines()[-1][:150]}")
    found.sort()
    print(f"OpenVINO {openvino.__version__}: {len(found)} of {count} run, {failed} do not")
    for share in (0, 0.01, 0.05, 0.5):
        print(f"  sqnr, quantile {share}: {found[int(share * (len(found) - 1))]:.1f} dB")


if __name__ == "__main__":
    main()
