"""One network quantized by one other toolkit, in that toolkit's environment: what peers.py runs.

python bench/peer_quantizers.py TOOL SETTINGS MODEL DATA OUTPUT

SETTINGS are JSON, of CANDIDATES; DATA is a folder of .npz files, one per sample, with an array per input. The last line
that is printed is {"seconds": ...}. A toolkit is imported only where it is asked for.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import numpy as np


def product(**values):
    """All combinations, as dicts."""
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]


# The settings that are tried; of each toolkit the table has the best.
CANDIDATES = {
    "onnxruntime": product(method=["MinMax", "Entropy", "Percentile"], activations=["QUInt8", "QInt8"]),
    "nncf": product(preset=["PERFORMANCE", "MIXED"], transformer=[False, True], fast_bias_correction=[True, False]),
}


def read_samples(folder):
    """{input: array} of every file."""
    return [dict(np.load(path)) for path in sorted(Path(folder).glob("*.npz"))]


def quantize_by_onnxruntime(settings, model, samples, output):
    """quantize_static: QDQ, weights int8 per channel."""
    from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantType, quantize_static

    class Samples(CalibrationDataReader):
        """One feed after the other."""

        def __init__(self):
            self.feeds = iter(samples)

        def get_next(self):
            return next(self.feeds, None)

    quantize_static(
        str(model),
        str(output),
        Samples(),
        per_channel=True,
        activation_type=QuantType[settings["activations"]],
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod[settings["method"]],
    )


def quantize_by_nncf(settings, model, samples, output):
    """nncf.quantize of an ONNX model."""
    import nncf
    import onnx

    quantized = nncf.quantize(
        onnx.load(model),
        nncf.Dataset(samples),
        preset=nncf.QuantizationPreset[settings["preset"]],
        model_type=nncf.ModelType.TRANSFORMER if settings["transformer"] else None,
        fast_bias_correction=settings["fast_bias_correction"],
        subset_size=len(samples),
    )
    onnx.save(quantized, output)


TOOLS = {"onnxruntime": quantize_by_onnxruntime, "nncf": quantize_by_nncf}


def main():
    """Writes the quantized model and prints the seconds it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tool", choices=TOOLS)
    parser.add_argument("settings", type=json.loads)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    start = time.perf_counter()
    TOOLS[options.tool](options.settings, options.model, read_samples(options.data), options.output)
    print("\n" + json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main()
