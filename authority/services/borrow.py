"""Borrowing: a signed request in, a borrow file out. The same request always gets the same file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from authority.domain import borrows as rules
from authority.domain.borrows import Ask, Borrow, Features
from authority.domain.events import EventKind, UseMode, borrow_events
from authority.domain.members import Actor, Assignment, Member, Privilege
from authority.domain.offline_rules import OfflineRule, check_end, effective, end_of_borrow
from authority.domain.refusals import BorrowRefused, InvalidInput, NotFound, RequestInvalid, RequestReplayed, StorageUnavailable
from authority.services import seats, status_lists
from authority.services.admission import check_admitted
from authority.services.context import Authority
from authority.services.seats import Case
from authority.signing import inbox, issuing
from authority.storage import borrows as stored
from authority.storage import events, members, offline_rules, pools, sessions
from authority.storage.borrows import Token
from authority.storage.organization import Organization

# A request is carried by hand and may be under way for long; a workstation's clock may be a day off.
OLDEST_REQUEST = timedelta(days=90)
FASTEST_CLOCK = timedelta(hours=24)
DRAWS_OF_A_PLACE = 64
# Each page looks for its beginning anew, so that large ones are faster; one is some ten megabytes.
PAGE = 5000


@dataclass(frozen=True, slots=True)
class Issued:
    """The answer to a request: the borrow, the bytes of its file, and whether this was the first answer."""

    borrow: Borrow
    file: bytes
    is_new: bool


def issue(authority: Authority, actor: Actor, request: str, member: str | None = None) -> Issued:
    """Grants, renews or refuses what a signed request asks for; sent again, the same request gets the same file.

    Args:
        authority: where.
        actor: who sends it: the member, or an administrator for a member.
        request: the compact `borrow-request+jwt`.
        member: for whom, when the actor is an administrator and the request does not say.

    Raises:
        RequestInvalid, RequestReplayed, NotAllowed, NotFound: nothing is written.
        BorrowRefused: a rule says no; a denial is in the log.
    """
    ask, now = inbox.read_request(request), authority.now()
    with authority.database.write() as connection:
        _check_organization(ask, authority.organization(connection))
        found = _member_for(connection, actor, member, ask)
        # Before the product, which may have left the authorization since.
        answer: _Answer | BorrowRefused | None = _answered(connection, ask, found)
        if answer is None:
            answer = _first_answer(authority, connection, _case(authority, connection, actor, ask, found, now))
    if isinstance(answer, BorrowRefused):
        raise answer
    status_lists.remember(authority, answer.token.status_seq)
    return Issued(answer.borrow, file_of(authority, answer.token), answer.is_new)


@dataclass(frozen=True, slots=True)
class _Answer:
    borrow: Borrow
    token: Token
    is_new: bool


def _first_answer(authority: Authority, connection: Connection, case: Case) -> _Answer | BorrowRefused:
    try:
        return _decide(authority, connection, case)
    except BorrowRefused as error:
        events.append(connection, seats.denial(connection, case, error, UseMode.BORROW), authority.clock())
        return error


def _case(authority: Authority, connection: Connection, actor: Actor, ask: Ask, member: Member, now: datetime) -> Case:
    authorization = authority.authorization(connection)
    return Case(actor, member, ask, authorization, authorization.product(ask.product), now)


def _check_organization(ask: Ask, organization: Organization) -> None:
    if ask.organization is not None and ask.organization != organization.id:
        raise RequestInvalid(f'the request is for the organization "{ask.organization}", this is "{organization.id}"')


def _check_age(ask: Ask, now: datetime) -> None:
    if not now - OLDEST_REQUEST <= ask.asked_at <= now + FASTEST_CLOCK:
        raise RequestInvalid(
            f"the request says that it was made at {ask.asked_at:%Y-%m-%d %H:%M} UTC, it is {now:%Y-%m-%d %H:%M} UTC",
            hint="Set the workstation's clock right and make a new request.",
        )


def _member_for(connection: Connection, actor: Actor, member: str | None, ask: Ask) -> Member:
    """The member to borrow for: who is named, else the actor. Only an administrator borrows for others (NotAllowed)."""
    name = member or ask.member or (actor.username if actor.member_id is not None else None)
    if name is None:
        raise InvalidInput("the request names no member", hint="Say for whom: --member NAME")
    if member is not None and ask.member is not None and member.lower() != ask.member.lower():
        raise InvalidInput(f"the request was made for {ask.member}, not for {member}")
    found = members.kept(connection, name)
    if found is None or found.id != actor.member_id:
        actor.needs(Privilege.ACT_FOR_MEMBERS)
    if found is None:
        raise NotFound(f'there is no member "{name}"', member=name)
    return found


def _decide(authority: Authority, connection: Connection, case: Case) -> _Answer:
    """Applies the rules in order and writes what they say. Raises BorrowRefused; then nothing was written.

    The lock comes first: who comes after sees all that was decided before, and that may be this very request.
    """
    assignment = seats.lock(connection, case)
    answer = _answered(connection, case.ask, case.member)
    if answer is not None:
        return answer
    _check_age(case.ask, case.now)
    check_admitted(authority, connection, case.member)
    return _new_answer(authority, connection, case, assignment, seats.entitled(connection, case, assignment))


def _answered(connection: Connection, ask: Ask, member: Member) -> _Answer | None:
    """What this very request got before, None when nothing. Raises RequestReplayed for another text or member under its number."""
    token = stored.token_of_request(connection, ask.jti)
    if token is None:
        return None
    borrow = stored.get(connection, token.borrow_id)
    if token.request_digest != ask.digest or borrow is None or borrow.member != member.username:
        raise RequestReplayed("another request with this number, or by another member, was answered before", jti=ask.jti)
    return _Answer(borrow, token, is_new=False)


def _new_answer(
    authority: Authority, connection: Connection, case: Case, assignment: Assignment | None, features: Features
) -> _Answer:
    """A renewal on the machine that has the borrow, a new borrow, or a refusal."""
    ask, product, now = case.ask, case.product, case.now
    rule = effective(offline_rules.applying(connection, case.member, product.id), case.member, product.id)
    ends_at = end_of_borrow(rule, case.authorization, product, now, ask.days, ask.until)
    held = stored.holding(connection, case.member.id, product.id, now)
    for borrow in held:
        if borrow.ended_by is None and borrow.is_on(ask.machine, ask.user):
            if ask.prev is not None and not stored.is_receipt_known(connection, ask.prev):
                raise rules.receipt_outstanding(borrow)
            renewed = rules.renewed(borrow, product, ask, ends_at)
            rules.check_still_given(product, Features(borrow.level, borrow.extensions), ask, assignment)
            check_end(case.authorization, product, now, renewed.expires_at)
            return _renew(authority, connection, case, renewed)
    if held and not case.is_concurrent:
        raise rules.taken(held[0], ask.machine)
    # A session here gives its seats to the borrow: the two together take each seat once.
    sessions_here = sessions.active_here(connection, case.member.id, product.id, ask.machine, now)
    if case.is_concurrent:
        pool = pools.pool(connection, product, now, without=sessions_here)
        features = pool.served(features, case.member.groups, borrowing=True)
    borrow = _new_borrow(authority, case, features, rule, ends_at)
    stored.insert_borrow(connection, borrow, case.member.id)
    for session_id in sessions_here:
        sessions.drop_seats(connection, session_id, features.all())
    return _give(authority, connection, case, borrow, kind=EventKind.CHECKOUT)


def _new_borrow(authority: Authority, case: Case, features: Features, rule: OfflineRule, ends_at: datetime) -> Borrow:
    return Borrow(
        id=authority.fresh_id(),
        member=case.member.username,
        user_type=case.member.user_type,
        groups=case.member.groups,
        product=case.product.id,
        level=features.level,
        extensions=features.extensions,
        machine=case.ask.machine,
        user=case.ask.user,
        issued_at=case.now,
        expires_at=ends_at,
        ended_at=None,
        ended_by=None,
        end_reason=None,
        seat_free_at=ends_at,
        decided_by=rule.decided_by,
    )


def _renew(authority: Authority, connection: Connection, case: Case, borrow: Borrow) -> _Answer:
    stored.update_borrow(connection, borrow)
    return _give(authority, connection, case, borrow, kind=EventKind.RENEWAL)


def _give(authority: Authority, connection: Connection, case: Case, borrow: Borrow, *, kind: EventKind) -> _Answer:
    """Writes the token and the log rows beside the borrow; the caller's transaction makes them one."""
    token = _new_token(authority, connection, case, borrow)
    stored.insert_token(connection, token)
    events.append(connection, borrow_events(kind, borrow, case.actor), authority.clock())
    return _Answer(borrow, token, is_new=True)


