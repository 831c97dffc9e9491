"""Who is offline: every borrow that is out, with what was heard of it since and why it may be stuck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authority.domain.borrows import Borrow, BorrowState, Whereabouts
from authority.domain.members import Privilege
from authority.domain.stuck import Sign
from authority.services import filters, pages
from authority.services.pages import Place
from authority.services.unit import Unit
from authority.storage import borrows, traces
from authority.storage.borrows import Filter


@dataclass(frozen=True, slots=True)
class Offline:
    """A borrow that is out, when something from its machine came here last, and why it looks stuck, the surest reason first."""

    borrow: Borrow
    last_sign_at: datetime
    signs: tuple[Sign, ...]
    is_member_gone: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Borrows in the order that was asked for, the cursor of the next page, and where the page stands among all that the filter lets through."""

    rows: list[Offline]
    cursor: str | None
    place: Place


def listed(
    unit: Unit, wanted: Filter, *, due_within: timedelta | None = None, stuck: bool = False
) -> tuple[list[Offline], str | None]:
    """A page of the borrows that are out, and the cursor of the next page; with `stuck` those alone that look stuck.

    The state of the filter does not count; with `whereabouts` those of them, out or not. `due_within`: those that end in so
    long, the next first.
    Raises NotAllowed; NotFound, NoSuchProduct for a filter by what there is not.
    """
    with unit.reading():
        return _listed(unit, _checked(unit, wanted, due_within=due_within, stuck=stuck))


def page(unit: Unit, wanted: Filter, *, due_within: timedelta | None = None, stuck: bool = False) -> Page:
    """What `listed` gives, and how many there are in all. Raises what `listed` raises."""
    with unit.reading():
        checked = _checked(unit, wanted, due_within=due_within, stuck=stuck)
        rows, cursor = _listed(unit, checked)
        return Page(rows, cursor, _place(unit, checked))


def _place(unit: Unit, wanted: Filter) -> Place:
    connection, now = unit.connection, unit.now
    total = borrows.count(connection, wanted, now)
    if wanted.after is None:
        return Place(total)
    preceding = borrows.preceding(connection, wanted, now)
    return pages.place(total, borrows.following(connection, wanted, now), preceding, wanted.limit)


def _checked(unit: Unit, wanted: Filter, *, due_within: timedelta | None, stuck: bool) -> Filter:
    """The filter of the storage. Raises what `listed` raises."""
    unit.actor.needs(Privilege.VIEW_BORROWS)
    names = {name: getattr(wanted, name) for name in ("member", "product", "group", "user_type", "machine")}
    filters.check(unit, **names)
    connection, now = unit.connection, unit.now
    wanted = replace(wanted, state=None, whereabouts=wanted.whereabouts or Whereabouts.OUT)
    if due_within is not None:
        wanted = replace(wanted, expires_before=now + due_within, by_end=True)
    if stuck:
        every = traces.of_borrows(connection, now, traces.may_look_stuck(connection, now))
        wanted = replace(wanted, ids=frozenset(name for name, trace in every.items() if trace.signs(now)))
    return wanted


def _listed(unit: Unit, wanted: Filter) -> tuple[list[Offline], str | None]:
    connection, now = unit.connection, unit.now
    rows = borrows.listed(connection, wanted, now)
    page = rows[: wanted.limit]
    by_id = traces.of_borrows(connection, now, [row.id for row in page])
    shown = []
    for row in page:
        signs = by_id[row.id].signs(now) if row.state(now) is BorrowState.ACTIVE else ()
        trace = by_id[row.id]
        shown.append(Offline(row, trace.last_sign_at, signs, trace.member_removed_at is not None))
    return shown, page[-1].id if len(rows) > len(page) else None


def is_member_gone(unit: Unit, borrow_id: str) -> bool:
    """Whether the member of a borrow that there is was removed. Raises NotAllowed for who may not view all borrows."""
    with unit.reading():
        unit.actor.needs(Privilege.VIEW_BORROWS)
        return traces.of_borrows(unit.connection, unit.now, [borrow_id])[borrow_id].member_removed_at is not None


def every(unit: Unit, wanted: Filter, *, due_within: timedelta | None = None, stuck: bool = False) -> Iterator[Offline]:
    """All that `listed` gives page by page; the first page is read at once, the others when it is their turn."""
    page, cursor = listed(unit, wanted, due_within=due_within, stuck=stuck)

    def rest() -> Iterator[Offline]:
        rows, after = page, cursor
        yield from rows
        while after is not None:
            rows, after = listed(unit, replace(wanted, after=after), due_within=due_within, stuck=stuck)
            yield from rows

    return rest()
