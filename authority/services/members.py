"""Members: adding, listing, changing and removing them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.api_keys import ApiKey
from authority.domain.catalogue import UserType
from authority.domain.changes import differences
from authority.domain.events import Event, EventKind, api_key_event, groups_text
from authority.domain.licenses import TypeChange, change_of_type, check_assignable, check_free
from authority.domain.members import (
    CHANGING,
    Actor,
    Assignment,
    DownloadPermission,
    Member,
    Privilege,
    Role,
    check_administrator_left,
    check_reach,
    check_room,
    check_room_in_type,
    email_of,
    username_of,
)
from authority.domain.membership import Membership
from authority.domain.names import spelled
from authority.domain.refusals import AlreadyExists, InvalidInput, Mistakes, NotFound
from authority.domain.sign_ins import SignIn
from authority.services import defaults, filters, groups, sign_ins
from authority.services.defaults import Defaults
from authority.services.passwords import hash_password
from authority.services.several import Outcome, all_or_none
from authority.services.unit import Unit
from authority.services.work import Work, working
from authority.storage import assignments, credentials, identities, member_lists, members, offline_rules
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


@dataclass(frozen=True, slots=True)
class Change:
    """What to change in a member; None stays as it is.

    `groups` are all groups from then on; `added_groups` and `removed_groups` leave the others as they are. A new `username`
    is for one member.
    """

    full_name: str | None = None
    user_type: str | None = None
    role: Role | None = None
    groups: tuple[str, ...] | None = None
    disabled: bool | None = None
    vendor_access: bool | None = None
    download_permission: DownloadPermission | None = None
    password: str | None = None
    added_groups: tuple[str, ...] = ()
    removed_groups: tuple[str, ...] = ()
    username: str | None = None
    email: str | None = None
    # Whether the member's API keys are revoked, as after a theft, and whether providers know the member no longer.
    revoke_keys: bool = False
    forget_identities: bool = False


@dataclass(frozen=True, slots=True)
class NewAccess:
    """What a new password did, or disabling: how many sign-ins it ended; and which API keys go on, or were revoked with it."""

    ended_sign_ins: int = 0
    api_keys: tuple[ApiKey, ...] = ()
    revoked_api_keys: tuple[ApiKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Changed:
    """A member before and after a change, and what it does to the licenses."""

    before: Member
    after: Member
    licenses: TypeChange
    access: NewAccess = NewAccess()


def add(unit: Unit, new: NewMember) -> Member:
    """Adds a member; what the user type includes, and the default add-ons, are assigned at once (seed S1).

    Raises NotAllowed, InvalidInput, NoSuchProduct (unknown type), AlreadyExists, MemberLimitReached, PoolExhausted.
    """
    mistakes, password_hash = Mistakes(), None
    with mistakes.collected():
        password_hash = _hash(unit, new.password)
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


def _hash(unit: Unit, password: str | None) -> str | None:
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
        give(work, member, None, license_, _reason(license_))
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


def _reason(held: Assignment) -> str | None:
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


def change(unit: Unit, username: str, wanted: Change, *, dry_run: bool = False) -> Changed:
    """Changes a member; a new user type takes and gives licenses by the authorization's table, and says which.

    With `dry_run` everything is checked and nothing kept. Raises NotAllowed, NotFound, InvalidInput, NoSuchProduct,
    MemberLimitReached, PoolExhausted, LastAdministrator, ChangedMeanwhile.
    """
    return change_several(unit, [username], wanted, dry_run=dry_run)[0].done()


def change_several(
    unit: Unit, usernames: Sequence[str], wanted: Change, *, one_by_one: bool = False, dry_run: bool = False
) -> list[Outcome[str, Changed]]:
    """Makes one change in several members, all or none or `one_by_one`, in their order.

    With `dry_run` everything is checked and nothing kept. Of one member the version is compared that the unit expects.
    Raises NotAllowed, InvalidInput, and unless `one_by_one` what `change` raises.
    """
    if wanted.username is not None and len(usernames) > 1:
        raise InvalidInput("a new user name is for one member: two would have it")
    password_hash = _hash(unit, wanted.password)
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_MEMBERS)
        with working(unit) as work:
            wanted = changed_form(unit, wanted)

            def change_one(username: str) -> Changed:
                before = existing(unit.connection, username, lock=True)
                if len(usernames) == 1:
                    unit.compare(f'the member "{before.username}"', before.values())
                with work.part():
                    changed = change_within(work, before, assignments.of_member(unit.connection, before.id), wanted)
                if wanted.forget_identities:
                    unit.actor.needs(Privilege.GIVE_ACCESS)
                    identities.forget(unit.connection, before.id)
                access = give_access(unit, changed.after, password_hash, revoke_keys=wanted.revoke_keys)
                ended = changed.access.ended_sign_ins + access.ended_sign_ins
                return replace(changed, access=replace(access, ended_sign_ins=ended))

            return all_or_none(usernames, change_one, one_by_one=one_by_one)


def give_access(unit: Unit, member: Member, password_hash: str | None, *, revoke_keys: bool) -> NewAccess:
    """Sets a password, which ends every sign-in but the one that asks, and revokes API keys where that is wanted.

    Keys are for programs, which would stop without a word: they stay unless asked, and what stays is said.
    """
    if password_hash is None and not revoke_keys:
        return NewAccess()
    unit.actor.needs(Privilege.OWN_ACCESS if member.id == unit.actor.member_id else Privilege.GIVE_ACCESS)
    ended: list[SignIn] = []
    if password_hash is not None:
        members.set_password(unit.connection, member.id, password_hash)
        ended = sign_ins.end_all(unit, member, "new password")
    keys = tuple(credentials.good_api_keys(unit.connection, member.id, unit.at))
    if not revoke_keys:
        return NewAccess(len(ended), keys)
    credentials.revoke_all(unit.connection, [key.id for key in keys], unit.at)
    unit.record(api_key_event(EventKind.API_KEY_REVOKED, unit.actor, key) for key in keys)
    return NewAccess(len(ended), (), keys)


def change_within(work: Work, before: Member, held: Sequence[Assignment], wanted: Change) -> Changed:
    """What a change does to a member who is locked and holds `held`; form and privilege were checked, a password is not set.

    Raises NoSuchProduct (unknown type), MemberLimitReached, PoolExhausted, LastAdministrator.
    """
    after, authorization = _after(before, wanted), work.unit.authorization
    if after.role is not before.role:
        work.unit.actor.needs(Privilege.GIVE_ACCESS)
    if (after.username, after.disabled) != (before.username, before.disabled):
        check_reach(work.unit.actor, before.role)
    check_administrator_stays(work, before, after)
    _check_name_free(work.unit.connection, before, after)
    user_type = authorization.user_type(after.user_type)
    effect = TypeChange((), (), tuple(held))
    if before.user_type != after.user_type:
        check_room_in_type(authorization, user_type.name, work.counts.of_type(user_type.name))
        effect = change_of_type(held, user_type, authorization)
    difference = _difference(before, after, wanted)
    work.record([member_event(EventKind.MEMBER_CHANGED, work.unit.actor, after, reason=difference)])
    _apply(work, after, held, effect)
    work.change(before, after)
    if before.username != after.username:
        offline_rules.rename_member(work.unit.connection, before.username, after.username)
    ended = [] if before.disabled or not after.disabled else _sign_out(work.unit, after)
    return Changed(before, after, effect, NewAccess(len(ended)))


def _sign_out(unit: Unit, member: Member) -> list[SignIn]:
    """Ends all sign-ins of a member who is disabled: a stolen one is not good again when the member is enabled."""
    return sign_ins.end(unit, member, credentials.sign_ins(unit.connection, member.id, unit.at), "disabled")


def _check_name_free(connection: Connection, before: Member, after: Member) -> None:
    """Raises AlreadyExists when another member has the new user name; another case of one's own is nobody else's."""
    other = None if before.username == after.username else members.by_username(connection, after.username)
    if other is not None and other.id != before.id:
        raise AlreadyExists(f'there is a member "{other.username}" already', member=other.username)


def check_administrator_stays(work: Work, before: Member, after: Member | None) -> None:
    """Raises LastAdministrator when with this change, None for a removal, nobody would administer the organization."""
    if before.administers() and not (after is not None and after.administers()):
        check_administrator_left(before, work.counts.administrators() - 1)


def changed_form(unit: Unit, wanted: Change) -> Change:
    """The change with names in their one spelling, groups as the organization spells them, within a transaction that writes and has locked it.

    Raises InvalidInput for a name or group that cannot be, and for groups that contradict each other.
    """
    added, removed = groups.spelled(unit, wanted.added_groups), groups.known(unit, wanted.removed_groups)
    if wanted.groups is not None and (added or removed):
        raise InvalidInput("all groups are named, and groups to add or remove as well: say one of them")
    if both := sorted(set(added) & set(removed)):
        raise InvalidInput(f'the group "{both[0]}" is to be added and removed')
    named = None if wanted.groups is None else groups.spelled(unit, wanted.groups)
    full_name = None if wanted.full_name is None else spelled("a name", wanted.full_name)
    username = None if wanted.username is None else username_of(wanted.username)
    email = None if wanted.email is None else email_of(wanted.email)
    in_groups = replace(wanted, groups=named, added_groups=added, removed_groups=removed)
    return replace(in_groups, username=username, full_name=full_name, email=email)


def _after(before: Member, wanted: Change) -> Member:
    values = {name: getattr(wanted, name) for name in CHANGING if getattr(wanted, name) is not None}
    if wanted.added_groups or wanted.removed_groups:
        values["groups"] = tuple(sorted({*before.groups, *wanted.added_groups}.difference(wanted.removed_groups)))
    return replace(before, **values)


def _difference(before: Member, after: Member, wanted: Change) -> str:
    # The log is kept for long and read by many: that it is another address is enough.
    names = [name for name in CHANGING if name != "email"]
    parts = differences(*({name: getattr(member, name) for name in names} for member in (before, after)))
    parts += ["another e-mail address"] if before.email != after.email else []
    parts += ["another password"] if wanted.password is not None else []
    parts += ["identities forgotten"] if wanted.forget_identities else []
    return "; ".join(parts) or "nothing"


def _apply(work: Work, member: Member, held: Iterable[Assignment], effect: TypeChange) -> None:
    by_product = {item.product: item for item in held}
    for item in effect.removed:
        take(work, member, item, "user type")
    for item in effect.added:
        give(work, member, by_product.get(item.product), item, _reason(item))


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
