"""What one file or database gave: its events, and what was counted while it was read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from checkout_log.store import Option, Seats, Tally

# What the readers are called in the quality frame.
EXPORT, DATABASE, FLEXNET, LMSTAT, LMX = "export", "database", "flexnet", "lmstat", "lmx"
RLM_REPORT, RLM_DEBUG, LICENSES, OPTIONS, UNKNOWN = "rlm-report", "rlm-debug", "license-file", "options-file", "unknown"


@dataclass(slots=True)
class Part:
    """One file or database. Times are whole microseconds since 1970 UTC; what they are is said by `quality.QUALITY`."""

    file: str
    kind: str
    lines: int = 0
    rows: int = 0
    malformed: int = 0
    undated: int = 0
    ambiguous: int = 0
    disagreeing: int = 0
    overlapping: int = 0
    begin: int | None = None
    end: int | None = None
    products: frozenset[str] = frozenset()
    server: str | None = None

    @property
    def other(self) -> int:
        """Lines that are known and are no events."""
        return max(0, self.lines - self.rows - self.malformed - self.undated - self.overlapping)

    def holds(self, written: Tally) -> None:
        """Takes what was counted while its events were written; its own first and last time count, where it knows them."""
        self.rows, self.ambiguous = written.rows, written.ambiguous
        self.products |= written.products
        self.begin = written.begin if self.begin is None else self.begin
        self.end = written.end if self.end is None else self.end


def together(pieces: Iterable[Part]) -> list[Part]:
    """One part for each file, in the order of their first pieces, with what was counted in all pieces of it."""
    parts: dict[str, Part] = {}
    for piece in pieces:
        part = parts.setdefault(piece.file, piece)
        if part is not piece:
            for name in ("lines", "rows", "malformed", "undated", "ambiguous", "disagreeing", "overlapping"):
                setattr(part, name, getattr(part, name) + getattr(piece, name))
            part.products |= piece.products
            part.server = part.server or piece.server
            part.begin = min(at for at in (part.begin, piece.begin) if at is not None)
            part.end = max(at for at in (part.end, piece.end) if at is not None)
    return list(parts.values())


@dataclass(slots=True)
class Contents:
    """What a group of sources gave: files of events, its parts, the runs of servers, and the time it covers, per product.

    eras: number, product, begin, end. spans: product, begin, end. seats: what is said of the seats of a feature from a time on. options: of
    who may have them. zones: keys of the time zones that logs name. Times are whole microseconds since 1970 UTC.
    """

    files: list[Path] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    eras: list[tuple[int, str, int, int | None]] = field(default_factory=list)
    spans: list[tuple[str, int, int]] = field(default_factory=list)
    seats: list[Seats] = field(default_factory=list)
    options: list[Option] = field(default_factory=list)
    zones: set[str] = field(default_factory=set)

    def add(self, other: Contents) -> None:
        """Takes what another group gave."""
        self.files += other.files
        self.parts += other.parts
        self.eras += other.eras
        self.spans += other.spans
        self.seats += other.seats
        self.options += other.options
        self.zones |= other.zones


def joined(spans: Iterable[tuple[str, int, int]], silence: int) -> list[tuple[str, int, int]]:
    """The spans of each product, those that overlap or follow one another within this silence (microseconds) made one."""
    spans_of_products: list[tuple[str, int, int]] = []
    for product, begin, end in sorted(spans):
        if spans_of_products and spans_of_products[-1][0] == product and begin - spans_of_products[-1][2] <= silence:
            spans_of_products[-1] = (product, spans_of_products[-1][1], max(end, spans_of_products[-1][2]))
        else:
            spans_of_products.append((product, begin, end))
    return spans_of_products


def covered(parts: Sequence[Part]) -> list[tuple[str, int, int]]:
    """The time that each part covers, for each of its products."""
    return [
        (product, part.begin, part.end)
        for part in parts
        for product in sorted(part.products)
        if part.begin is not None and part.end is not None
    ]
