"""What is lent: borrows and sessions, the seats they hold, their tokens, and the status lists."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from authority.storage.db.tables.columns import Instant, metadata

borrows = Table(
    "borrows",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("member_id", Integer, ForeignKey("members.id"), nullable=False),
    Column("product", String(64), nullable=False),
    Column("level", String(64), nullable=False),
    Column("extensions", Text, nullable=False),
    Column("machine_id", String(128), nullable=False, index=True),
    Column("machine_source", Text, nullable=False),
    Column("machine_secondary", Text, nullable=True),
    Column("machine_alias", Text, nullable=True),
    Column("machine_key", String(43), nullable=False),
    Column("user_id", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=True),
    Column("ended_by", String(16), nullable=True),
    Column("end_reason", Text, nullable=True),
    Column("seat_free_at", Instant, nullable=False, index=True),
    Column("decided_by", Text, nullable=False),
    Column("receipt_jti", String(22), nullable=True),
    Column("status_max_age", Integer, nullable=True),
    Column("clone_seen_at", Instant, nullable=True),
    Column("clone_evidence", Text, nullable=True),
    Index("ix_borrows_machine_key", "machine_key"),
    Index("ix_borrows_member_product", "member_id", "product", "seat_free_at"),
)
# Every receipt that was taken, also one for a borrow that had ended: by its digest a machine's next request names it.
receipts = Table(
    "receipts",
    metadata,
    Column("digest", String(43), primary_key=True),
    Column("borrow_id", String(22), ForeignKey("borrows.id"), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("machine_key", String(43), nullable=True),
    Column("number", Integer, nullable=True),
    Column("requests", Integer, nullable=True),
    Index("ix_receipts_machine_key", "machine_key", "number"),
)
# Connected uses. `active_until` moves with every renewal; what ended by time has no other mark than that it is past.
# `granted_until` is when the last grant given for it ends: its seats are held until then, though it ended before.
sessions = Table(
    "sessions",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("member_id", Integer, ForeignKey("members.id"), nullable=False),
    Column("product", String(64), nullable=False),
    Column("level", String(64), nullable=False),
    Column("extensions", Text, nullable=False),
    Column("machine_id", String(128), nullable=False),
    Column("machine_source", Text, nullable=False),
    Column("machine_alias", Text, nullable=True),
    Column("machine_key", String(43), nullable=False),
    Column("user_id", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant, nullable=False),
    Column("active_until", Instant, nullable=False),
    Column("granted_until", Instant, nullable=False),
    Column("ended_at", Instant, nullable=True),
    Column("ended_by", String(16), nullable=True),
    Column("save_by", Instant, nullable=True),
    Column("is_logged_as_ended", Boolean, nullable=False),
    Index("ix_sessions_member_active", "member_id", "active_until"),
    Index("ix_sessions_member_granted", "member_id", "granted_until"),
    Index("ix_sessions_active_until", "active_until"),
)
# Every seat in use, by borrow or session: one row for the level and one for each extension.
holds = Table(
    "holds",
    metadata,
    Column("handle", String(22), primary_key=True),
    Column("feature", String(64), primary_key=True),
    Column("mode", String(16), nullable=False),
    Column("member_id", Integer, ForeignKey("members.id"), nullable=False),
    Column("product", String(64), nullable=False),
    Column("free_at", Instant, nullable=False),
    Index("ix_holds_seats", "product", "free_at", "feature"),
)
# Every token given out. The payload is what was signed: the token is made again from it, byte for byte.
tokens = Table(
    "tokens",
    metadata,
    Column("jti", String(22), primary_key=True),
    Column("borrow_id", String(22), ForeignKey("borrows.id"), nullable=False, index=True),
    Column("request_jti", String(22), nullable=False, unique=True),
    Column("request_digest", String(43), nullable=False),
    Column("payload", Text, nullable=False),
    Column("kid", String(43), nullable=False),
    Column("status_index", Integer, nullable=False, unique=True),
    Column("status_seq", BigInteger, nullable=False),
    Column("authorization_seq", BigInteger, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("request_number", Integer, nullable=True),
    Column("returns", Integer, nullable=True),
)
status_lists = Table(
    "status_lists",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("packed", Text, nullable=False),
    Column("compact", Text, nullable=False),
    Column("issued_at", Instant, nullable=False),
    Column("authorization_seq", BigInteger, nullable=False),
)
# Places that were ended in a list that went out, and whose tokens an older copy of the database does not know: they stay ended
# for as long as any token could run, and are given to nobody else.
lost_places = Table(
    "lost_places",
    metadata,
    Column("status_index", Integer, primary_key=True, autoincrement=False),
    Column("until", Instant, nullable=False),
)
