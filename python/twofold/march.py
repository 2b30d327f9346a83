"""The march that a model is for. It chooses the target where `prepare` names none.

Twofold does not compile for a device: a march only says which mixes of precisions are granted.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Any

__all__ = ["March", "get_march", "set_march", "target_of_march", "with_march"]


class March(Enum):
    """Devices, equal to their names in any case: March.NASH_E == "nash-e"."""

    BERNOULLI = "bernoulli"
    BERNOULLI2 = "bernoulli2"
    BAYES = "bayes"
    BAYES_E = "bayes-e"
    META = "meta"
    NASH = "nash"
    NASH_E = "nash-e"
    NASH_M = "nash-m"
    NASH_P = "nash-p"
    NASH_B = "nash-b"
    NASH_H = "nash-h"
    NASH_STARRY_P = "nash-starry-p"

    def __str__(self) -> str:
        """The name as `set_march` takes it."""
        return self.value

    def __eq__(self, other: object) -> bool:
        """Whether the other is the same, or a string that `set_march` would take for it."""
        return _spelled(other) == self.value if isinstance(other, str) else self is other

    def __hash__(self) -> int:
        """That of the name in lower case."""
        return hash(self.value)


_current: March | None = None


def _spelled(text: str) -> str:
    return text.rpartition(".")[2].lower().replace("_", "-")


def _to_march(march: Any) -> March:
    try:
        return March(_spelled(str(march)))
    except ValueError:
        names = ", ".join(str(member) for member in March)
        raise ValueError(f"there is no march {str(march)!r}; there are {names}") from None


def set_march(march: Any) -> None:
    """Say what the models prepared from now on are for.

    `march` is a March, its name in any case ("nash-e", "NASH_E"), or any object that prints as
    such a name behind a dot. Raises ValueError that lists the names.
    """
    global _current
    _current = _to_march(march)


def get_march() -> March | None:
    """What was set; None before that."""
    return _current


@contextmanager
def with_march(march: Any) -> Iterator[None]:
    """For a `with` block, or as a decorator for each call of a function, another march."""
    global _current
    before, _current = _current, _to_march(march)
    try:
        yield
    finally:
        _current = before


def target_of_march(march: March | None = None) -> str | None:
    """The target whose rules a march has (`twofold targets`), by default the one that was set.

    None where none was set.
    All of nash are Journey 6 with a toolchain that takes two 16-bit inputs. For the older ones
    there is no target of their own: they get the strictest, at most one 16-bit input, so that no
    plan is granted that they could not run.
    """
    march = march or _current
    if march is None:
        return None
    return "journey6-oe3.2" if march.value.startswith("nash") else "journey6-oe3.1"
