"""Runs the setters that prepare is given."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from ..._twofold import Error
from .._qconfig import QConfig, to_qconfig
from .base import QconfigSetterBase, Setters, nearest_above
from .context import SetterContext

_MISSING = object()


@dataclass
class Requests:
    """What setters ask for: a qconfig, or None for float, for every layer that may be quantized.

    `ranking` numbers the names that they gave, for the fallback V1. `optimize` is what
    `canonicalize` takes; `save_dir` is where a QconfigSetter wants its reports.
    """

    qconfigs: dict[str, QConfig | None]
    ranking: dict[str, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    optimize: bool = True
    save_dir: str | None = None


def run_setters(setters: Setters, context: SetterContext) -> Requests:
    """Ask one setter, or the setters of a tuple in their order; the earlier one wins.

    `module.qconfig` that the model came with beats them all, and holds below its module. Layers
    that nobody decides about stay float. Afterwards every layer's module has its `qconfig`. Raises
    TypeError for what is no setter, and twofold.Error where no layer gets a qconfig.
    """
    asked = [*_flat(setters)]
    _keep_presets(context)
    for setter in asked:
        setter.apply(context)
    if not any(context.decided.values()):
        raise Error(
            "no layer gets a qconfig, so nothing would be quantized: give prepare a "
            "qconfig_setter, e.g. default_qat_qconfig_setter, or set module.qconfig before"
        )
    qconfigs = {name: context.decided.get(name) for name in context.layers}
    for name, layer in context.layers.items():
        layer.module.qconfig = qconfigs[name]
    return Requests(
        qconfigs,
        context.ranking,
        context.messages,
        all(getattr(setter, "enable_optimize", True) for setter in asked),
        next((s.save_dir for s in asked if getattr(s, "save_dir", None) is not None), None),
    )


def _keep_presets(context: SetterContext) -> None:
    """Decide what `module.qconfig` says, of the module itself or the nearest one above."""
    given = {
        path: qconfig
        for path, module in context.model.named_modules()
        if (qconfig := getattr(module, "qconfig", _MISSING)) is not _MISSING
    }
    for path, qconfig in given.items():
        try:
            to_qconfig(qconfig)
        except TypeError as error:
            raise TypeError(f"'{path}' has no qconfig in its attribute qconfig: {error}") from None
    for name in context.layers:
        path = nearest_above(name, given)
        if path is not None:
            context.decide(name, given[path], "the model itself")


def _flat(setters: Setters) -> Iterator[QconfigSetterBase]:
    if setters is None:
        return
    if isinstance(setters, tuple | list):
        for setter in setters:
            yield from _flat(setter)
        return
    if isinstance(setters, type) or not isinstance(setters, QconfigSetterBase):
        raise TypeError(
            f"qconfig_setter: {setters!r} is no setter; give an object such as "
            "default_qat_qconfig_setter, QconfigSetter(...) or one of a class of your own that "
            "derives from QconfigSetterBase, or a tuple of them"
        )
    yield setters
