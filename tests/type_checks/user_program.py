"""Every part of the package as a program uses it: `mypy --strict` finds nothing here.

It is never run.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import torch
import twofold as horizon
from numpy.typing import NDArray
from torch import nn
from twofold import Plan, Session, Statistics, debug, quantize
from twofold.dtype import qint8, qint16
from twofold.hbdk4.compiler import save
from twofold.profiler import model_profiler
from twofold.quantization import (
    DeQuantStub,
    FakeQuantState,
    PrepareMethod,
    QuantStub,
    export,
    get_qconfig,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_qat_qconfig_setter,
)
from twofold.reports import QuantizeReport, TensorRow


class Batches:
    """Data with a length and an index, as torch.utils.data.Dataset has them."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"image": torch.zeros(1, 1, 28, 28)}


def samples() -> Iterator[dict[str, NDArray[np.float32]]]:
    """One sample."""
    yield {"image": np.zeros((1, 1, 28, 28), np.float32)}


def worst(rows: list[TensorRow]) -> str:
    """The tensor with the lowest ratio of signal and noise."""
    return min(rows, key=lambda row: float(row["metrics"]["sqnr"]))["tensor"]


def quantized(model: Path) -> QuantizeReport:
    """By data of every kind."""
    statistics = Statistics.observe(model, Batches(), progress=False)
    quantize(str(model), samples(), {"model_config": {"all_node_type": "int16"}})
    quantize(model, [{"image": [0.0, 1.0]}], statistics=[statistics, "more.statistics"])
    return quantize(model, "samples/", output=Path("out.onnx"), cancelled=lambda: False)


def on_the_engine(model: Path, plan: Path) -> NDArray[np.float32]:
    """Files, bytes and runs from the middle."""
    session = Session(model.read_bytes(), threads=2, watched=["x"])
    Session(onnx.load(model)).run({"image": torch.zeros(1)})
    shape: list[int] | None = session.inputs[0]["shape"]
    kept = session.keep({"image": np.zeros(shape or ())}, memory_cap=1 << 20)
    changed: dict[str, NDArray[np.float32]] = {"x": kept.value("x") * 2}
    outputs: dict[str, NDArray[np.float32]] = kept.run_from(changed)
    names: list[str] = [*session.input_names, *(row["operand"] for row in Plan.load(plan).operands)]
    print(names, kept.kept_bytes, horizon.__version__.split("."))
    return outputs["logits"]


def debugged(model: Path) -> str:
    """With the keywords that all functions of the debugger have."""
    errors = debug.get_sensitivity_of_nodes(model, ["sqnr"], "samples/", target="cpu", threads=1)
    found = debug.find_remedies(model, "samples/", config="int8.yaml", memory=1 << 30)
    first: str = found["findings"][0]["title"]
    return first + max(errors, key=lambda node: errors[node]["sqnr"])


class Net(nn.Module):
    """A model that is prepared."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.dequant = QuantStub(scale=1 / 128), DeQuantStub()
        self.head = nn.Linear(784, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits [N,10]."""
        logits: torch.Tensor = self.dequant(self.head(self.quant(images)))
        return logits


def trained(x: torch.Tensor) -> nn.Module:
    """Prepared, with one layer of 16 bits in both inputs."""
    horizon.march.set_march(horizon.march.March.NASH_E)
    horizon.qat_mode.set_qat_mode(horizon.qat_mode.QATMode.WithBN)
    wide = ModuleNameQconfigSetter({"head": get_qconfig(in_dtype=qint16, weight_dtype="qint16")})
    setters = (wide, default_qat_qconfig_setter)
    model = prepare(Net(), (x,), setters, PrepareMethod.JIT_STRIP, check_result_dir="reports")
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    model_profiler(Net(), model, x, "FvsQ")
    save(export(model, x, Path("model.onnx"), input_names=["image"]), "model.hbm")
    print(qint8.max, horizon.nn.LayerNorm(8), horizon.utils.quant_switch.GlobalFakeQuantSwitch)
    return model


try:
    print(worst(quantized(Path("model.onnx"))["outputs"]))
except horizon.Cancelled as ended:
    error: horizon.Error = ended
except horizon.Error as failed:
    raise SystemExit(str(failed)) from failed
