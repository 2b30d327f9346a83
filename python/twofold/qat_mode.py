"""What becomes of BatchNorm in training, and how close the exported model is to the trained one."""

from typing import Any, NoReturn

__all__ = ["ConsistencyStrategy", "QATMode", "get_qat_mode", "set_qat_mode", "tricks"]


class QATMode:
    """What `prepare` does with a BatchNorm behind a Conv, ConvTranspose or Linear.

    FuseBN (the default): it is folded into the weights once. WithBN: it stays and learns, and is
    folded into the weights each time these are quantized. WithBNReverseFold: so too, but what it
    multiplies by is divided out of the result again, and BatchNorm itself runs behind.
    """

    FuseBN = "fuse_bn"
    WithBN = "with_bn"
    WithBNReverseFold = "with_bn_reverse_fold"


_MODES = (QATMode.FuseBN, QATMode.WithBN, QATMode.WithBNReverseFold)
_current = QATMode.FuseBN


def set_qat_mode(mode: str) -> None:
    """Set the mode of models prepared from now on. Raises ValueError for what is none."""
    global _current
    if mode not in _MODES:
        names = ", ".join(f'"{name}"' for name in _MODES)
        raise ValueError(f"there is no QAT mode {mode!r}; there are {names}")
    _current = mode


def get_qat_mode() -> str:
    """The mode, "fuse_bn" before any was set."""
    return _current


class ConsistencyStrategy:
    """How close what is trained is to what runs. Here there is one strategy: bit for bit."""

    @staticmethod
    def set_consistency_level(level: int) -> None:
        """Take level 0. Raises ValueError for others, which are about a device's arithmetic."""
        if level != 0:
            raise ValueError(
                f"consistency level {level!r} makes scales powers of two for a device; here "
                "VALIDATION and the exported model have the same bits with any scale: use 0"
            )


class _Tricks:
    """Raises at any use."""

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        _refuse(name)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        _refuse(name)


def _refuse(name: str) -> NoReturn:
    raise AttributeError(
        f"tricks.{name} adapts training to a device's arithmetic; here VALIDATION and the exported "
        "model have the same bits without it: leave it out"
    )


tricks = _Tricks()
