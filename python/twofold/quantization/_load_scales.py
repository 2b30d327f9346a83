"""A checkpoint's scales in another model: other observers, dtypes, numbers of scales."""

import logging
from typing import Any

import torch

__all__ = ["load_scales"]

_log = logging.getLogger("twofold.quantization")

_BUFFERS = ("scale", "zero_point", "steps")
# dtype.steps of all dtypes with scales; 0: no scale. An averaged checkpoint may be one off.
_KNOWN_STEPS = (0, 7, 127, 32767)


def load_scales(quantizer: Any, state: dict[str, Any], prefix: str, errors: list[str]) -> None:
    """Make the entries below `prefix` those that the FakeQuantize's own buffers can take.

    A fixed scale stays. Of another dtype's scale the threshold is kept. One scale becomes one per
    channel; the reverse is an error. What other implementations keep besides is dropped.
    """
    own = {name: getattr(quantizer, name).data for name in _BUFFERS}
    for key in [key for key in state if key.startswith(prefix)]:
        if key[len(prefix) :] not in own:
            del state[key]
    if f"{prefix}scale" not in state:
        return
    if quantizer.is_fixed:
        _say_if_other(quantizer, state[f"{prefix}scale"])
        state.update({f"{prefix}{name}": value for name, value in own.items()})
        return
    scale = state[f"{prefix}scale"].detach().float().view(-1)
    channels = scale.numel()
    if quantizer.ch_axis < 0 and channels > 1:
        errors.append(
            f"{prefix}scale: the checkpoint has {channels} scales, one per channel, and the model "
            "has one; prepare it with the ch_axis of the checkpoint's"
        )
        return
    if channels == 1:
        channels = own["scale"].numel()
    elif own["scale"].numel() == 1:
        quantizer.resize(channels)
    steps = _steps(state.get(f"{prefix}steps"), quantizer.dtype.steps)
    zero_point = state.get(f"{prefix}zero_point", torch.zeros(1, dtype=torch.int64)).view(-1)
    if steps not in (0, quantizer.dtype.steps):
        scale = (scale.double() * steps / quantizer.dtype.steps).float()
        if bool(zero_point.any()):
            errors.append(f"{prefix}zero_point: that of one dtype says nothing of another's")
    state[f"{prefix}scale"] = scale.expand(channels)
    state[f"{prefix}zero_point"] = zero_point.expand(channels)
    state[f"{prefix}steps"] = torch.full((channels,), quantizer.dtype.steps if steps else 0)


def _steps(loaded: torch.Tensor | None, own: int) -> int:
    if loaded is None:  # a checkpoint that does not say: of this dtype
        return own
    found = int(loaded.min())
    return min(_KNOWN_STEPS, key=lambda steps: abs(steps - found))


def _say_if_other(quantizer: Any, scale: torch.Tensor) -> None:
    if not torch.equal(scale.detach().float().view(-1).cpu(), quantizer.scale.cpu()):
        _log.info("%s: its scale is fixed; the checkpoint's is not taken", quantizer.name)
