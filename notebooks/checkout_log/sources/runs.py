"""Runs of a license server: from the start of a vendor daemon to its stop, over the files that tell of it.

What is out when a run ends is not returned, it is cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from checkout_log.sources.common import MINUTE

# Lines that a stopping daemon still writes come within this time; a checkout after it means that it did not stop.
STOP_TAKES = MINUTE
SECOND = 1_000_000


@dataclass(slots=True)
class Era:
    """One run over all files: its number, product, begin and stop in whole microseconds UTC, and its last checkout."""

    number: int
    product: str
    begin: int
    stop: int | None = None
    last_checkout: int = field(default=-(2**62))

    @property
    def end(self) -> int | None:
        """When it stopped, if it did: a sign of a stop that checkouts follow was none."""
        is_stopped = self.stop is not None and self.last_checkout <= self.stop + STOP_TAKES * SECOND
        return self.stop if is_stopped else None


@dataclass(slots=True)
class Server:
    """The files of one license server, and the runs of its vendor daemons."""

    host: str | None
    products: set[str] = field(default_factory=set)
    eras: list[Era] = field(default_factory=list)

    def current(self, product: str, at: int) -> Era | None:
        """The run of this daemon that was on at this time, if it had not stopped."""
        begun = [era for era in self.eras if era.product == product and era.begin <= at]
        latest = max(begun, key=lambda era: era.begin, default=None)
        return None if latest is None or (latest.end is not None and latest.end < at) else latest

    def rows(self) -> Iterator[tuple[int, str, int, int | None]]:
        """Number, product, begin and end of each run; one without a stop ends where the next begins."""
        for product in {era.product for era in self.eras}:
            own = sorted((era for era in self.eras if era.product == product), key=lambda era: (era.begin, era.number))
            for era, after in zip(own, [*own[1:], None], strict=True):
                end = era.end
                yield era.number, product, era.begin, after.begin if end is None and after is not None else end
