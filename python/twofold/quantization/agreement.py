"""How far the engine's integers are from VALIDATION's, in an exported model."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from .. import _twofold
from ..nn._operator import OUTPUT, Operator
from ..qtensor import plain
from ._kept import states_kept
from ._record.arguments import as_arguments
from ._record.tree import tensors_of
from ._states import FakeQuantState, set_fake_quantize
from .export import exported

__all__ = ["Agreement", "agreement", "agreement_table"]


class Agreement(NamedTuple):
    """One tensor: whose output, of what dtype, how many numbers; the share of integers that are
    equal, and the largest difference in steps."""

    name: str
    dtype: str
    elements: int
    equal: float
    largest: int


def agreement(
    model: nn.Module, example_inputs: Any, example_kw_inputs: Mapping[str, Any] | None = None
) -> list[Agreement]:
    """A row for every tensor that an operator quantizes, in the order of the model's modules.

    The model runs in VALIDATION, whatever state it is in and keeps; the file that `export` would
    write runs on the engine. All shares are 1 but behind a product that stays float: its last bits
    depend on how its sum is made.
    """
    args, kwargs = as_arguments(example_inputs, example_kw_inputs)
    with states_kept(model):
        set_fake_quantize(model.eval(), FakeQuantState.VALIDATION)
        validated = _integers_of_validation(model, args, kwargs)
        engine = _integers_of_engine(model, args, kwargs)
    rows = []
    for name, expected in validated.items():
        if name not in engine:
            continue  # nothing that the model returns depends on it
        difference = np.abs(engine[name].astype(np.int64).ravel() - expected.ravel())
        dtype = str(getattr(model.get_submodule(name), OUTPUT).dtype)
        equal = float(np.mean(difference == 0)) if difference.size else 1.0
        rows.append(Agreement(name, dtype, difference.size, equal, int(difference.max(initial=0))))
    return rows


def agreement_table(rows: list[Agreement]) -> str:
    """The rows as text, in columns."""
    width = max([4, *(len(row.name) for row in rows)])
    lines = [f"{'name':{width}}  dtype   elements    equal  largest difference, steps"]
    lines += [
        f"{r.name:{width}}  {r.dtype:6} {r.elements:9} {100 * r.equal:7.3f}%  {r.largest}"
        for r in rows
    ]
    return "\n".join(lines) + "\n"


def _quantized_operators(model: nn.Module) -> dict[str, Operator]:
    return {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, Operator)
        and getattr(getattr(module, OUTPUT, None), "is_integer", False)
    }


def _integers_of_validation(model: nn.Module, args: tuple, kwargs: dict) -> dict[str, np.ndarray]:
    """{operator: the integers of its output in the last call}."""
    found: dict[str, np.ndarray] = {}

    def keep(name: str, module: Operator) -> Any:
        def hook(_module: nn.Module, _args: tuple, output: Any) -> None:
            tensor = plain(next(tensors_of(output)))
            found[name] = getattr(module, OUTPUT).integers(tensor).cpu().numpy()

        return module.register_forward_hook(hook)

    handles = [keep(name, module) for name, module in _quantized_operators(model).items()]
    try:
        with torch.no_grad():
            model(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
    return found


def _integers_of_engine(model: nn.Module, args: tuple, kwargs: dict) -> dict[str, np.ndarray]:
    file = exported(model, args, example_kw_inputs=kwargs)
    tensors = file.integers()
    session = _twofold.Session(file.onnx, watched=list(tensors.values()))
    inputs = [*tensors_of(args), *tensors_of(kwargs)]
    feeds = zip(session.input_names, inputs, strict=True)
    run = session.keep({name: tensor.detach().cpu().numpy() for name, tensor in feeds})
    return {name: run.value(tensor) for name, tensor in tensors.items()}
