"""Removing members, one or many: the way out when the organization has too many (seed S2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authority.domain import borrows as rules
from authority.domain import sessions as session_rules
from authority.domain.borrows import Borrow, Ending
from authority.domain.events import EventKind, borrow_events, session_events
from authority.domain.members import Actor, Member, Privilege
from authority.domain.refusals import MemberHasBorrow, NotAllowed
from authority.services import session_settings
from authority.services.context import Authority
from authority.services.members import existing, member_event
from authority.services.work import Work, work
from authority.storage import assignments, offline_rules
from authority.storage import borrows as stored_borrows
from authority.storage import members as stored
from authority.storage import sessions as stored_sessions


@dataclass(frozen=True, slots=True)
class Removal:
    """A member to be removed, and the borrows that still hold a seat."""

    member: Member
    borrows: tuple[Borrow, ...]


def remove(
    authority: Authority, actor: Actor, usernames: Sequence[str], *, release: bool = False, dry_run: bool = False
) -> list[Removal]:
    """Removes members, all or none; who still has a borrow out is named, and removed only with `release`, which frees its seat.

    With `dry_run` nothing changes. Raises NotAllowed, NotFound, MemberHasBorrow.
    """
    actor.needs(Privilege.MANAGE_MEMBERS)
    now = authority.now()
    with authority.database.write(keep=not dry_run) as connection, work(authority, connection, actor) as doing:
        found = [_removal(connection, existing(connection, username, lock=True), now) for username in _once(usernames)]
        _check(actor, found, release=release or dry_run)
        for removal in found:
            _remove(doing, removal, now)
    return found


def _once(usernames: Sequence[str]) -> list[str]:
    """Each name once, whatever its case."""
    return list({name.lower(): name for name in usernames}.values())


def _removal(connection: Connection, member: Member, now: datetime) -> Removal:
    return Removal(member, tuple(stored_borrows.held_by(connection, member.id, now)))


def _check(actor: Actor, found: list[Removal], *, release: bool) -> None:
    if any(removal.member.id == actor.member_id for removal in found):
        raise NotAllowed("nobody removes themself", hint="Ask another administrator.")
    holders = [removal for removal in found if removal.borrows]
    if holders and not release:
        names = ", ".join(removal.member.username for removal in holders)
        raise MemberHasBorrow(f"still offline: {names}", members=[removal.member.username for removal in holders])


def _remove(doing: Work, removal: Removal, now: datetime) -> None:
    connection, actor, member = doing.connection, doing.actor, removal.member
    for borrow in removal.borrows:
        if borrow.ended_by is not Ending.RELEASED:
            ended = rules.released(borrow, "member removed", now, accept_overlap=True)
            stored_borrows.update(connection, ended)
            doing.log(borrow_events(EventKind.RELEASE, ended, actor, reason="member removed"))
    for session in stored_sessions.active(connection, member.id, now):
        closed = session_rules.ended(session, session_settings.settings(connection), now)
        stored_sessions.update_session(connection, closed)
        doing.log(session_events(EventKind.END, closed, actor, "member removed"))
    for held in assignments.of_member(connection, member.id):
        doing.replace(member, held.product, held, None)
    offline_rules.remove_of_member(connection, member.username)
    stored.remove_member(connection, member, doing.at)
    doing.counts.count_type(member.user_type, -1)
    doing.log([member_event(EventKind.MEMBER_REMOVED, actor, member)])
