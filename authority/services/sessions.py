"""Sessions: starting, using and ending connected uses. Each use gives a grant that works without the authority for a day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from authority.domain import borrows as borrow_rules
from authority.domain import sessions as rules
from authority.domain.borrows import Borrow, Features
from authority.domain.events import BY_TIME, EventKind, UseMode, session_events
from authority.domain.members import Actor, Privilege
from authority.domain.refusals import BorrowRefused, NotAllowed, NotFound
from authority.domain.sessions import Session, SessionAsk, SessionEnding, SessionSettings
from authority.services import seats, session_settings
from authority.services.admission import check_admitted
from authority.services.context import Authority
from authority.services.seats import Case
from authority.signing import issuing
from authority.signing.issuing import Issuer
from authority.storage import borrows as stored_borrows
from authority.storage import events, members, pools
from authority.storage import sessions as stored

# So many ends are written in one transaction; others want to write too.
MOST_LOGGED_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Started:
    """The answer to a start or renewal: the session, the bytes of its grant (a borrow file), and whether it is a new one."""

    session: Session
    grant: bytes
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Case(Case):
    """The same for a session: what was wished for, and the settings of sessions."""

    wish: SessionAsk
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


def start(authority: Authority, actor: Actor, ask: SessionAsk) -> Started:
    """Starts a session of the member who asks, or uses the one that is active on this computer: that takes no second seat.

    Raises:
        NotAllowed, NoSuchProduct: nothing is written.
        BorrowRefused: a rule says no; a denial is in the log.
    """
    now = authority.now()
    with authority.database.write() as connection:
        case = _case(authority, connection, actor, ask, now)
        try:
            answer: _Answer | BorrowRefused = _decide(authority, connection, case)
        except BorrowRefused as error:
            answer = error
            events.append(connection, seats.denial(connection, case, error, UseMode.SESSION), authority.clock())
    if isinstance(answer, _Answer):
        return answer.signed()
    raise answer


def renew(authority: Authority, actor: Actor, session_id: str) -> Started:
    """Uses a session: it is active for another while, and there is a new grant.

    The log has no row of it, for there is one every few minutes; nor of a refusal, for what was given was given before.

    Raises SessionEnded, NotFound, NotAllowed, BorrowRefused.
    """
    now = authority.now()
    with authority.database.write() as connection:
        found = _mine(connection, actor, session_id)
        rules.check_open(found, now)
        ask = SessionAsk(found.product, found.level, found.extensions, found.machine, found.user)
        case = _case(authority, connection, actor, ask, now)
        check_admitted(authority, connection, actor)
        assignment = seats.lock(connection, case)
        session = _mine(connection, actor, session_id, lock=True)
        borrow_rules.check_may_use(case.member, case.authorization, case.product)
        rules.check_still_given(session, case.product, case.ask, assignment)
        rules.check_not_ended(case.authorization, case.product, now)
        answer = _use_again(authority, connection, case, session, _borrow_here(connection, case))
    return answer.signed()


def check_in(authority: Authority, actor: Actor, session_id: str) -> Session:
    """Ends the holder's own session and frees its seats; once more changes nothing. Raises SessionEnded, NotFound, NotAllowed."""
    now = authority.now()
    with authority.database.write() as connection:
        before = _mine(connection, actor, session_id, lock=True)
        if before.ended_by is SessionEnding.CHECKED_IN:
            return before
        after = rules.checked_in(before, now)
        stored.update_session(connection, after)
        events.append(connection, session_events(EventKind.CHECK_IN, after, actor, str(after.ended_by)), authority.clock())
    return after


def end(authority: Authority, actor: Actor, session_id: str) -> Session:
    """Ends anybody's session (seed S1): its seats are free at once, its user is told at the next renewal and has time to save.

    Raises NotAllowed, NotFound, SessionEnded.
    """
    actor.needs(Privilege.END_BORROWS)
    now = authority.now()
    with authority.database.write() as connection:
        before = stored.get(connection, session_id, lock=True)
        if before is None:
            raise _not_found(session_id)
        after = rules.ended(before, session_settings.settings(connection), now)
        stored.update_session(connection, after)
        events.append(connection, session_events(EventKind.END, after, actor, str(after.ended_by)), authority.clock())
    return after


def show(authority: Authority, actor: Actor, session_id: str) -> Session:
    """One session, for its member or who may view all. Raises NotFound, also for another member's."""
    with authority.database.read() as connection:
        found = stored.get(connection, session_id)
    if found is None or (found.member != actor.username and not actor.has(Privilege.VIEW_BORROWS)):
        raise _not_found(session_id)
    return found


def listed(authority: Authority, actor: Actor, wanted: stored.Filter) -> tuple[list[Session], str | None]:
    """A page of sessions, newest first, and the cursor of the next page; who may not view all gets their own."""
    if not actor.has(Privilege.VIEW_BORROWS):
        wanted = replace(wanted, member=actor.username)
    with authority.database.read() as connection:
        found = stored.listed(connection, wanted, authority.now())
    page = found[: wanted.limit]
    return page, page[-1].id if len(found) > wanted.limit else None


