"""Messages on their way: which waits, who sends it now, and what became of it.

A message is claimed by one process for a while, and sent outside of any transaction. On PostgreSQL who claims passes by what
another is claiming at this moment (SKIP LOCKED), SQLite has one writer at a time. Whoever is killed loses the claim by time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from authority.domain.notices import Channel, Delivery, DeliveryState, Notice, Sent
from authority.storage.channels import channel_of
from authority.storage.db.rows import members_of
from authority.storage.db.tables import channels, deliveries, delivery_notices, members, notices
from authority.storage.notices import notice_of, outdated

_d = deliveries.c
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that is this process's to send, with those of its notices that are still so: `recipient` is the member's address, empty where there is none (any more)."""

    delivery: Delivery
    channel: Channel
    notices: tuple[Notice, ...]
    recipient: str | None


def _delivery_of(row: Any) -> Delivery:
    values = {name: value for name, value in members_of(row).items() if name in Delivery.__slots__}
    return Delivery(**(values | {"state": DeliveryState(row.state)}))


def add(connection: Connection, delivery: Delivery, notice_ids: Iterable[str]) -> None:
    """Keeps a new message with its notices."""
    values = {name: getattr(delivery, name) for name in Delivery.__slots__}
    connection.execute(insert(deliveries).values(values | {"state": str(delivery.state)}))
    append(connection, delivery.id, notice_ids)


def append(connection: Connection, delivery_id: str, notice_ids: Iterable[str]) -> None:
    """Adds notices to a message that nobody has tried to send yet."""
    rows = [{"delivery_id": delivery_id, "notice_id": notice_id} for notice_id in notice_ids]
    if rows:
        connection.execute(insert(delivery_notices), rows)


def open_digest(connection: Connection, channel_id: str, member_id: int | None) -> str | None:
    """The id of the message of the day that is still open; nobody sends it until this transaction ends."""
    is_open = (_d.state == DeliveryState.WAITING, _d.is_digest, _d.tries == 0, _d.claim.is_(None))
    query = select(_d.id).where(*is_open, _d.channel_id == channel_id, _d.member_id.is_not_distinct_from(member_id))
    return connection.execute(query.order_by(_d.due_at.desc()).limit(1).with_for_update()).scalar_one_or_none()