def _new_token(authority: Authority, connection: Connection, case: Case, borrow: Borrow) -> Token:
    organization, authorization = authority.organization(connection), case.authorization
    index = stored.free_status_index(connection, _places(authority, organization.status_size))
    if index is None:
        raise StorageUnavailable(f"no free place in the status list of {organization.status_size} was found")
    issuer, jti = authority.issuer(connection, authorization), authority.fresh_id()
    return Token(
        jti=jti,
        borrow_id=borrow.id,
        request_jti=case.ask.jti,
        request_digest=case.ask.digest,
        payload=issuing.borrow_payload(
            borrow, authorization, jti=jti, now=case.now, status_index=index, status_uri=organization.status_uri
        ),
        kid=issuer.current_kid("borrow", case.now),
        status_index=index,
        status_seq=status_lists.refreshed_seq(authority, connection, authorization.seq),
        authorization_seq=authorization.seq,
        expires_at=borrow.expires_at,
    )


def _places(authority: Authority, size: int) -> Iterator[int]:
    """Places drawn at random, so that a list shows nobody which places belong together."""
    for _ in range(DRAWS_OF_A_PLACE):
        yield int.from_bytes(authority.random_bytes(8)) % size


def file_of(authority: Authority, token: Token) -> bytes:
    """The file of a token: the same bytes as ever, made again from the rows and signed after they were committed."""
    issuer, list_compact = authority.file_parts(token.authorization_seq, token.status_seq)
    return issuing.borrow_file(issuer, token.payload, token.kid, list_compact)


