"""What members see and do for themselves: their own licenses, a new password, the permission to download (seeds S1, S3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from authority.domain import own_license as rules
from authority.domain.borrows import Borrow
from authority.domain.catalogue import Product
from authority.domain.events import EventKind
from authority.domain.members import Assignment, DownloadPermission, Member, Privilege
from authority.domain.offline_rules import effective
from authority.domain.own_license import OwnLicense
from authority.domain.refusals import NotAllowed, NotAuthenticated
from authority.domain.sessions import Session
from authority.domain.sign_ins import Origin
from authority.services import tries
from authority.services.member_changes import NewAccess, give_access
from authority.services.members import member_event
from authority.services.passwords import hash_password
from authority.services.unit import Unit
from authority.storage import assignments, borrows, members, offline_rules, pools, sessions
from authority.storage.members import MemberChange
from authority.storage.sessions import Filter

# Far more than anybody has at once; a member is on a few computers.
MOST_SESSIONS = 1000
WRONG_HINT = "Type the password that you sign in with now, or ask an administrator to set a new one."


@dataclass(frozen=True, slots=True)
class Me:
    """Who asks, and the products that they may use or have in use."""

    member: Member
    licenses: tuple[OwnLicense, ...]


@dataclass(frozen=True, slots=True)
class _InUse:
    """What a member holds and uses now."""

    held: dict[str, Assignment]
    borrows: list[Borrow]
    sessions: list[Session]


def show(unit: Unit) -> Me:
    """Who the actor is, and their own licenses. Raises NotAllowed for the console, which is no member."""
    with unit.reading():
        connection, authorization, member = unit.connection, unit.authorization, _myself(unit)
        mine = _InUse(
            {item.product: item for item in assignments.of_member(connection, member.id)},
            borrows.held_by(connection, member.id, unit.now, lock=False),
            sessions.listed(connection, Filter(member_id=member.id, limit=MOST_SESSIONS), unit.now),
        )
        used = {item.product for item in mine.borrows} | {item.product for item in mine.sessions}
        licenses = [
            _license(unit, member, product, mine)
            for product in authorization.products.values()
            if rules.is_shown(authorization, member, product, mine.held.get(product.id), in_use=product.id in used)
        ]
    return Me(member, tuple(licenses))


def _license(unit: Unit, member: Member, product: Product, mine: _InUse) -> OwnLicense:
    held, authorization = mine.held.get(product.id), unit.authorization
    rule = effective(offline_rules.applying(unit.connection, member, product.id), member, product.id)
    longest, default = rules.offline_days(rule, authorization, product, unit.now)
    assigned = pools.assigned(unit.connection, product.id)
    return OwnLicense(
        product=product,
        levels=rules.levels(product, held),
        extensions=rules.extensions(product, held),
        ends_at=authorization.end_of(product),
        offline_allowed=rule.allowed,
        longest_days=longest,
        default_days=default,
        borrow=rules.borrow_out([item for item in mine.borrows if item.product == product.id], unit.now),
        sessions=tuple(item for item in mine.sessions if item.product == product.id),
        problem=rules.problem(member, authorization, product, assigned, unit.now),
    )


def request_download(unit: Unit) -> Member:
    """The member after asking for the permission to download; who asked before, or has it, stays as they are.

    Only an administrator grants or denies it, and only who has vendor access can ask (seed S1). Raises NotAllowed.
    """
    with unit.writing():
        member = _myself(unit, lock=True)
        if not member.vendor_access:
            raise NotAllowed(
                f"the member {member.username} has no vendor access, which the permission to download needs",
                hint="Ask an administrator to turn vendor access on for you, then request the permission again.",
            )
        if member.download_permission is not DownloadPermission.NONE:
            return member
        asking = replace(member, download_permission=DownloadPermission.REQUESTED)
        members.change(unit.connection, [MemberChange(member, asking)])
        unit.record([member_event(EventKind.DOWNLOAD_REQUESTED, unit.actor, asking)])
    return asking


def change_password(unit: Unit, old: str, new: str, origin: Origin, *, revoke_keys: bool = False) -> NewAccess:
    """Sets one's own password, for who knows the one of now; what it ended and which API keys go on.

    A wrong one is counted like one of a sign-in. Raises NotAllowed (also for the console), NotAuthenticated, TooManyRequests, InvalidInput.
    """
    with unit.reading():
        unit.actor.needs(Privilege.OWN_ACCESS)
        myself = _myself(unit)
        if members.hash_of(unit.connection, myself.id) is None:
            raise NotAllowed(f"the member {myself.username} has no password", hint="Ask an administrator to set one.")
    try:
        passed = tries.check_password(unit, myself.username, old, origin)
    except NotAuthenticated as error:
        raise NotAllowed("the password of now is another one", hint=WRONG_HINT, about="old_password") from error
    password_hash = hash_password(new)
    with unit.writing():
        member = _myself(unit, lock=True)
        if members.hash_of(unit.connection, member.id) != passed.password_hash:
            raise NotAllowed("the password was changed at this moment", hint=WRONG_HINT)
        unit.record([member_event(EventKind.MEMBER_CHANGED, unit.actor, member, reason="another password")])
        return give_access(unit, member, password_hash, revoke_keys=revoke_keys)


def _myself(unit: Unit, *, lock: bool = False) -> Member:
    actor = unit.actor
    actor.needs(Privilege.OWN_LICENSES)
    member = members.by_id(unit.connection, actor.own_number, lock=lock)
    if member is None:
        raise NotAllowed(f"this is about a member's own, and {actor.username} is no member", hint="Sign in as the member.")
    return member
