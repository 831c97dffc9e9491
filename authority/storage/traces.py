"""What is known of borrows that are out since they went out: a fixed number of queries, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select

from authority.domain.events import EventKind
from authority.domain.stuck import SILENT_FOR, Trace
from authority.storage.db.tables import borrows, events, members, receipts, sessions

Times = dict[str, datetime]
# SQLite takes 32,766 values in one statement.
MOST_VALUES = 10_000


def of_borrows(connection: Connection, now: datetime, ids: Collection[str] | None = None) -> dict[str, Trace]:
    """The trace of each borrow that is out, by its id; with `ids` of those alone, whether out or not."""
    is_out = _is_out(now) if ids is None else borrows.c.id.in_(ids)
    known = (borrows.c.id, borrows.c.issued_at, borrows.c.expires_at, borrows.c.clone_evidence)
    query = select(*known, members.c.disabled, members.c.removed_at).join(members).where(is_out)
    rows = connection.execute(query).all()
    if not rows:
        return {}
    renewed, connected, returned = (_times(connection, make(is_out), max) for make in (_renewals, _sessions, _receipts))
    anew = [_times(connection, make(is_out), min) for make in (_borrowed_anew, _connected_anew)]
    return {
        row.id: Trace(
            borrow_id=row.id,
            expires_at=row.expires_at,
            last_sign_at=max([row.issued_at, *(times[row.id] for times in (renewed, connected, returned) if row.id in times)]),
            member_disabled=row.disabled,
            member_removed_at=row.removed_at,
            set_up_anew_at=min((times[row.id] for times in anew if row.id in times), default=None),
            clone_evidence=row.clone_evidence,
        )
        for row in rows
    }


def may_look_stuck(connection: Connection, now: datetime) -> list[str]:
    """The ids of the borrows that are out and may look stuck: those of which `Trace.signs` has anything to say are among them."""
    has_reason = or_(
        members.c.disabled,
        members.c.removed_at.is_not(None),
        borrows.c.clone_evidence.is_not(None),
        borrows.c.issued_at <= now - SILENT_FOR,
    )
    rows = connection.execute(select(borrows.c.id).join(members).where(_is_out(now), has_reason)).scalars()
    anew = (_times(connection, make(_is_out(now)), min) for make in (_borrowed_anew, _connected_anew))
    return sorted(set(rows).union(*anew))[:MOST_VALUES]


def _is_out(now: datetime) -> ColumnElement[bool]:
    # The last condition says nothing new, but lets the index find the few among all that ever were.
    return and_(borrows.c.ended_by.is_(None), borrows.c.expires_at > now, borrows.c.seat_free_at > now)


def _times(connection: Connection, query: Select[Any], which: Callable[[datetime, datetime], datetime]) -> Times:
    """The first or the last time of each borrow. Not grouped by the database, which would read all that ever were, in order."""
    times: Times = {}
    for borrow_id, at in connection.execute(query):
        times[borrow_id] = which(times.get(borrow_id, at), at)
    return times


def _renewals(is_out: ColumnElement[bool]) -> Select[Any]:
    joined = and_(events.c.handle == borrows.c.id, events.c.kind == EventKind.RENEWAL)
    return select(borrows.c.id, events.c.at).join(events, joined).where(is_out)


def _sessions(is_out: ColumnElement[bool]) -> Select[Any]:
    joined = and_(sessions.c.member_id == borrows.c.member_id, sessions.c.machine_key == borrows.c.machine_key)
    return select(borrows.c.id, sessions.c.last_used_at).join(sessions, joined).where(is_out)


def _receipts(is_out: ColumnElement[bool]) -> Select[Any]:
    joined = receipts.c.machine_key == borrows.c.machine_key
    return select(borrows.c.id, receipts.c.taken_at).join(receipts, joined).where(is_out)


def _borrowed_anew(is_out: ColumnElement[bool]) -> Select[Any]:
    later = borrows.alias()
    is_anew = and_(
        later.c.machine_id == borrows.c.machine_id,
        later.c.machine_key != borrows.c.machine_key,
        later.c.issued_at > borrows.c.issued_at,
    )
    return select(borrows.c.id, later.c.issued_at).join(later, is_anew).where(is_out)


def _connected_anew(is_out: ColumnElement[bool]) -> Select[Any]:
    is_anew = and_(
        sessions.c.member_id == borrows.c.member_id,
        sessions.c.machine_id == borrows.c.machine_id,
        sessions.c.machine_key != borrows.c.machine_key,
        sessions.c.created_at > borrows.c.issued_at,
    )
    return select(borrows.c.id, sessions.c.created_at).join(sessions, is_anew).where(is_out)
