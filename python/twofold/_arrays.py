"""Arrays of what programs hold numbers in: NumPy, PyTorch, `__array__`, DLPack."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def as_array(value: Any) -> NDArray[Any]:
    """The value as NumPy has it, without a copy where that can be had.

    Takes nested lists, what has `__array__` or `__dlpack__`, and any tensor of PyTorch: such as
    need gradients, lie on another device or hold bfloat16. Raises what NumPy or the other package
    raises where it cannot be done, of a ragged list for example.
    """
    if hasattr(value, "detach") and hasattr(value, "cpu"):
        return _of_torch(value.detach().cpu())
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        value = np.from_dlpack(value)
    array = np.asarray(value)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def numbers_of(value: Any) -> NDArray[Any] | None:
    """The numbers of a value; None where it is something else, a label's text for example."""
    try:
        array = as_array(value)
    except (TypeError, ValueError, BufferError, RuntimeError):  # a ragged list, another device
        return None
    is_number = array.dtype.kind in "biufc" or array.dtype.name == "bfloat16"
    return array if is_number else None


def _of_torch(tensor: Any) -> NDArray[Any]:
    """A tensor of the CPU. NumPy has no bfloat16, and PyTorch passes none on."""
    if str(tensor.dtype) != "torch.bfloat16":
        return np.asarray(tensor)
    import ml_dtypes
    import torch

    return np.asarray(tensor.contiguous().view(torch.int16)).view(ml_dtypes.bfloat16)
