"""Charts: bars over days or names, with a limit; where each bar stands is reckoned here, and a template draws it as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# Units of the picture, which is as wide as the page lets it be.
WIDTH, HEIGHT, ABOVE = 640, 160, 10
# A limit that is more times the highest bar is beyond the picture.
MOST_ABOVE = 5
GAP = 0.2


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar, from its upper left corner; `is_beyond` the limit."""

    label: str
    value: int
    x: float
    y: float
    width: float
    height: float
    is_beyond: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars side by side, what each is `of`, the height at which the limit stands (None for without, or beyond the picture), and the highest value."""

    title: str
    of: str
    bars: tuple[Bar, ...]
    most: int
    limit: int | None
    limit_y: float | None
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def is_empty(self) -> bool:
        """True when no bar has a height."""
        return self.most == 0


def bar_chart(title: str, points: Sequence[tuple[str, int]], limit: int | None = None, of: str = "Day") -> Chart:
    """The chart of these labels and values; the highest of them fits in it, and the limit unless nothing could be seen below it."""
    most = max((value for _, value in points), default=0)
    is_near = limit is not None and limit <= max(MOST_ABOVE * most, 1)
    scale = (HEIGHT - ABOVE) / max(most, limit if limit is not None and is_near else 0, 1)
    step = WIDTH / max(len(points), 1)
    bars = tuple(
        Bar(
            label=label,
            value=value,
            x=round((number + GAP / 2) * step, 2),
            y=round(HEIGHT - value * scale, 2),
            width=round(step * (1 - GAP), 2),
            height=round(value * scale, 2),
            is_beyond=limit is not None and value > limit,
        )
        for number, (label, value) in enumerate(points)
    )
    limit_y = round(HEIGHT - limit * scale, 2) if limit is not None and is_near else None
    return Chart(title, of, bars, most, limit, limit_y)
