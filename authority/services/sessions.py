"""Sessions: starting, using and ending connected uses. Each use gives a grant that works without the authority for minutes.

A seat is taken until the last grant that was given for it has ended: whoever keeps a grant and ends the session gains nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from authority.domain import sessions as rules
from authority.domain.borrows import Ask, Borrow, Demand, Features
from authority.domain.catalogue import KeyUse, Product, check_not_ended
from authority.domain.clocks import FROM_OUTSIDE
from authority.domain.entitlement import check_may_use, entitled
from authority.domain.events import BY_TIME, EventKind, UseMode, session_events
from authority.domain.members import Assignment, Member, Privilege, user_key
from authority.domain.refusals import NoSuchProduct, NotAllowed, NotFound, RequestInvalid
from authority.domain.sessions import Session, SessionEnding, SessionSettings, SessionState
from authority.services import filters, organization_settings, seats
from authority.services.seats import Case
from authority.services.several import Outcome, all_or_none
from authority.services.unit import Unit
from authority.signing import inbox, issuing
from authority.signing.issuing import Issuer
from authority.storage import assignments, borrows, holds, members, pools, sessions
from authority.storage.sessions import Filter

# So many ends are written in one transaction; others want to write too.
MOST_LOGGED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a start or renewal: the session, the bytes of its grant (a borrow file), and whether it is a new one."""

    session: Session
    grant: bytes
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Case(Case[Demand]):
    """All that a session is decided from: what every decision is made from, and the settings of sessions."""

    settings: SessionSettings


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was decided, and what its grant is made of after the commit."""

    session: Session
    is_new: bool
    issuer: Issuer
    payload: str
    kid: str

    def signed(self) -> Started:
        return Started(self.session, issuing.borrow_file(self.issuer, self.payload, self.kid, None), self.is_new)


def start(unit: Unit, request: str) -> Started:
    """Starts a session of the member who asks, or uses the one that is active on this computer: that takes no second seat.

    `request` is the compact `session-request+jwt`, by which the machine proves that it has its key. Sent again it uses the
    session that it started.

    Raises:
        RequestInvalid, NotAllowed: nothing is written.
        BorrowRefused, NoSuchProduct: a rule says no, or there is no such product, level or extension; a denial is in the log.
    """
    demand = inbox.read_session_request(request)
    with unit.writing():
        member = _member(unit)
        _check_request(unit, demand, member)
        try:
            product = unit.authorization.product(demand.product)
        except NoSuchProduct as error:
            unit.record_denial(seats.denial_without_product(unit.actor, member, demand, error, UseMode.SESSION))
            raise
        case = _case(unit, demand, member, product)
        try:
            answer = _decide(unit, case)
        except seats.DENIED as error:
            assignment = assignments.get(unit.connection, case.member.id, case.product.id)
            unit.record_denial(seats.denial(case, assignment, error, UseMode.SESSION))
            raise
    return answer.signed()


def renew(unit: Unit, session_id: str, request: str) -> Started:
    """Uses a session: it is active for another while, and there is a new grant.

    `request` is a compact `session-request+jwt` of the machine that started it. The log has no row of it, for there is one every
    few minutes; nor of a refusal, for what was given was given before.

    Raises SessionEnded, RequestInvalid, NotFound, NotAllowed, BorrowRefused.
    """
    ask = inbox.read_session_request(request)
    with unit.writing():
        begun = _mine(unit, session_id)
        rules.check_open(begun, unit.now)
        product, member = unit.authorization.product(begun.product), _member(unit)
        _check_request(unit, ask, member)
        rules.check_request(begun, product, ask)
        demand = replace(begun, machine=ask.machine, user=ask.user).demand()
        case = _case(unit, demand, member, product)
        unit.membership.check_admitted(unit.actor.role)
        assignment = _locked(unit, case)
        session = replace(_mine(unit, session_id, lock=True), machine=ask.machine, user=ask.user)
        check_may_use(case.member, case.authorization, case.product)
        rules.check_still_given(session, case.product, case.ask, assignment)
        check_not_ended(case.authorization, case.product, case.now)
        answer = _use_again(unit, case, session, _borrow_here(unit, case))
    return answer.signed()


def check_in(unit: Unit, session_id: str, *, dry_run: bool = False) -> Session:
    """Ends the holder's own session, whose seats are free when its last grant has ended; once more changes nothing.

    With `dry_run` every check is made and nothing changed; the session comes back as it is. Raises SessionEnded, NotFound, NotAllowed.
    """
    with unit.writing(keep=not dry_run):
        before = _mine(unit, session_id, lock=True)
        if before.ended_by is SessionEnding.CHECKED_IN:
            return before
        after = rules.checked_in(before, unit.now)
        sessions.update_session(unit.connection, after)
        unit.record(session_events(EventKind.CHECK_IN, after, unit.actor, str(after.ended_by)))
    return before if dry_run else after


def end(unit: Unit, session_id: str) -> Session:
    """Ends anybody's session (seed S1): there is no new grant, its user is told at the next renewal and has time to save.

    Its seats are free when its last grant has ended.

    Raises NotAllowed, NotFound, SessionEnded.
    """
    return end_several(unit, [session_id])[0].done()


def end_several(
    unit: Unit, session_ids: Sequence[str], *, one_by_one: bool = False, dry_run: bool = False
) -> list[Outcome[str, Session]]:
    """Ends sessions, all or none or `one_by_one`, in their order.

    With `dry_run` every check is made and nothing changed; the sessions are shown as they are. Raises NotAllowed, and unless
    `one_by_one` what `end` raises.
    """

    def end_one(session_id: str) -> Session:
        before = sessions.get(unit.connection, session_id)
        if before is None:
            raise _not_found(session_id)
        after = rules.ended(before, organization_settings.in_force(unit.connection, SessionSettings), unit.now)
        sessions.update_session(unit.connection, after)
        unit.record(session_events(EventKind.END, after, unit.actor, str(after.ended_by)))
        return before if dry_run else after

    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.END_BORROWS)
        # In one order, so that two who end the same ones do not wait for each other.
        for session_id in sorted(set(session_ids)):
            sessions.get(unit.connection, session_id, lock=True)
        return all_or_none(session_ids, end_one, one_by_one=one_by_one)


def show(unit: Unit, session_id: str) -> Session:
    """One session, for its member or who may view all. Raises NotFound, also for another member's."""
    with unit.reading():
        session = sessions.get(unit.connection, session_id)
        if session is None or (session.member_id != unit.actor.own_number and not unit.actor.has(Privilege.VIEW_BORROWS)):
            raise _not_found(session_id)
    return session


