"""Publishing status lists: a new one when something ended, or when the last grows old; each signed, numbered and kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from authority.domain.clocks import BETWEEN_SERVERS, FROM_OUTSIDE
from authority.domain.refusals import StorageUnavailable
from authority.domain.sessions import LONGEST_GRANT
from authority.services import going_out
from authority.services.unit import Unit
from authority.signing import issuing
from authority.signing.encoding import digest_of
from authority.storage import sessions, tokens
from authority.storage import status_lists as lists
from authority.storage.borrowing import NewestList
from authority.storage.status_lists import PublishedList

# The list inside a new borrow file may be this old; one that is asked for is always up to date.
REFRESH = timedelta(hours=1)
# A workstation's clock may be behind by this much and still think that an expired borrow is good.
KEPT_AFTER_EXPIRY = timedelta(hours=48)


def refreshed_seq(unit: Unit, newest: NewestList | PublishedList | None, most_age: int | None = None) -> int:
    """The number of the list for a new borrow file, which must know the key of the authorization in force.

    Publishes one first when the newest is older than an hour, of the future, or of another authorization. In strict mode, where
    it may be `most_age` seconds old on the workstation, most of that time is left for the way: a quarter is used up at most.
    """
    age = REFRESH if most_age is None else min(REFRESH, timedelta(seconds=most_age) / 4)
    going_out.check_numbers(unit.authority, 0 if newest is None else newest.seq, unit.authorization.seq)
    return newest.seq if newest is not None and _is_fresh(unit, newest, age) else _publish(unit, age).seq


def export(unit: Unit) -> bytes:
    """The bytes of a status file with everything that ended so far; the last one again when nothing changed since."""
    publish_if_due(unit)
    return published(unit).data


def publish_if_due(unit: Unit) -> bool:
    """Publishes a list when something ended since the newest, or the newest is old. Returns whether it did."""
    with unit.reading():
        newest = lists.newest(unit.connection)
        is_due = newest is None or not _is_current(unit, newest)
    if is_due:
        with unit.writing():
            _publish(unit)
    return is_due


@dataclass(frozen=True, slots=True)
class StatusFile:
    """The bytes of a status file, and when its list was issued."""

    data: bytes
    issued_at: datetime


def published(unit: Unit) -> StatusFile:
    """The status file that was published last; writes nothing to the database.

    Raises StorageUnavailable before the first one, DatabaseBehind when a later one went out.
    """
    with unit.reading():
        newest = lists.newest(unit.connection)
        if newest is None:
            raise StorageUnavailable("no status list was published yet")
        authorization = unit.authority.terms(unit.connection, newest.authorization_seq).authorization
    going_out.check_numbers(unit.authority, newest.seq, unit.authorization.seq)
    going_out.list_leaves(unit.authority, authorization, newest.seq, newest.compact)
    return StatusFile(issuing.status_file(authorization.compact, newest.compact), newest.issued_at)


def _is_current(unit: Unit, newest: PublishedList) -> bool:
    return _is_fresh(unit, newest) and _is_the_same(unit, newest, _ended(unit))


def _is_fresh(unit: Unit, newest: NewestList | PublishedList, age: timedelta = REFRESH) -> bool:
    """A list that was made while this machine's clock was ahead is not: no workstation whose clock is right takes it."""
    is_of_now = unit.now - age < newest.issued_at <= unit.now + BETWEEN_SERVERS
    return is_of_now and newest.authorization_seq == unit.authorization.seq


def _ended(unit: Unit) -> list[int]:
    return tokens.ended_indexes(unit.connection, unit.now - KEPT_AFTER_EXPIRY)


def _is_the_same(unit: Unit, newest: PublishedList, ended: list[int]) -> bool:
    return issuing.is_packed(newest.packed, ended, unit.organization.status_size)


def _publish(unit: Unit, age: timedelta = REFRESH) -> PublishedList:
    """Publishes a list within the transaction that is under way. Raises DatabaseBehind when a later one went out."""
    lists.lock(unit.connection)
    going_out.check_continued(unit.connection, unit.authority.floors.read())
    newest, ended = lists.newest(unit.connection), _ended(unit)
    if newest is not None and _is_fresh(unit, newest, age) and _is_the_same(unit, newest, ended):
        return newest  # another node was faster
    if newest is not None and newest.issued_at > unit.now + BETWEEN_SERVERS:
        # The clock was ahead and is right again: sessions of then would hold their seats for so much longer.
        last_grant = unit.now + FROM_OUTSIDE + LONGEST_GRANT
        sessions.end_those_of_the_future(unit.connection, unit.now + BETWEEN_SERVERS, last_grant, unit.now)
    return _append(unit, newest, ended, 1 if newest is None else newest.seq + 1)


def publish_at(unit: Unit, seq: int) -> PublishedList:
    """Publishes a list with this number, which is above all others, within the transaction that is under way.

    Only for who catches up with what went out: whether the database has all of it is not asked.
    """
    lists.lock(unit.connection)
    return _append(unit, lists.newest(unit.connection), _ended(unit), seq)


def _append(unit: Unit, newest: PublishedList | None, ended: list[int], seq: int) -> PublishedList:
    packed = issuing.pack(ended, unit.organization.status_size)
    compact = issuing.status_list(
        unit.issuer,
        packed,
        uri=unit.organization.status_uri,
        seq=seq,
        prev=None if newest is None else digest_of(newest.compact),
        now=unit.now,
        warn_before=unit.authority.warn_before,
    )
    published = PublishedList(seq, packed, compact, unit.now, unit.authorization.seq)
    lists.append(unit.connection, published)
    return published