def log_ended_by_time(authority: Authority) -> int:
    """Writes the log rows of sessions that time ended and returns of how many; each is written once, with the time of its end.

    It is done when somebody looks at the log, or the member starts another session: rows of the log are not in order of time.
    """
    now, total = authority.now(), 0
    with authority.database.read() as connection:
        # Who only reads the log waits for no writer unless there is something to write.
        if not stored.is_any_ended_by_time(connection, now):
            return 0
    while True:
        with authority.database.write() as connection:
            count = _log_ended_by_time(connection, now)
        total += count
        if count < MOST_LOGGED_AT_ONCE:
            return total


def _log_ended_by_time(connection: Connection, now: datetime, member_id: int | None = None) -> int:
    found = stored.ended_by_time(connection, now, MOST_LOGGED_AT_ONCE, member_id)
    for session in found:
        events.append(connection, session_events(EventKind.END, session, None, BY_TIME), session.active_until)
    if found:
        stored.mark_as_logged(connection, [session.id for session in found])
    return len(found)


def _case(authority: Authority, connection: Connection, actor: Actor, ask: SessionAsk, now: datetime) -> _Case:
    """Locks the member first and reads then: who comes after sees all that was decided before."""
    stored.lock_member(connection, actor.member_id)
    member = None if actor.member_id is None else members.by_id(connection, actor.member_id)
    if member is None:
        raise NotAllowed(f"{actor.username} is no member, and a session is a member's own", hint="Sign in as the member.")
    authorization = authority.authorization(connection)
    product = authorization.product(ask.product)
    return _Case(actor, member, ask.as_ask(now), authorization, product, now, ask, session_settings.settings(connection))


def _decide(authority: Authority, connection: Connection, case: _Case) -> _Answer:
    """Applies the rules in order and writes what they say. Raises BorrowRefused; then no session is written."""
    product, ask, now = case.product, case.wish, case.now
    check_admitted(authority, connection, case.actor)
    assignment = seats.lock(connection, case)
    _log_ended_by_time(connection, now, case.member.id)
    features = seats.entitled(connection, case, assignment)
    rules.check_not_ended(case.authorization, product, now)
    here = _borrow_here(connection, case)
    active = stored.active(connection, case.member.id, now)
    for session in active:
        if session.product == product.id and session.is_on(ask.machine):
            rules.check_covers(session, product, ask)
            rules.check_still_given(session, product, case.ask, assignment)
            return _use_again(authority, connection, case, replace(session, machine=ask.machine, user=ask.user), here)
    rules.check_computers(active, ask.machine, case.settings)
    return _new(authority, connection, case, features, here)


def _borrow_here(connection: Connection, case: _Case) -> Borrow | None:
    held = stored_borrows.holding(connection, case.member.id, case.product.id, case.now)
    return rules.borrow_here(held, case.product, case.ask.machine, case.ask.user)


def _new(authority: Authority, connection: Connection, case: _Case, features: Features, here: Borrow | None) -> _Answer:
    if case.is_concurrent:
        already = set(features.all()).difference(rules.seats_needed(case.product, features, here))
        pool = pools.pool(connection, case.product, case.now)
        features = pool.served(features, case.member.groups, borrowing=False, already=already)
    until, member = rules.active_until(case.settings, case.now), case.member
    session = rules.started(authority.fresh_id(), member.username, member.groups, features, case.wish, until, case.now)
    answer = _answer(authority, connection, case, session, is_new=True)
    stored.insert_session(connection, session, member.id)
    stored.take_seats(connection, session, member.id, rules.seats_needed(case.product, features, here))
    stored.touch_member(connection, member.id, case.now)
    events.append(connection, session_events(EventKind.CHECKOUT, session, case.actor), authority.clock())
    return answer


def _use_again(authority: Authority, connection: Connection, case: _Case, session: Session, here: Borrow | None) -> _Answer:
    """The session used now. Its seats follow what is borrowed on the computer meanwhile: the two together take each seat once."""
    used = rules.renewed(session, case.settings, case.now)
    held = stored.features_held(connection, used.id)
    needed = rules.seats_needed(case.product, used.features(), here)
    missing = [feature for feature in needed if feature not in held]
    if missing and case.is_concurrent:
        pool = pools.pool(connection, case.product, case.now)
        for feature in missing:
            pool.check(feature, frozenset(case.member.groups), borrowing=False)
    answer = _answer(authority, connection, case, used, is_new=False)
    stored.update_session(connection, used)
    stored.drop_seats(connection, used.id, held.difference(needed))
    stored.take_seats(connection, used, case.member.id, missing)
    stored.touch_member(connection, case.member.id, case.now)
    return answer


def _answer(authority: Authority, connection: Connection, case: _Case, session: Session, *, is_new: bool) -> _Answer:
    issuer = authority.issuer(connection, case.authorization)
    ends_at = rules.grant_ends_at(case.settings, case.authorization, case.product, case.now)
    payload = issuing.session_payload(session, case.authorization, jti=authority.fresh_id(), now=case.now, ends_at=ends_at)
    return _Answer(session, is_new, issuer, payload, issuer.current_kid("borrow", case.now))


def _mine(connection: Connection, actor: Actor, session_id: str, *, lock: bool = False) -> Session:
    found = stored.get(connection, session_id, lock=lock)
    if found is None or (found.member != actor.username and not actor.has(Privilege.VIEW_BORROWS)):
        raise _not_found(session_id)
    if found.member != actor.username:
        raise NotAllowed(f"this session is {found.member}'s own", hint="To end it: carnet-authority session end ID")
    return found


def _not_found(session_id: str) -> NotFound:
    return NotFound(f'there is no session "{session_id}"', session_id=session_id)
