"""The seal of the log: the seals of its rows, the openings of erased ones, and signed checkpoints."""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, select, type_coerce, update

from authority.domain.log_seal import PERSONAL, Checkpoint, ErasedField, Openings, Seal
from authority.storage.db.prepared import Prepared
from authority.storage.db.rows import members_of, value_of
from authority.storage.db.tables import checkpoints, erased_rows, events, microseconds, seals
from authority.storage.members import in_pages

# Below every number that a row can have.
BEFORE_ALL = -(2**63)
# The number stands for nothing: 1 is the lock of publishing status lists, 2 that of the log.
_LOCK = select(func.pg_advisory_xact_lock(3))
_INSERT = Prepared(insert(seals).values({name: bindparam(name) for name in ("event_id", "digest", "chain", "secret")}))
_NEWEST = select(checkpoints).order_by(checkpoints.c.number.desc()).limit(1)
# Times as the numbers that are stored: a row that somebody changed may have anything there.
ROWS = select(*(type_coerce(c, BigInteger).label(c.name) if c.name in ("at", "until") else c for c in events.columns))

_SEALS = select(seals, erased_rows.c.openings).outerjoin(erased_rows, erased_rows.c.event_id == seals.c.event_id)


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it was signed: its number, the last row that is sealed, and the authorization in force then."""

    number: int
    last: int
    compact: str
    issued_at: datetime
    authorization_seq: int


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A checkpoint as it stands in its table; the time in microseconds since 1970. Only what was signed, `compact`, proves anything."""

    number: Any
    last: Any
    compact: Any
    issued_at: Any

    @property
    def columns(self) -> tuple[Any, Any, Any]:
        """Number, last row and time."""
        return self.number, self.last, self.issued_at


def columns_of(checkpoint: Checkpoint) -> tuple[int, int, int | None]:
    """With what number, last row and time a checkpoint is kept."""
    return checkpoint.number, checkpoint.end.last, microseconds(checkpoint.issued_at)


@contextlib.contextmanager
def any_text(connection: Connection) -> Iterator[None]:
    """A block in which a text of SQLite that is no UTF-8 is read all the same, as one that has no digest; PostgreSQL takes none."""
    if connection.dialect.name != "sqlite":
        yield
        return
    driver: Any = connection.connection.dbapi_connection
    driver.text_factory = functools.partial(str, encoding="utf-8", errors="surrogateescape")
    try:
        yield
    finally:
        driver.text_factory = str


def lock(connection: Connection) -> None:
    """Makes others who seal, cut or erase wait until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def newest(connection: Connection) -> SignedCheckpoint | None:
    """The newest checkpoint, None before the first."""
    row = connection.execute(_NEWEST).one_or_none()
    return None if row is None else value_of(SignedCheckpoint, row)


def checkpoints_as_stored(
    connection: Connection, first: int = BEFORE_ALL, last: int = -BEFORE_ALL - 1
) -> list[StoredCheckpoint]:
    """The checkpoints of these numbers, both included, in order, whatever somebody put into their columns."""
    columns = (
        *(checkpoints.c[name] for name in ("number", "last", "compact")),
        type_coerce(checkpoints.c.issued_at, BigInteger),
    )
    query = select(*columns).where(checkpoints.c.number >= first, checkpoints.c.number <= last)
    return [StoredCheckpoint(*row) for row in connection.execute(query.order_by(checkpoints.c.number))]


def compact_of(connection: Connection, number: int) -> str | None:
    """The text of the checkpoint with this number, None where there is none."""
    return connection.execute(select(checkpoints.c.compact).where(checkpoints.c.number == number)).scalar_one_or_none()


def newest_first(connection: Connection) -> Iterator[SignedCheckpoint]:
    """The checkpoints, the newest first."""
    for row in connection.execute(select(checkpoints).order_by(checkpoints.c.number.desc())):
        yield value_of(SignedCheckpoint, row)


def remove_after(connection: Connection, number: int, last: int) -> None:
    """Removes the checkpoints after this number, and the seals of the rows after `last`."""
    connection.execute(delete(checkpoints).where(checkpoints.c.number > number))
    for table in (seals, erased_rows):
        connection.execute(delete(table).where(table.c.event_id > last))


def number_before(connection: Connection, last: int) -> int | None:
    """The number of the newest checkpoint that ends at this row or before it, None when there is none."""
    query = select(func.max(checkpoints.c.number)).where(checkpoints.c.last <= last)
    number: int | None = connection.execute(query).scalar_one()
    return number


def last(connection: Connection) -> int:
    """The number of the last row that has a seal, 0 when none has."""
    number: int = connection.execute(select(func.coalesce(func.max(seals.c.event_id), 0))).scalar_one()
    return number


def rows(connection: Connection, after: int, up_to: int, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` rows of the log after the one with a number and up to another, in order; times are microseconds since 1970."""
    query = ROWS.where(events.c.id > after, events.c.id <= up_to).order_by(events.c.id).limit(limit)
    return [members_of(row) for row in connection.execute(query)]


def of_rows(connection: Connection, after: int, up_to: int, limit: int) -> list[Seal]:
    """Up to `limit` seals of the rows after the one with a number and up to another, in order."""
    query = _SEALS.where(seals.c.event_id > after, seals.c.event_id <= up_to).order_by(seals.c.event_id).limit(limit)
    return [_seal(row) for row in connection.execute(query)]


def _seal(row: Any) -> Seal:
    return Seal(row.event_id, _bytes(row.digest), _bytes(row.chain), row.secret, _openings(row.openings))


