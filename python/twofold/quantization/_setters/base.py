"""What users derive their own setters from."""

from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from .context import SetterContext

_NOTHING = object()


class QconfigSetterBase:
    """Gives qconfigs to modules. Derive from it and override `set_qconfig`."""

    def set_qconfig(self, model: nn.Module, example_inputs: Any, example_kw_inputs: Any) -> None:
        """Assign `module.qconfig` where this setter has something to say; None means float.

        The model is the one that is prepared: functional calls are modules by now, named as in
        `named_modules()`. What is assigned to a module holds for all below it that this call gives
        no other. Earlier setters of a tuple, and qconfigs that the model came with, win.
        """
        raise NotImplementedError(f"{type(self).__name__} has no set_qconfig")

    def apply(self, context: "SetterContext") -> None:
        """Run `set_qconfig`, and decide with what it assigned."""
        assigned = self._assigned(context)
        for name, layer in context.layers.items():
            found = nearest_above(name, assigned)
            if found is not None:
                context.decide(layer.name, assigned[found], type(self).__name__)

    def _assigned(self, context: "SetterContext") -> dict[str, Any]:
        """{path: qconfig} that it assigns; the modules are left as they were."""
        modules = dict(context.model.named_modules())
        before = {name: _taken(module) for name, module in modules.items()}
        try:
            self.set_qconfig(context.model, context.example_inputs, context.example_kw_inputs)
            taken = {name: _taken(module) for name, module in modules.items()}
            return {name: found for name, found in taken.items() if found is not _NOTHING}
        finally:
            for name, module in modules.items():
                _taken(module)
                if before[name] is not _NOTHING:
                    module.qconfig = before[name]


# What `prepare` takes: one, or several of which the earlier one wins.
Setters = QconfigSetterBase | tuple["Setters", ...] | list["Setters"] | None


def _taken(module: nn.Module) -> Any:
    return module.__dict__.pop("qconfig", _NOTHING)


def nearest_above(name: str, paths: Any) -> str | None:
    """The longest of these paths that is the name itself or a module above it."""
    while name not in paths:
        if not name:
            return None
        name = name.rpartition(".")[0]
    return name
