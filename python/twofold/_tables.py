"""Reports that print as tables, in a terminal and in a notebook, and are plain dicts otherwise."""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MOST_ROWS = 10


@dataclass(frozen=True)
class Table:
    """Rows of cells under a heading; where there are more rows than are shown, it says so."""

    title: str
    heading: Sequence[str]
    rows: Sequence[Sequence[Any]]
    most_rows: int = _MOST_ROWS

    def shown(self) -> list[list[str]]:
        """The cells of the rows that are shown, as text."""
        return [[_text(cell) for cell in row] for row in self.rows[: self.most_rows]]

    def numbers(self) -> list[bool]:
        """Whether each column has numbers."""
        return [all(map(_is_number, column)) for column in zip(*self.rows, strict=True)] or [
            False
        ] * len(self.heading)

    def rest(self) -> str:
        """Words for the rows that are not shown."""
        left = len(self.rows) - self.most_rows
        return f"... and {left} more" if left > 0 else ""


Tables = Callable[[Mapping[str, Any]], Iterable[Table | str]]


def _text(cell: Any) -> str:
    if isinstance(cell, float):
        return f"{cell:.6g}"
    return "-" if cell is None else str(cell)


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float) or cell in ("inf", "-inf", "nan")


def _in_terminal(part: Table | str) -> str:
    """Columns of numbers to the right, others to the left."""
    if isinstance(part, str):
        return part
    cells = [list(part.heading), *part.shown()]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, part.numbers(), strict=True)
        ).rstrip()
        for row in cells
    ]
    rest = [part.rest()] if part.rest() else []
    return "\n".join([part.title, *(f"  {line}" for line in [*lines, *rest])])


def _in_notebook(part: Table | str) -> str:
    if isinstance(part, str):
        tag = "pre" if "\n" in part else "p"
        return f"<{tag}>{html.escape(part)}</{tag}>"

    sides = ["right" if number else "left" for number in part.numbers()]

    def row_of(cells: Iterable[str], tag: str) -> str:
        styled = (
            f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
            for side, cell in zip(sides, cells, strict=True)
        )
        return f"<tr>{''.join(styled)}</tr>"

    rows = [row_of(part.heading, "th"), *(row_of(row, "td") for row in part.shown())]
    caption = f"<caption>{html.escape(part.title)}</caption>"
    rest = f"<p>{part.rest()}</p>" if part.rest() else ""
    return f"<table>{caption}{''.join(rows)}</table>{rest}"


class Report(dict[str, Any]):
    """A dict that is shown as tables; `dict(report)` is one that is not."""

    def __init__(self, content: Mapping[str, Any], tables: Tables):
        super().__init__(content)
        self._tables = tables

    def __repr__(self) -> str:
        """The tables as text."""
        return "\n\n".join(map(_in_terminal, self._tables(self)))

    def _repr_html_(self) -> str:
        """The tables as notebooks show them."""
        return "".join(map(_in_notebook, self._tables(self)))

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        """Copies and pickles are plain dicts."""
        return dict, (dict(self),)
