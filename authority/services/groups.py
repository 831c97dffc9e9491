"""Groups: one spelling for each in the whole organization, and a note about one that nobody is in."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from authority.domain.members import check_new_group, group_name
from authority.domain.names import key_of, once
from authority.domain.refusals import InvalidInput
from authority.services.unit import Unit
from authority.storage import groups


def spelled(unit: Unit, names: Iterable[str]) -> tuple[str, ...]:
    """Each group once, by name, as the organization spells it; what it does not know yet, it spells like this from now on.

    So does a group that nobody is in and no rule is for. Within a transaction of the unit that writes and has locked the
    organization. Raises InvalidInput for a name that cannot be a group's, or not a new one's.
    """
    wanted = once(group_name(name) for name in names)
    spellings = groups.names(unit.connection, wanted)
    new = [name for name in wanted if key_of(name) not in spellings]
    for name in new:
        check_new_group(name)
    groups.add(unit.connection, new)
    return tuple(sorted(_kept(unit, spellings.get(key_of(name), name), name) for name in wanted))


def refused(unit: Unit, names: Iterable[str]) -> dict[str, InvalidInput]:
    """Why `spelled` would refuse some of these groups, by their names; each is in a group's form. A transaction is under way."""
    wanted = set(names)
    spellings = groups.names(unit.connection, wanted)
    refusals: dict[str, InvalidInput] = {}
    for name in wanted:
        try:
            if key_of(name) not in spellings:
                check_new_group(name)
        except InvalidInput as error:
            refusals[name] = error
    return refusals


def _kept(unit: Unit, known: str, wanted: str) -> str:
    """The spelling of a group from now on: the one that is known where anything is kept with it."""
    connection = unit.connection
    if known == wanted or groups.has_members(connection, known) or groups.has_rules(connection, known):
        return known
    groups.respell(connection, wanted)
    return wanted


def known(unit: Unit, names: Iterable[str]) -> tuple[str, ...]:
    """Each group once, by name, as the organization spells it, or in its one spelling when the organization does not know it.

    A transaction of the unit is under way. Raises InvalidInput for a name that cannot be a group's.
    """
    wanted = once(group_name(name) for name in names)
    spellings = groups.names(unit.connection, wanted)
    return tuple(sorted(spellings.get(key_of(name), name) for name in wanted))


def note(unit: Unit, group: str) -> str | None:
    """What to say about a rule for a group that nobody is in, with the group that may be meant; None when somebody is.

    A transaction of the unit is under way.
    """
    if groups.has_members(unit.connection, group):
        return None
    similar = difflib.get_close_matches(group, groups.with_members(unit.connection), n=1, cutoff=0.8)
    question = f': is "{similar[0]}" meant?' if similar else ""
    return f'nobody is in the group "{group}" yet{question}'
