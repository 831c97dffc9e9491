"""Members: adding, listing, changing and removing them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from authority.domain.catalogue import UserType
from authority.domain.events import Event, EventKind, groups_text
from authority.domain.licenses import TypeChange, change_of_type, check_assignable, check_free
from authority.domain.members import (
    Actor,
    Assignment,
    DownloadPermission,
    Member,
    Privilege,
    Role,
    check_group,
    check_name,
    check_room,
    check_room_in_type,
    check_username,
)
from authority.domain.membership import Membership
from authority.domain.refusals import AlreadyExists, NotFound
from authority.services import admission, defaults, pages
from authority.services.context import Authority
from authority.services.defaults import Defaults
from authority.services.passwords import hash_password
from authority.services.work import Work, work
from authority.storage import assignments
from authority.storage import members as stored


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


@dataclass(frozen=True, slots=True)
class Page:
    """A page of members by user name, the cursor of the next page, and how many members there are and may be (seed S2)."""

    members: list[Member]
    cursor: str | None
    membership: Membership


@dataclass(frozen=True, slots=True)
class Change:
    """What to change in a member; None stays as it is."""

    full_name: str | None = None
    user_type: str | None = None
    role: Role | None = None
    groups: tuple[str, ...] | None = None
    disabled: bool | None = None
    vendor_access: bool | None = None
    download_permission: DownloadPermission | None = None
    password: str | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """A member before and after a change, and what it does to the licenses."""

    before: Member
    after: Member
    licenses: TypeChange


def add(authority: Authority, actor: Actor, new: NewMember) -> Member:
    """Adds a member; what the user type includes, and the default add-ons, are assigned at once (seed S1).

    Raises NotAllowed, InvalidInput, NoSuchProduct (unknown type), AlreadyExists, MemberLimitReached, PoolExhausted.
    """
    actor.needs(Privilege.MANAGE_MEMBERS)
    check_form(new)
    password_hash = None if new.password is None else hash_password(new.password)
    with authority.database.write() as connection, work(authority, connection, actor) as doing:
        if stored.by_username(connection, new.username) is not None:
            raise AlreadyExists(f'there is a member "{new.username}" already', member=new.username)
        added, _ = insert(doing, new, password_hash, defaults.get(authority, connection))
    return doing.written(added)


def check_form(new: NewMember) -> None:
    """Raises InvalidInput for a user name, name or group that cannot be."""
    check_username(new.username)
    _check_texts(new.full_name, new.groups)


def _check_texts(full_name: str | None, groups: Iterable[str] | None) -> None:
    check_name("a name", full_name or "")
    for group in groups or ():
        check_group(group)


def insert(
    doing: Work, new: NewMember, password_hash: str | None, usual: Defaults, *, add_ons: bool = True
) -> tuple[Member, list[Assignment]]:
    """Adds a member within a transaction that is under way; comes back with what the member holds from the beginning.

    Form and privilege were checked, and that there is no such member. Without `add_ons` the member gets what the user type
    includes, and no default add-ons.
    """
    authorization = doing.authorization
    user_type = authorization.user_type(new.user_type or usual.user_type)
    check_room(authorization, user_type.name, doing.counts.members(), doing.counts.of_type(user_type.name))
    groups = usual.groups if new.groups is None else new.groups
    role = Role(usual.role) if new.role is None else new.role
    access = usual.vendor_access if new.vendor_access is None else new.vendor_access
    member = Member(0, new.username, new.full_name, user_type.name, role, False, tuple(sorted(set(groups))), doing.at, access)
    found = doing.add(member, password_hash)
    told = f"{user_type.name}; vendor access" if access else user_type.name
    doing.log([member_event(EventKind.MEMBER_ADDED, doing.actor, found, reason=told)])
    takes_add_ons = add_ons and new.user_type in (None, usual.user_type)
    first = _first_licenses(user_type, usual, add_ons=takes_add_ons)
    for held in first:
        check_assignable(authorization, found, authorization.product(held.product))
        give(doing, found, None, held, _reason(held))
    return found, first


def _first_licenses(user_type: UserType, usual: Defaults, *, add_ons: bool) -> list[Assignment]:
    """What the type includes, and the default add-ons, which are for members of the default type."""
    found = {product: Assignment(product, level, (), included=True) for product, level in user_type.includes.items()}
    if add_ons:
        found |= {product: Assignment(product, level, (), included=False) for product, level in usual.add_ons}
    return list(found.values())


def _reason(held: Assignment) -> str | None:
    """Why a license is given that nobody assigned by hand."""
    return "included" if held.included else None


def give(doing: Work, member: Member, before: Assignment | None, after: Assignment, reason: str | None = None) -> None:
    """Assigns `after` in place of `before`; whether the member may hold it was checked. Raises PoolExhausted."""
    check_free(doing.authorization.product(after.product), doing.counts.assigned(after.product), before, after)
    doing.replace(member, after.product, before, after)
    doing.log(_license_events(EventKind.LICENSE_ASSIGNED, doing.actor, member, after, reason))


def take(doing: Work, member: Member, held: Assignment, reason: str | None = None) -> None:
    """Takes a license from the member who holds it."""
    doing.replace(member, held.product, held, None)
    doing.log(_license_events(EventKind.LICENSE_UNASSIGNED, doing.actor, member, held, reason))


def _license_events(kind: EventKind, actor: Actor, member: Member, held: Assignment, reason: str | None) -> list[Event]:
    return [member_event(kind, actor, member, held.product, feature, reason) for feature in (held.level, *held.extensions)]


def listed(authority: Authority, actor: Actor, *, user_type: str | None = None, group: str | None = None) -> list[Member]:
    """Members by user name. Raises NotAllowed for who may neither manage members nor licenses."""
    actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
    with authority.database.read() as connection:
        return stored.listed(connection, user_type=user_type, group=group)


def page(
    authority: Authority,
    actor: Actor,
    *,
    user_type: str | None = None,
    group: str | None = None,
    role: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page:
    """A page of members, with current and licensed membership beside it. Raises NotAllowed, InvalidInput (no such cursor)."""
    actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
    after = None if cursor is None else pages.parts(cursor, 1)[0]
    with authority.database.read() as connection:
        found = stored.listed(connection, user_type=user_type, group=group, role=role, after=after, limit=limit + 1)
        membership = admission.membership(authority, connection)
    following = pages.cursor(found[limit - 1].username) if len(found) > limit else None
    return Page(found[:limit], following, membership)


def show(authority: Authority, actor: Actor, username: str) -> tuple[Member, list[Assignment]]:
    """A member and what it holds; everyone sees themself. Raises NotAllowed, NotFound."""
    if username.lower() != actor.username.lower():
        actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
    with authority.database.read() as connection:
        found = existing(connection, username)
        return found, assignments.of_member(connection, found.id)


def change(authority: Authority, actor: Actor, username: str, wanted: Change, *, dry_run: bool = False) -> Changed:
    """Changes a member; a new user type takes and gives licenses by the authorization's table, and says which.

    With `dry_run` everything is checked and nothing kept. Raises NotAllowed, NotFound, InvalidInput, NoSuchProduct,
    MemberLimitReached, PoolExhausted.
    """
    actor.needs(Privilege.MANAGE_MEMBERS)
    check_change(wanted)
    password_hash = None if wanted.password is None else hash_password(wanted.password)
    with authority.database.write(keep=not dry_run) as connection, work(authority, connection, actor) as doing:
        before = existing(connection, username, lock=True)
        changed = change_within(doing, before, assignments.of_member(connection, before.id), wanted)
        if password_hash is not None:
            stored.set_password(connection, changed.after.id, password_hash)
    return changed


def change_within(doing: Work, before: Member, held: Sequence[Assignment], wanted: Change) -> Changed:
    """Changes a member who is locked and holds this, within a transaction that is under way; the password is left to the caller.

    Form and privilege were checked.
    """
    after, authorization = _after(before, wanted), doing.authorization
    user_type = authorization.user_type(after.user_type)
    effect = TypeChange((), (), tuple(held))
    if before.user_type != after.user_type:
        check_room_in_type(authorization, user_type.name, doing.counts.of_type(user_type.name))
        effect = change_of_type(held, user_type, authorization)
    doing.log([member_event(EventKind.MEMBER_CHANGED, doing.actor, after, reason=_difference(before, after, wanted))])
    _apply(doing, after, held, effect)
    doing.change(before, after)
    return Changed(before, after, effect)


def check_change(wanted: Change) -> None:
    """Raises InvalidInput for a name, group or permission that cannot be."""
    _check_texts(wanted.full_name, wanted.groups)


def _after(before: Member, wanted: Change) -> Member:
    given = {
        name: getattr(wanted, name)
        for name in ("full_name", "user_type", "role", "disabled", "vendor_access", "download_permission")
        if getattr(wanted, name) is not None
    }
    groups = before.groups if wanted.groups is None else tuple(sorted(set(wanted.groups)))
    return replace(before, **given, groups=groups)


def _difference(before: Member, after: Member, wanted: Change) -> str:
    names = ("full_name", "user_type", "role", "groups", "disabled", "vendor_access", "download_permission")
    parts = [
        f"{name} {getattr(before, name)} to {getattr(after, name)}"
        for name in names
        if getattr(before, name) != getattr(after, name)
    ]
    return "; ".join([*parts, *(["password"] if wanted.password is not None else [])]) or "nothing"


def _apply(doing: Work, member: Member, held: Iterable[Assignment], effect: TypeChange) -> None:
    mine = {item.product: item for item in held}
    for item in effect.removed:
        take(doing, member, item, "user type")
    for item in effect.added:
        give(doing, member, mine.get(item.product), item, _reason(item))


def existing(connection: Connection, username: str, *, lock: bool = False) -> Member:
    """The member with this user name. Raises NotFound."""
    found = stored.by_username(connection, username, lock=lock)
    if found is None:
        raise NotFound(f'there is no member "{username}"', member=username)
    return found


def member_event(
    kind: EventKind,
    actor: Actor,
    member: Member,
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
