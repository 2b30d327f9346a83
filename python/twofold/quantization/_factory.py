"""Classes with their arguments, to be called once for each place where one is needed."""

import functools
from typing import Any

__all__ = ["Factory", "WithArgs"]


class Factory(functools.partial):
    """A class and keyword arguments: a call makes an object, and may add or replace arguments."""

    def with_args(self, **kwargs: Any) -> "Factory":
        """The same class with these arguments added or replaced."""
        return Factory(self.func, **{**self.keywords, **kwargs})

    def __repr__(self) -> str:
        """As the call that it stands for."""
        arguments = ", ".join(
            f"{name}={getattr(value, '__name__', value)}" for name, value in self.keywords.items()
        )
        return f"{self.func.__name__}({arguments})"


class WithArgs:
    """Adds `with_args` to a class."""

    @classmethod
    def with_args(cls, **kwargs: Any) -> Factory:
        """The class with these arguments, to be called later."""
        return Factory(cls, **kwargs)
