"""What new members get when nobody says otherwise (seed S1): user type, add-ons, role, groups, vendor access."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization
from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Privilege, Role, check_group
from authority.domain.refusals import InvalidInput, TypeNotCompatible
from authority.services.context import Authority
from authority.storage import events, preferences

NAME = "member-defaults"


@dataclass(frozen=True, slots=True)
class Defaults:
    """The defaults of new members. `add_ons` has product and level of what is assigned beside what the type includes."""

    user_type: str
    role: str = str(Role.MEMBER)
    groups: tuple[str, ...] = ()
    add_ons: tuple[tuple[str, str], ...] = ()
    vendor_access: bool = False


def get(authority: Authority, connection: Connection) -> Defaults:
    """The defaults in force; before any are set: Creator, where the authorization knows that type, and nothing else."""
    found = preferences.get(connection, NAME)
    if not found:
        types = authority.authorization(connection).user_types
        return Defaults("Creator" if "Creator" in types else next(iter(types)))
    add_ons = tuple((product, level) for product, level in found["add_ons"])
    return Defaults(found["user_type"], found["role"], tuple(found["groups"]), add_ons, found["vendor_access"])


def show(authority: Authority, actor: Actor) -> Defaults:
    """The defaults in force. Raises NotAllowed for who may neither manage members nor licenses."""
    actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
    with authority.database.read() as connection:
        return get(authority, connection)


def put(authority: Authority, actor: Actor, defaults: Defaults) -> Defaults:
    """Sets the defaults; members who are there stay as they are.

    Raises NotAllowed, InvalidInput (also for an add-on that is not assigned but taken from a pool), NoSuchProduct,
    TypeNotCompatible (an add-on that the type may not hold).
    """
    actor.needs(Privilege.MANAGE_MEMBERS)
    with authority.database.write() as connection:
        _check(authority.authorization(connection), defaults)
        preferences.put(connection, NAME, asdict(defaults))
        event = Event(kind=EventKind.MEMBER_DEFAULTS_CHANGED, actor=actor.username, reason=defaults.user_type)
        events.append(connection, [event], authority.clock())
    return defaults


def _check(authorization: Authorization, defaults: Defaults) -> None:
    user_type = authorization.user_type(defaults.user_type)
    if defaults.role not in list(Role):
        raise InvalidInput(f'there is no role "{defaults.role}", there are {", ".join(Role)}')
    for group in defaults.groups:
        check_group(group)
    for product_id, level in defaults.add_ons:
        product = authorization.product(product_id)
        product.rank(level)
        if product.is_concurrent:
            raise InvalidInput(f'"{product_id}" is a concurrent-use product: its seats are taken as they come, not assigned')
        if not user_type.may_use(product_id):
            raise TypeNotCompatible(f'members of the type "{user_type.name}" may not hold "{product_id}"', product=product_id)
