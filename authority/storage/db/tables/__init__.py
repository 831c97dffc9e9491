"""The tables. Migrations make them; these definitions are what queries are written with, and a test holds the two together."""

from authority.storage.db.tables.columns import EPOCH, MICROSECOND, Instant, instant, metadata, microseconds
from authority.storage.db.tables.lending import borrows, holds, lost_places, receipts, sessions, status_lists, tokens
from authority.storage.db.tables.log import checkpoints, erased_rows, events, seals
from authority.storage.db.tables.notices import channels, deliveries, delivery_notices, notice_runs, notices
from authority.storage.db.tables.organization import authorizations, offline_rules, organization, pool_rules, pools, preferences
from authority.storage.db.tables.people import (
    assigned_extensions,
    assignments,
    attempts,
    credentials,
    groups,
    identities,
    member_counts,
    member_groups,
    members,
    sign_in_tries,
    uploads,
)

__all__ = [
    "EPOCH",
    "MICROSECOND",
    "Instant",
    "assigned_extensions",
    "assignments",
    "attempts",
    "authorizations",
    "borrows",
    "channels",
    "checkpoints",
    "credentials",
    "deliveries",
    "delivery_notices",
    "erased_rows",
    "events",
    "groups",
    "holds",
    "identities",
    "instant",
    "lost_places",
    "member_counts",
    "member_groups",
    "members",
    "metadata",
    "microseconds",
    "notice_runs",
    "notices",
    "offline_rules",
    "organization",
    "pool_rules",
    "pools",
    "preferences",
    "receipts",
    "seals",
    "sessions",
    "sign_in_tries",
    "status_lists",
    "tokens",
    "uploads",
]
