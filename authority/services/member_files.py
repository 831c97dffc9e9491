"""Members by the file: many added and changed as one use case, and all of them with what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from authority.domain.members import Assignment, Member, Privilege, email_of, user_key, username_of
from authority.domain.names import key_of, spelled
from authority.domain.refusals import InvalidInput, Refusal
from authority.services import defaults, groups, licenses, member_changes, members
from authority.services.defaults import Defaults
from authority.services.licenses import Wish
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.services.work import Work, working
from authority.storage import assignments
from authority.storage import members as stored

ACTIONS = ADD, CHANGE, UNCHANGED, REFUSED = "add", "change", "unchanged", "refused"
# What a row can say about a member beside the user name and the licenses, in the order in which it is told.
FIELDS = ("full_name", "email", "user_type", "role", "groups", "disabled", "vendor_access", "download_permission")
LICENSES = "licenses"


@dataclass(frozen=True, slots=True)
class Line:
    """What one row of a file wants for a member: `values` by the names of `FIELDS`, and licenses; what is missing stays.

    `licenses` is all that the member is to hold beside what the user type includes; None leaves it as it is. A row whose
    cells make no sense comes with its refusal.
    """

    number: int
    username: str
    values: Mapping[str, Any]
    licenses: tuple[Wish, ...] | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a member before and after; `licenses` are assignments. Before is None for a new member."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row, or would become of it: `action` is add, change, unchanged or refused."""

    line: Line
    action: str
    differences: tuple[Difference, ...] = ()
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """The outcome of every row, in order, and whether anything was kept."""

    outcomes: tuple[Outcome, ...]
    applied: bool

    def count(self, action: str) -> int:
        """How many rows had this outcome."""
        return sum(outcome.action == action for outcome in self.outcomes)


def import_lines(
    unit: Unit,
    lines: Sequence[Line],
    *,
    dry_run: bool = False,
    go_on: bool = False,
    on_row: Callable[[], None] = lambda: None,
    agree: Callable[[Sequence[Outcome]], bool] = lambda _: True,
) -> Imported:
    """Adds the members that are not there and changes those that are, in the order of the rows, in one transaction.

    Each row is held to what `members.add`, `members.change` and `licenses.assign` demand. When one is refused nothing at all
    is kept, unless `go_on` says to keep the good ones; of a refused row nothing is ever kept. With `dry_run` every row is
    tried and nothing is kept. `on_row` is called after each row. `agree` is told what would become of all rows before anything is
    kept; when it says no, nothing is. Nobody is removed.

    Raises NotAllowed; what is wrong with a row is in its outcome.
    """
    outcomes: list[Outcome] = []
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_MEMBERS)
        unit.actor.needs(Privilege.ASSIGN_LICENSES)
        with working(unit) as work:
            in_form = _in_form(unit, lines)
            start, rows_by_name = _start(unit, in_form), dict[str, int]()
            for line in in_form:
                outcomes.append(_outcome(work, start, line, rows_by_name))
                on_row()
            is_good = go_on or all(outcome.refusal is None for outcome in outcomes)
            applied = not dry_run and is_good and agree(outcomes)
            if not applied:
                work.discard()
                unit.authority.database.undo(unit.connection)
    return Imported(tuple(outcomes), applied)


@dataclass(frozen=True, slots=True)
class _Start:
    """What is read once for the whole file: the members in it who are there, what each holds, and the defaults of new ones."""

    members: Mapping[str, Member]
    held: Mapping[int, Sequence[Assignment]]
    usual: Defaults

    def of(self, line: Line) -> Member | None:
        return self.members.get(user_key(line.username))


def _start(unit: Unit, lines: Sequence[Line]) -> _Start:
    """Only who is changed is locked: a borrow of somebody who stays as they are need not wait for the whole file."""
    names = {user_key(line.username): line for line in reversed(lines) if line.refusal is None}
    by_key = stored.by_usernames(unit.connection, names)
    changing = [member.username for key, member in by_key.items() if _new_values(member, names[key].values)]
    by_key |= stored.by_usernames(unit.connection, changing, lock=True)
    held = assignments.of_members(unit.connection, [member.id for member in by_key.values()])
    return _Start(by_key, held, defaults.get(unit))


