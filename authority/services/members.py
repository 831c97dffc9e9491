"""Members: adding them, giving them licenses, and showing them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.api_keys import ApiKey
from authority.domain.catalogue import UserType
from authority.domain.events import Event, EventKind, groups_text
from authority.domain.licenses import check_assignable, check_free
from authority.domain.members import (
    Actor,
    Assignment,
    Member,
    Privilege,
    Role,
    check_administrator_left,
    check_room,
    email_of,
    username_of,
)
from authority.domain.membership import Membership
from authority.domain.names import spelled
from authority.domain.refusals import AlreadyExists, Mistakes, NotFound
from authority.services import defaults, filters, groups
from authority.services.defaults import Defaults
from authority.services.passwords import hash_password
from authority.services.unit import Unit
from authority.services.work import Work, working
from authority.storage import assignments, credentials, member_lists, members
from authority.storage.member_lists import Filter


@dataclass(frozen=True, slots=True)
class NewMember:
    """A member to be added; None takes the organization's default. Without a password nobody can sign in as this member.

    `vendor_access` lets the member sign in to the vendor's sites; only an administrator sets it, here or later (seed S1).
    """

    username: str
    full_name: str = ""
    user_type: str | None = None
    role: Role | None = None
    groups: tuple[str, ...] | None = None
    password: str | None = None
    vendor_access: bool | None = None
    email: str = ""


def add(unit: Unit, new: NewMember) -> Member:
    """Adds a member; what the user type includes, and the default add-ons, are assigned at once (seed S1).

    Raises NotAllowed, InvalidInput, NoSuchProduct (unknown type), AlreadyExists, MemberLimitReached, PoolExhausted.
    """
    mistakes, password_hash = Mistakes(), None
    with mistakes.collected():
        password_hash = hashed(unit, new.password)
    with unit.writing():
        unit.actor.needs(Privilege.MANAGE_MEMBERS)
        with working(unit) as work:
            with mistakes.collected():
                new = in_form(unit, new)
                if members.by_username(unit.connection, new.username) is not None:
                    raise AlreadyExists(f'there is a member "{new.username}" already', member=new.username)
            mistakes.tell()
            added, _ = insert(work, new, password_hash, defaults.get(unit))
    return work.written(added)


def hashed(unit: Unit, password: str | None) -> str | None:
    """The hash of a password: before the transaction, where others would wait for it, and only for who may set one."""
    if password is None:
        return None
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_MEMBERS)
        unit.actor.needs(Privilege.GIVE_ACCESS)
    return hash_password(password)


def in_form(unit: Unit, new: NewMember) -> NewMember:
    """The new member with names in their one spelling, groups as the organization spells them, within a transaction that writes and has locked it.

    Raises InvalidInput for a user name, name or group that cannot be.
    """
    return replace(
        new,
        username=username_of(new.username),
        full_name=spelled("a name", new.full_name),
        email=email_of(new.email),
        groups=None if new.groups is None else groups.spelled(unit, new.groups),
    )


def insert(
    work: Work, new: NewMember, password_hash: str | None, usual: Defaults, *, add_ons: bool = True
) -> tuple[Member, list[Assignment]]:
    """The new member, and what the member holds from the beginning.

    Form and privilege were checked, and that there is no such member. Without `add_ons` the member gets what the user type
    includes, and no default add-ons. Raises NoSuchProduct (unknown type), MemberLimitReached, PoolExhausted.
    """
    unit, authorization = work.unit, work.unit.authorization
    if new.role not in (None, Role.MEMBER):
        unit.actor.needs(Privilege.GIVE_ACCESS)
    user_type = authorization.user_type(new.user_type or usual.user_type)
    check_room(authorization, user_type.name, work.counts.members(), work.counts.of_type(user_type.name))
    member = work.add(_first_version(new, user_type, usual, unit.at), password_hash)
    reason = f"{user_type.name}; vendor access" if member.vendor_access else user_type.name
    work.record([member_event(EventKind.MEMBER_ADDED, unit.actor, member, reason=reason)])
    takes_add_ons = add_ons and new.user_type in (None, usual.user_type)
    licenses = _first_licenses(user_type, usual, add_ons=takes_add_ons)
    for license_ in licenses:
        check_assignable(authorization, member, authorization.product(license_.product))
        give(work, member, None, license_, reason_of(license_))
    return member, licenses


def _first_version(new: NewMember, user_type: UserType, usual: Defaults, at: datetime) -> Member:
    return Member(
        id=0,
        username=new.username,
        full_name=new.full_name,
        user_type=user_type.name,
        role=Role(usual.role) if new.role is None else new.role,
        disabled=False,
        groups=usual.groups if new.groups is None else new.groups,
        created_at=at,
        vendor_access=usual.vendor_access if new.vendor_access is None else new.vendor_access,
        email=new.email,
    )


def _first_licenses(user_type: UserType, usual: Defaults, *, add_ons: bool) -> list[Assignment]:
    """What the type includes, and the default add-ons, which are for members of the default type."""
    licenses = {product: Assignment(product, level, (), included=True) for product, level in user_type.includes.items()}
    if add_ons:
        licenses |= {product: Assignment(product, level, (), included=False) for product, level in usual.add_ons}
    return list(licenses.values())


def reason_of(held: Assignment) -> str | None:
    """Why a license is given that nobody assigned by hand."""
    return "included" if held.included else None


def give(work: Work, member: Member, before: Assignment | None, after: Assignment, reason: str | None = None) -> None:
    """Assigns `after` in place of `before`; whether the member may hold it was checked. Raises PoolExhausted."""
    check_free(work.unit.authorization.product(after.product), work.counts.assigned(after.product), before, after)
    work.hold(member, after.product, before, after)
    work.record(_license_events(EventKind.LICENSE_ASSIGNED, work.unit.actor, member, after, reason))


def take(work: Work, member: Member, held: Assignment, reason: str | None = None) -> None:
    """Takes a license from the member who holds it."""
    work.hold(member, held.product, held, None)
    work.record(_license_events(EventKind.LICENSE_UNASSIGNED, work.unit.actor, member, held, reason))


def _license_events(kind: EventKind, actor: Actor, member: Member, held: Assignment, reason: str | None) -> list[Event]:
    return [member_event(kind, actor, member, held.product, feature, reason) for feature in (held.level, *held.extensions)]


def membership(unit: Unit) -> Membership:
    """How many members there are and may be (seed S2)."""
    with unit.reading():
        return unit.membership


def every(unit: Unit, *, user_type: str | None = None, group: str | None = None) -> list[Member]:
    """Members by user name.

    Raises NotAllowed for who may neither manage members nor licenses; NotFound, NoSuchProduct for a group or type that there is not.
    """
    with unit.reading():
        unit.actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
        filters.check(unit, group=group, user_type=user_type)
        return member_lists.listed(unit.connection, Filter(user_type=user_type, group=group), unit.now)


def show(unit: Unit, username: str) -> tuple[Member, list[Assignment]]:
    """A member and what it holds; everyone sees themself. Raises NotAllowed, NotFound."""
    with unit.reading():
        if not unit.actor.is_own(username):
            unit.actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
        member = existing(unit.connection, username)
        return member, assignments.of_member(unit.connection, member.id)


def revocable_keys(unit: Unit, username: str) -> tuple[Member, list[ApiKey]]:
    """A member, and the API keys of theirs that go on until they are revoked, for who could revoke them.

    Raises NotAllowed, NotFound.
    """
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_MEMBERS)
        member = existing(unit.connection, username)
        unit.actor.needs(Privilege.OWN_ACCESS if member.id == unit.actor.member_id else Privilege.GIVE_ACCESS)
        return member, credentials.good_api_keys(unit.connection, member.id, unit.at)


def check_administrator_stays(work: Work, before: Member, after: Member | None) -> None:
    """Raises LastAdministrator when with this change, None for a removal, nobody would administer the organization."""
    if before.administers() and not (after is not None and after.administers()):
        check_administrator_left(before, work.counts.administrators() - 1)


def existing(connection: Connection, username: str, *, lock: bool = False) -> Member:
    """The member with this user name. Raises NotFound."""
    member = members.by_username(connection, username, lock=lock)
    if member is None:
        raise NotFound(f'there is no member "{username}"', member=username)
    return member


def member_event(
    kind: EventKind,
    actor: Actor,
    member: Member,
    product: str | None = None,
    feature: str | None = None,
    reason: str | None = None,
) -> Event:
    """A log row about a member, with the member's groups."""
    return Event(
        kind=kind,
        actor=actor.username,
        product=product,
        feature=feature,
        member=member.username,
        group=groups_text(member.groups),
        reason=reason,
    )
