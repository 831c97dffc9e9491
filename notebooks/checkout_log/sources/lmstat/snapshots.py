"""Files of `lmstat -a` outputs as snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from checkout_log.sources.lmstat import rows as grammar
from checkout_log.sources.part import Part
from checkout_log.sources.snapshots.model import UNKNOWN, Key, Snapshot, Total
from checkout_log.sources.snapshots.order import Look
from checkout_log.sources.text import lines


def looks(part: Part) -> list[Look]:
    """When the snapshots of a file were taken, as they stand in it. Raises SourceUnreadable."""
    stated = (grammar.snapshot_time(line) for _, line in lines(Path(part.file)))
    return [Look(at) for at in stated if at is not None]


def snapshots(part: Part, number: int) -> Iterator[Snapshot]:
    """The snapshots of one file, as they stand in it."""
    now: Snapshot | None = None
    feature = product = UNKNOWN
    for line_number, line in lines(Path(part.file)):
        part.lines += 1
        at = grammar.snapshot_time(line)
        if at is not None:
            if now is not None:
                yield now.completed
            now, feature, product = Snapshot(number, line_number, at), UNKNOWN, UNKNOWN
        elif now is not None:
            if (match := grammar.FEATURE.match(line)) is not None:
                feature, product = match[1], now.section[0] if now.section else UNKNOWN
                _count(now, product, feature, line_number, line)
            elif (match := grammar.VENDOR.match(line)) is not None:
                product = match[1]
                if now.totals and now.totals[-1].feature == feature:
                    now.totals[-1].product = product
            elif grammar.ROW_LIKE.search(line) is not None:
                part.malformed += not _take(now, product, feature, line_number, line)
            else:
                _head(now, line, feature)
    if now is not None:
        yield now.completed


def _count(now: Snapshot, product: str, feature: str, number: int, line: str) -> None:
    """Takes the total of a feature."""
    now.is_telling = now.is_in_section = True
    match = grammar.TOTAL.search(line)
    if match is not None:
        now.totals.append(Total(number, product, feature, int(match[1]), int(match[2])))


def _head(now: Snapshot, line: str, feature: str) -> None:
    """Takes what a line says that is about no user: servers and vendor daemons, and what is reserved of a feature."""
    if (match := grammar.SERVERS.match(line)) is not None:
        now.servers = match[1]
    elif (match := grammar.DAEMON.fullmatch(line.rstrip())) is not None:
        now.daemons.append(match[1])
        now.section = [match[1]] if now.is_in_section else [*now.section, match[1]]
        now.is_in_section = False
    elif (match := grammar.RESERVED.match(line)) is not None and now.totals and now.totals[-1].feature == feature:
        now.totals[-1].reserved += int(match[1])


def _take(now: Snapshot, product: str, feature: str, number: int, line: str) -> bool:
    """Takes the user in this line; whether it could be read."""
    row = grammar.row(line, now.at)
    if row is None:
        return False
    key = Key(product, feature, row.member, row.machine, row.display, row.handle, row.start)
    if key in now.users:
        row = row._replace(quantity=row.quantity + now.users[key][1].quantity)
    now.users[key] = (number, row)
    now.is_telling = True
    return True
