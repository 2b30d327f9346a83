"""The quantized forms of a network that are measured."""

import onnx
import twofold
from onnx import version_converter
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from onnxruntime.tools.onnx_model_utils import make_input_shape_fixed

GEMMS = ("Conv", "ConvTranspose", "MatMul", "Gemm")
FAST = {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}

CONFIGS = {
    "int8": {"model_config": {"all_node_type": "int8", **FAST}},
    "int16 x int8": {"model_config": {"all_node_type": "int16", **FAST}},
    "dual int16": {
        "model_config": {"all_node_type": "int16", **FAST},
        "op_config": {op: {"qtype": "dual-int16"} for op in GEMMS},
    },
}


def quantized(network, variant, folder, activation_format="int8"):
    """The path of `network` at the precision `variant`, calibrated on two samples; made if `folder` has it not."""
    path = folder / f"{network.name}-{variant.replace(' ', '')}-{activation_format}.onnx"
    if not path.exists():
        samples = network.samples(2, seed=3)
        twofold.quantize(network.path, samples, CONFIGS[variant], output=path, activation_format=activation_format)
    return path


class _Samples(CalibrationDataReader):
    """Samples as ONNX Runtime's calibration takes them."""

    def __init__(self, samples):
        self.samples = iter(samples)

    def get_next(self):
        """The next feed."""
        return next(self.samples, None)


def quantized_by_onnxruntime(network, folder):
    """The path of `network` as quantize_static makes it for CPUs: QDQ, uint8 activations, int8 weights per channel."""
    path = folder / f"{network.name}-onnxruntime.onnx"
    if not path.exists():
        prepared = folder / f"{network.name}-prepared.onnx"
        model = onnx.load(network.path)
        if model.opset_import[0].version < 13:  # has no scales per channel
            model = version_converter.convert_version(model, 17)
        make_input_shape_fixed(model.graph, network.input, list(network.shape))
        onnx.save(model, prepared)
        quant_pre_process(prepared, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            path,
            _Samples(network.samples(2, seed=3)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        prepared.unlink()
    return path
