"""Binders written as Python functions that have the signature of the call they understand."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from operator import index
from typing import Any

import torch

from .op import Bound, Kind, Op

# PyTorch takes NumPy's words too.
_NUMPY_WORDS = {"axis": "dim", "keepdims": "keepdim"}


def operator(
    name: str,
    kind: Kind,
    functions: Mapping[Callable, Callable[..., Bound | None]],
    compute: Callable,
    emit: Callable,
    modules: Mapping[type, Callable[..., Bound | None]] | None = None,
    quantized: tuple[int, ...] | None = None,
) -> Op:
    """An Op of which each binder is a function with the parameters of the call.

    Those of `modules` have the module first, then the parameters of its forward. A call that does
    not fit is a TypeError that names the operator. `out=` is one too: the tensor that it writes to
    would not be known as the result. A binder gives None for a call that is another operator's.
    """
    return Op(
        name,
        kind,
        {call: _binder(name, function) for call, function in functions.items()},
        compute,
        emit,
        {type_: module_binder(name, function) for type_, function in (modules or {}).items()},
        quantized,
    )


def numbers(given: Sequence[Any]) -> tuple[int, ...]:
    """The sizes or axes of f(2, 3), f((2, 3)) and f([2, 3]) alike."""
    if len(given) == 1 and isinstance(given[0], (tuple, list)):
        given = given[0]
    return tuple(index(number) for number in given)


def as_tuple(value: int | Sequence[int] | None) -> tuple[int, ...] | None:
    """One axis as a tuple of one; None stays."""
    if value is None:
        return None
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _binder(
    op: str, function: Callable[..., Bound | None]
) -> Callable[[tuple, dict], Bound | None]:
    parameters = inspect.signature(function).parameters

    def bind(args: tuple, kwargs: dict) -> Bound | None:
        return _called(op, function, args, _words_of_torch(op, kwargs, parameters))

    return bind


def module_binder(
    op: str, function: Callable[..., Bound | None]
) -> Callable[[torch.nn.Module, tuple, dict], Bound]:
    """The binder of a module's calls from a function that has the module first."""

    def bind(module: torch.nn.Module, args: tuple, kwargs: dict) -> Bound | None:
        return _called(op, function, (module, *args), kwargs)

    return bind


def _words_of_torch(op: str, kwargs: dict, parameters: Any) -> dict:
    if kwargs.get("out") is not None:
        raise TypeError(f"{op}: out= cannot be followed; use the tensor that the call returns.")
    return {
        word if word in parameters else _NUMPY_WORDS.get(word, word): value
        for word, value in kwargs.items()
        if word != "out"
    }


def _called(
    op: str, function: Callable[..., Bound | None], args: tuple, kwargs: dict
) -> Bound | None:
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        try:
            inspect.signature(function).bind(*args, **kwargs)
        except TypeError as mismatch:
            raise TypeError(f"{op}: {mismatch}.") from None
        raise TypeError(f"{op}: {error}") from error
