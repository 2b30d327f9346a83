"""High precision for the layers that a sensitivity table begins with."""

from typing import Any

from ..._twofold import Error
from ...dtype import qint8, qint16
from .. import _sensitivity_tables as tables
from .._setters.sensitive import find_row, provenance_of
from .specs import Specs, checked_dtype
from .template import Template

_PARTS = {"activation": "output", "weight": "weight"}


class SensitivityTemplate(Template):
    """The worst rows of a table get `high_precision_dtype`, all others `low_precision_dtype`.

    A row of an "activation" is about its layer's output, one of a "weight" about its weight; of the
    table only rows of `sensitive_type` (activation, weight or both) count. `topk_or_ratio`: an
    integer is a number of rows, a float a share in (0, 1]. twofold.Error for names that are not
    found.
    """

    def __init__(
        self,
        sensitive_table: Any,
        topk_or_ratio: int | float,
        sensitive_type: str = "both",
        low_precision_dtype: Any = qint8,
        high_precision_dtype: Any = qint16,
    ):
        if sensitive_type not in (*tables.KINDS, tables.BOTH):
            raise ValueError(
                f"SensitivityTemplate: sensitive_type is {sensitive_type!r}; it is one of "
                f"{', '.join(tables.KINDS)}, {tables.BOTH}"
            )
        self.low = checked_dtype(low_precision_dtype, "SensitivityTemplate: low_precision_dtype")
        self.high = checked_dtype(high_precision_dtype, "SensitivityTemplate: high_precision_dtype")
        kinds = tables.KINDS if sensitive_type == tables.BOTH else (sensitive_type,)
        self.kinds = kinds
        rows = tables.rows_of(sensitive_table)
        self.rows = [row for row in rows if any(row.is_about(kind) for kind in kinds)]
        self.worst = tables.first_rows(self.rows, **tables.topk_or_ratio(topk_or_ratio))

    def apply(self, specs: Specs) -> list[str]:
        """Say it."""
        provenance = provenance_of(specs.context, self.rows)
        found = [find_row(specs.context, provenance, row) for row in self.rows]
        unknown = [row.name for row, layer in zip(self.rows, found, strict=True) if layer is None]
        if unknown:
            reasons = "; ".join(map(specs.context.names.unknown, dict.fromkeys(unknown)))
            raise Error(f"SensitivityTemplate: the table is of another model: {reasons}")
        named = []
        # The worst last, so that another row of the same layer does not take back what it got.
        for number, layer in reversed(list(enumerate(found))):
            is_worst = number < len(self.worst)
            for part in self._parts(specs, self.rows[number], layer):
                specs.set(layer, part, "dtype", self.high if is_worst else self.low)
                if is_worst:
                    named.append(layer if part == "output" else f"{layer}.weight")
        return named[::-1]

    def _parts(self, specs: Specs, row: tables.Row, layer: str) -> list[str]:
        """What of a layer a row is about."""
        parts = [_PARTS[kind] for kind in self.kinds if row.is_about(kind)]
        there = [part for part in parts if part in specs.parts(layer)]
        if not there and row.kind != tables.BOTH:
            raise Error(f"SensitivityTemplate: '{row.name}' has no {parts[0]}")
        return there
