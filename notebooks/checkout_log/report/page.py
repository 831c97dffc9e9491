"""Notebooks that ran become one page to hand on: no scripts, nothing from elsewhere, and every text from a log as text.

No HTML of a notebook's outputs goes into the page: tables come as data, pictures as SVG, sentences as Markdown without HTML,
links and images.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from checkout_log.captions.actions import BORROWS, DENIALS, FEATURES, LOGS, STUCK, TITLES, UNTOLD, Action
from checkout_log.report.display import MOST_ROWS, SVG, TABLE, kind_of, texts
from checkout_log.report.notebooks import FINDING, NOTEBOOK_ONLY, Run, Shown
from checkout_log.report.summary import Summary

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink", "html_inline"])
_TEMPLATES = Environment(
    loader=PackageLoader("checkout_log.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


# Which notebook shows at length what a sentence at the top says.
_SHOWN_IN = {STUCK: "01-stuck-licenses", DENIALS: "03-denials-and-enough-seats", BORROWS: "04-offline-borrows"}


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing on the page. kind: prose, picture (as base 64), table (its fields) or plain.

    alt: of a picture. rows: of a table, so many of which are shown at first; it may have `total` rows in all.
    """

    kind: str
    text: Any
    alt: str = ""
    rows: Sequence[Any] = ()
    total: int = 0
    first: int = MOST_ROWS


@dataclass(frozen=True, slots=True)
class Section:
    """One notebook on the page: what it found, what it showed, and the code that made it."""

    anchor: str
    title: str
    findings: tuple[Markup, ...]
    pieces: tuple[Piece, ...]
    code: tuple[str, ...]
    run: Run


def rendered(runs: Sequence[Run], summary: Summary, *, timezone: str, made_at: str) -> str:
    """The page as HTML: what to do and the features that matter, then what the notebooks showed, and the logs."""
    style = _TEMPLATES.get_template("report.css").render()
    sections = [_section(run) for run in runs]
    return _TEMPLATES.get_template("report.html").render(
        sections=sections,
        groups=list(_groups(summary.actions, sections)),
        reach=summary.reach,
        is_anything_to_do=any(action.kind != UNTOLD for action in summary.actions),
        left_out=prose(summary.left_out),
        features=_table(summary.features, timezone),
        servers=_table(summary.servers, timezone),
        files=_table(summary.files, timezone),
        style=Markup(style),  # noqa: S704 - our own file
        # Only this very style may apply: a text that slips through cannot even change how the page looks.
        style_hash=base64.b64encode(sha256(style.encode()).digest()).decode(),
        timezone=timezone,
        made_at=made_at,
    )


def _groups(actions: Sequence[Action], sections: Sequence[Section]) -> Iterator[tuple[str, list[tuple[Markup, str, str]]]]:
    """What to do, by kind: a title, and sentences, each with the anchor and the title of the section that shows it."""
    titles = {section.anchor: section.title for section in sections} | {FEATURES: "Features that matter", LOGS: "The logs"}
    for kind, title in TITLES.items():
        lines = []
        for action in actions:
            if action.kind == kind:
                anchor = f"n-{_SHOWN_IN[action.shown_in]}" if action.shown_in in _SHOWN_IN else action.shown_in
                lines.append((prose(action.sentence), anchor, titles.get(anchor, "")))
        if lines:
            yield title, lines


def _table(frame: pd.DataFrame, timezone: str) -> Piece:
    shown = texts(frame, timezone)
    fields = [{"name": str(name), "type": kind_of(frame[name])} for name in frame]
    return Piece("table", fields, rows=shown.to_dict("records"), total=len(shown))


def prose(text: str) -> Markup:
    """Markdown as HTML, headings one level lower; HTML, links and images in it stay text."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
        for part in token.children or ():
            if part.type == "text":
                # A number and its sign stay on one line.
                part.content = part.content.replace(" %", "\u00a0%")
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704 - html, links and images are switched off


def _section(run: Run) -> Section:
    findings = tuple(prose(text) for text in run.findings)
    code = tuple(cell.source for cell in run.cells if cell.kind == "code")
    return Section(f"n-{run.name}", run.title, findings, tuple(_pieces(run)), code, run)


def _pieces(run: Run) -> Iterator[Piece]:
    """What is shown below each heading; a heading below which nothing is shown is left out, and what was said before, too."""
    said = set(run.findings)
    heading: list[Piece] = []
    for number, cell in enumerate(run.cells):
        if NOTEBOOK_ONLY in cell.tags or FINDING in cell.tags:
            continue
        if cell.kind == "markdown":
            # The title stands above already.
            text = cell.source.partition("\n")[2] if number == 0 and cell.source.startswith("# ") else cell.source
            heading = [*([] if text.startswith("#") else heading), Piece("prose", prose(text))]
            continue
        for output in cell.outputs:
            sentence = "" if output.data.keys() & {SVG, TABLE} else output.data.get("text/markdown", "")
            if sentence not in said:
                yield from heading
                heading = []
                yield from _shown(output)
            said |= {sentence} - {""}


def _shown(output: Shown) -> Iterator[Piece]:
    """An output by the first of its forms that the page knows; errors are told by the section."""
    data = output.data
    if SVG in data:
        # As a picture it runs no program, whatever is in it.
        picture = base64.b64encode(data[SVG].encode()).decode()
        yield Piece("picture", picture, alt=output.metadata.get(SVG, {}).get("alt", ""))
    elif TABLE in data:
        table = data[TABLE]
        yield Piece("table", table["schema"]["fields"], rows=table["data"], total=table["rows"], first=table["first"])
    elif "text/markdown" in data:
        yield Piece("prose", prose(data["text/markdown"]))
    elif "text/plain" in data:
        yield Piece("plain", data["text/plain"])
