"""What a notebook puts on the page: a sentence, a picture, a table. A page for others is made of nothing else."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.plots import rendering
from checkout_log.plots.style import WORDS_ALONE
from checkout_log.report.notebooks import Shown

# A table as data: whoever shows it writes the cells as text, and never takes HTML from a notebook.
TABLE = "application/vnd.dataresource+json"
SVG, PNG = "image/svg+xml", "image/png"
MOST_ROWS, FOLDED_ROWS = 20, 300
# Below it numbers have three digits, above it no fraction.
THREE_DIGITS = 100
# Below it nothing is left to read: a microsecond in days.
NOTHING = 1e-6


@dataclass(frozen=True, slots=True)
class _Board:
    """Where a notebook that is run here shows what it shows, and whether its pictures are those of a page."""

    outputs: list[Shown]
    for_page: bool


_BOARD: ContextVar[_Board | None] = ContextVar("board", default=None)


@contextmanager
def collected(outputs: list[Shown], *, for_page: bool) -> Iterator[None]:
    """What is shown in this block goes into the list, and not to a notebook that is open. for_page: pictures are SVG, else PNG."""
    token = _BOARD.set(_Board(outputs, for_page))
    try:
        yield
    finally:
        _BOARD.reset(token)


def _put(data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
    """Shows these forms of one thing."""
    board = _BOARD.get()
    if board is not None:
        board.outputs.append(Shown(data, metadata or {}))
        return
    # Only a notebook that is open needs it, and has loaded it already.
    from IPython.display import display

    display(data, metadata=metadata, raw=True)


def _is_on_page() -> bool:
    board = _BOARD.get()
    return board is not None and board.for_page


def say(text: str, *, on_page: bool = True) -> None:
    """Shows a sentence, in Markdown. on_page: False where it says that there is nothing: a page leaves that out."""
    if on_page or not _is_on_page():
        _put({"text/markdown": text, "text/plain": text})


def show(ax: Axes, text: str) -> None:
    """Shows a picture and the sentence that says what is in it; who cannot see the picture hears the sentence.

    Where there is nothing to draw, the sentence is enough, and a page has neither.
    """
    is_picture = ax.get_gid() != WORDS_ALONE
    if is_picture:
        kind, picture = (SVG, rendering.svg(ax)) if _is_on_page() else (PNG, rendering.png(ax))
        _put({kind: picture, "text/plain": text}, {kind: {"alt": text}})
    say(text, on_page=is_picture)


def table(frame: pd.DataFrame, *, rows: int = MOST_ROWS, timezone: str = "UTC") -> None:
    """Shows a frame, times in this zone to the minute, numbers rounded; of an empty one nothing.

    rows: so many are shown at once; a page has the rest of the first FOLDED_ROWS behind a click.
    """
    if frame.empty:
        return
    shown = texts(frame.head(FOLDED_ROWS), timezone)
    first = shown.head(rows)
    _put(
        {
            "text/html": _html(first, len(frame)),
            "text/plain": first.to_string(index=False),
            TABLE: {
                "schema": {"fields": [{"name": str(name), "type": kind_of(frame[name])} for name in frame]},
                "data": (shown if _is_on_page() else first).to_dict("records"),
                "rows": len(frame),
                "first": rows,
            },
        }
    )


def kind_of(values: pd.Series) -> str:
    """Of a column in a table: "number" or "string"."""
    return "number" if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values) else "string"


def texts(frame: pd.DataFrame, timezone: str = "UTC") -> pd.DataFrame:
    """The cells as people read them; empty ones are empty."""
    return pd.DataFrame({str(name): [_text(value, timezone) for value in frame[name]] for name in frame.columns}, dtype=object)


def _html(shown: pd.DataFrame, rows: int) -> str:
    more = f"<p>{len(shown):,} of {rows:,} rows</p>" if rows > len(shown) else ""
    return f"{shown.to_html(index=False, border=0, escape=True, justify='left')}{more}"


def _text(value: Any, timezone: str) -> str:
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, pd.Timestamp):
        return f"{value.tz_convert(timezone) if value.tzinfo else value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return _number(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _number(value: float) -> str:
    if math.isnan(value):
        return ""
    if abs(value) < NOTHING:
        return "0"
    return f"{value:,.3g}" if abs(value) < THREE_DIGITS else f"{value:,.0f}"
