"""torch.utils.checkpoint of a part of a forward."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

from .._record.scopes import Frame, current, frames


def same_scope() -> tuple[AbstractContextManager, AbstractContextManager]:
    """`context_fn` of torch.utils.checkpoint, where what it runs is no module but a function.

    The functional calls of a forward are told apart by their order in it, which a backward that
    runs a part of the forward again does not know by itself. Checkpointing a whole module needs
    none of this.
    """
    frame = current()
    if frame is None:
        return nullcontext(), nullcontext()
    return nullcontext(), _again(replace(frame, calls=frame.calls.copy()))


@contextmanager
def _again(frame: Frame) -> Iterator[None]:
    frames().append(frame)
    try:
        yield
    finally:
        frames().pop()
