"""Snapshots as `lmstat -a` prints them: who holds which feature at one time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clock import SECOND, Clock
from checkout_log.simulate.flexnet import HOST
from checkout_log.simulate.organization import FLEXNET, Feature, Product
from checkout_log.simulate.truth import LoggedUse, Truth, uses_of

_PORT, _VERSION = 27000, "v11.19.4"


def write_lmstat(
    truth: Truth,
    folder: Path | str,
    times: Sequence[datetime],
    products: Sequence[str] | None = None,
    timezone: str | None = None,
) -> list[Path]:
    """The files written, one for each of these aware times, in their order.

    products: those of FlexNet servers by default, each as a vendor daemon. Times in the text are those of the server's wall, without
    a year; the linger of a borrow is the seconds from its start to its due time. Raises QuestionInvalid for a time without a zone.
    """
    daemons = [truth.organization.product(name) for name in products or truth.organization.served_by(FLEXNET)]
    clock = Clock(timezone or truth.organization.timezone)
    files = []
    for moment in times:
        if moment.tzinfo is None:
            raise QuestionInvalid(f"{moment} has no time zone", hint="Give aware times, in UTC for example.")
        at = int(moment.timestamp()) * SECOND
        wall = clock.moment(at)
        path = Path(folder) / f"lmstat_{wall:%Y%m%d_%H%M%S}.txt"
        path.write_text("\n".join(_lines(truth, daemons, clock, at)) + "\n", encoding="utf-8", newline="\n")
        files.append(path)
    return files


def _lines(truth: Truth, products: Sequence[Product], clock: Clock, at: int) -> Iterator[str]:
    wall = clock.moment(at)
    yield "lmutil - Copyright (c) 1989-2024 Flexera. All Rights Reserved."
    yield f"Flexible License Manager status on {wall:%a} {wall.month}/{wall.day}/{wall.year} {wall.hour}:{wall:%M}"
    yield from ("", f"License server status: {_PORT}@{HOST}", f"    License file(s) on {HOST}: /opt/licenses/license.dat:", "")
    yield from (f"{HOST}: license server UP (MASTER) {_VERSION}", "", f"Vendor daemon status (on {HOST}):", "")
    for product in products:
        yield f"  {product.name}: UP {_VERSION}"
    yield from ("", "Feature usage info:", "")
    for product in products:
        uses = uses_of(truth, [product.name])
        numbered = [(101 + number, use) for number, use in enumerate(uses) if use.is_out(at)]
        up_at = max((stop.up_at for stop in truth.stops if stop.server == product.server and stop.up_at <= at), default=0)
        for feature in product.features:
            rows = [(number, use) for number, use in numbered if use.feature == feature.name]
            yield from _feature_lines(product, feature, rows, clock, up_at)


def _feature_lines(
    product: Product, feature: Feature, rows: list[tuple[int, LoggedUse]], clock: Clock, up_at: int
) -> Iterator[str]:
    used = sum(use.quantity for _, use in rows)
    yield f"Users of {feature.name}:  (Total of {_licenses(feature.seats)} issued;  Total of {_licenses(used)} in use)"
    yield ""
    if used:
        yield from (f'  "{feature.name}" v{product.version}, vendor: {product.name}', "  floating license", "")
        for number, use in rows:
            yield _user_line(product, number, use, clock, up_at)
        yield ""


def _user_line(product: Product, number: int, use: LoggedUse, clock: Clock, up_at: int) -> str:
    """A row of a user. A restart of the server makes the start of a borrow younger, and so its end later."""
    start = clock.moment(max(use.start, up_at))
    since = f"start {start:%a} {start.month}/{start.day} {start.hour}:{start:%M}"
    counted = f", {use.quantity} licenses" if use.quantity > 1 else ""
    linger = f"  (linger: {(use.until - use.start) // SECOND})" if use.until is not None else ""
    who = f"{use.member} {use.machine} {use.machine}:0 (v{product.version})"
    return f"    {who} ({HOST}/{_PORT} {number}), {since}{counted}{linger}"


def _licenses(count: int) -> str:
    return f"{count} license" if count == 1 else f"{count} licenses"
