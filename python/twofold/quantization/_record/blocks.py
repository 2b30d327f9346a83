"""Parts of a forward that run a varying number of times, with one set of operators."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from ..._twofold import Error
from . import recorder as recording
from .scopes import current, frames, scope


class Block(nn.Module):
    """Where the operators of such a part are: a child of the module whose forward has it."""

    has_scope = True  # nothing calls it


@contextmanager
def dynamic_block(module: nn.Module, name: str) -> Iterator[None]:
    """Let functional calls in a `with` block have names of their own, the same at every entry.

        for _ in range(count):
            with dynamic_block(self, "refine"):
                x = torch.relu(self.layer(x)) + x

    They are `<module>.refine._generated_<op>_<k>`, with k counted anew at every entry, so that
    `count` may differ from the run that `prepare` saw, where it was at least 1. `module` is the one
    whose forward is running. In a float model it does nothing. Raises twofold.Error for a name that
    the module has otherwise.
    """
    frame = current()
    if frame is None or frame.is_leaf:
        yield
        return
    frames().append(scope(_block(module, name)))
    try:
        yield
    finally:
        frames().pop()


def _block(module: nn.Module, name: str) -> Block:
    block = module._modules.get(name)
    if not isinstance(block, Block):
        if not name or "." in name or hasattr(module, name):
            raise Error(
                f"dynamic_block: '{name}' cannot be the name of a block of this "
                f"{type(module).__name__}: it needs one without a dot that is no attribute of it"
            )
        block = Block()
    recorder = recording.active()
    if recorder is not None:
        recorder.add_scope(block, module, name)
    return block
