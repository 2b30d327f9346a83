"""A module that is one operator of the quantized model: it quantizes, computes, and is recorded."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from ..qtensor import plain, wrap
from ..quantization._ops import OPS_BY_NAME
from ..quantization._ops.op import Bound, Kind, Op
from ..quantization._ops.stubs import DEQUANT, QUANT
from ..quantization._record import recorder as recording
from ..quantization._record.tree import map_tensors, tensors_of
from ..utils.quant_switch import GlobalFakeQuantSwitch
from ._norm_inside import fold_norm, norm_of, run_with_norm

# Children that quantize, by what they do it to.
OUTPUT, INPUTS, WEIGHT = "activation_post_process", "activation_pre_process", "weight_fake_quant"


class Operator(nn.Module):
    """What all operators of a prepared model have in common; mixed into classes of torch.nn.

    `activation_post_process` quantizes the result, `activation_pre_process[str(i)]` the input i
    where that has to be quantized otherwise than its producer does it, `weight_fake_quant` the
    weight, with the BatchNorm `bn` folded into it. Any of them may be missing. `clamp` is what was
    fused behind: the name of an operator and its attributes.
    """

    records_itself = True

    # Whether it is left in float32 in VALIDATION (profiler.set_preserve_qat_mode).
    preserve_qat_mode = False

    # Set by `adopt` or GeneratedOperator.
    op_name: str
    clamp: tuple[str, dict[str, Any]] | None

    @property
    def op(self) -> Op:
        """What the module computes."""
        return OPS_BY_NAME[self.op_name]

    def start(self, op: Op) -> None:
        """Give a new operator its attributes."""
        self.op_name, self.clamp, self._is_validated = op.name, None, False

    @property
    def is_validated(self) -> bool:
        """Whether it computes from integers, on the engine (FakeQuantState.VALIDATION)."""
        return self._is_validated

    @is_validated.setter
    def is_validated(self, validated: bool) -> None:
        self._is_validated = validated
        quantizer = getattr(self, WEIGHT, None)
        # The last step of an optimizer has moved the weight since its scale was found.
        if validated and quantizer is not None and quantizer.follows:
            quantizer.observe(self._held_weight())

    def run(self, bound: Bound) -> Any:
        """Quantize the inputs, compute, clamp, quantize the result."""
        norm, given = norm_of(self), bound
        if norm is not None:
            bound = fold_norm(self, bound)
        if self._runs_on_integers():
            result = self._on_integers(bound)
        elif norm is not None and norm.training:
            result = self._finished(run_with_norm(self, given))
        else:
            inputs = [self.quantized_input(i, tensor) for i, tensor in enumerate(bound.inputs)]
            result = self._finished(self.compute(inputs, bound.attributes))
        followed = self._followed(result, bound.inputs[0])
        recorder = recording.active()
        if recorder is not None:
            recorder.add_module(self, self.op, bound, followed)
        return followed

    def _runs_on_integers(self) -> bool:
        if not self._is_validated or self.preserve_qat_mode:
            return False
        if not GlobalFakeQuantSwitch.is_enabled():
            return False
        return self.op.kind is not Kind.MOVE and self.op not in (QUANT, DEQUANT)

    def compute(self, inputs: list[torch.Tensor | None], attributes: Mapping[str, Any]) -> Any:
        """The operator and its clamp, on plain tensors."""
        return self.clamped(self.op.compute(inputs, attributes))

    def clamped(self, result: Any) -> Any:
        """A result as what is fused behind leaves it."""
        if self.clamp is None:
            return result
        name, attributes = self.clamp
        return OPS_BY_NAME[name].compute([result], attributes)

    def quantizer_of(self, position: int) -> nn.Module | None:
        """What this module itself quantizes an input with."""
        children = self._modules  # asking nn.Module for one that is not there takes its time
        if position == 1 and WEIGHT in children:
            return children[WEIGHT]
        inputs = children.get(INPUTS)
        name = str(position)
        return inputs[name] if inputs is not None and name in inputs else None

    def quantized_input(self, position: int, tensor: torch.Tensor | None) -> torch.Tensor | None:
        """An input as this module quantizes it, as a plain tensor."""
        quantizer = self.quantizer_of(position)
        tensor = plain(tensor)
        return tensor if quantizer is None else quantizer(tensor)

    @torch.no_grad()
    def _held_weight(self) -> torch.Tensor:
        """The weight as it is quantized, with the norm inside folded into it."""
        if norm_of(self) is None:
            return self.weight.detach()
        return fold_norm(self, Bound([None, self.weight, None], {})).inputs[1]

    def _finished(self, result: Any) -> Any:
        quantizer = self._modules.get(OUTPUT)
        if quantizer is None:
            return result
        return on_first(quantizer, result)

    def _followed(self, result: Any, source: torch.Tensor | None) -> Any:
        """The result, with what its numbers are on the grid of."""
        if self.op.kind is Kind.MOVE:
            grid = getattr(source, "_quantizer", None)
            return map_tensors(lambda tensor: wrap(tensor, grid), result)
        followed = map_tensors(wrap, result)
        next(tensors_of(followed))._quantizer = self._modules.get(OUTPUT)
        return followed

    def _on_integers(self, bound: Bound) -> Any:
        from ..quantization._validation import run_on_integers

        return run_on_integers(self, bound)

    def _load_from_state_dict(
        self,
        state: dict[str, Any],
        prefix: str,
        metadata: Any,
        strict: bool,
        missing: list[str],
        unexpected: list[str],
        errors: list[str],
    ) -> None:
        """Quantizers that only one of the two models has are no reason to refuse a checkpoint."""
        super()._load_from_state_dict(state, prefix, metadata, strict, missing, unexpected, errors)
        for part in (OUTPUT, INPUTS, WEIGHT):
            here = getattr(self, part, None)
            known = (
                set() if here is None else {f"{prefix}{part}.{key}" for key in here.state_dict()}
            )
            for key in [k for k in state if k.startswith(f"{prefix}{part}.") and k not in known]:
                del state[key]
                if key in unexpected:
                    unexpected.remove(key)


class GeneratedOperator(Operator):
    """A functional call as a module, which calls of the model's forward are handed to."""

    def __init__(self, op: Op):
        super().__init__()
        self.start(op)

    def forward(self, bound: Bound) -> Any:
        """Run a call that was bound (`Op.functions`)."""
        return self.run(bound)

    def extra_repr(self) -> str:
        """The operator."""
        return self.op_name if self.clamp is None else f"{self.op_name}, {self.clamp[0]}"


class FusedAway(nn.Module):
    """In the place of a functional call that the operator in front of it computes."""

    records_itself = True

    def forward(self, bound: Bound) -> Any:
        """Hand the first input on."""
        return bound.inputs[0]


def on_first(change: Callable[[torch.Tensor], torch.Tensor], result: Any) -> Any:
    """A result of one tensor, or of several, of which only the first is changed."""
    if isinstance(result, torch.Tensor):
        return change(result)
    changes = iter([change])
    return map_tensors(lambda tensor: next(changes, lambda same: same)(tensor), result)