def of_numbers(connection: Connection, numbers: Sequence[int]) -> dict[int, Seal]:
    """The seals of these rows, by number; rows that are not sealed are left out."""
    by_number: dict[int, Seal] = {}
    for page in in_pages(numbers):
        rows = connection.execute(_SEALS.where(seals.c.event_id.in_(page)))
        by_number |= {row.event_id: _seal(row) for row in rows}
    return by_number


def nth_up_to(connection: Connection, up_to: int, most: int) -> Seal | None:
    """The seal of the last of the first `most` rows that are sealed, of those up to a number; None when there are none."""
    first = _SEALS.where(seals.c.event_id <= up_to).order_by(seals.c.event_id)
    row = connection.execute(first.offset(most - 1).limit(1)).one_or_none()
    if row is None:
        row = connection.execute(
            _SEALS.where(seals.c.event_id <= up_to).order_by(seals.c.event_id.desc()).limit(1)
        ).one_or_none()
    return None if row is None else _seal(row)


def count_up_to(connection: Connection, number: int) -> int:
    """How many rows up to this one are sealed."""
    return int(connection.execute(select(func.count()).where(seals.c.event_id <= number)).scalar_one())


def count_after(connection: Connection, number: int) -> int:
    """How many rows after this one are sealed."""
    return int(connection.execute(select(func.count()).where(seals.c.event_id > number)).scalar_one())


def waiting(connection: Connection, after: int) -> tuple[int, datetime | None]:
    """How many rows there are after the one with this number, and the time of the oldest of them."""
    query = select(func.count(), func.min(events.c.at)).where(events.c.id > after)
    count, oldest = connection.execute(query).one()
    return count, oldest


def append(connection: Connection, new: Iterable[Seal], signed: SignedCheckpoint) -> None:
    """Keeps the seals of rows and the checkpoint that was made with them."""
    _INSERT.run_many(connection, [{name: getattr(seal, name) for name in _COLUMNS} for seal in new])
    append_checkpoint(connection, signed)


_COLUMNS = ("event_id", "digest", "chain", "secret")


def append_checkpoint(connection: Connection, signed: SignedCheckpoint) -> None:
    """Keeps a checkpoint."""
    connection.execute(insert(checkpoints), {name: getattr(signed, name) for name in signed.__slots__})


def erased(connection: Connection) -> Iterator[tuple[int, Openings]]:
    """The openings of all rows of which values were erased, by number and in order."""
    for row in connection.execute(select(erased_rows).order_by(erased_rows.c.event_id)):
        yield row.event_id, _openings(row.openings) or Openings({}, {})


_REPLACE = (
    update(events).where(events.c.id == bindparam("of_row")).values({name: bindparam(f"new_{name}") for name in PERSONAL})
)
_FORGET = update(seals).where(seals.c.event_id == bindparam("of_row")).values(secret=None)


def erase(connection: Connection, changed: Sequence[Seal], rows: Sequence[Mapping[str, Any]]) -> None:
    """Keeps seals whose rows have erased values, and puts the `rows`, with what stands in place of these, into the log."""
    numbers = [seal.event_id for seal in changed]
    for page in in_pages(numbers):
        connection.execute(delete(erased_rows).where(erased_rows.c.event_id.in_(page)))
    opened = [{"event_id": seal.event_id, "openings": openings_text(seal.openings)} for seal in changed if seal.openings]
    if opened:
        connection.execute(insert(erased_rows), opened)
        connection.execute(_FORGET, [{"of_row": number} for number in numbers])
    if rows:
        connection.execute(_REPLACE, [{"of_row": row["id"], **{f"new_{name}": row[name] for name in PERSONAL}} for row in rows])


def remove(connection: Connection, up_to: int) -> int:
    """Removes the rows of the log up to this number, with their seals; returns how many rows there were."""
    for table in (seals, erased_rows):
        connection.execute(delete(table).where(table.c.event_id <= up_to))
    return int(connection.execute(delete(events).where(events.c.id <= up_to)).rowcount)


def first_since(connection: Connection, at: datetime) -> int | None:
    """The number of the first row of this time or later, None when there is none."""
    number: int | None = connection.execute(select(func.min(events.c.id)).where(events.c.at >= at)).scalar_one()
    return number


def oldest(connection: Connection) -> datetime | None:
    """The time of the first row by number, None when there is none."""
    at: datetime | None = connection.execute(select(events.c.at).order_by(events.c.id).limit(1)).scalar_one_or_none()
    return at


def _bytes(value: object) -> bytes:
    """The bytes of a column; what somebody put in their place is nothing."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def openings_text(openings: Openings) -> str:
    """Openings as JSON, which `openings_of` reads."""
    salts = {name: salt.hex() for name, salt in openings.salts.items()}
    values = {name: [item.commitment.hex(), item.value] for name, item in openings.erased.items()}
    return json.dumps({"salts": salts, "erased": values}, ensure_ascii=False)


def _openings(text: str | None) -> Openings | None:
    """What `openings_text` wrote; a text that it did not write opens nothing."""
    return None if text is None else openings_of(text)


def openings_of(text: str) -> Openings:
    """What was written of openings; a text that was written by somebody else opens nothing."""
    try:
        value = json.loads(text)
        salts = {name: bytes.fromhex(salt) for name, salt in value["salts"].items()}
        erased = {name: ErasedField(bytes.fromhex(digest), str(text)) for name, (digest, text) in value["erased"].items()}
        # What has no UTF-8, as half of a surrogate pair, has no digest.
        "".join([*salts, *erased, *(item.value for item in erased.values())]).encode()
        return Openings(salts, erased)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Openings({}, {})