def listed(unit: Unit, wanted: Filter) -> tuple[list[Session], str | None]:
    """A page of sessions, newest first, and the cursor of the next page; who may not view all gets their own.

    Raises NotFound, NoSuchProduct for a filter by what there is not.
    """
    with unit.reading():
        if unit.actor.has(Privilege.VIEW_BORROWS):
            filters.check(unit, member=wanted.member, product=wanted.product)
        else:
            unit.actor.needs(Privilege.OWN_LICENSES)
            wanted = replace(wanted, member=None, member_id=unit.actor.own_number)
        rows = sessions.listed(unit.connection, wanted, unit.now)
    page = rows[: wanted.limit]
    return page, page[-1].id if len(rows) > wanted.limit else None


def log_ended_by_time(unit: Unit) -> int:
    """Writes the log rows of sessions that time ended and returns of how many; each is written once, with the time of its end.

    A server does it every minute, a command before it shows the log, and a member's own are written when they start another
    session: rows of the log are not in order of time. Who reads the log over HTTP writes nothing.
    """
    with unit.reading():
        # No writer is waited for unless there is something to write.
        if not sessions.is_any_ended_by_time(unit.connection, unit.now):
            return 0
    total = 0
    while True:
        with unit.writing():
            count = _log_ended_by_time(unit)
        total += count
        if count < MOST_LOGGED_AT_ONCE:
            return total


def _log_ended_by_time(unit: Unit, member_id: int | None = None) -> int:
    ended = sessions.ended_by_time(unit.connection, unit.now, MOST_LOGGED_AT_ONCE, member_id)
    for session in ended:
        unit.record(session_events(EventKind.END, session, None, BY_TIME), session.active_until)
    if ended:
        sessions.mark_as_logged(unit.connection, [session.id for session in ended])
    return len(ended)


def _member(unit: Unit) -> Member:
    """The member who asks, locked before anything is read: who comes after sees all that was decided before.

    Raises NotAllowed for who is no member, or asks with an API key that is not for one's own licenses.
    """
    actor = unit.actor
    actor.needs(Privilege.OWN_LICENSES)
    members.lock(unit.connection, actor.member_id)
    member = None if actor.member_id is None else members.by_id(unit.connection, actor.member_id)
    if member is None:
        raise NotAllowed(f"a session is a member's own, and {actor.username} is no member", hint="Sign in as the member.")
    return member


def _check_request(unit: Unit, ask: Ask, member: Member) -> None:
    """Raises RequestInvalid for a request of another organization, for another member or of another time than now."""
    if ask.organization is not None and ask.organization != unit.organization.id:
        raise RequestInvalid(f'the request is for the organization "{ask.organization}", this is "{unit.organization.id}"')
    if ask.member is not None and user_key(ask.member) != user_key(member.username):
        raise RequestInvalid(f"the request is {ask.member}'s, and {member.username} is signed in")
    if abs(ask.asked_at - unit.now) > FROM_OUTSIDE:
        raise RequestInvalid(
            f"the request says that it was made at {ask.asked_at:%Y-%m-%d %H:%M} UTC, it is {unit.now:%Y-%m-%d %H:%M} UTC",
            hint="Set the workstation's clock right, then try again.",
        )


def _case(unit: Unit, demand: Demand, member: Member, product: Product) -> _Case:
    settings = organization_settings.in_force(unit.connection, SessionSettings)
    return _Case(unit.actor, member, demand, unit.authorization, product, unit.now, settings)


