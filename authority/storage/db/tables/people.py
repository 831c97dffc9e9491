"""Members: who they are, what is assigned to them, and how they come in."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, false

from authority.storage.db.tables.columns import Instant, metadata

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
