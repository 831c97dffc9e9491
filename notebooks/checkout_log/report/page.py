"""Notebooks that ran become one page to hand on: no scripts, nothing from elsewhere, and every text from a log as text.

No HTML of a notebook's outputs goes into the page: tables come as data, pictures as PNG, sentences as Markdown without HTML,
links and images.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup
from nbformat import NotebookNode

from checkout_log.report.display import TABLE, texts
from checkout_log.report.notebooks import Run

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink", "html_inline"])
_TEMPLATES = Environment(
    loader=PackageLoader("checkout_log.report"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing on the page. kind: prose, code, picture (as base 64), table (its fields) or plain.

    alt: of a picture. rows: of a table, which may have `total` rows in all.
    """

    kind: str
    text: Any
    alt: str = ""
    rows: Sequence[Any] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class Section:
    """One notebook on the page."""

    anchor: str
    title: str
    findings: tuple[Markup, ...]
    pieces: tuple[Piece, ...]
    run: Run


def rendered(runs: Sequence[Run], quality: pd.DataFrame, *, timezone: str, made_at: str, seats: Sequence[str] = ()) -> str:
    """The page as HTML, of these runs, the quality frame of the log, and sentences in Markdown on seats."""
    style = _TEMPLATES.get_template("report.css").render()
    shown = texts(quality, timezone)
    return _TEMPLATES.get_template("report.html").render(
        sections=[_section(run) for run in runs],
        seats=[prose(text) for text in seats],
        style=Markup(style),  # noqa: S704 - our own file
        # Only this very style may apply: a text that slips through cannot even change how the page looks.
        style_hash=base64.b64encode(sha256(style.encode()).digest()).decode(),
        quality=Piece(
            "table",
            [{"name": name, "type": "string"} for name in shown.columns],
            rows=shown.to_dict("records"),
            total=len(shown),
        ),
        timezone=timezone,
        made_at=made_at,
    )


def prose(text: str) -> Markup:
    """Markdown as HTML, headings one level lower; HTML, links and images in it stay text."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + 1)}"
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704 - html, links and images are switched off


def _section(run: Run) -> Section:
    findings = tuple(prose(text) for text in run.findings)
    return Section(f"n-{run.name}", run.title, findings, tuple(_pieces(run)), run)


def _pieces(run: Run) -> Iterator[Piece]:
    for number, cell in enumerate(run.cells):
        if cell.cell_type == "markdown":
            # The title stands above already.
            text = cell.source.partition("\n")[2] if number == 0 and cell.source.startswith("# ") else cell.source
            yield Piece("prose", prose(text))
        elif cell.cell_type == "code":
            yield Piece("code", cell.source)
            yield from (piece for output in cell.outputs for piece in _shown(output))


def _shown(output: NotebookNode) -> Iterator[Piece]:
    """An output by the first of its forms that the page knows; errors are told by the section."""
    if output.output_type == "stream":
        yield Piece("plain", output.text)
    data = output.get("data", {})
    if "image/png" in data:
        yield Piece("picture", _checked(data["image/png"]), alt=output.metadata.get("image/png", {}).get("alt", ""))
    elif TABLE in data:
        table = data[TABLE]
        yield Piece("table", table["schema"]["fields"], rows=table["data"], total=table["rows"])
    elif "text/markdown" in data:
        yield Piece("prose", prose(data["text/markdown"]))
    elif "text/plain" in data:
        yield Piece("plain", data["text/plain"])


def _checked(encoded: str) -> str:
    """A picture in base 64 and nothing else; empty where it is damaged."""
    try:
        return base64.b64encode(binascii.a2b_base64(encoded)).decode()
    except binascii.Error:
        return ""
