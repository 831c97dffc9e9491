"""What new members get when nobody says otherwise (seed S1): user type, add-ons, role, groups, vendor access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from authority.domain import versions
from authority.domain.catalogue import Authorization
from authority.domain.events import Event, EventKind
from authority.domain.members import Privilege, Role
from authority.domain.refusals import InvalidInput, TypeNotCompatible
from authority.services import groups
from authority.services.unit import Unit
from authority.storage import preferences

NAME = "member-defaults"


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults of new members. `add_ons` has product and level of what is assigned beside what the type includes."""

    user_type: str
    role: str = str(Role.MEMBER)
    groups: tuple[str, ...] = ()
    add_ons: tuple[tuple[str, str], ...] = ()
    vendor_access: bool = False

    @property
    def version(self) -> str:
        """The version of all of them."""
        return versions.of(asdict(self))


def get(unit: Unit) -> Defaults:
    """The defaults in force; before any are set: Creator, where the authorization knows that type, and nothing else.

    A transaction of the unit is under way.
    """
    value = preferences.get(unit.connection, NAME)
    if not value:
        return _first(unit)
    add_ons = tuple((product, level) for product, level in value["add_ons"])
    return Defaults(value["user_type"], value["role"], groups.known(unit, value["groups"]), add_ons, value["vendor_access"])


def _first(unit: Unit) -> Defaults:
    """The defaults of a new organization."""
    types = unit.authorization.user_types
    return Defaults("Creator" if "Creator" in types else next(iter(types)))


def show(unit: Unit) -> Defaults:
    """The defaults in force. Raises NotAllowed for who may neither manage members nor licenses."""
    with unit.reading():
        unit.actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
        return get(unit)


def put(unit: Unit, defaults: Defaults, *, dry_run: bool = False) -> Defaults:
    """Sets the defaults; members who are there stay as they are. With `dry_run` every check is made and nothing changed.

    Raises NotAllowed, InvalidInput (also for an add-on that is not assigned but taken from a pool), NoSuchProduct,
    TypeNotCompatible (an add-on that the type may not hold).
    """
    return change(unit, asdict(defaults), reset=True, dry_run=dry_run)


def change(unit: Unit, changes: Mapping[str, Any], *, reset: bool = False, dry_run: bool = False) -> Defaults:
    """Changes the defaults by the names of their fields; what is not named stays, or with `reset` is as at the beginning.

    Members who are there stay as they are. With `dry_run` every check is made and nothing changed. Raises NotAllowed,
    InvalidInput, NoSuchProduct, TypeNotCompatible, as `put`, and ChangedMeanwhile.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_MEMBERS)
        # Two who change different fields at the same time each keep what the other changed.
        unit.lock_organization()
        before = get(unit)
        unit.compare("what new members get", asdict(before))
        after = replace(_first(unit) if reset else before, **changes)
        if after.role != before.role:
            # Whoever is added next would have it.
            unit.actor.needs(Privilege.GIVE_ACCESS)
        _check(unit.authorization, after)
        after = replace(after, groups=groups.spelled(unit, after.groups))
        preferences.put(unit.connection, NAME, asdict(after))
        unit.record([Event(kind=EventKind.MEMBER_DEFAULTS_CHANGED, actor=unit.actor.username, reason=after.user_type)])
    return after


def _check(authorization: Authorization, defaults: Defaults) -> None:
    user_type = authorization.user_type(defaults.user_type)
    if defaults.role not in list(Role):
        raise InvalidInput(f'there is no role "{defaults.role}", there are {", ".join(Role)}')
    for product_id, level in defaults.add_ons:
        product = authorization.product(product_id)
        product.rank(level)
        if product.is_concurrent:
            raise InvalidInput(f'"{product_id}" is a concurrent-use product: its seats are taken as they come, not assigned')
        if not user_type.may_use(product_id):
            raise TypeNotCompatible(f'members of the type "{user_type.name}" may not hold "{product_id}"', product=product_id)
