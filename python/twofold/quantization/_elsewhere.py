"""Names of the original that belong to its compiler or have another way here: they raise."""

from ._not_built import refused

_EXPORT = (
    "twofold.quantization.export(model, example_inputs, 'm.onnx') writes the model with its "
    "integers, and twofold.Session runs it"
)
_NO_FIXED_POINT = (
    "VALIDATION computes from the integers that the exported model has, so that there is no "
    f"fixed-point model to convert to; {_EXPORT}"
)

convert = refused("convert", _NO_FIXED_POINT)
convert_fx = refused("convert_fx", _NO_FIXED_POINT)
check_model = refused("check_model", f"it is about the vendor's compiler; {_EXPORT}")
compile_model = refused("compile_model", f"it is about the vendor's compiler; {_EXPORT}")
perf_model = refused("perf_model", f"it is about the vendor's device; {_EXPORT}")
visualize_model = refused("visualize_model", f"any viewer of ONNX shows the file; {_EXPORT}")
export_hbir = refused("export_hbir", f"it writes the vendor's format; {_EXPORT}")
auto_calibrate = refused(
    "auto_calibrate",
    "call set_fake_quantize(model, FakeQuantState.CALIBRATION), and the model with your data",
)
freeze_qat_module = refused(
    "freeze_qat_module",
    "call set_fake_quantize(module, FakeQuantState.VALIDATION), and requires_grad_(False)",
)
weight_reconstruction = refused(
    "weight_reconstruction", "train for some steps, with a distillation loss where labels lack"
)
load_observer_params = refused(
    "load_observer_params", "call model.load_state_dict(calibrated_model.state_dict())"
)
