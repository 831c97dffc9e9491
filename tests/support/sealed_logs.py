"""A small log that is sealed, and the ways to change it behind the authority's back."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, text, update

from authority.domain import log_seal
from authority.domain.events import Event, EventKind, UseMode
from authority.domain.members import CONSOLE
from authority.services import log_files, log_verification, seals
from authority.services.log_verification import Verification
from authority.services.unit import Unit
from authority.storage import seals as stored
from authority.storage.db.tables import checkpoints, erased_rows, events
from authority.storage.db.tables import seals as seal_table
from tests.support.authorities import START, Bench

TABLES = (events, seal_table, erased_rows, checkpoints)
# What somebody puts in the place of a value, by column.
OTHERS: dict[str, Any] = {
    **dict.fromkeys(("at", "until"), START + timedelta(days=1)),
    "quantity": 7,
    **dict.fromkeys(
        ("mode", "handle", "product", "feature", "kind", "actor", "member", "group", "machine", "alias", "os_user", "reason"),
        "other",
    ),
}


def unit(bench: Bench) -> Unit:
    """A unit of the console."""
    return Unit(bench.authority, CONSOLE)


def write_rows(bench: Bench, count: int, member: str = "ada") -> None:
    """Adds rows to the log, each of other values, with every column filled."""
    work = unit(bench)
    with work.writing():
        work.record(
            Event(
                kind=EventKind.CHECKOUT,
                actor=member,
                mode=UseMode.BORROW,
                handle="h" * 22,
                product="arcgis-pro",
                feature="Standard",
                member=member,
                group="survey; Vermessung München",
                machine=f"machine-{number}",
                alias=f"laptop {number}",
                os_user=f"{member}{number}",
                quantity=1,
                until=bench.clock(),
                reason=f'"{number}"\n',
            )
            for number in range(count)
        )


def sealed_log(bench: Bench, parts: Sequence[int] = (4, 5, 6)) -> list[int]:
    """Writes and seals rows in parts; returns the numbers of all rows of the log."""
    for count in parts:
        write_rows(bench, count)
        bench.clock.turn(minutes=1)
        seals.seal(unit(bench))
    with bench.authority.database.read() as connection:
        return list(connection.execute(select(events.c.id).order_by(events.c.id)).scalars())


def verify(bench: Bench, *outside: str) -> Verification:
    """What verifying the database says."""
    return log_verification.verify(unit(bench), outside)


def exported(bench: Bench) -> list[str]:
    """The lines of the sealed export."""
    return list(log_files.lines(unit(bench)))


def verify_lines(bench: Bench, lines: Sequence[str], *outside: str) -> Verification:
    """What verifying an export says, by the organization's own trust file and without the database."""
    return log_files.verify_file(io.BytesIO("".join(lines).encode()), bench.trust_file.encode(), outside)


def newest_checkpoint(bench: Bench) -> str:
    """The compact text of the newest checkpoint."""
    with bench.authority.database.read() as connection:
        newest = stored.newest(connection)
    assert newest is not None
    return newest.compact


@contextmanager
def changed(bench: Bench, change: Callable[[Connection], object], tables: Sequence[Table] = TABLES) -> Iterator[None]:
    """The log, or what else these tables are, as somebody left it who has the database; afterwards it is as it was."""
    with bench.authority.database.read() as connection:
        before = {table: [dict(row) for row in connection.execute(select(table)).mappings()] for table in tables}
    with bench.authority.database.write() as connection:
        change(connection)
    try:
        yield
    finally:
        with bench.authority.database.write() as connection:
            for table, rows in before.items():
                connection.execute(delete(table))
                if rows:
                    connection.execute(insert(table), rows)


def value_changed(number: int, column: str) -> Callable[[Connection], object]:
    """Another value in one column of one row."""
    return lambda connection: connection.execute(update(events).where(events.c.id == number).values({column: OTHERS[column]}))


def row_removed(number: int) -> Callable[[Connection], object]:
    """A row is gone."""
    return lambda connection: connection.execute(delete(events).where(events.c.id == number))


def removed_with_seal(number: int) -> Callable[[Connection], object]:
    """A row and its seal are gone."""

    def change(connection: Connection) -> None:
        connection.execute(delete(events).where(events.c.id == number))
        connection.execute(delete(seal_table).where(seal_table.c.event_id == number))

    return change


def inserted(number: int) -> Callable[[Connection], object]:
    """A row of a number at or below the last sealed one that nothing was sealed for; the one that was there goes, with its seal."""

    def change(connection: Connection) -> None:
        removed_with_seal(number)(connection)
        connection.execute(insert(events), {"id": number, "at": START, "kind": "checkout", "actor": "eve", "quantity": 1})

    return change


def exchanged(number: int, other: int) -> Callable[[Connection], object]:
    """Two rows have each other's numbers."""

    def change(connection: Connection) -> None:
        for before, after in ((number, -1), (other, number), (-1, other)):
            connection.execute(text("UPDATE events SET id = :after WHERE id = :before"), {"before": before, "after": after})

    return change


def sealed_anew(number: int) -> Callable[[Connection], object]:
    """A row is changed, and its seal and all that follow are made anew, as somebody can who has the database and no key."""

    def change(connection: Connection) -> None:
        value_changed(number, "member")(connection)
        rows = stored.rows(connection, number - 1, 2**62, 1000)
        marks = stored.of_rows(connection, number - 2, 2**62, 1000)
        chain = marks[0].chain
        for row, mark in zip(rows, marks[1:], strict=True):
            assert mark.secret is not None
            digest = log_seal.digest_of(row, mark.secret)
            chain = log_seal.linked(chain, digest, row["id"])
            connection.execute(seal_table.update().where(seal_table.c.event_id == row["id"]).values(digest=digest, chain=chain))

    return change


def end_cut_off(number: int, *, checkpoints_too: bool = False) -> Callable[[Connection], object]:
    """All rows from this number on are gone with their seals, and with `checkpoints_too` the checkpoints that end there."""

    def change(connection: Connection) -> None:
        connection.execute(delete(events).where(events.c.id >= number))
        connection.execute(delete(seal_table).where(seal_table.c.event_id >= number))
        if checkpoints_too:
            connection.execute(delete(checkpoints).where(checkpoints.c.last >= number))

    return change
