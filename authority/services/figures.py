"""The figures of the first page: what is licensed, used and ends soon, and what needs somebody to look into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from authority.domain.borrows import Whereabouts
from authority.domain.catalogue import Mode, end_warning
from authority.domain.members import DownloadPermission, Privilege
from authority.domain.membership import Membership
from authority.domain.seats_by_day import peaks
from authority.services import licenses, notifying
from authority.services.key_ends import EndingKey, ending_keys
from authority.services.unit import Unit
from authority.storage import borrows, figures, member_lists, traces

DAYS = 30
EPOCH = date(1970, 1, 1)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Feature:
    """Seats of one level or extension. `used`: assigned, or of a concurrent product in use; `borrowed`: offline now."""

    feature: str
    licensed: int
    used: int
    borrowed: int

    @property
    def free(self) -> int:
        """Licensed minus used; negative after a smaller authorization was installed."""
        return self.licensed - self.used


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """The seats of a product by level and extension, and how many of its levels were in use on each of the last days."""

    product: str
    mode: Mode | None
    # Of all levels together, against which the days are to be seen.
    licensed: int
    features: tuple[Feature, ...]
    in_use_by_day: tuple[int, ...]

    @property
    def is_overallocated(self) -> bool:
        """True when of anything less than nothing is free."""
        return any(feature.free < 0 for feature in self.features)


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures, as of one time. `denials` is None for who may not read the log."""

    at: datetime
    membership: Membership
    products: tuple[ProductFigures, ...]
    offline: int
    # Revoked, with a seat that stays taken until their end; they are not offline in the sense of the figure above.
    revoked: int
    today_ends_at: datetime
    due_today: int
    due_this_week: int
    not_returned: int
    stuck: int
    authorization_ends_at: datetime
    warning: str | None
    ending_keys: tuple[EndingKey, ...]
    # What is wrong with notices; None when nothing is, and for who may not mend it.
    notices: str | None
    denials: Mapping[str, int] | None
    download_requests: int
    days: tuple[date, ...]
    ends_by_day: Mapping[date, int]


def end_of_day(now: datetime, zone: tzinfo) -> datetime:
    """The next midnight in the zone, as UTC."""
    tomorrow = now.astimezone(zone).date() + DAY
    return datetime.combine(tomorrow, time.min, zone).astimezone(UTC)


def show(unit: Unit, zone: tzinfo = UTC) -> Figures:
    """The figures of now; today ends at midnight in the zone. Raises NotAllowed for who may not view all borrows."""
    with unit.reading():
        unit.actor.needs(Privilege.VIEW_BORROWS)
        connection, now, authorization = unit.connection, unit.now, unit.authorization
        traced = traces.of_borrows(connection, now)
        midnight = end_of_day(now, zone)
        days = tuple(now.date() - timedelta(days=DAYS - 1 - back) for back in range(DAYS))
        by_day = figures.ends_by_day(connection, now)
        return Figures(
            at=now,
            membership=unit.membership,
            products=_products(unit, days),
            offline=len(traced),
            revoked=borrows.count(connection, borrows.Filter(whereabouts=Whereabouts.REVOKED), now),
            today_ends_at=midnight,
            due_today=figures.due_between(connection, now, midnight),
            due_this_week=figures.due_between(connection, now, now + WEEK),
            not_returned=borrows.count(connection, borrows.Filter(whereabouts=Whereabouts.NOT_RETURNED), now),
            stuck=sum(bool(trace.signs(now)) for trace in traced.values()),
            authorization_ends_at=authorization.ends_at,
            warning=end_warning(authorization, now),
            ending_keys=ending_keys(authorization, now),
            notices=notifying.warning_for(unit, unit.actor),
            denials=figures.denials(connection, now - DAY) if unit.actor.has(Privilege.READ_LOG) else None,
            download_requests=member_lists.count(connection, member_lists.Filter(download=DownloadPermission.REQUESTED), now),
            days=days,
            ends_by_day={EPOCH + timedelta(days=number): count for number, count in sorted(by_day.items())},
        )


def _products(unit: Unit, days: tuple[date, ...]) -> tuple[ProductFigures, ...]:
    """What has less than nothing free comes first; then the order of the authorization, and what is licensed no more."""
    begin = datetime.combine(days[0], time.min, UTC)
    now = (unit.now - datetime.combine(EPOCH, time.min, UTC)) // timedelta(microseconds=1)
    by_day = peaks(figures.uses(unit.connection, begin), (days[0] - EPOCH).days, now)
    borrowed = figures.borrowed(unit.connection, unit.now)
    features: dict[str, list[Feature]] = {}
    for row in licenses.available(unit):
        out = borrowed.get((row.product, row.feature), 0)
        features.setdefault(row.product, []).append(Feature(row.feature, row.licensed, row.used, out))
    known = unit.authorization.products
    products = [
        ProductFigures(
            name,
            known[name].mode if name in known else None,
            sum(known[name].seats.values()) if name in known else 0,
            tuple(rows),
            tuple(by_day.get(name, [0] * len(days))),
        )
        for name, rows in features.items()
    ]
    return tuple(sorted(products, key=lambda product: not product.is_overallocated))
