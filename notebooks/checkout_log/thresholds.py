"""When a license counts as stuck."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from checkout_log.errors import QuestionInvalid


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When something counts as stuck.

    outlier_share, outlier_factor, outlier_least: a session is open this many times longer than this share of the feature's own
        closed ones, and than this time. A fixed time alone would call every long job of a batch site stuck; and of a hundred
        sound sessions one is longer than 99 % of them.
    fewest_closed: so many closed sessions it takes to know a feature's lengths.
    inactive: no sign of the member or the machine for so long; longer than most vacations.
    long_factor, long_least: a borrow is due this many times later than the member ever kept one, and by so much.
    gone_silence: the old machine has been silent so long after the new one appeared; both are in use side by side for some days
        when a machine is replaced in order.
    least_confidence: what is less likely stuck than this is not named.
    long_clearly: a borrow is over-long beyond doubt at this many times what the member ever kept.
    late_clearly: a borrow that is overdue for longer will hardly be returned; until then it may be on its way.
    freed_by_time: sources whose seats are free when a borrow is due, so that none is overdue.
    """

    outlier_share: float = 0.99
    outlier_factor: float = 1.5
    outlier_least: timedelta = timedelta(days=1)
    fewest_closed: int = 20
    inactive: timedelta = timedelta(days=30)
    long_factor: float = 3.0
    long_least: timedelta = timedelta(days=7)
    gone_silence: timedelta = timedelta(days=2)
    least_confidence: float = 0.5
    long_clearly: float = 8.0
    late_clearly: timedelta = timedelta(days=3)
    freed_by_time: tuple[str, ...] = ("authority",)

    def __post_init__(self) -> None:
        if not 0 < self.outlier_share < 1 or min(self.long_factor, self.outlier_factor) < 1 or self.fewest_closed < 1:
            raise QuestionInvalid(
                "a share lies between 0 and 1, a factor is 1 or more, and it takes at least one closed session",
                hint="Leave the thresholds out to get those that were measured.",
            )

    @property
    def least_age(self) -> timedelta:
        """The age that a use needs before anything can be said of it, where neither a due time nor an exact handle tells more."""
        return min(self.outlier_least, self.inactive)
