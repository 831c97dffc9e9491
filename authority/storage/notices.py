"""Notices, each made once for its key, and how far the run that makes them has come."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite

from authority.domain.denial_bursts import Watch
from authority.domain.erasure import ERASED
from authority.domain.notices import FOR_MEMBERS, NewNotice, Notice, NoticeKind, minute
from authority.domain.refusals import StorageUnavailable
from authority.storage.db.rows import object_of
from authority.storage.db.tables import (
    borrows,
    deliveries,
    delivery_notices,
    instant,
    members,
    microseconds,
    notice_runs,
    notices,
)
from authority.storage.db.tables.columns import NOT_OURS

_n, _b = notices.c, borrows.c
ONLY_ROW = 1
WATCHES = "what counts of denials"
# SQLite takes 32,766 values in one statement.
MOST_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Progress:
    """The last row of the log that was read, the denials that still count by product, and when a run ended last."""

    event_id: int
    watches: Mapping[str, Watch] = field(default_factory=dict)
    run_at: datetime | None = None


def progress(connection: Connection, *, lock: bool = False) -> Progress:
    """How far the runs have come; with `lock` no other run makes notices until this transaction ends.

    Raises StorageUnavailable when what is kept of it cannot be read.
    """
    query = select(notice_runs).where(notice_runs.c.id == ONLY_ROW)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise StorageUnavailable("the table notice_runs has lost its row", hint=NOT_OURS)
    try:
        watches = {product: _watch(value) for product, value in object_of(row.watches, WATCHES).items()}
    except (KeyError, TypeError, ValueError) as error:
        raise StorageUnavailable(f"{WATCHES} in the database cannot be read", hint=NOT_OURS) from error
    return Progress(row.event_id, watches, row.run_at)


def _watch(value: Mapping[str, Any]) -> Watch:
    recent = tuple((instant(at), reason) for at, reason in value["recent"])
    return Watch(recent, is_told=value["is_told"])  # type: ignore[arg-type] # a number is a time


def keep_progress(connection: Connection, event_id: int, watches: Mapping[str, Watch]) -> None:
    """Keeps how far the log was read, and which denials still count."""
    text = json.dumps(
        {
            product: {"recent": [[microseconds(at), reason] for at, reason in watch.recent], "is_told": watch.is_told}
            for product, watch in watches.items()
        }
    )
    connection.execute(update(notice_runs).where(notice_runs.c.id == ONLY_ROW).values(event_id=event_id, watches=text))


def keep_run(connection: Connection, at: datetime) -> None:
    """Keeps that a run ended."""
    connection.execute(update(notice_runs).where(notice_runs.c.id == ONLY_ROW).values(run_at=at))


def add(connection: Connection, new: Sequence[NewNotice], ids: Sequence[str], at: datetime) -> dict[str, NewNotice]:
    """The notices that were not there yet, by the id that each has from now on; of those with one key one is made."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    made: dict[str, NewNotice] = {}
    for notice_id, notice in zip(ids, new, strict=True):
        values = {"id": notice_id, "kind": str(notice.kind), "key": _key(notice), "facts": json.dumps(dict(notice.facts))}
        query = insert(notices).values(values | {"made_at": at}).on_conflict_do_nothing(index_elements=["key"]).returning(_n.id)
        if connection.execute(query).first() is not None:
            made[notice_id] = notice
    return made


def _key(notice: NewNotice) -> str:
    return f"{notice.kind} {notice.key}"


def unknown(connection: Connection, new: Iterable[NewNotice]) -> list[NewNotice]:
    """Those of the notices that were not made yet."""
    by_key = {_key(notice): notice for notice in new}
    query = select(_n.key).where(_n.kind.in_({str(notice.kind) for notice in by_key.values()}))
    known = set(connection.execute(query).scalars()) if by_key else set()
    return [notice for key, notice in by_key.items() if key not in known]


def notice_of(row: Row[Any]) -> Notice:
    """The notice of a row with the columns of the table."""
    return Notice(row.id, NoticeKind(row.kind), json.loads(row.facts), row.made_at)


def get(connection: Connection, notice_id: str) -> Notice | None:
    """The notice with this id."""
    row = connection.execute(select(notices).where(_n.id == notice_id)).one_or_none()
    return None if row is None else notice_of(row)


def forget(connection: Connection, before: datetime) -> None:
    """Removes the notices that were made before then, and the messages that have none any more."""
    connection.execute(delete(notices).where(_n.made_at < before))
    empty = ~exists().where(delivery_notices.c.delivery_id == deliveries.c.id)
    connection.execute(delete(deliveries).where(deliveries.c.due_at < before, empty))


def erase(connection: Connection, is_about: Callable[[Mapping[str, Any]], bool]) -> None:
    """Removes the notices whose facts are about somebody, and the messages that have none any more."""
    rows = connection.execute(select(_n.id, _n.facts)).all()
    ids = [row.id for row in rows if is_about(json.loads(row.facts))]
    for start in range(0, len(ids), MOST_AT_ONCE):
        connection.execute(delete(notices).where(_n.id.in_(ids[start : start + MOST_AT_ONCE])))
    empty = ~exists().where(delivery_notices.c.delivery_id == deliveries.c.id)
    connection.execute(delete(deliveries).where(empty))


_BORROW = select(
    *(_b.id, _b.member_id, _b.product, _b.level, _b.machine_id, _b.machine_alias, _b.issued_at, _b.expires_at),
    members.c.username.label("member"),
).join(members)


def outdated(connection: Connection, rows: Iterable[Notice]) -> set[str]:
    """The ids of those of the notices about a borrow that are not so any more: it was renewed, ended by somebody, or given back."""
    by_borrow: dict[str, list[Notice]] = {}
    for notice in rows:
        if notice.kind in FOR_MEMBERS:
            by_borrow.setdefault(notice.facts["borrow"], []).append(notice)
    query = select(_b.id, _b.ended_by, _b.expires_at, _b.receipt_jti).where(_b.id.in_(sorted(by_borrow)))
    return {
        notice.id
        for row in (connection.execute(query) if by_borrow else ())
        for notice in by_borrow[row.id]
        if row.ended_by is not None or row.receipt_jti is not None or minute(row.expires_at) != notice.facts["ends_at"]
    }


def borrows_ending(connection: Connection, now: datetime, until: datetime) -> list[Row[Any]]:
    """The borrows that are out and end until then, with the user name of the member."""
    # The last condition says nothing new, but lets the index find the few among all that ever were.
    is_out = (_b.ended_by.is_(None), _b.expires_at > now, _b.seat_free_at > now)
    return list(connection.execute(_BORROW.where(*is_out, _b.expires_at <= until).order_by(_b.expires_at)))


def borrows_not_returned(connection: Connection, since: datetime, now: datetime) -> list[Row[Any]]:
    """The borrows that ended by themselves since then, of which no receipt came, with the user name of the member.

    Of a person who was erased there is none: what was told went with the erasure, and would be told a second time.
    """
    is_erased = members.c.removed_at.is_not(None) & members.c.username.startswith(f"{ERASED}-")
    ended = (_b.ended_by.is_(None), _b.expires_at > since, _b.expires_at <= now, _b.seat_free_at > since)
    return list(connection.execute(_BORROW.where(*ended, _b.receipt_jti.is_(None), ~is_erased).order_by(_b.expires_at)))
