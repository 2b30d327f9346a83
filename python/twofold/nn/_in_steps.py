"""Modules that compute everything at once, in steps that can be quantized one by one."""

from torch import nn

from ._attention import open_up
from ._recurrent import open_up_recurrent
from .quantized import take_over


def put_in_steps(model: nn.Module) -> None:
    """Open up attention, LSTMs and GRUs in their places, and take over FloatFunctionals."""
    open_up(model)
    open_up_recurrent(model)
    take_over(model)
