"""Bursts of denials: many refusals of one product within a short time are one episode, which is told once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Burst:
    """So many denials between two times, by reason."""

    first_at: datetime
    last_at: datetime
    count: int
    reasons: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Watch:
    """The last denials of one product, each with its time and reason, and whether their episode was told already."""

    recent: tuple[tuple[datetime, str], ...] = ()
    is_told: bool = False

    def after(self, at: datetime, reason: str, most: int, within: timedelta) -> tuple[Watch, Burst | None]:
        """The watch after one more denial, and the burst that begins with it, None where none does.

        An episode goes on as long as the last `most` denials are within the time; it is told when it begins, and not again.
        """
        recent = (*(item for item in self.recent[1 - most :] if at - item[0] <= within), (at, reason))
        if len(recent) < most:
            return Watch(recent), None
        times = [item[0] for item in recent]
        burst = Burst(min(times), max(times), len(recent), dict(Counter(item[1] for item in recent)))
        return Watch(recent, is_told=True), None if self.is_told else burst
