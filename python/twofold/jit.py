"""Not here: TorchScript files of the vendor's compiler."""

from .quantization._not_built import refused

__all__ = ["load", "save"]

save = refused(
    "jit.save",
    "twofold.quantization.export(model, example_inputs, 'm.onnx') writes what runs, and "
    "torch.save(model.state_dict(), 'm.pt') what is trained",
)
load = refused("jit.load", "twofold.Session('m.onnx') loads what quantization.export wrote")
