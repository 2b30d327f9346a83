"""Arguments of the public functions, looked at before the extension gets them."""

import functools
import inspect
import json
import numbers
import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from ._twofold import Error

F = TypeVar("F", bound=Callable[..., Any])

# What may stand for the simple types; NumPy's numbers may.
_KINDS: dict[Any, tuple[type, ...]] = {
    bool: (bool,),
    int: (numbers.Integral,),
    str: (str,),
    int | None: (numbers.Integral, type(None)),
}
_WORDS = {bool: "True or False", int: "an int", str: "a str", int | None: "an int or None"}


def checks_arguments(function: F) -> F:
    """The function, which raises `twofold.Error` where an argument of a simple type is of another.

    The extension's own message lists every type that it takes.
    """
    signature = inspect.signature(function)
    hints = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    kinds = {name: hint for name, hint in hints.items() if hint in _KINDS}

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        for name, value in signature.bind(*args, **kwargs).arguments.items():
            if name in kinds and not isinstance(value, _KINDS[kinds[name]]):
                given = f"{value!r:.40}, of type {type(value).__name__}"
                raise Error(f"{name} is {given}; it must be {_WORDS[kinds[name]]}")
        return function(*args, **kwargs)

    return cast("F", checked)


def optional_path(path: object, argument: str) -> str:
    """The path as text, "" for None. Raises `twofold.Error` where it is something else or empty."""
    if path is None:
        return ""
    if not isinstance(path, str | os.PathLike):
        raise Error(f"{argument} is of type {type(path).__name__}; it must be a path, or None")
    if not os.fspath(path):
        raise Error(f"{argument} is an empty name; leave it out, or name a file")
    return os.fsdecode(path)


def _plain(content: Any, place: str) -> Any:
    """A config's content as JSON has it; `place` is where it stands, for messages."""
    if isinstance(content, Mapping):
        for key in content:
            if not isinstance(key, str):
                raise Error(
                    f"{place} has the key {key!r} of type {type(key).__name__}; keys are str"
                )
        return {key: _plain(value, f"{place}: {key}") for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value, place) for value in content]
    if hasattr(content, "tolist"):  # NumPy's numbers and arrays
        return content.tolist()
    if content is None or isinstance(content, str | bool | int | float):
        return content
    if isinstance(content, os.PathLike):
        return os.fsdecode(content)
    raise Error(f"{place} is of type {type(content).__name__}, which no config holds")


def config_text(config: Mapping[str, Any]) -> str:
    """A config's text. Raises `twofold.Error` where it holds what no file could."""
    return json.dumps(_plain(config, "config"))
