"""A report as one HTML file that loads nothing, for light and dark."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from ._plot import SERIES

# The colours of the reports of `twofold debug` (src/report/plots/palette.js).
_LIGHT = {
    **{"paper": "#ffffff", "ground": "#f5f6f8", "ink": "#1c2128", "faint": "#59636e"},
    **{"grid": "#e3e7ec", "axis": "#8c959f", "line": "#d5dae0", "bad": "#fbe9df"},
    **{"c0": "#0a66b0", "c1": "#c44f00", "c2": "#00795a", "c3": "#a6437f", "c4": "#8a6400"},
}
_DARK = {
    **{"paper": "#171b21", "ground": "#0f1216", "ink": "#e6e9ed", "faint": "#a3adb8"},
    **{"grid": "#2a313a", "axis": "#6b7683", "line": "#343c46", "bad": "#43291b"},
    **{"c0": "#5fb0ee", "c1": "#ff9b54", "c2": "#3fc79a", "c3": "#e391c0", "c4": "#e6bb4a"},
}

_STYLE = """
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, "DejaVu Sans", sans-serif;
}
header { background: var(--paper); border-bottom: 1px solid var(--line); padding: 20px 0 14px; }
.wide { max-width: 1360px; margin: 0 auto; padding: 0 24px; }
pre { margin: 0; }
.kicker, .faint { margin: 0 0 8px; color: var(--faint); font-size: 13px; }
h1 { margin: 0; font-size: 24px; line-height: 1.3; font-weight: 650; overflow-wrap: anywhere; }
h2 { margin: 32px 0 12px; font-size: 19px; font-weight: 650; }
p { margin: 0 0 10px; }
.card {
  background: var(--paper); border: 1px solid var(--line); border-radius: 8px; padding: 14px 18px;
  margin: 0 0 14px; overflow-x: auto;
}
.card.tall { max-height: 640px; overflow-y: auto; padding-top: 0; }
figure { margin: 0; min-width: 640px; }
figcaption { font-weight: 600; margin: 0 0 8px; }
.key { font-weight: 400; font-size: 13px; color: var(--faint); margin-left: 18px; }
.key i { display: inline-block; width: 16px; height: 3px; margin-right: 6px; vertical-align: 4px; }
svg.plot { display: block; width: 100%; height: auto; font-size: 12px; }
svg text { fill: var(--faint); }
svg .end { text-anchor: end; } svg .middle { text-anchor: middle; }
svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--axis); }
svg path { fill: none; stroke-width: 1.75; stroke-linejoin: round; }
svg .s2 path, svg .s3 path { stroke-dasharray: 6 4; }
table { border-collapse: collapse; font-size: 13.5px; }
th, td { padding: 5px 18px 5px 0; text-align: left; white-space: nowrap; }
td { border-bottom: 1px solid var(--line); }
th {
  font-weight: 600; color: var(--faint); position: sticky; top: 0; background: var(--paper);
  box-shadow: 0 1px var(--line); padding-top: 12px;
}
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
td:first-child { font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
tr.bad td { background: var(--bad); }
@media (max-width: 640px) { .wide { padding: 0 12px; } .card { padding: 10px 12px; } }
"""

# A printed class, of which the name is enough on a page.
_CLASS = re.compile(r"<class '(?:\w+\.)*(\w+)'>")


def page(kicker: str, title: str, parts: Iterable[str]) -> str:
    """The file: parts are of `heading`, `card`, `html_table` and `line_plot`."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{_colours()}{_STYLE}</style>\n</head>\n<body>\n"
        f'<header><div class="wide"><p class="kicker">{escape(kicker)}</p>'
        f'<h1>{escape(title)}</h1></div></header>\n<main class="wide">\n'
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def heading(text: str, note: str = "") -> str:
    """Of a section, and a sentence below it."""
    below = f'<p class="faint">{escape(note)}</p>' if note else ""
    return f"<h2>{escape(text)}</h2>{below}"


def card(content: str) -> str:
    """A frame around a plot, which scrolls where it is too wide."""
    return f'<section class="card">{content}</section>'


def html_table(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], bad: Iterable[int] = ()
) -> str:
    """A table in a frame that scrolls; rows of the numbers `bad` stand out. "None." if empty."""
    rows, bad = [*rows], {*bad}
    if not rows:
        return '<p class="faint">None.</p>'
    numeric = [all(_is_number(row[i]) for row in rows) for i in range(len(headings))]
    head = "".join(_cell("th", text, is_n) for text, is_n in zip(headings, numeric, strict=True))
    body = "\n".join(
        ('<tr class="bad">' if i in bad else "<tr>")
        + "".join(_cell("td", value, is_n) for value, is_n in zip(row, numeric, strict=True))
        + "</tr>"
        for i, row in enumerate(rows)
    )
    return (
        f'<section class="card tall"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n'
        "</tbody></table></section>"
    )


def preformatted(text: str) -> str:
    """A text table as it is."""
    return card(f"<pre>{escape(text)}</pre>")


def _cell(tag: str, value: Any, is_number: bool) -> str:
    kind = ' class="number"' if is_number else ""
    text = f"{value:.6g}" if isinstance(value, float) else _CLASS.sub(r"\1", str(value))
    return f"<{tag}{kind}>{escape(text)}</{tag}>"


def _is_number(value: Any) -> bool:
    if value == "":
        return True
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _colours() -> str:
    curves = "".join(
        f"svg .s{n} path {{ stroke: var(--c{n}); }} svg .s{n} circle {{ fill: var(--c{n}); }}\n"
        f".k{n} {{ background: var(--c{n}); }}\n"
        for n in range(SERIES)
    )
    return (
        f":root {{ color-scheme: light dark; {_variables(_LIGHT)} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {_variables(_DARK)} }} }}\n{curves}"
    )


def _variables(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {value};" for name, value in colours.items())
