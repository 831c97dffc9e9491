"""What somebody has to hear of, where it goes, and what became of it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from authority.storage.db.tables.columns import Instant, metadata

# Where notices go. The address has secrets in it; `kinds` are words with spaces between.
channels = Table(
    "channels",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("name", String(128), nullable=False),
    Column("name_key", Text, nullable=False, unique=True),
    Column("type", String(16), nullable=False),
    Column("address", Text, nullable=False),
    Column("secret", Text, nullable=True),
    Column("kinds", Text, nullable=False),
    Column("digest", String(8), nullable=False),
    Column("to_members", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant, nullable=True),
    Column("failing_since", Instant, nullable=True),
    Column("error", Text, nullable=True),
)
# What somebody has to hear of, made once for each key; `facts` are a JSON object.
notices = Table(
    "notices",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("key", Text, nullable=False, unique=True),
    Column("facts", Text, nullable=False),
    Column("made_at", Instant, nullable=False, index=True),
)
# One message on one channel, to a member where `member_id` says so. Who sends it now has the claim, until it ends by itself.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("channel_id", String(22), ForeignKey("channels.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("member_id", Integer, ForeignKey("members.id", ondelete="CASCADE"), nullable=True),
    Column("is_digest", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("next_try_at", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("claim", String(22), nullable=True),
    Column("claimed_until", Instant, nullable=True),
    Column("ended_at", Instant, nullable=True),
    Column("error", Text, nullable=True),
    Index("ix_deliveries_state_next_try_at", "state", "next_try_at"),
)
# Which notices a message has: one, or all of a day.
delivery_notices = Table(
    "delivery_notices",
    metadata,
    Column("delivery_id", String(22), ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("notice_id", String(22), ForeignKey("notices.id", ondelete="CASCADE"), primary_key=True, index=True),
)
# One row: how far the log was read, the denials that still count (a JSON object), and when a run ended last.
notice_runs = Table(
    "notice_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("event_id", BigInteger, nullable=False),
    Column("watches", Text, nullable=False),
    Column("run_at", Instant, nullable=True),
)
