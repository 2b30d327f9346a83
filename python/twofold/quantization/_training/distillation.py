"""The loss that pulls a prepared model to the float one that it was made from."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..._twofold import Error
from ...qtensor import plain
from .._kept import modes_kept


class Distillation:
    """Runs a prepared model and its float teacher on a batch, and says how far they are apart.

    `temperature` softens the logits that both return, or None: outputs are not compared. Logits
    lie along `dim`: [N, classes], or [N, classes, ...] as cross_entropy takes them. `layers` are
    names of modules that return a tensor in both models, or {name: weight}; prepare keeps names,
    but of a fused group (Conv, BatchNorm, ReLU) only the last one's output is the same thing.

    Raises twofold.Error for names that one of the models lacks, ValueError for a temperature that
    is not above 0.
    """

    def __init__(
        self,
        teacher: nn.Module,
        *,
        temperature: float | None = 1.0,
        dim: int = 1,
        layers: Mapping[str, float] | Iterable[str] = (),
    ):
        if temperature is not None and not temperature > 0:
            raise ValueError(f"Distillation: temperature is {temperature}; it must be above 0")
        self.teacher = teacher
        self.temperature = temperature
        self.dim = dim
        self.layers = dict(layers) if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)
        if temperature is None and not self.layers:
            raise ValueError("Distillation: nothing is compared; give a temperature, or layers")

    def __call__(self, student: nn.Module, *args: Any, **kwargs: Any) -> tuple[Any, Tensor]:
        """(what the student returns, the loss), each model being called with the arguments.

        The loss is a float32 scalar: temperature² KL(teacher || student), the mean over all
        softmaxes, plus for each layer its weight times the squared error over the mean square of
        the teacher's. The teacher runs in eval mode, without gradients.
        """
        output, features = _run(student, self.layers, args, kwargs)
        with modes_kept(self.teacher), torch.no_grad():
            self.teacher.eval()
            target, targets = _run(self.teacher, self.layers, args, kwargs)
        loss = sum(
            weight * _relative_error(features[name], targets[name])
            for name, weight in self.layers.items()
        )
        if self.temperature is not None:
            loss = loss + self._divergence(_logits(output), _logits(target))
        return output, loss

    def _divergence(self, student: Tensor, teacher: Tensor) -> Tensor:
        t = self.temperature
        student = F.log_softmax(student.float() / t, self.dim)
        teacher = F.log_softmax(teacher.float() / t, self.dim)
        total = F.kl_div(student, teacher, reduction="sum", log_target=True)
        return total * (t * t * student.shape[self.dim] / student.numel())


def _relative_error(student: Tensor, teacher: Tensor) -> Tensor:
    student, teacher = student.float(), teacher.float()
    power = teacher.square().mean().clamp(min=torch.finfo(torch.float32).tiny)
    return (student - teacher).square().mean() / power


def _logits(output: Any) -> Tensor:
    if not isinstance(output, Tensor):
        raise Error(
            f"Distillation: the model returns a {type(output).__name__}, not logits; compare "
            "layers, with temperature=None"
        )
    return plain(output)


def _run(
    model: nn.Module, layers: Iterable[str], args: tuple, kwargs: dict[str, Any]
) -> tuple[Any, dict[str, Tensor]]:
    """What the model returns, and what the layers do."""
    found: dict[str, Tensor] = {}
    handles = [_submodule(model, name).register_forward_hook(_keep(found, name)) for name in layers]
    try:
        output = model(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
    for name in layers:
        if name not in found:
            raise Error(f"Distillation: '{name}' was not called, or returns no tensor")
    return output, found


def _keep(found: dict[str, Tensor], name: str) -> Callable:
    def hook(_module: nn.Module, _args: tuple, output: Any) -> None:
        if isinstance(output, Tensor):
            found[name] = plain(output)

    return hook


def _submodule(model: nn.Module, name: str) -> nn.Module:
    inner = model.module if isinstance(model, _WRAPPERS) else model
    try:
        return inner.get_submodule(name)
    except AttributeError:
        raise Error(
            f"Distillation: '{name}' is no module of the {type(inner).__name__}; layers are names "
            "of named_modules()"
        ) from None


_WRAPPERS = (nn.parallel.DistributedDataParallel, nn.DataParallel)
