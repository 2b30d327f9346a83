"""16-bit activations for the layers that a sensitivity table begins with."""

from collections.abc import Callable
from typing import Any

from ..._twofold import Error
from .._qconfig import QConfig
from .._sensitivity_tables import Row, first_rows, rows_of
from .base import QconfigSetterBase
from .context import SetterContext
from .provenance import Provenance


class SensitiveOpQconfigSetter(QconfigSetterBase):
    """A qconfig for the layers of a table's worst rows, see `first_rows`.

    Rows of weights are not for it: among the worst they are skipped, and it says how many. Names
    that are not found are warned of; where none is found it is a twofold.Error.
    """

    def __init__(
        self, qconfig: QConfig, table: Any, topk: int | None = None, ratio: float | None = None
    ):
        self.qconfig = qconfig
        self.rows = rows_of(table)
        self.chosen = first_rows(self.rows, topk=topk, ratio=ratio)

    def apply(self, context: SetterContext) -> None:
        """Decide about the layers of the rows."""
        rows = [row for row in self.chosen if row.is_about("activation")]
        skipped = len(self.chosen) - len(rows)
        if skipped:
            context.say(
                f"sensitive_op setter: {skipped} of the {len(self.chosen)} rows that it takes are "
                "about weights, and are skipped; SensitivityTemplate sets weights too"
            )
        for layer in layers_of(context, rows, self.rows).values():
            context.rank(layer)
            context.decide(layer, self.qconfig, "the sensitive_op setter")


def layers_of(context: SetterContext, rows: list[Row], table: list[Row]) -> dict[Row, str]:
    """{row: layer}. Rows of unknown names are warned of, and left out; an error if all are."""
    provenance = provenance_of(context, table)
    found = {row: find_row(context, provenance, row) for row in rows}
    unknown = [row.name for row, layer in found.items() if layer is None]
    reasons = [context.names.unknown(name) for name in dict.fromkeys(unknown)]
    if rows and len(unknown) == len(found):
        raise Error(f"the sensitivity table is of another model: {'; '.join(reasons)}")
    for reason in reasons:
        context.say(f"sensitivity table: {reason}")
    return {row: layer for row, layer in found.items() if layer is not None}


def provenance_of(context: SetterContext, table: list[Row]) -> Provenance:
    """Where the rows come from, if it is an ONNX file."""
    return Provenance(context, (_node(row) for row in table))


def find_row(context: SetterContext, provenance: Provenance, row: Row) -> str | None:
    """The layer of a row: a name of the model, or one of an exported ONNX file."""
    if row.kind == "weight":
        owner = provenance.layer_of_constant(row.name)
        if owner is not None:
            return owner
    exact = context.names.exact(row.name)
    return exact or provenance.layer_of_node(_node(row))


def _node(row: Row) -> str:
    """Exporters call an activation after the node that computes it."""
    return row.name.partition("_output_")[0]


def sensitive_setter(qconfig: QConfig, name: str) -> Callable[..., SensitiveOpQconfigSetter]:
    """The function that users call: (table, topk=None, ratio=None) -> setter."""

    def setter(
        table: Any, topk: int | None = None, ratio: float | None = None
    ) -> SensitiveOpQconfigSetter:
        return SensitiveOpQconfigSetter(qconfig, table, topk, ratio)

    setter.__name__ = setter.__qualname__ = name
    setter.__doc__ = (
        "16-bit activations for the layers of the worst `topk` rows of a sensitivity table, or of "
        "the worst `ratio` of all."
    )
    return setter