def claim(
    connection: Connection, claim_id: str, at: datetime, until: datetime, without: Collection[str] = ()
) -> Claimed | None:
    """The next message that is due on a channel that is not paused, and not among `without`; None when there is none.

    It is counted as tried. Channels on which something is wrong come last.
    """
    query = (
        select(_d.id, _d.channel_id)
        .join(channels)
        .where(
            and_(_d.state == DeliveryState.WAITING, _d.next_try_at <= at, channels.c.paused.is_(False)),
            or_(_d.claimed_until.is_(None), _d.claimed_until <= at),
            _d.channel_id.not_in(sorted(without)),
        )
        .order_by(channels.c.failing_since.is_not(None), _d.next_try_at, _d.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=deliveries)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    values = {"claim": claim_id, "claimed_until": until, "tries": _d.tries + 1}
    connection.execute(update(deliveries).where(_d.id == row.id).values(values))
    return _claimed(connection, row.id, row.channel_id)


def _claimed(connection: Connection, delivery_id: str, channel_id: str) -> Claimed:
    delivery = _delivery_of(connection.execute(select(deliveries).where(_d.id == delivery_id)).one())
    channel = channel_of(connection.execute(select(channels).where(channels.c.id == channel_id)).one())
    recipient = None
    if delivery.member_id is not None:
        address = select(members.c.email).where(members.c.id == delivery.member_id)
        recipient = str(connection.execute(address).scalar_one())
    rows = notices_of(connection, delivery_id)
    over = outdated(connection, rows)
    return Claimed(delivery, channel, tuple(notice for notice in rows if notice.id not in over), recipient)


def notices_of(connection: Connection, delivery_id: str) -> list[Notice]:
    """The notices of a message, in the order in which they were made."""
    query = select(notices).join(delivery_notices).where(delivery_notices.c.delivery_id == delivery_id)
    return [notice_of(row) for row in connection.execute(query.order_by(notices.c.made_at, notices.c.id))]


def settle(
    connection: Connection,
    delivery: Delivery,
    state: DeliveryState,
    *,
    error: str | None = None,
    ended_at: datetime | None = None,
    next_try_at: datetime | None = None,
) -> bool:
    """Keeps what became of a try. False where the claim is another's by now: then nothing was kept."""
    values: dict[str, Any] = {"state": str(state), "error": error, "ended_at": ended_at, "claim": None, "claimed_until": None}
    if next_try_at is not None:
        values["next_try_at"] = next_try_at
    is_mine = (_d.id == delivery.id, _d.claim == delivery.claim)
    return connection.execute(update(deliveries).where(*is_mine).values(values).returning(_d.id)).first() is not None


@dataclass(frozen=True, slots=True)
class Outbox:
    """The rows of all notices and messages, and which notice is in which message."""

    notices: Rows
    deliveries: Rows
    links: Rows


def outbox(connection: Connection) -> Outbox:
    """All of it, as it is."""
    tables = (notices, deliveries, delivery_notices)
    return Outbox(*([dict(row) for row in connection.execute(select(table)).mappings()] for table in tables))


def put_back(connection: Connection, later: Outbox) -> int:
    """Puts the outbox of a database that was replaced in the place of an older one. Returns how many messages do not wait any more.

    Messages on a channel, or to a member, that the older database does not have are left out.
    """
    waited = set(connection.execute(select(_d.id).where(_d.state == DeliveryState.WAITING)).scalars())
    for table in (delivery_notices, deliveries, notices):
        connection.execute(delete(table))
    channel_ids = set(connection.execute(select(channels.c.id)).scalars())
    member_ids = {None, *connection.execute(select(members.c.id)).scalars()}
    messages = [row for row in later.deliveries if row["channel_id"] in channel_ids and row["member_id"] in member_ids]
    ids = {row["id"] for row in messages}
    links = [row for row in later.links if row["delivery_id"] in ids]
    for table, rows in ((notices, later.notices), (deliveries, messages), (delivery_notices, links)):
        if rows:
            connection.execute(insert(table), rows)
    return len(waited - {row["id"] for row in messages if row["state"] == DeliveryState.WAITING})


def hold_back(connection: Connection, at: datetime, reason: str) -> int:
    """The messages that are due by now may have gone out since: they do not go again. Returns how many."""
    is_due = (_d.state == DeliveryState.WAITING, _d.due_at <= at)
    values = {"state": str(DeliveryState.NOT_NEEDED), "error": reason, "ended_at": at, "claim": None, "claimed_until": None}
    return connection.execute(update(deliveries).where(*is_due).values(values)).rowcount


def due(connection: Connection, at: datetime) -> list[Delivery]:
    """The messages that are to be sent now, whoever sends them."""
    query = select(deliveries).join(channels).where(_d.state == DeliveryState.WAITING, _d.next_try_at <= at)
    return [_delivery_of(row) for row in connection.execute(query.where(channels.c.paused.is_(False)).order_by(_d.next_try_at))]


def counts(connection: Connection, since: datetime) -> dict[DeliveryState, int]:
    """How many messages wait, and how many were sent or given up since then."""
    is_shown = or_(_d.state == DeliveryState.WAITING, _d.ended_at >= since)
    rows = connection.execute(select(_d.state, func.count()).where(is_shown).group_by(_d.state))
    return dict.fromkeys(DeliveryState, 0) | {DeliveryState(row[0]): row[1] for row in rows}


def of_notices(connection: Connection, notice_ids: Sequence[str]) -> list[Sent]:
    """The messages that have these notices, by channel."""
    query = (
        select(deliveries, delivery_notices.c.notice_id, channels.c.name.label("channel"), members.c.username.label("member"))
        .join(delivery_notices)
        .join(channels)
        .outerjoin(members, members.c.id == _d.member_id)
        .where(delivery_notices.c.notice_id.in_(notice_ids))
        .order_by(channels.c.name_key, _d.id)
    )
    return [Sent(row.notice_id, _delivery_of(row), row.channel, row.member) for row in connection.execute(query)]


def page(
    connection: Connection, after: Notice | None, kinds: Collection[str], state: DeliveryState | None, limit: int
) -> list[Notice]:
    """Up to `limit` notices, the newest first, those that follow `after`; of these kinds, and with a message in this state."""
    query = select(notices).order_by(notices.c.made_at.desc(), notices.c.id.desc()).limit(limit)
    if kinds:
        query = query.where(notices.c.kind.in_(sorted(kinds)))
    if state is not None:
        with_state = select(delivery_notices.c.notice_id).join(deliveries).where(_d.state == state)
        query = query.where(notices.c.id.in_(with_state))
    if after is not None:
        earlier = and_(notices.c.made_at == after.made_at, notices.c.id < after.id)
        query = query.where(or_(notices.c.made_at < after.made_at, earlier))
    return [notice_of(row) for row in connection.execute(query)]
