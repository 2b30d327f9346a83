"""Calling a model with inputs in the forms that `prepare` takes them in."""

import copy
import inspect
from typing import Any

import torch
from torch import nn

from .._twofold import Error
from ..nn._in_steps import put_in_steps
from ..quantization._record.arguments import as_arguments
from ..quantization._record.tree import map_tensors
from ._states import is_prepared


def call(model: nn.Module, inputs: Any) -> Any:
    """Run it on copies of the inputs, where the model is.

    `inputs` are a tensor, a dict that is the one argument, or a tuple or list of arguments. Raises
    twofold.Error where the model's forward does not take them.
    """
    args, kwargs = as_arguments(inputs, None)
    try:
        inspect.signature(model.forward).bind(*args, **kwargs)
    except TypeError as error:
        raise Error(
            f"{type(model).__name__} does not take these inputs ({error}): a tuple or a list are "
            "the arguments of one call, so leave labels out"
        ) from None
    device = device_of(model)
    args = map_tensors(lambda tensor: tensor.detach().to(device, copy=True), args)
    return model(*args, **kwargs)


def device_of(model: nn.Module) -> torch.device:
    """Where its first parameter or buffer is."""
    tensors = (*model.parameters(), *model.buffers())
    return tensors[0].device if tensors else torch.device("cpu")


def in_steps(model: nn.Module) -> nn.Module:
    """A float model as `prepare` sees it, in steps; a prepared one as it is.

    It is a copy that shares parameters and buffers.
    """
    if is_prepared(model):
        return model
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    model = copy.deepcopy(model, shared)
    put_in_steps(model)
    return model
