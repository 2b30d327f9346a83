"""A trained float network through post-training quantization, and through training with it."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import twofold
from torch import nn
from twofold.quantization import FakeQuantState, export, prepare, set_fake_quantize
from twofold.quantization.qconfig import (
    default_calib_8bit_fake_quant_qconfig,
    default_qat_8bit_fake_quant_qconfig,
)
from twofold.quantization.qconfig_template import (
    PlanQconfigSetter,
    default_calibration_qconfig_setter,
    default_qat_qconfig_setter,
)

from data import BATCH, Data
from training import fine_tune

PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")
# Without zero points and with channels as they are, as training has it; left alone,
# `twofold.quantize` gives activations the ones, makes the others even, and gives other operators
# than products 16 bits where they need them.
INT8 = {
    "model_config": {
        "all_node_type": "int8",
        "activation": {"asymmetric": False},
        "equalization": False,
    }
}
# Weights as training rounds them, too; left alone, `twofold.quantize` keeps the sums of filters.
AS_TRAINING = {**INT8["model_config"], "weight": {"rounding": "nearest"}}


def to_onnx(net: nn.Module, path: Path) -> None:
    """Write the float network, `image` to `logits`, opset 17, with a dynamic batch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            net,
            (torch.zeros(1, 1, 28, 28),),
            str(path),
            opset_version=17,
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}},
            dynamo=False,
        )


def samples_of(calibration: Data) -> list[dict[str, np.ndarray]]:
    """One image per sample, as `twofold.quantize` takes them."""
    return [{"image": image.numpy()[None]} for image in calibration.images]


def worst_products(float_file: Path, calibration: Data, count: int) -> list[str]:
    """The nodes that, quantized to int8 alone, leave most noise in the logits."""
    op_types = {node["name"]: node["op_type"] for node in twofold.inspect(float_file)["nodes"]}
    by_noise = twofold.debug.get_sensitivity_of_nodes(
        float_file,
        "sqnr",
        samples_of(calibration)[:BATCH],
        config={"model_config": AS_TRAINING},
    )
    return [node for node in by_noise if op_types[node] in PRODUCTS][:count]


def dual_int16(nodes: list[str]) -> Mapping[str, Any]:
    """The config with 16 bits in both inputs of these nodes, and 8 everywhere else."""
    return {
        "model_config": AS_TRAINING,
        "node_config": {node: {"qtype": "dual-int16"} for node in nodes},
    }


def trained(
    net: nn.Module,
    plan: Path | None,
    data: Data,
    calibration: Data,
    epochs: int,
    rate: float,
    folder: Path,
) -> nn.Module:
    """A float network calibrated and trained as a plan says, or in int8, then in VALIDATION.

    prepare's reports go to `folder`.
    """

    def prepared(setter: Any, qconfig: Any) -> nn.Module:
        by_plan = [] if plan is None else [PlanQconfigSetter(plan, reference_qconfig=qconfig)]
        return prepare(net, calibration.images[:1], (*by_plan, setter), check_result_dir=folder)

    calibrated = prepared(default_calibration_qconfig_setter, default_calib_8bit_fake_quant_qconfig)
    set_fake_quantize(calibrated.eval(), FakeQuantState.CALIBRATION)
    with torch.no_grad():
        for images, _ in calibration.batches():
            calibrated(images)

    model = prepared(default_qat_qconfig_setter, default_qat_8bit_fake_quant_qconfig)
    model.load_state_dict(calibrated.state_dict())
    set_fake_quantize(model, FakeQuantState.QAT)
    fine_tune(model, net, data, epochs, rate)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


@torch.no_grad()
def torch_logits(net: nn.Module, data: Data) -> np.ndarray:
    """[S,10], what the network gives for all images."""
    return np.concatenate([net(images).numpy() for images, _ in data.batches()])


def engine_logits(file: Path, data: Data) -> np.ndarray:
    """[S,10], what the engine gives for the model in a file."""
    session = twofold.Session(file)
    return np.concatenate(
        [session.run({"image": images.numpy()})["logits"] for images, _ in data.batches()]
    )


def exported_logits(model: nn.Module, file: Path, data: Data) -> np.ndarray:
    """[S,10], what the engine gives once the trained model is in a file."""
    example = data.images[:BATCH]
    export(model, (example,), file, input_names=["image"], output_names=["logits"])
    return engine_logits(file, data)


def accuracy(logits: np.ndarray, data: Data) -> float:
    """The share of right answers, in percent."""
    return 100 * float(np.mean(logits.argmax(1) == data.labels.numpy()))
