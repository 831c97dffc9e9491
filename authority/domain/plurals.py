"""A number and what is counted, as people write it: `1 member`, `2 members`."""

from __future__ import annotations


def counted(number: float, one: str, several: str | None = None) -> str:
    """The number and the word that goes with it: `one` for exactly 1, else `several`, or `one` with an s; at most four digits after the point."""
    word = one if number == 1 else several or f"{one}s"
    return f"{number if isinstance(number, int) else format(number, '.4g')} {word}"
