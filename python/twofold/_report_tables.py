"""What is shown of a report: its summary, the worst of its rows, its notes."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ._tables import Table

_METRICS = ("cosine-similarity", "sqnr", "mse")


def _metrics_of(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those that the rows have, the usual ones first."""
    there = list(rows[0]["metrics"]) if rows else []
    return [name for name in _METRICS if name in there] or there[:3]


def _metric_rows(rows: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> list[list[Any]]:
    return [[row["tensor"], *(row["metrics"][name] for name in metrics)] for row in rows]


def _compared(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    metrics = _metrics_of(rows)
    return Table(title, ["tensor", *metrics], _metric_rows(rows, metrics))


def _worst(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: float(row["metrics"].get("sqnr", 0)))


def of_quantize(report: Mapping[str, Any]) -> Iterator[Table | str]:
    """Of `twofold.quantize`."""
    size = f", {report['file_bytes'] / 1e6:.2f} MB" if report["output"] else ""
    written = report["output"] or "nothing was written"
    yield f"{report['model']} -> {written}{size}; target {report['target']}"
    yield Table("operands", ["precision", "count"], list(report["operand_counts"].items()))
    yield _compared("outputs, quantized against float", report["outputs"])
    yield _compared("tensors with the most noise", _worst(report["tensors"]))
    yield from report["notes"]


def of_verify(report: Mapping[str, Any]) -> Iterator[Table | str]:
    """Of `twofold.verify`."""
    yield f"{report['other']} against {report['reference']}"
    yield _compared("outputs", report["outputs"])
    yield _compared(
        "inner tensors that both compute, the most noise first", _worst(report["tensors"])
    )
    if report["first_difference"] is not None:
        yield f"first difference: {report['first_difference']}"


def of_inspect(report: Mapping[str, Any]) -> Iterator[Table | str]:
    """Of `twofold.inspect`."""
    size = f"{report['parameters']} parameters, {report['file_bytes'] / 1e6:.2f} MB"
    yield f"{report['model']}: {size}"
    for what in ("inputs", "outputs"):
        rows = [[row["name"], row["dtype"], row["shape"]] for row in report[what]]
        yield Table(what, ["name", "type", "shape"], rows)
    rows = [[row["name"], row["op_type"]] for row in report["simplified"]]
    yield Table("nodes, simplified", ["node", "operator"], rows, most_rows=50)
    if report["unsupported"]:
        yield f"operators that are not there: {', '.join(report['unsupported'])}"


def of_sensitivity(report: Mapping[str, Any]) -> Iterator[Table | str]:
    """Of `twofold.debug.get_sensitivity_of_nodes`, worst first."""
    metrics = list(next(iter(report.values()), {}))
    rows = [[name, *(row[metric] for metric in metrics)] for name, row in report.items()]
    yield Table("what each alone does to the outputs", ["unit", *metrics], rows, most_rows=20)
