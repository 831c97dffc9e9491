"""A small simulated site for tests of pictures and pages, and what can be read in a picture."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from checkout_log.report.site import Site, open_site

PRODUCT, FEATURE = "strucalc", "SUITE"


@cache
def site() -> Site:
    """Some ninety members for two months, on all three kinds of servers."""
    return open_site([], seed=3, days=60, size=0.3)


@cache
def site_with_stories() -> Site:
    """Some members more for 250 days, with stuck licenses."""
    return open_site([], seed=3, days=250, size=0.35)


def figure_of(ax: Axes) -> Figure:
    """The figure of these axes, drawn."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    return figure


def words(ax: Axes) -> str:
    """Everything that can be read in a picture, a line for each text."""
    figure = figure_of(ax)
    texts = [text.get_text() for text in figure.findobj(Text) if text.get_visible()]
    return "\n".join(text for text in texts if text)


def verticals(ax: Axes) -> set[float]:
    """Where lines go upwards through the whole picture."""
    ends = [np.asarray(line.get_xdata(), dtype=float) for line in ax.get_lines()]
    return {float(xs[0]) for xs in ends if len(xs) == 2 and xs[0] == xs[1]}


def horizontals(ax: Axes) -> set[float]:
    """At which heights lines go through the whole picture."""
    ends = [np.asarray(line.get_ydata(), dtype=float) for line in ax.get_lines()]
    return {float(ys[0]) for ys in ends if len(ys) == 2 and ys[0] == ys[1]}
