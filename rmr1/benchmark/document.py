"""A report as blocks, and the blocks as Markdown or HTML; what they hold is text, never markup."""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    Attributes:
        level: 1 is the title.
    """

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Points:
    """A list of sentences."""

    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of texts.

    Attributes:
        strong: numbers of the rows that are our own.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    strong: frozenset[int] = frozenset()


Block = Heading | Paragraph | Points | Grid

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$])")
_LIST_MARK = re.compile(r"^(\d+)?([-+.)])(?=\s|$)")
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}
body{color:#1b1f24;background:#fff}
table{border-collapse:collapse;display:block;overflow-x:auto;margin:1rem 0}
table{font-variant-numeric:tabular-nums}
td:not(:first-child){white-space:nowrap}
th,td{border-bottom:1px solid #d6dae0;padding:.3rem .7rem;text-align:right;vertical-align:top}
th:first-child,td:first-child{text-align:left}
tr.own{background:#eef4ff;font-weight:600}
@media (prefers-color-scheme:dark){body{background:#14171b;color:#e6e8eb}
th,td{border-color:#3a414a}tr.own{background:#1d2b45}}
""".strip()


def markdown(blocks: Iterable[Block]) -> str:
    """The blocks in GitHub's Markdown."""
    return "\n\n".join("\n".join(_markdown(block)) for block in blocks) + "\n"


def html_page(title: str, blocks: Iterable[Block]) -> str:
    """The blocks as a page that stands alone and loads nothing."""
    body = "\n".join(line for block in blocks for line in _html(block))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{html.escape(title)}</title>
<style>
{_STYLE}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def _markdown(block: Block) -> Iterator[str]:
    match block:
        case Heading(level, text):
            yield f"{'#' * level} {_plain(text)}"
        case Paragraph(text):
            yield _plain(text)
        case Points(texts):
            yield from (f"- {_plain(text)}" for text in texts)
        case Grid(columns, rows, strong):
            yield _line(map(_plain, columns))
            yield _line(["---", *["---:"] * (len(columns) - 1)])
            for number, row in enumerate(rows):
                cells = map(_plain, row)
                own = number in strong
                yield _line((f"**{cell}**" if own and cell else cell) for cell in cells)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(text: str) -> str:
    """A text that Markdown shows as it is: on one line, no markup, no link."""
    joined = html.escape(" ".join(text.split()), quote=False)
    shown = _SPECIAL.sub(r"\\\1", joined).replace("://", "&#58;//").replace("www.", "www&#46;")
    return _LIST_MARK.sub(r"\1\\\2", shown)


def _html(block: Block) -> Iterator[str]:
    match block:
        case Heading(level, text):
            yield f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text):
            yield f"<p>{html.escape(text)}</p>"
        case Points(texts):
            yield "<ul>"
            yield from (f"<li>{html.escape(text)}</li>" for text in texts)
            yield "</ul>"
        case Grid(columns, rows, strong):
            yield "<table><thead><tr>"
            yield "".join(f"<th>{html.escape(column)}</th>" for column in columns)
            yield "</tr></thead><tbody>"
            for number, row in enumerate(rows):
                cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
                yield f'<tr class="own">{cells}</tr>' if number in strong else f"<tr>{cells}</tr>"
            yield "</tbody></table>"
