"""Reading the log: as pages of events, and as the checkout log that analysts load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from authority.domain.events import CHECKOUT_KINDS
from authority.domain.members import CONSOLE, Actor, Privilege
from authority.services import sessions
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.storage import events as stored

# Contract, section 6, in this order.
COLUMNS = (
    "at",
    "event",
    "mode",
    "handle",
    "product",
    "feature",
    "member",
    "group",
    "machine",
    "alias",
    "os_user",
    "quantity",
    "until",
    "reason",
    "source",
    "line",
)


def events(authority: Authority, actor: Actor, after: int, kinds: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` events of any kind after the event numbered `after`: the columns of the table. Raises NotAllowed."""
    actor.needs(Privilege.READ_LOG)
    sessions.log_ended_by_time(Unit(authority, CONSOLE))
    with authority.database.read() as connection:
        return stored.after(connection, after, kinds, limit)


def checkout_log(authority: Authority, actor: Actor) -> Iterator[dict[str, Any]]:
    """Every row of the checkout log, oldest first, with exactly `COLUMNS`; times are aware UTC. Raises NotAllowed."""
    actor.needs(Privilege.READ_LOG)
    sessions.log_ended_by_time(Unit(authority, CONSOLE))
    with authority.database.read() as connection:
        for row in stored.every(connection, CHECKOUT_KINDS):
            found = {name: row.get(name) for name in COLUMNS}
            yield found | {"event": row["kind"], "source": "authority", "line": row["id"]}
