"""Changing members: one or many, with the licenses, sign-ins and API keys that follow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from authority.domain.api_keys import ApiKey
from authority.domain.changes import differences
from authority.domain.events import EventKind, api_key_event
from authority.domain.licenses import TypeChange, change_of_type
from authority.domain.members import (
    CHANGING,
    Assignment,
    DownloadPermission,
    Member,
    Privilege,
    Role,
    check_reach,
    check_room_in_type,
    email_of,
    username_of,
)
from authority.domain.names import spelled
from authority.domain.refusals import AlreadyExists, InvalidInput, NotAllowed
from authority.domain.sign_ins import SignIn
from authority.services import groups, sign_ins
from authority.services.members import check_administrator_stays, existing, give, hashed, member_event, reason_of, take
from authority.services.several import Outcome, all_or_none
from authority.services.unit import Unit
from authority.services.work import Work, working
from authority.storage import assignments, credentials, identities, members, offline_rules


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
    password_hash = hashed(unit, wanted.password)
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

    Raises NotAllowed (a role or a reach that the actor has not, or disabling oneself), NoSuchProduct (unknown type),
    MemberLimitReached, PoolExhausted, LastAdministrator.
    """
    after, authorization = _after(before, wanted), work.unit.authorization
    if after.role is not before.role:
        work.unit.actor.needs(Privilege.GIVE_ACCESS)
    if (after.username, after.disabled) != (before.username, before.disabled):
        check_reach(work.unit.actor, before.role)
    check_administrator_stays(work, before, after)
    if after.disabled and not before.disabled and before.id == work.unit.actor.member_id:
        raise NotAllowed("nobody disables themself", hint="Ask another administrator.", about="disabled")
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
        give(work, member, by_product.get(item.product), item, reason_of(item))
