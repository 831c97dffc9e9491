"""The tables. Migrations make them; these definitions are what queries are written with, and a test holds the two together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, stored as whole microseconds since 1970: exact, ordered and the same on both databases."""

    impl = BigInteger
    cache_ok = True

    # The functions themselves, where the base class would wrap each in two of its own: a borrow writes and reads fifteen times.
    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:  # noqa: ARG002 - the base class says so
        """What makes a number of a time."""
        return microseconds

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:  # noqa: ARG002
        """What makes a time of a number."""
        return instant


def microseconds(at: datetime | None) -> int | None:
    """Whole microseconds since 1970 UTC. Raises ValueError for a naive time, which could mean any moment."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return (at - EPOCH) // MICROSECOND


def instant(number: int | None) -> datetime | None:
    """The aware UTC time of so many microseconds since 1970."""
    return None if number is None else EPOCH + number * MICROSECOND


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

organization = Table(
    "organization",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("trust_file", Text, nullable=False),
    Column("status_uri", Text, nullable=False),
    Column("status_size", Integer, nullable=False),
    Column("demonstration", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
)

authorizations = Table(
    "authorizations",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("compact", Text, nullable=False),
    Column("trust_file", Text, nullable=False),
    Column("installed_at", Instant, nullable=False),
)

# One row for each level and extension of each product: what a borrow locks before it counts the seats, and how often it is
# assigned, kept in step by whoever assigns.
pools = Table(
    "pools",
    metadata,
    Column("product", String(64), primary_key=True),
    Column("feature", String(64), primary_key=True),
    Column("assigned", Integer, nullable=False, server_default="0"),
)

# How concurrent seats may be used; `group_name` is empty where the rule is for the whole pool.
pool_rules = Table(
    "pool_rules",
    metadata,
    Column("product", String(64), primary_key=True),
    Column("feature", String(64), primary_key=True),
    Column("group_name", String(128), primary_key=True),
    Column("low_water", Integer, nullable=False),
    Column("most_borrowed", Integer, nullable=True),
    Column("reserved", Integer, nullable=False),
    Column("maximum", Integer, nullable=True),
    Column("from_higher", Boolean, nullable=False),
)

# What administrators set that is no rule about licenses: a name and a JSON value.
preferences = Table(
    "preferences",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

# Who decides about offline use; `subject` and `product` are empty where the rule is for all.
offline_rules = Table(
    "offline_rules",
    metadata,
    Column("level", String(16), primary_key=True),
    Column("subject", String(128), primary_key=True),
    Column("product", String(64), primary_key=True),
    Column("allowed", Boolean, nullable=True),
    Column("longest_days", Integer, nullable=True),
    Column("default_days", Integer, nullable=True),
    Column("status_max_age", Integer, nullable=True),
)

members = Table(
    "members",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(128), nullable=False),
    Column("username_key", String(128), nullable=False, unique=True),
    Column("full_name", Text, nullable=False),
    Column("search", Text, nullable=False, server_default=""),
    Column("user_type", String(64), nullable=False, index=True),
    Column("role", String(32), nullable=False),
    Column("password_hash", Text, nullable=True),
    Column("disabled", Boolean, nullable=False),
    Column("vendor_access", Boolean, nullable=False, server_default=false()),
    Column("download_permission", String(16), nullable=False, server_default="none"),
    Column("last_used_at", Instant, nullable=True),
    Column("created_at", Instant, nullable=False),
    Column("removed_at", Instant, nullable=True),
    Column("email", Text, nullable=False, server_default=""),
)

# How many members of each type there are, kept in step by whoever adds, removes or changes one; also what they lock.
member_counts = Table(
    "member_counts",
    metadata,
    Column("user_type", String(64), primary_key=True),
    Column("members", Integer, nullable=False),
)

# How the organization spells each group, by what makes two spellings the same group; everywhere else a group has this name.
groups = Table(
    "groups",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", String(128), nullable=False),
)

member_groups = Table(
    "member_groups",
    metadata,
    Column("member_id", Integer, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(128), primary_key=True),
)

assignments = Table(
    "assignments",
    metadata,
    Column("member_id", Integer, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    Column("product", String(64), primary_key=True),
    Column("level", String(64), nullable=False),
    Column("included", Boolean, nullable=False),
    Column("assigned_at", Instant, nullable=False),
    Index("ix_assignments_product_level", "product", "level"),
)

assigned_extensions = Table(
    "assigned_extensions",
    metadata,
    Column("member_id", Integer, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    Column("product", String(64), primary_key=True),
    Column("extension", String(64), primary_key=True),
    Index("ix_assigned_extensions_product_extension", "product", "extension"),
)

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

# API keys and sign-ins: only digests are kept.
credentials = Table(
    "credentials",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("digest", String(43), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("member_id", Integer, ForeignKey("members.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=True),
    Column("revoked_at", Instant, nullable=True),
    Column("last_used_at", Instant, nullable=True),
    Column("address", String(64), nullable=True),
    Column("agent", String(128), nullable=True),
    Column("scopes", String(128), nullable=True),
)

# Who members are at providers of OpenID Connect: issuer and subject together never mean anybody else.
identities = Table(
    "identities",
    metadata,
    Column("issuer", String(256), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("member_id", Integer, ForeignKey("members.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", Instant, nullable=False),
)

# Wrong passwords by account, address, or both. A key is one of a fixed number, so that strangers cannot make more rows.
sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("wrong", Integer, nullable=False),
    Column("last_at", Instant, nullable=False, index=True),
)

# Requests with a key of the client's own, by the digest of member and key. The answer is sealed: the database cannot open it.
attempts = Table(
    "attempts",
    metadata,
    Column("key", String(43), primary_key=True),
    Column("member_id", Integer, nullable=False, index=True),
    Column("request", String(43), nullable=False),
    Column("begun_at", Instant, nullable=False, index=True),
    Column("answer", LargeBinary, nullable=True),
)

# The last file of members that somebody gave in to be looked at, compressed, until it is done or a day old.
uploads = Table(
    "uploads",
    metadata,
    Column("member_id", Integer, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", String(43), nullable=False),
    Column("name", String(256), nullable=False),
    Column("packed", LargeBinary, nullable=False),
    Column("given_at", Instant, nullable=False),
)

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