def _in_form(unit: Unit, lines: Sequence[Line]) -> list[Line]:
    """The rows with names in their one spelling, groups as the organization spells them, asked once for the whole file."""
    wanted = {group for line in lines if line.refusal is None for group in line.values.get("groups", ())}
    refusals = groups.refused(unit, wanted)
    spellings = {key_of(name): name for name in groups.spelled(unit, sorted(wanted - refusals.keys()))}

    def of(line: Line) -> Line:
        if line.refusal is not None:
            return line
        values = dict(line.values)
        try:
            if "full_name" in values:
                values["full_name"] = spelled("a name", values["full_name"])
            if "email" in values:
                values["email"] = email_of(values["email"])
            username = username_of(line.username)
            for group in values.get("groups", ()):
                if group in refusals:
                    raise refusals[group]
        except InvalidInput as error:
            return replace(line, refusal=error)
        if "groups" in values:
            values["groups"] = tuple(sorted({spellings[key_of(group)] for group in values["groups"]}))
        return replace(line, username=username, values=values)

    return [of(line) for line in lines]


def _outcome(work: Work, start: _Start, line: Line, rows_by_name: dict[str, int]) -> Outcome:
    first = rows_by_name.setdefault(user_key(line.username) or line.username, line.number)
    try:
        if line.refusal is not None:
            raise line.refusal
        if first != line.number:
            raise InvalidInput(f'"{line.username}" is in row {first} already', hint="Keep one row for each member.", row=first)
        with work.part():
            before = start.of(line)
            if before is None:
                return _added(work, line, start.usual)
            return _changed(work, line, before, start.held.get(before.id, ()))
    except Refusal as error:
        return Outcome(line, REFUSED, refusal=error)


def _added(work: Work, line: Line, usual: Defaults) -> Outcome:
    """A new member; what a file can say and adding a member cannot, is a change of the member just added."""
    values = line.values
    new = NewMember(
        line.username,
        full_name=values.get("full_name", ""),
        email=values.get("email", ""),
        user_type=values.get("user_type"),
        role=values.get("role"),
        groups=values.get("groups"),
        vendor_access=values.get("vendor_access"),
    )
    added, first = members.insert(work, new, None, usual, add_ons=line.licenses is None)
    after, held = _change(work, added, first, _new_values(added, values))
    held = _hold(work, after, held, line.licenses)
    differences = [Difference(name, None, getattr(after, name)) for name in FIELDS]
    return Outcome(line, ADD, (*differences, Difference(LICENSES, None, tuple(held))))


def _changed(work: Work, line: Line, before: Member, held_before: Sequence[Assignment]) -> Outcome:
    new = _new_values(before, line.values)
    after, held = _change(work, before, held_before, new)
    held = _hold(work, after, held, line.licenses)
    differences = tuple(Difference(name, getattr(before, name), getattr(after, name)) for name in FIELDS if name in new)
    if held != list(held_before):
        differences += (Difference(LICENSES, tuple(held_before), tuple(held)),)
    return Outcome(line, CHANGE if differences else UNCHANGED, differences)


def _new_values(member: Member, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the values that are not the member's own already; what is left alone is not logged."""
    return {name: value for name, value in values.items() if _in_any_order(value) != _in_any_order(getattr(member, name))}


def _in_any_order(value: Any) -> Any:
    return frozenset(value) if isinstance(value, tuple) else value


def _change(
    work: Work, before: Member, held: Sequence[Assignment], new: Mapping[str, Any]
) -> tuple[Member, Sequence[Assignment]]:
    """The member after the change, and what the member holds then."""
    if not new:
        return before, held
    wanted = Change(**new)
    changed = member_changes.change_within(work, before, held, wanted)
    return changed.after, (*changed.licenses.unchanged, *changed.licenses.added)


def _hold(work: Work, member: Member, held: Iterable[Assignment], wishes: Sequence[Wish] | None) -> list[Assignment]:
    """What the member holds by product, after what is not wished for was taken, and then what is missing was given.

    What the user type includes is not taken.
    """
    mine = {item.product: item for item in held}
    if wishes is not None:
        included = work.unit.authorization.user_type(member.user_type).includes
        for product in sorted(mine.keys() - {wish.product for wish in wishes} - included.keys()):
            members.take(work, member, mine.pop(product))
        for wish in wishes:
            before = mine.get(wish.product)
            if before is None or (before.level, set(before.extensions)) != (wish.level, set(wish.extensions or ())):
                mine[wish.product] = licenses.assign_within(work, member, before, wish)
    return [mine[product] for product in sorted(mine)]
