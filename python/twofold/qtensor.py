"""The tensor between quantized operators."""

from . import _torch_version  # noqa: F401, I001, says first what is wrong with PyTorch
from collections.abc import Callable
from typing import Any, SupportsIndex

import torch

from ._uncompiled import uncompiled

__all__ = ["QTensor"]


class QTensor(torch.Tensor):
    """A float tensor on the way through a prepared model.

    It hands the functional calls that the model makes with it to the modules that `prepare` made
    for them. Outside of the model's forward it behaves as any tensor, and results are plain ones.
    A model without DeQuantStub returns it; `dequantize()` is the plain tensor.
    """

    # What it was rounded by, where its numbers are on a grid, and what the recorder knows of it.
    _quantizer: Any = None
    _value: Any = None
    _changed_at: Any = None

    @classmethod
    @uncompiled
    def __torch_function__(
        cls,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Hand a call to the module that stands for it."""
        from .quantization._record.dispatch import dispatch

        return dispatch(func, args, kwargs or {})

    def dequantize(self) -> torch.Tensor:
        """The same numbers as a plain tensor."""
        from .quantization._record.recorder import active

        recorder = active()
        if recorder is not None and self._value is not None:
            recorder.end(self)
        return plain(self)

    def q_scale(self) -> torch.Tensor:  # type: ignore[override]  # there may be several
        """Of the integers that it stands for, float32 [1] or one per channel."""
        return self._grid().scale

    def q_zero_point(self) -> torch.Tensor:  # type: ignore[override]
        """Of the integers that it stands for, int64."""
        return self._grid().zero_point

    def q_per_channel_axis(self) -> int:
        """The axis along which scales differ; -1 for one scale."""
        return self._grid().ch_axis

    def int_repr(self) -> torch.Tensor:
        """The integers that it stands for, int32 of the same shape."""
        return self._grid().integers(plain(self))

    def _grid(self) -> Any:
        if self._quantizer is None:
            raise RuntimeError(
                "this tensor has not been quantized: it has no scale and no integers"
            )
        return self._quantizer

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """As the plain tensor."""
        return plain(self).__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """A plain tensor."""
        return plain(self).__deepcopy__(memo)


def plain(tensor: Any) -> Any:
    """The tensor without what this class adds; anything else as it is."""
    if type(tensor) is not QTensor:
        return tensor
    with torch._C.DisableTorchFunctionSubclass():
        return tensor.as_subclass(torch.Tensor)


def wrap(tensor: torch.Tensor, quantizer: Any = None) -> QTensor:
    """A plain tensor as one that is followed through the model."""
    with torch._C.DisableTorchFunctionSubclass():
        wrapped = tensor.as_subclass(QTensor)
    wrapped._quantizer = quantizer
    return wrapped
