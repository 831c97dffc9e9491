"""Members: adding and listing them, and assigning licenses one by one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from authority.domain.catalogue import NAMED, Authorization, Product
from authority.domain.events import Event, groups_text
from authority.domain.members import Actor, Assignment, Member, Privilege, Role, check_name, check_room, check_username
from authority.domain.refusals import AlreadyExists, InvalidInput, NotFound, PoolExhausted, TypeNotCompatible
from authority.services.context import Authority
from authority.services.passwords import hash_password
from authority.storage import events
from authority.storage import members as stored
from authority.storage import organization as stored_organization


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member to be added, by default a Creator; without a password nobody can sign in as this member."""

    username: str
    full_name: str = ""
    user_type: str | None = None
    role: Role = Role.MEMBER
    groups: tuple[str, ...] = ()
    password: str | None = None


def add(authority: Authority, actor: Actor, new: NewMember) -> Member:
    """Adds a member; what the user type includes is assigned at once (seed S1).

    Raises NotAllowed, InvalidInput, NoSuchProduct (unknown type), AlreadyExists, MemberLimitReached, PoolExhausted.
    """
    actor.needs(Privilege.MANAGE_MEMBERS)
    check_username(new.username)
    for label, text in (("a name", new.full_name), *(("a group", group) for group in new.groups)):
        check_name(label, text)
    password_hash = None if new.password is None else hash_password(new.password)
    with authority.database.write() as connection:
        return insert(authority, connection, actor, new, password_hash)


def insert(authority: Authority, connection: Connection, actor: Actor, new: NewMember, password_hash: str | None) -> Member:
    """The same within a transaction that is under way; form and privilege were checked."""
    authorization = authority.authorization(connection)
    user_type = authorization.user_type(new.user_type or _default_type(authorization))
    stored_organization.get(connection, lock=True)
    if stored.by_username(connection, new.username) is not None:
        raise AlreadyExists(f'there is a member "{new.username}" already', member=new.username)
    check_room(authorization, user_type.name, *stored.counts(connection, user_type.name))
    at = authority.clock()
    groups = tuple(sorted(set(new.groups)))
    member = Member(0, new.username, new.full_name, user_type.name, new.role, False, groups, at)
    member_id = stored.insert_member(connection, member, password_hash)
    found = Member(member_id, new.username, new.full_name, user_type.name, new.role, False, groups, at)
    log = [_event("member-added", actor, found, reason=user_type.name)]
    for product_id, level in user_type.includes.items():
        held = Assignment(product_id, level, (), included=True)
        _check_free(connection, authorization.product(product_id), found, held)
        stored.put_assignment(connection, member_id, held, at)
        log.append(_event("license-assigned", actor, found, product=product_id, feature=level, reason="included"))
    events.append(connection, log, at)
    return found


def _default_type(authorization: Authorization) -> str:
    """The user type of a member added without one: Creator, where the authorization knows it."""
    return "Creator" if "Creator" in authorization.user_types else next(iter(authorization.user_types))


def listed(authority: Authority, actor: Actor) -> list[Member]:
    """All members by user name. Raises NotAllowed for who may neither manage members nor licenses."""
    if not actor.has(Privilege.ASSIGN_LICENSES):
        actor.needs(Privilege.MANAGE_MEMBERS)
    with authority.database.read() as connection:
        return stored.listed(connection)


def assign(
    authority: Authority, actor: Actor, username: str, product_id: str, level: str | None, extensions: tuple[str, ...]
) -> Assignment:
    """Gives a member a level and extensions of a named product, in place of what the member held of it.

    Without a level the one held is kept. Raises NotAllowed, NotFound, NoSuchProduct, InvalidInput, TypeNotCompatible,
    PoolExhausted.
    """
    actor.needs(Privilege.ASSIGN_LICENSES)
    at = authority.clock()
    with authority.database.write() as connection:
        authorization = authority.authorization(connection)
        member = _existing(connection, username)
        product = authorization.product(product_id)
        _check_assignable(authorization, member, product)
        before = stored.assignment(connection, member.id, product.id, lock=True)
        held = _wanted(product, before, level, extensions)
        _check_free(connection, product, member, held)
        stored.put_assignment(connection, member.id, held, at)
        rows = [
            _event("license-assigned", actor, member, product=product.id, feature=feature)
            for feature in (held.level, *held.extensions)
        ]
        events.append(connection, rows, at)
    return held


def _check_assignable(authorization: Authorization, member: Member, product: Product) -> None:
    if product.mode != NAMED:
        raise InvalidInput(f'"{product.id}" is a concurrent-use product: its seats are taken as they come, not assigned')
    if not authorization.user_type(member.user_type).may_use(product.id):
        raise TypeNotCompatible(
            f'{member.username} has the user type "{member.user_type}", which may not hold "{product.id}"',
            member=member.username,
            user_type=member.user_type,
        )


def _wanted(product: Product, before: Assignment | None, level: str | None, extensions: tuple[str, ...]) -> Assignment:
    if level is None and before is None:
        raise InvalidInput(f'say which level of "{product.id}": {", ".join(product.levels)}')
    chosen = level or (before.level if before else product.levels[0])
    product.rank(chosen)
    product.check_extensions(extensions)
    included = before is not None and before.included and before.level == chosen
    return Assignment(product.id, chosen, tuple(sorted(set(extensions))), included)


def _check_free(connection: Connection, product: Product, member: Member, wanted: Assignment) -> None:
    """Raises PoolExhausted when a level or extension is assigned as often as it is licensed."""
    features = (wanted.level, *wanted.extensions)
    stored_organization.lock_pools(connection, product.id)
    counts = stored.assigned_counts(connection, product.id, without_member=member.id)
    for feature in features:
        if counts.get(feature, 0) >= product.seats_of(feature):
            raise PoolExhausted(
                f'all {product.seats_of(feature)} licenses of "{product.id}" {feature} are assigned',
                hint="Unassign one from a member who does not need it, or license more.",
                feature=feature,
                seats=product.seats_of(feature),
            )


def _existing(connection: Connection, username: str) -> Member:
    found = stored.by_username(connection, username)
    if found is None:
        raise NotFound(f'there is no member "{username}"', member=username)
    return found


def _event(
    kind: str,
    actor: Actor,
    member: Member,
    *,
    product: str | None = None,
    feature: str | None = None,
    reason: str | None = None,
) -> Event:
    return Event(
        kind=kind,
        actor=actor.username,
        product=product,
        feature=feature,
        member=member.username,
        group=groups_text(member.groups),
        reason=reason,
    )
