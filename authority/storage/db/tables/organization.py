"""The organization, what it was authorized to, and the rules that its administrators set."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text

from authority.storage.db.tables.columns import Instant, metadata

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
