"""Filters of lists: a value that nothing has is refused with those that there are, not answered with an empty list."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from authority.domain.names import key_of
from authority.domain.refusals import InvalidInput, NoSuchProduct, NotFound
from authority.services.unit import Unit
from authority.storage import borrows, filters, groups

# More names than these nobody reads in a sentence: then those that look alike are named.
MOST_NAMED = 20


def check(
    unit: Unit,
    *,
    member: str | None = None,
    product: str | None = None,
    group: str | None = None,
    user_type: str | None = None,
    machine: str | None = None,
) -> None:
    """Raises NotFound, NoSuchProduct for the first of these that there is not and never was; None is no filter.

    A transaction of the unit is under way, and the actor may see all that is listed: to others it would tell who there is.
    """
    connection = unit.connection
    if member is not None and not filters.has_member(connection, member):
        raise NotFound(f'there is no member "{member}"; {_those(member, filters.usernames(connection))}', member=member)
    if product is not None and product not in unit.authorization.products and not filters.has_product(connection, product):
        unit.authorization.product(product)
    if group is not None and not filters.has_group(connection, group):
        raise NotFound(f'there is no group "{group}"; {_those(group, groups.with_members(connection))}', group=group)
    if user_type is not None and user_type not in unit.membership.by_type:
        names = _those(user_type, unit.membership.by_type)
        raise NoSuchProduct(f'there is no user type "{user_type}"; {names}', user_type=user_type)
    if machine is not None and not filters.has_machine(connection, machine):
        names = _those(machine, borrows.aliases(connection))
        raise NotFound(f'no machine has the id "{machine}", or that in its alias; {names}', machine=machine)


def check_word(what: str, word: str, words: Sequence[str]) -> None:
    """Raises InvalidInput that names the words unless this is one of them."""
    if word not in words:
        raise InvalidInput(f'there is no {what} "{word}", there are {", ".join(words)}')


def _those(wanted: str, names: Iterable[str]) -> str:
    """The names that there are, in words; of many those that are like the one that was wanted."""
    every = list(names)
    if len(every) <= MOST_NAMED:
        return f"there are {', '.join(every)}" if every else "there are none"
    by_key = {key_of(name): name for name in every}
    similar = [by_key[key] for key in difflib.get_close_matches(key_of(wanted), by_key, n=5)]
    return f"there are {len(every)}" + (f", and like it {', '.join(similar)}" if similar else "")
