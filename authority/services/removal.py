"""Removing members, one or many: the way out when the organization has too many (seed S2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from authority.domain import endings as rules
from authority.domain import sessions as session_rules
from authority.domain.borrows import Borrow, Ending
from authority.domain.events import EventKind, borrow_events, session_events
from authority.domain.members import Actor, Member, Privilege, check_reach, user_key
from authority.domain.refusals import MemberHasBorrow, NotAllowed
from authority.domain.sessions import SessionSettings, SessionState
from authority.services import organization_settings
from authority.services.members import check_administrator_stays, existing, member_event
from authority.services.several import Outcome, all_or_none
from authority.services.unit import Unit
from authority.services.work import Work, working
from authority.storage import assignments, borrows, offline_rules, sessions


@dataclass(frozen=True, slots=True)
class Removal:
    """A member to be removed, and the borrows that still hold a seat."""

    member: Member
    borrows: tuple[Borrow, ...]


def remove(unit: Unit, usernames: Sequence[str], *, release: bool = False, dry_run: bool = False) -> list[Removal]:
    """Removes members, all or none; who still has a borrow out is named, and removed only with `release`, which frees its seat.

    With `dry_run` nothing changes. Raises NotAllowed, NotFound, MemberHasBorrow, LastAdministrator, ChangedMeanwhile.
    """
    return [outcome.done() for outcome in remove_several(unit, usernames, release=release, dry_run=dry_run)]


def remove_several(
    unit: Unit, usernames: Sequence[str], *, release: bool = False, one_by_one: bool = False, dry_run: bool = False
) -> list[Outcome[str, Removal]]:
    """Removes members, each named once whatever the case, all or none or `one_by_one`.

    With `dry_run` every check is made and nothing changed. Raises NotAllowed, and unless `one_by_one` what
    `remove` raises.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_MEMBERS)
        with working(unit) as work:

            def remove_one(username: str) -> Removal:
                member = existing(unit.connection, username, lock=True)
                if len(usernames) == 1:
                    unit.compare(f'the member "{member.username}"', member.values())
                removal = Removal(member, tuple(borrows.held_by(unit.connection, member.id, unit.now)))
                _check(unit.actor, removal, release=release)
                check_administrator_stays(work, member, None)
                _remove(work, removal)
                return removal

            return all_or_none(_once(usernames), remove_one, one_by_one=one_by_one)


def _once(usernames: Sequence[str]) -> list[str]:
    """Each name once, whatever its case."""
    return list({user_key(name) or name: name for name in usernames}.values())


def _check(actor: Actor, removal: Removal, *, release: bool) -> None:
    member = removal.member
    if member.id == actor.member_id:
        raise NotAllowed("nobody removes themself", hint="Ask another administrator.")
    check_reach(actor, member.role)
    if removal.borrows and not release:
        raise MemberHasBorrow(f"still offline: {member.username}", members=[member.username])


def _remove(work: Work, removal: Removal) -> None:
    unit, member = work.unit, removal.member
    _free_seats(work, removal)
    for assignment in assignments.of_member(unit.connection, member.id):
        work.hold(member, assignment.product, assignment, None)
    offline_rules.remove_of_member(unit.connection, member.username)
    work.remove(member)
    work.record([member_event(EventKind.MEMBER_REMOVED, unit.actor, member)])


def _free_seats(work: Work, removal: Removal) -> None:
    """Releases the borrows that nobody released yet, and ends the sessions."""
    connection, actor, now = work.unit.connection, work.unit.actor, work.unit.now
    for borrow in removal.borrows:
        if borrow.ended_by is not Ending.RELEASED:
            released = rules.released(borrow, "member removed", now, accept_overlap=True)
            borrows.update(connection, released)
            work.record(borrow_events(EventKind.RELEASE, released, actor, reason="member removed"))
    for session in sessions.holding(connection, removal.member.id, now):
        if session.state(now) is SessionState.ACTIVE:
            ended = session_rules.ended(session, organization_settings.in_force(connection, SessionSettings), now)
            sessions.update_session(connection, ended)
            work.record(session_events(EventKind.END, ended, actor, "member removed"))