def _locked(unit: Unit, case: _Case) -> Assignment | None:
    """Locks the pools of a concurrent product, or the member's license of a named one, which comes back."""
    if not case.product.is_concurrent:
        return assignments.get(unit.connection, case.member.id, case.product.id, lock=True)
    pools.lock(unit.connection, case.product.id)
    return None


def _decide(unit: Unit, case: _Case) -> _Answer:
    """Applies the rules in order and writes what they say. Raises BorrowRefused; then no session is written."""
    product, demand, now = case.product, case.ask, case.now
    unit.membership.check_admitted(case.actor.role)
    assignment = _locked(unit, case)
    _log_ended_by_time(unit, case.member.id)
    assigned = pools.assigned(unit.connection, product.id)
    features = entitled(case.member, case.ask, case.authorization, product, assignment, assigned)
    check_not_ended(case.authorization, product, now)
    here = _borrow_here(unit, case)
    holding = sessions.holding(unit.connection, case.member.id, now)
    on_machine = [session for session in holding if session.product == product.id and session.is_on(demand.machine)]
    for session in on_machine:
        if session.state(now) is SessionState.ACTIVE:
            rules.check_covers(session, product, demand)
            rules.check_still_given(session, product, demand, assignment)
            return _use_again(unit, case, replace(session, machine=demand.machine, user=demand.user), here)
    rules.check_computers(holding, demand.machine, case.settings)
    return _new(unit, case, features, here, on_machine)


def _borrow_here(unit: Unit, case: _Case) -> Borrow | None:
    held = borrows.holding(unit.connection, case.member.id, case.product.id, case.now)
    return rules.borrow_here(held, case.product, case.ask.machine, case.ask.user)


def _new(unit: Unit, case: _Case, features: Features, here: Borrow | None, before: Sequence[Session]) -> _Answer:
    """A new session; of those `before` it on this machine grants may still run, and it takes their seats over."""
    held = {session.id: holds.features_of(unit.connection, session.id) for session in before}
    if case.product.is_concurrent:
        beside = set(features.all()).difference(rules.seats_needed(case.product, features, here))
        pool = pools.pool(unit.connection, case.product, case.now)
        features = pool.grant(features, case.member.groups, borrowing=False, already=beside.union(*held.values()))
    ends_at = rules.grant_ends_at(case.settings, case.authorization, case.product, here, case.now)
    session = rules.started(
        unit.authority.fresh_id(),
        case.member,
        features,
        case.ask,
        case.now,
        rules.active_until(case.settings, case.now),
        max([ends_at, *(session.granted_until for session in before)]),
    )
    answer = _answer(unit, case, session, ends_at, is_new=True)
    needed = rules.seats_needed(case.product, features, here)
    for session_id, seats_of_session in held.items():
        holds.give_up(unit.connection, session_id, seats_of_session.intersection(needed))
    sessions.add(unit.connection, session, case.member.id, needed)
    members.touch(unit.connection, case.member.id, case.now)
    unit.record(session_events(EventKind.CHECKOUT, session, case.actor))
    return answer


def _use_again(unit: Unit, case: _Case, session: Session, here: Borrow | None) -> _Answer:
    """The session used now. Its seats follow what is borrowed on the computer meanwhile: the two together take each seat once."""
    ends_at = rules.grant_ends_at(case.settings, case.authorization, case.product, here, case.now)
    used = rules.renewed(session, case.settings, case.now, ends_at)
    held = holds.features_of(unit.connection, used.id)
    needed = rules.seats_needed(case.product, used.features(), here)
    missing = [feature for feature in needed if feature not in held]
    if missing and case.product.is_concurrent:
        pool = pools.pool(unit.connection, case.product, case.now)
        for feature in missing:
            pool.check(feature, frozenset(case.member.groups), borrowing=False)
    answer = _answer(unit, case, used, ends_at, is_new=False)
    sessions.update_session(unit.connection, used)
    holds.give_up(unit.connection, used.id, held.difference(needed))
    sessions.take_seats(unit.connection, used, case.member.id, missing)
    members.touch(unit.connection, case.member.id, case.now)
    return answer


def _answer(unit: Unit, case: _Case, session: Session, ends_at: datetime, *, is_new: bool) -> _Answer:
    payload = issuing.session_payload(session.license(ends_at), case.authorization, jti=unit.authority.fresh_id(), now=case.now)
    return _Answer(session, is_new, unit.issuer, payload, unit.issuer.current_kid(KeyUse.BORROW, case.now))


def _mine(unit: Unit, session_id: str, *, lock: bool = False) -> Session:
    actor, session = unit.actor, sessions.get(unit.connection, session_id, lock=lock)
    if session is None or (session.member_id != actor.own_number and not actor.has(Privilege.VIEW_BORROWS)):
        raise _not_found(session_id)
    if session.member_id != actor.own_number:
        raise NotAllowed(f"this session is {session.member}'s own", hint="To end it: carnet-authority session end ID")
    return session


def _not_found(session_id: str) -> NotFound:
    return NotFound(f'there is no session "{session_id}"', session_id=session_id)
