"""Sensitivity tables: which layers lose most at low precision, worst first."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

KINDS = ("activation", "weight")
BOTH = "both"


class Row(NamedTuple):
    """A layer's name as the table has it, and what is meant: "activation", "weight" or "both"."""

    name: str
    kind: str

    def is_about(self, kind: str) -> bool:
        """Whether the "activation" or the "weight" is meant."""
        return self.kind in (kind, BOTH)


def rows_of(table: Any) -> list[Row]:
    """The rows of a table, in its order.

    `table` is a list as `<output>_<metric>_sensitive_ops.pt` holds it, with rows of 4 to 6 columns:
    op_name, sensitive_type, op_type, metric, and perhaps quant_dtype and flops; a row of headings
    is passed over. Or it is what `twofold.debug.get_sensitivity_of_nodes` returns: its units are
    nodes, weights or activations of an ONNX file, and a node is about both. Raises TypeError or
    ValueError for anything else.
    """
    if isinstance(table, Mapping):
        return [Row(str(unit), _kind_of_unit(str(unit))) for unit in table]
    if isinstance(table, str) or not isinstance(table, Sequence):
        raise TypeError(
            f"a sensitivity table is a list of rows, not {type(table).__name__}; give what "
            'torch.load("..._sensitive_ops.pt") returns'
        )
    return [_row(row, number) for number, row in enumerate(table) if not _is_heading(row)]


def first_rows(rows: list[Row], *, topk: int | None, ratio: float | None) -> list[Row]:
    """The worst: `topk` of them, or a `ratio` of all in (0, 1], rounded up.

    One of the two is to be given. Raises ValueError otherwise, or where a number is out of range.
    """
    if (topk is None) == (ratio is None):
        raise ValueError("a sensitivity table needs topk= or ratio=, one of them")
    if topk is not None:
        if isinstance(topk, bool) or not isinstance(topk, int) or topk < 1:
            raise ValueError(f"topk is {topk!r}; it is a number of rows, at least 1")
        return rows[:topk]
    if isinstance(ratio, bool) or not 0 < ratio <= 1:
        raise ValueError(f"ratio is {ratio!r}; it is a share of all rows, above 0 and at most 1")
    return rows[: math.ceil(ratio * len(rows) - 1e-9)]


def topk_or_ratio(value: int | float) -> dict[str, Any]:
    """The arguments of `first_rows`: an integer is a number of rows, a float a share."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return {"topk": value, "ratio": None} if is_number else {"topk": None, "ratio": value}


def _is_heading(row: Any) -> bool:
    return isinstance(row, Sequence) and len(row) > 0 and row[0] == "op_name"


def _row(row: Any, number: int) -> Row:
    if isinstance(row, str) or not isinstance(row, Sequence) or not 4 <= len(row) <= 6:
        raise ValueError(
            f"row {number} of the sensitivity table is {row!r}; rows have op_name, sensitive_type, "
            "op_type, the metric, and perhaps quant_dtype and flops"
        )
    name, kind = row[0], row[1]
    if not isinstance(name, str) or kind not in KINDS:
        raise ValueError(
            f"row {number} of the sensitivity table begins with {name!r}, {kind!r}; a name and "
            "'activation' or 'weight' are expected"
        )
    return Row(name, kind)


def _kind_of_unit(unit: str) -> str:
    """The debugger calls activations after tensors and weights after initializers."""
    if unit.endswith(".weight"):
        return "weight"
    return "activation" if "_output_" in unit else BOTH
