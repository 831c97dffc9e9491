"""Channels: where notices go. The address and the secret are read for who sends, and shown to nobody."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, literal, select, update

from authority.domain.names import key_of
from authority.domain.notices import Channel, ChannelType, Digest, NoticeKind
from authority.storage.db.rows import members_of
from authority.storage.db.tables import Instant, channels

_c = channels.c


def channel_of(row: Row[Any]) -> Channel:
    """The channel of a row with the columns of the table."""
    values = {name: value for name, value in members_of(row).items() if name in Channel.__slots__}
    kinds = tuple(map(NoticeKind, row.kinds.split()))
    return Channel(**(values | {"type": ChannelType(row.type), "kinds": kinds, "digest": Digest(row.digest)}))


def _values(channel: Channel) -> dict[str, Any]:
    values = {name: getattr(channel, name) for name in Channel.__slots__}
    return values | {
        "name_key": key_of(channel.name),
        "type": str(channel.type),
        "kinds": " ".join(channel.kinds),
        "digest": str(channel.digest),
    }


def every(connection: Connection) -> list[Channel]:
    """All channels by name."""
    return [channel_of(row) for row in connection.execute(select(channels).order_by(_c.name_key))]


def get(connection: Connection, channel_id: str, *, lock: bool = False) -> Channel | None:
    """The channel with this id; with `lock` nobody else changes it until this transaction ends."""
    query = select(channels).where(_c.id == channel_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else channel_of(row)


def by_name(connection: Connection, name: str) -> Channel | None:
    """The channel with this name, whatever its case."""
    row = connection.execute(select(channels).where(_c.name_key == key_of(name))).one_or_none()
    return None if row is None else channel_of(row)


def count(connection: Connection) -> int:
    """How many channels there are."""
    return connection.execute(select(func.count()).select_from(channels)).scalar_one()


def add(connection: Connection, channel: Channel) -> None:
    """Keeps a new channel."""
    connection.execute(insert(channels).values(_values(channel)))


def change(connection: Connection, channel: Channel) -> None:
    """Keeps what changed in a channel."""
    connection.execute(update(channels).where(_c.id == channel.id).values(_values(channel)))


def remove(connection: Connection, channel_id: str) -> None:
    """Removes a channel with all that was, and was to be, sent on it."""
    connection.execute(delete(channels).where(_c.id == channel_id))


def mark_sent(connection: Connection, channel_id: str, at: datetime) -> None:
    """Keeps that something went out: what was wrong before is over."""
    values = {"sent_at": at, "failing_since": None, "error": None}
    connection.execute(update(channels).where(_c.id == channel_id).values(values))


def mark_failed(connection: Connection, channel_id: str, at: datetime, error: str) -> None:
    """Keeps what is wrong, and since when something is."""
    since = func.coalesce(_c.failing_since, literal(at, Instant))
    connection.execute(update(channels).where(_c.id == channel_id).values(failing_since=since, error=error))