def show(authority: Authority, actor: Actor, borrow_id: str) -> Borrow:
    """One borrow, for its member or who may view all. Raises NotFound, also for another member's."""
    with authority.database.read() as connection:
        found = stored.get(connection, borrow_id)
    if found is None or (found.member != actor.username and not actor.has(Privilege.VIEW_BORROWS)):
        raise NotFound(f'there is no borrow "{borrow_id}"', borrow_id=borrow_id)
    return found


def newest_file(authority: Authority, actor: Actor, borrow_id: str) -> bytes:
    """The file of a borrow's latest token again, for when it was lost on the way."""
    show(authority, actor, borrow_id)
    with authority.database.read() as connection:
        token = stored.newest_token(connection, borrow_id)
    return file_of(authority, token)


def listed(authority: Authority, actor: Actor, wanted: stored.Filter) -> tuple[list[Borrow], str | None]:
    """A page of borrows, newest first, and the cursor of the next page; who may not view all gets their own."""
    if not actor.has(Privilege.VIEW_BORROWS):
        wanted = replace(wanted, member=actor.username)
    with authority.database.read() as connection:
        found = stored.listed(connection, wanted, authority.now())
    page = found[: wanted.limit]
    return page, page[-1].id if len(found) > wanted.limit else None


def every(authority: Authority, actor: Actor, wanted: stored.Filter) -> Iterator[Borrow]:
    """All borrows that `listed` gives page by page; the first page is read at once, the others when it is their turn.

    Between pages nothing is held open, however slowly somebody reads.
    """
    wanted = replace(wanted, limit=PAGE)
    return _paged(authority, actor, wanted, *listed(authority, actor, wanted))


def _paged(
    authority: Authority, actor: Actor, wanted: stored.Filter, page: list[Borrow], cursor: str | None
) -> Iterator[Borrow]:
    yield from page
    while cursor is not None:
        page, cursor = listed(authority, actor, replace(wanted, after=cursor))
        yield from page
