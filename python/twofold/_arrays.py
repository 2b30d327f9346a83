"""Arrays of other packages as NumPy has them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_array(value: Any) -> NDArray[Any]:
    """The numbers of an array, a tensor or nested lists, without a copy where that can be had.

    Takes what has `__array__` or `__dlpack__`; of PyTorch also tensors that need gradients, and
    bfloat16. Raises what NumPy or the other package raises where it cannot be done: of a ragged
    list, or of a tensor on another device.
    """
    if isinstance(value, np.ndarray):
        return _of_this_machine(value)
    if hasattr(value, "requires_grad") and hasattr(value, "detach"):
        value = value.detach()
        if str(value.dtype) == "torch.bfloat16":
            return _bfloat16(value)
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        return np.from_dlpack(value)
    return _of_this_machine(np.asarray(value))


def _bfloat16(tensor: Any) -> NDArray[Any]:
    """NumPy has no such type, and PyTorch passes none on."""
    import ml_dtypes
    import torch

    return np.asarray(tensor.contiguous().view(torch.int16)).view(ml_dtypes.bfloat16)


def _of_this_machine(array: NDArray[Any]) -> NDArray[Any]:
    """Numbers in the order of bytes that the processor has."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
