"""A FloatFunctional as one operator at its own path, whatever its call turns out to be."""

from typing import Any

from torch import Tensor, nn

from .._twofold import Error
from ..quantization._ops import OPS_BY_NAME
from ..quantization._ops.op import Bound, Kind, Op
from ._operator import OUTPUT, Operator
from .quantized import FloatFunctional


def _refuse(*_: Any) -> Any:
    raise Error("a FloatFunctional that has not been called is not known to compute anything")


# Until the first call says what it is.
UNCALLED = Op("float_functional", Kind.COMPUTE, {}, _refuse, _refuse)


class EagerFunctional(Operator, FloatFunctional):
    """What PrepareMethod.EAGER makes of a FloatFunctional: its call is quantized by this module.

    The first call says which operator it is; twofold.Error where another one follows.
    """

    @property
    def activation_post_process(self) -> nn.Module:
        """The fake quantizer of the call."""
        try:
            return self._modules[OUTPUT]
        except KeyError:
            raise AttributeError(f"this FloatFunctional has no {OUTPUT}") from None

    @property
    def op(self) -> Op:
        """What it computes."""
        return UNCALLED if self.op_name == UNCALLED.name else OPS_BY_NAME[self.op_name]

    def add_relu(self, x: Tensor, y: Tensor) -> Tensor:
        """max(x + y, 0), rounded once."""
        self.clamp = ("relu", {})
        return self.add(x, y)

    def run_as(self, op: Op, bound: Bound) -> Any:
        """Its call, which is one of this operator."""
        if self.op_name == UNCALLED.name:
            self.op_name = op.name
        elif self.op_name != op.name:
            raise Error(
                f"a FloatFunctional is for one call; this one is {self.op_name} and {op.name}: use "
                "one for each"
            )
        return self.run(bound)


def take_functionals(model: nn.Module) -> None:
    """Make the FloatFunctionals of a model operators, in their places."""
    for module in model.modules():
        if type(module) is FloatFunctional:
            module.__class__ = EagerFunctional
            module.start(UNCALLED)
