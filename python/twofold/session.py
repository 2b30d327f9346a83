"""Models that run."""

from collections.abc import Iterable

from . import _twofold
from ._arguments import checks_arguments
from ._model import Model, ModelProto, content_of, path_of


class Session(_twofold.Session):
    """A loaded ONNX model (float or QDQ) that runs on Twofold's engine."""

    @checks_arguments
    def __init__(
        self,
        model: Model,
        threads: int = 0,
        watched: Iterable[str] = (),
        ec_in_two_passes: bool = False,
    ):
        """Loads `model`: a path, the bytes of a file or an onnx.ModelProto.

        `threads=0` uses all cores. `watched` names tensors that `keep` is to hand out and change:
        they are not fused away, which costs some speed. `ec_in_two_passes` runs ec operands as two
        int8 passes, as a device would, not as one of 16 bits: the same results, more slowly. It
        does nothing to a model without ec operands. Raises `twofold.Error`.
        """
        opened = content_of(model) if isinstance(model, bytes | ModelProto) else path_of(model)
        super().__init__(opened, threads, list(watched), ec_in_two_passes)
