"""python make_onnxruntime.py FLOAT.onnx OUTDIR: files of ONNX Runtime's quantize_static."""

import pathlib
import sys

from network import samples
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

FORMS = {
    "qdq_u8s8": (QuantFormat.QDQ, QuantType.QUInt8, QuantType.QInt8, True),
    "qdq_s8s8": (QuantFormat.QDQ, QuantType.QInt8, QuantType.QInt8, True),
    "qdq_s16s8": (QuantFormat.QDQ, QuantType.QInt16, QuantType.QInt8, True),
    "qoperator_u8s8": (QuantFormat.QOperator, QuantType.QUInt8, QuantType.QInt8, True),
    "qoperator_u8u8": (QuantFormat.QOperator, QuantType.QUInt8, QuantType.QUInt8, False),
}


class Reader(CalibrationDataReader):
    def __init__(self):
        self.feeds = iter([{"x": x} for x in samples()])

    def get_next(self):
        return next(self.feeds, None)


source, folder = sys.argv[1], pathlib.Path(sys.argv[2])
prepared = folder / "prepared.onnx"
quant_pre_process(source, prepared)
for name, (form, activation, weight, per_channel) in FORMS.items():
    quantize_static(
        prepared,
        folder / f"onnxruntime_{name}.onnx",
        Reader(),
        quant_format=form,
        per_channel=per_channel,
        activation_type=activation,
        weight_type=weight,
    )
prepared.unlink()
