"""Reading the log: as pages of events, and as the checkout log that analysts load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from authority.domain.events import CHECKOUT_KINDS, EventKind
from authority.domain.members import Privilege
from authority.domain.refusals import NotFound
from authority.services import filters, pages
from authority.services.pages import Place
from authority.services.unit import Unit
from authority.storage import events, members
from authority.storage.events import Filter

PAGE = 1000
# Counting so many rows takes some hundredths of a second.
MOST_COUNTED = 100_000
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


def listed(unit: Unit, wanted: Filter, member: str | None = None) -> list[dict[str, Any]]:
    """The events that a filter lets through, of a `member` whatever the case of the user name: the columns of the table.

    Who goes on after the last one misses none: there are none yet of which a number below could still come.
    Raises NotAllowed, InvalidInput (no such kind); NotFound, NoSuchProduct for a filter by what there is not and never was.
    """
    last = _begin(unit)
    with unit.reading():
        return events.listed(unit.connection, _checked(unit, wanted, member), last)


def place(unit: Unit, wanted: Filter, member: str | None = None) -> Place:
    """Where the page of `listed` stands; only the newest rows of a long log are counted. Raises what `listed` raises."""
    last = _begin(unit)
    with unit.reading():
        checked = _checked(unit, wanted, member)
        total, following, is_whole = events.count(unit.connection, checked, last, MOST_COUNTED)
        if (checked.before if checked.newest else checked.after) is None:
            return Place(total, is_whole=is_whole)
        # The page before ends with the first of them, and goes on after the last.
        _, *preceding = [*events.preceding(unit.connection, checked, last)] or [0]
    return pages.place(total, following, list(map(str, preceding)), checked.limit, is_whole=is_whole)


def every(unit: Unit, wanted: Filter, member: str | None = None) -> Iterator[dict[str, Any]]:
    """All events that a filter lets through, whatever its limit, in its order: the columns of the table.

    It ends with what is there now. Each page is read in a transaction of its own, so that nothing is held open, however slowly
    somebody reads. Raises what `listed` raises, at once.
    """
    last = _begin(unit)
    with unit.reading():
        checked = replace(_checked(unit, wanted, member), limit=PAGE)
    return _pages(unit, checked, last)


def _pages(unit: Unit, wanted: Filter, last: int) -> Iterator[dict[str, Any]]:
    while True:
        with unit.reading():
            rows = events.listed(unit.connection, wanted, last)
        yield from rows
        if len(rows) < PAGE:
            return
        number = rows[-1]["id"]
        wanted = replace(wanted, before=number) if wanted.newest else replace(wanted, after=number)


def _checked(unit: Unit, wanted: Filter, member: str | None) -> Filter:
    """The filter with the spellings of a member's name; a transaction is under way. Raises InvalidInput, NotFound, NoSuchProduct."""
    for kind in wanted.kinds or ():
        filters.check_word("kind of event", kind, list(EventKind))
    named = {"member": member, "product": wanted.product, "machine": wanted.machine}
    for name, value in named.items():
        # A machine is named by its alias as well; one that never borrowed has it in the log alone.
        columns = ("machine", "alias") if name == "machine" else (name,)
        if value is not None and not any(events.has(unit.connection, column, value) for column in columns):
            filters.check(unit, **{name: value})
    if member is None:
        return wanted
    known = members.by_username(unit.connection, member)
    return replace(wanted, members=sorted({member} if known is None else {member, known.username}))


def show(unit: Unit, number: int) -> dict[str, Any]:
    """The event with this number: the columns of the table. Raises NotAllowed, NotFound."""
    last = _begin(unit)
    with unit.reading():
        row = events.get(unit.connection, number, last)
    if row is None:
        raise NotFound(f"there is no event {number}, the last one is {last}")
    return row


def checkout_log(unit: Unit, after: int = 0) -> Iterator[dict[str, Any]]:
    """Every row of the checkout log after the event with this number, oldest first, with exactly `COLUMNS`; times are aware UTC.

    It ends with what is there when the first row is asked for. Each page is read in a transaction of its own, so that nothing
    is held open, however slowly somebody reads. Raises NotAllowed.
    """
    last = _begin(unit)
    while rows := _checkouts(unit, after, last):
        for row in rows:
            yield {name: row.get(name) for name in COLUMNS} | {"event": row["kind"], "source": "authority", "line": row["id"]}
        after = rows[-1]["id"]


def _begin(unit: Unit) -> int:
    """The number of the last event that can be read."""
    with unit.reading():
        unit.actor.needs(Privilege.READ_LOG)
    return settled(unit)


def settled(unit: Unit) -> int:
    """The number of the last row up to which no other can come any more, 0 for an empty log."""
    if unit.authority.database.is_sqlite:
        # It has one writer at a time: the numbers of what is committed come before all others.
        with unit.reading():
            return events.last(unit.connection)
    with unit.authority.database.write() as connection:
        return events.last_settled(connection)


def _checkouts(unit: Unit, after: int, last: int) -> list[dict[str, Any]]:
    with unit.reading():
        return events.page(unit.connection, after, last, CHECKOUT_KINDS, PAGE)
