"""The log: rows are added in the transaction of what they tell, and never changed.

A row has its number when it is inserted, and is seen when its transaction commits. On PostgreSQL transactions run at the same
time, so that a lower number can be seen after a higher one, and a reader who went on after the higher would miss it. So every
writer takes an advisory lock, shared with other writers, before it inserts, as the last lock of its transaction; a reader takes
it alone for a moment, when every number that was given out is committed or rolled back, and reads no further than the highest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, column, exists, func, insert, or_, select, table, update

from authority.domain.events import Event
from authority.storage.db.prepared import Prepared, pipeline
from authority.storage.db.rows import members_of
from authority.storage.db.tables import events


@dataclass(frozen=True, slots=True)
class Filter:
    """Which rows to list; None means all. `after` and `before` are numbers of rows; times are those of the rows, from `since` to before `until`.

    `members` has the spellings of one user name, `machine` an id or an alias, `reason` the whole of
    what is said about it, as the code of a refusal. `newest`: the newest first.
    """

    kinds: Sequence[str] | None = None
    members: Sequence[str] | None = None
    actor: str | None = None
    product: str | None = None
    machine: str | None = None
    handle: str | None = None
    reason: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None
    before: int | None = None
    newest: bool = False
    limit: int = 100


_INSERT = Prepared(
    insert(events).values({column.name: bindparam(column.name) for column in events.columns if column.name != "id"})
)
# The number stands for nothing; 1 is the lock of publishing status lists.
_LOCK_SHARED = Prepared(select(func.pg_advisory_xact_lock_shared(2)))
_LOCK_ALONE = select(func.pg_advisory_xact_lock(2))
_LAST_AT = select(events.c.at).order_by(events.c.id.desc()).limit(1)
# Where SQLite keeps the last number of each table.
_SEQUENCES = table("sqlite_sequence", column("name"), column("seq"))
_LAST = select(func.coalesce(func.max(events.c.id), 0))


def append(connection: Connection, rows: Iterable[tuple[datetime, Event]]) -> None:
    """Adds rows to the log, each with its time. Nothing that could wait for others may follow in the transaction."""
    values = [{"at": at, **{name: getattr(row, name) for name in row.__slots__}} for at, row in rows]
    if connection.dialect.name == "postgresql":
        with pipeline(connection):
            _LOCK_SHARED.run(connection, {})
            _INSERT.run_many(connection, values)
    else:
        _INSERT.run_many(connection, values)


def last(connection: Connection) -> int:
    """The number of the last row that is seen, 0 for an empty log."""
    number: int = connection.execute(_LAST).scalar_one()
    return number


def last_at(connection: Connection) -> datetime | None:
    """The time of the last row that is seen, None for an empty log."""
    return connection.execute(_LAST_AT).scalar_one_or_none()


def last_settled(connection: Connection) -> int:
    """The number up to which every row is committed or will never be, 0 for an empty log. Writers wait until this transaction ends.

    For PostgreSQL, in a short transaction that writes nothing and sees what was committed meanwhile (READ COMMITTED).
    """
    connection.execute(_LOCK_ALONE)
    return last(connection)


def jump(connection: Connection, number: int) -> None:
    """The next row has the number that follows this one, which no row has reached. Writers wait until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_ALONE)
        # A sequence knows no transactions, and so is only ever raised.
        name = func.pg_get_serial_sequence(events.name, "id")
        connection.execute(select(func.setval(name, func.greatest(func.nextval(name), number))))
    else:
        connection.execute(update(_SEQUENCES).where(_SEQUENCES.c.name == events.name).values(seq=number))


def listed(connection: Connection, wanted: Filter, up_to: int) -> list[dict[str, Any]]:
    """The rows that the filter lets through, in its order and none beyond `up_to`, as dictionaries of the columns."""
    order = events.c.id.desc() if wanted.newest else events.c.id
    query = select(events).where(events.c.id <= up_to, *_conditions(wanted)).order_by(order).limit(wanted.limit)
    return [members_of(row) for row in connection.execute(query)]


def preceding(connection: Connection, wanted: Filter, up_to: int) -> Sequence[int]:
    """The numbers of the rows before those that go on after the filter's row in its order, that row first, up to the limit and one more."""
    backwards = _backwards(wanted)
    order = events.c.id.desc() if backwards.newest else events.c.id
    query = select(events.c.id).where(events.c.id <= up_to, *_conditions(backwards)).order_by(order).limit(wanted.limit + 1)
    return connection.execute(query).scalars().all()


def _backwards(wanted: Filter) -> Filter:
    """The filter in the other order, from the row on after which it goes on."""
    if wanted.newest:
        return replace(wanted, newest=False, before=None, after=None if wanted.before is None else wanted.before - 1)
    return replace(wanted, newest=True, after=None, before=None if wanted.after is None else wanted.after + 1)


def count(connection: Connection, wanted: Filter, up_to: int, most: int) -> tuple[int, int, bool]:
    """Of the newest `most` numbers: how many rows the filter lets through whatever its page, how many on its page and after it.

    And whether there are no older ones, so that these are all.
    """
    since = up_to - most
    query = select(func.count()).where(events.c.id <= up_to, events.c.id > since)
    on_and_after = query.where(*_conditions(wanted))
    every = query.where(*_conditions(replace(wanted, before=None, after=None)))
    is_whole = not connection.execute(select(exists().where(events.c.id <= since))).scalar_one()
    return connection.execute(every).scalar_one(), connection.execute(on_and_after).scalar_one(), is_whole


def get(connection: Connection, number: int, up_to: int) -> dict[str, Any] | None:
    """The row with this number, as a dictionary of the columns; None when there is none, or it is beyond `up_to`."""
    row = connection.execute(select(events).where(events.c.id == number, events.c.id <= up_to)).one_or_none()
    return None if row is None else members_of(row)


def has(connection: Connection, column: str, value: str) -> bool:
    """Whether any row has this value in a column."""
    return bool(connection.execute(select(exists().where(events.c[column] == value))).scalar_one())


def _conditions(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    for name in ("actor", "product", "handle", "reason"):
        if (value := getattr(wanted, name)) is not None:
            yield events.c[name] == value
    if wanted.machine is not None:
        yield or_(events.c.machine == wanted.machine, events.c.alias == wanted.machine)
    if wanted.kinds is not None:
        yield events.c.kind.in_(wanted.kinds)
    if wanted.members is not None:
        yield events.c.member.in_(wanted.members)
    if wanted.since is not None:
        yield events.c.at >= wanted.since
    if wanted.until is not None:
        yield events.c.at < wanted.until
    if wanted.after is not None:
        yield events.c.id > wanted.after
    if wanted.before is not None:
        yield events.c.id < wanted.before


def page(connection: Connection, after: int, up_to: int, kinds: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` rows that follow the row `after`, oldest first and none beyond `up_to`, as dictionaries of the columns."""
    query = select(events).where(events.c.id > after, events.c.id <= up_to).order_by(events.c.id).limit(limit)
    if kinds is not None:
        query = query.where(events.c.kind.in_(kinds))
    return [members_of(row) for row in connection.execute(query)]
