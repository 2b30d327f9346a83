"""Functions that are left as they are: their calls stay float, their results are followed on."""

import functools
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from torch import fx

from .scopes import current, frames


def wrap(skip_compile: bool = False) -> Callable[[Callable], Callable]:
    """A decorator, `@wrap()`: what the function calls, modules too, stays as it is and float.

    Its results are float tensors, which whoever reads them quantizes. A module that is also called
    outside of such functions is quantized in all its calls. In SYMBOLIC tracing the function is not
    looked into. `skip_compile` has no effect: nothing is compiled.
    """
    if not isinstance(skip_compile, bool):
        raise TypeError("wrap: write @wrap() with parentheses above the function")

    def decorate(function: Callable) -> Callable:
        @functools.wraps(function)
        def untraced(*args: Any, **kwargs: Any) -> Any:
            proxies = _proxies((args, kwargs))
            if proxies:
                return _as_node(proxies, untraced, args, kwargs)
            frame = current()
            if frame is None or frame.is_leaf:
                return function(*args, **kwargs)
            inside = replace(
                frame, calls=Counter(), functions_stay_float=True, modules_stay_float=True
            )
            frames().append(inside)
            try:
                return function(*args, **kwargs)
            finally:
                frames().pop()

        return untraced

    return decorate


def _proxies(tree: Any) -> list[fx.Proxy]:
    found: list[fx.Proxy] = []
    fx.node.map_aggregate(tree, lambda x: found.append(x) if isinstance(x, fx.Proxy) else None)
    return found


def _as_node(proxies: list[fx.Proxy], function: Callable, args: tuple, kwargs: dict) -> fx.Proxy:
    """One call in a graph of torch.fx."""
    tracer = proxies[0].tracer
    if hasattr(tracer, "call_untraced"):
        return tracer.call_untraced(function, args, kwargs)
    return tracer.create_proxy("call_function", function, tuple(proxies), {})
