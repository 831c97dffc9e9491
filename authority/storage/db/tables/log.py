"""The log of what happened, and its seal."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from authority.storage.db.tables.columns import Instant, metadata

events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False, index=True),
    Column("actor", Text, nullable=False),
    Column("mode", String(16), nullable=True),
    Column("handle", String(22), nullable=True, index=True),
    Column("product", Text, nullable=True),
    Column("feature", Text, nullable=True),
    Column("member", Text, nullable=True),
    Column("group", Text, nullable=True),
    Column("machine", Text, nullable=True),
    Column("alias", Text, nullable=True),
    Column("os_user", Text, nullable=True),
    Column("quantity", Integer, nullable=False),
    Column("until", Instant, nullable=True),
    Column("reason", Text, nullable=True),
    # The log of one member, in its order.
    Index("ix_events_member", "member", "id"),
    sqlite_autoincrement=True,
)
# The seal of the log, a row for each of its rows; made apart from what writes them.
seals = Table(
    "seals",
    metadata,
    Column("event_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False),
    Column("chain", LargeBinary, nullable=False),
    Column("secret", LargeBinary, nullable=True),
)
# Rows of the log of which a person was erased: what still opens their digests, as JSON.
erased_rows = Table(
    "erased_rows",
    metadata,
    Column("event_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("openings", Text, nullable=False),
)
# Signed checkpoints of the seal: numbered, never changed, never removed.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False, index=True),
    Column("compact", Text, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("authorization_seq", BigInteger, nullable=False),
)
