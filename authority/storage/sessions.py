"""Sessions and the seats they hold."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, insert, or_, select, update

from authority.domain.borrows import Machine, OsUser
from authority.domain.events import UseMode
from authority.domain.sessions import Session, SessionEnding
from authority.storage import holds
from authority.storage.db.tables import member_groups, members, sessions
from authority.storage.members import ids_of_name


@dataclass(frozen=True, slots=True)
class Filter:
    """Which sessions to list; None means all. Those that ended only with `ended`; `after` is the last id of the page before.

    With `holding` those too that ended and still hold seats. `member_id` is for whoever may see their own alone.
    """

    member: str | None = None
    product: str | None = None
    ended: bool = False
    after: str | None = None
    limit: int = 100
    member_id: int | None = None
    holding: bool = False


_SESSION: Select[Any] = select(sessions, members.c.username).join(members)

# Statements of a session's own path are built once: building one costs five times as much as running it.
_GET = _SESSION.where(sessions.c.id == bindparam("of_id"))
_GET_LOCKED = _GET.with_for_update(of=sessions)
# Of a session that is over a grant may still run.
_HOLDING = (
    _SESSION.where(
        sessions.c.member_id == bindparam("of_member"),
        or_(
            sessions.c.granted_until > bindparam("now"),
            and_(sessions.c.active_until > bindparam("now"), sessions.c.ended_by.is_(None)),
        ),
    )
    .order_by(sessions.c.created_at, sessions.c.id)
    .with_for_update(of=sessions)
)
_GROUPS = (
    select(member_groups).where(member_groups.c.member_id.in_(bindparam("ids", expanding=True))).order_by(member_groups.c.name)
)
_INSERT = insert(sessions)
# What never changes in a session is not written again.
_FIXED = ("id", "member_id", "product", "level", "extensions", "created_at", "machine_id", "machine_key")
_CHANGING = [column.name for column in sessions.columns if column.name not in _FIXED]
_UPDATE = update(sessions).where(sessions.c.id == bindparam("of_id")).values({name: bindparam(name) for name in _CHANGING})
# What somebody else has in hand is left for the next time.
_PAST = (
    _SESSION.where(sessions.c.is_logged_as_ended.is_(False), sessions.c.active_until <= bindparam("now"))
    .order_by(sessions.c.active_until, sessions.c.id)
    .limit(bindparam("most"))
    .with_for_update(of=sessions, skip_locked=True)
)
_ANY_PAST = (
    select(sessions.c.id).where(sessions.c.is_logged_as_ended.is_(False), sessions.c.active_until <= bindparam("now")).limit(1)
)
_PAST_OF_MEMBER = _PAST.where(sessions.c.member_id == bindparam("of_member"))
_MARK = update(sessions).where(sessions.c.id.in_(bindparam("ids", expanding=True))).values(is_logged_as_ended=True)


def get(connection: Connection, session_id: str, *, lock: bool = False) -> Session | None:
    """The session with this id; with `lock` nobody else can renew or end it until this transaction ends."""
    sessions_of_id = _sessions(connection, _GET_LOCKED if lock else _GET, {"of_id": session_id})
    return sessions_of_id[0] if sessions_of_id else None


def holding(connection: Connection, member_id: int, now: datetime) -> list[Session]:
    """The member's sessions that are active, or of which a grant may still run, oldest first.

    Nobody else can renew or end them until this transaction ends.
    """
    return _sessions(connection, _HOLDING, {"of_member": member_id, "now": now})


def listed(connection: Connection, wanted: Filter, now: datetime) -> list[Session]:
    """A page of sessions, newest first; one more than the limit, so that the caller sees whether there is another page."""
    query = _SESSION.order_by(sessions.c.created_at.desc(), sessions.c.id.desc()).limit(wanted.limit + 1)
    if not wanted.ended:
        is_active = and_(sessions.c.active_until > now, sessions.c.ended_by.is_(None))
        query = query.where(or_(is_active, sessions.c.granted_until > now) if wanted.holding else is_active)
    if wanted.member is not None:
        query = query.where(sessions.c.member_id.in_(ids_of_name(connection, wanted.member)))
    if wanted.member_id is not None:
        query = query.where(sessions.c.member_id == wanted.member_id)
    if wanted.product is not None:
        query = query.where(sessions.c.product == wanted.product)
    if wanted.after is not None:
        began = select(sessions.c.created_at).where(sessions.c.id == wanted.after).scalar_subquery()
        query = query.where(
            or_(sessions.c.created_at < began, and_(sessions.c.created_at == began, sessions.c.id < wanted.after))
        )
    return _sessions(connection, query)


def used_since(
    connection: Connection, product: str, member_ids: Collection[int], since: datetime, now: datetime
) -> list[Session]:
    """The sessions of a product by these members that are active, or were used after `since`; the latest use comes first."""
    is_active = and_(sessions.c.active_until > now, sessions.c.ended_by.is_(None))
    query = _SESSION.where(
        sessions.c.product == product,
        sessions.c.member_id.in_(member_ids),
        # No session is used after its end: this says nothing new, but lets the index find the few among all that ever were.
        sessions.c.active_until > since,
        or_(sessions.c.last_used_at > since, is_active),
    )
    return _sessions(connection, query.order_by(sessions.c.last_used_at.desc(), sessions.c.id))


def add(connection: Connection, session: Session, member_id: int, features: Sequence[str]) -> None:
    """Keeps a new session, and that it holds a seat of each of these features."""
    connection.execute(_INSERT, {"id": session.id, "member_id": member_id, **_values(session)})
    take_seats(connection, session, member_id, features)


def take_seats(connection: Connection, session: Session, member_id: int, features: Sequence[str]) -> None:
    """Keeps that the session holds a seat of each of these features, too."""
    holder = holds.Holder(session.id, UseMode.SESSION, member_id, session.product, session.seat_free_at)
    holds.take(connection, holder, features)


def update_session(connection: Connection, session: Session) -> None:
    """Keeps what changed in a session, and until when its seats are held: while it is active, or a grant of it may run."""
    values = {name: value for name, value in _values(session).items() if name in _CHANGING}
    connection.execute(_UPDATE, {"of_id": session.id, **values})
    holds.hold_until(connection, session.id, session.seat_free_at)


def ended_by_time(connection: Connection, now: datetime, most: int, member_id: int | None = None) -> list[Session]:
    """Up to `most` sessions, of one member or of all, that time ended and the log does not know of yet; they stay locked."""
    values: dict[str, Any] = {"now": now, "most": most}
    if member_id is None:
        return _sessions(connection, _PAST, values)
    return _sessions(connection, _PAST_OF_MEMBER, values | {"of_member": member_id})


def end_those_of_the_future(connection: Connection, latest: datetime, last_grant: datetime, now: datetime) -> None:
    """Ends, as by time and now, the sessions that were used after `latest`: they would be active for so much longer.

    A grant that ends after `last_grant` is of so far ahead that no workstation takes it: it holds no seat. What somebody else
    has in hand is being used, by which it is in time again.
    """
    is_ahead = and_(sessions.c.last_used_at > latest, sessions.c.ended_by.is_(None))
    query = _SESSION.where(or_(is_ahead, sessions.c.granted_until > last_grant)).with_for_update(of=sessions, skip_locked=True)
    for session in _sessions(connection, query):
        is_of_the_future = session.ended_by is None and session.last_used_at > latest
        in_time = replace(session, active_until=now, last_used_at=now) if is_of_the_future else session
        if session.granted_until > last_grant:
            in_time = replace(in_time, granted_until=in_time.ended_at or in_time.active_until)
        update_session(connection, in_time)


def is_any_ended_by_time(connection: Connection, now: datetime) -> bool:
    """Whether time ended a session that the log does not know of yet."""
    return connection.execute(_ANY_PAST, {"now": now}).first() is not None


def mark_as_logged(connection: Connection, session_ids: Sequence[str]) -> None:
    """Keeps that the log knows of the end of these sessions."""
    connection.execute(_MARK, {"ids": list(session_ids)})


def _sessions(connection: Connection, query: Select[Any], values: dict[str, Any] | None = None) -> list[Session]:
    rows = connection.execute(query, values).all()
    ids = {row.member_id for row in rows}
    groups: dict[int, list[str]] = {}
    if ids:
        for member_id, name in connection.execute(_GROUPS, {"ids": list(ids)}):
            groups.setdefault(member_id, []).append(name)
    return [_session(row, tuple(groups.get(row.member_id, ()))) for row in rows]


def _session(row: Row[Any], groups: tuple[str, ...]) -> Session:
    return Session(
        id=row.id,
        member_id=row.member_id,
        member=row.username,
        groups=groups,
        product=row.product,
        level=row.level,
        extensions=tuple(json.loads(row.extensions)),
        machine=Machine(row.machine_id, row.machine_source, None, row.machine_alias, row.machine_key),
        user=OsUser(row.user_id, row.user_name),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        active_until=row.active_until,
        granted_until=row.granted_until,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else SessionEnding(row.ended_by),
        save_by=row.save_by,
    )


def _values(session: Session) -> dict[str, Any]:
    return {
        "product": session.product,
        "level": session.level,
        "extensions": json.dumps(session.extensions),
        "machine_id": session.machine.id,
        "machine_source": session.machine.source,
        "machine_alias": session.machine.alias,
        "machine_key": session.machine.key,
        "user_id": session.user.id,
        "user_name": session.user.name,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "active_until": session.active_until,
        "granted_until": session.granted_until,
        "ended_at": session.ended_at,
        "ended_by": None if session.ended_by is None else str(session.ended_by),
        "save_by": session.save_by,
        # Whoever ends a session writes its row in the log at once; what time ends is written later.
        "is_logged_as_ended": session.ended_by is not None,
    }
