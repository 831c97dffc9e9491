"""Reading the log: as pages of events, and as the checkout log that analysts load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from authority.domain.events import CHECKOUT_KINDS, EventKind
from authority.domain.members import CONSOLE, Privilege
from authority.services import filters, sessions
from authority.services.unit import Unit
from authority.storage import events

PAGE = 1000
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


def page(unit: Unit, after: int, kinds: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` events of these kinds (None: of any) after the event numbered `after`: the columns of the table.

    Who goes on after the last one misses none: there are none yet of which a number below could still come.
    Raises NotAllowed, InvalidInput (no such kind).
    """
    last = _begin(unit)
    for kind in kinds or ():
        filters.check_word("kind of event", kind, list(EventKind))
    with unit.reading():
        return events.page(unit.connection, after, last, kinds, limit)


def checkout_log(unit: Unit) -> Iterator[dict[str, Any]]:
    """Every row of the checkout log, oldest first, with exactly `COLUMNS`; times are aware UTC.

    It ends with what is there when the first row is asked for. Each page is read in a transaction of its own, so that nothing
    is held open, however slowly somebody reads. Raises NotAllowed.
    """
    last, after = _begin(unit), 0
    while rows := _checkouts(unit, after, last):
        for row in rows:
            yield {name: row.get(name) for name in COLUMNS} | {"event": row["kind"], "source": "authority", "line": row["id"]}
        after = rows[-1]["id"]


def _begin(unit: Unit) -> int:
    """The number of the last event that can be read. The ends of sessions that time ended are in the log first."""
    with unit.reading():
        unit.actor.needs(Privilege.READ_LOG)
    sessions.log_ended_by_time(Unit(unit.authority, CONSOLE))
    if unit.authority.database.is_sqlite:
        # It has one writer at a time: the numbers of what is committed come before all others.
        with unit.reading():
            return events.last(unit.connection)
    with unit.authority.database.write() as connection:
        return events.last_settled(connection)


def _checkouts(unit: Unit, after: int, last: int) -> list[dict[str, Any]]:
    with unit.reading():
        return events.page(unit.connection, after, last, CHECKOUT_KINDS, PAGE)
