"""What a notebook puts on the page: a sentence, a picture, a table. A page for others is made of nothing else."""

from __future__ import annotations

import io
import math
from typing import Any

import pandas as pd
from IPython.display import Markdown, display
from matplotlib.axes import Axes

from checkout_log.plots.style import WORDS_ALONE

# A table as data: whoever shows it writes the cells as text, and never takes HTML from a notebook.
TABLE = "application/vnd.dataresource+json"
DOTS_PER_INCH = 110
MOST_ROWS = 20
# Below it numbers have three digits, above it no fraction.
THREE_DIGITS = 100
# Below it nothing is left to read: a microsecond in days.
NOTHING = 1e-9


def say(text: str) -> None:
    """Shows a sentence, in Markdown."""
    display(Markdown(text))


def show(ax: Axes, text: str) -> None:
    """Shows a picture and the sentence that says what is in it; who cannot see the picture hears the sentence.

    Where there is nothing to draw, the sentence is enough.
    """
    if ax.get_gid() == WORDS_ALONE:
        say(text)
        return
    png = picture(ax)
    display({"image/png": png, "text/plain": text}, metadata={"image/png": {"alt": text}}, raw=True)
    say(text)


def picture(ax: Axes) -> bytes:
    """The whole figure of these axes as PNG."""
    figure = ax.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes that were drawn on have one
    # Laid out once; to save would draw it twice, once for nothing but the layout.
    layout = figure.get_layout_engine()
    if layout is not None:
        layout.execute(figure)
        figure.set_layout_engine("none")
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return target.getvalue()


def table(frame: pd.DataFrame, *, rows: int = MOST_ROWS, timezone: str = "UTC") -> None:
    """Shows the first rows of a frame, times in this zone to the minute, numbers rounded; of an empty one nothing."""
    if frame.empty:
        return
    shown = texts(frame.head(rows), timezone)
    is_number = {name: pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns}
    display(
        {
            "text/html": _html(shown, len(frame)),
            "text/plain": shown.to_string(index=False),
            TABLE: {
                "schema": {
                    "fields": [{"name": str(name), "type": "number" if is_number[name] else "string"} for name in frame]
                },
                "data": shown.to_dict("records"),
                "rows": len(frame),
            },
        },
        raw=True,
    )


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
