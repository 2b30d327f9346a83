"""python make_nncf.py FLOAT.onnx OUTDIR: files of nncf.quantize."""

import pathlib
import sys

import nncf
import onnx
from network import samples
from nncf.parameters import ModelType

source, folder = sys.argv[1], pathlib.Path(sys.argv[2])
data = nncf.Dataset([{"x": x} for x in samples()])
for name, options in {
    "mixed": {"preset": nncf.QuantizationPreset.MIXED},
    "transformer": {"model_type": ModelType.TRANSFORMER},
}.items():
    onnx.save(
        nncf.quantize(onnx.load(source), data, subset_size=8, **options),
        folder / f"nncf_{name}.onnx",
    )
