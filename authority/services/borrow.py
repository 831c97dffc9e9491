"""Borrowing: a signed request in, a borrow file out. The same request always gets the same file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from authority.domain import borrows as rules
from authority.domain.borrows import Ask, Borrow, Features
from authority.domain.catalogue import KeyUse
from authority.domain.entitlement import check_still_given, entitled
from authority.domain.events import EventKind, UseMode, borrow_events
from authority.domain.members import Actor, Member, Privilege, user_key
from authority.domain.offline_rules import OfflineRule, check_end, effective, end_of_borrow
from authority.domain.refusals import InvalidInput, NoSuchProduct, NotFound, RequestInvalid, RequestReplayed, StorageUnavailable
from authority.domain.tokens import Token
from authority.services import filters, going_out, seats, status_lists
from authority.services.clones import mark_clones
from authority.services.context import Authority
from authority.services.seats import Case
from authority.services.unit import Unit
from authority.signing import inbox, issuing
from authority.storage import borrowing, borrows, holds, members, tokens
from authority.storage.borrowing import Situation
from authority.storage.borrows import Filter
from authority.storage.db.prepared import pipeline
from authority.storage.erasures import NO_PAYLOAD

DRAWS_OF_A_PLACE = 64
# Each page looks for its beginning anew, so that large ones are faster; one is some ten megabytes.
PAGE = 5000


@dataclass(frozen=True, slots=True)
class Issued:
    """The answer to a request: the borrow, the bytes of its file, and whether this was the first answer."""

    borrow: Borrow
    file: bytes
    is_new: bool


def issue(unit: Unit, request: str, member: str | None = None, *, days: int | None = None, dry_run: bool = False) -> Issued:
    """Grants, renews or refuses what a signed request asks for; sent again, the same request gets the same file.

    Args:
        unit: of the member, or of an administrator for a member.
        request: the compact `borrow-request+jwt`.
        member: for whom, when the actor is an administrator and the request does not say.
        days: how long, where the request does not say.
        dry_run: decide and keep nothing, not even a denial; the answer has no file.

    Raises:
        RequestInvalid, RequestReplayed, NotAllowed, NotFound: nothing is written.
        BorrowRefused, NoSuchProduct: a rule says no, or there is no such product, level or extension; a denial is in the log.
    """
    ask = inbox.read_request(request)
    if days is not None:
        ask = _for_days(ask, days)
    with unit.writing(keep=not dry_run):
        username = _for_whom(unit, member, ask)
        product = unit.authorization.products.get(ask.product)
        situation = borrowing.situation(unit.connection, ask, username, product, unit.now)
        holder = _checked_member(unit.actor, situation.member, username)
        # An answer of before comes first: the product may have left the authorization since.
        if situation.token is not None:
            borrow, token = _answered(unit, situation.token, ask, holder), situation.token
        else:
            borrow, token = _granted(unit, ask, holder, situation)
    return Issued(borrow, b"" if dry_run else file_of(unit.authority, token), is_new=situation.token is None)


def _for_days(ask: Ask, days: int) -> Ask:
    """What is asked for, with the days that are chosen here. Raises InvalidInput when the request says how long itself."""
    if ask.days is not None or ask.until is not None:
        raise InvalidInput(
            "the request says itself how long", hint="Leave the days out here, or make another request without them."
        )
    return replace(ask, days=days)


def _for_whom(unit: Unit, member: str | None, ask: Ask) -> str:
    """The user name of the member to borrow for: who is named, else the actor.

    Raises RequestInvalid for a request to another organization, InvalidInput.
    """
    if ask.organization is not None and ask.organization != unit.organization.id:
        raise RequestInvalid(f'the request is for the organization "{ask.organization}", this is "{unit.organization.id}"')
    name = member or ask.member or (unit.actor.username if unit.actor.member_id is not None else None)
    if name is None:
        raise InvalidInput("the request names no member", hint="Say for whom: --member NAME")
    if member is not None and ask.member is not None and user_key(member) != user_key(ask.member):
        raise InvalidInput(f"the request was made for {ask.member}, not for {member}")
    return name


def _checked_member(actor: Actor, member: Member | None, username: str) -> Member:
    """The member itself. Only an administrator borrows for others (NotAllowed); raises NotFound when there is none."""
    if member is None or member.id != actor.own_number:
        actor.needs(Privilege.ACT_FOR_MEMBERS)
    if member is None:
        raise NotFound(f'there is no member "{username}"', member=username)
    return member


def _answered(unit: Unit, token: Token, ask: Ask, member: Member) -> Borrow:
    """The borrow that this very request got. Raises RequestReplayed for another text or member under its number."""
    borrow = borrows.get(unit.connection, token.borrow_id)
    if token.request_digest != ask.digest or borrow is None or borrow.member_id != member.id:
        raise RequestReplayed("another request with this number, or by another member, was answered before", jti=ask.jti)
    return borrow


def _granted(unit: Unit, ask: Ask, member: Member, situation: Situation) -> tuple[Borrow, Token]:
    """What is decided of a new request, written. Raises BorrowRefused, NoSuchProduct; then the denial is recorded."""
    try:
        product = unit.authorization.product(ask.product)
    except NoSuchProduct as error:
        unit.record_denial(seats.denial_without_product(unit.actor, member, ask, error, UseMode.BORROW, ask.until))
        raise
    case = Case(unit.actor, member, ask, unit.authorization, product, unit.now)
    try:
        kind, borrow = _decided(unit, case, situation)
    except seats.DENIED as error:
        unit.record_denial(seats.denial(case, situation.assignment, error, UseMode.BORROW, ask.until))
        raise
    token = _written(unit, case, situation, kind, borrow)
    if situation.clone_evidence is not None:
        borrow = mark_clones(unit, borrow, situation.clone_evidence)
    return borrow, token


def _decided(unit: Unit, case: Case[Ask], situation: Situation) -> tuple[EventKind, Borrow]:
    """A renewal on the machine that has the borrow, a new borrow, or a refusal; nothing is written."""
    ask, product, now, assignment = case.ask, case.product, case.now, situation.assignment
    rules.check_age(ask, now)
    rules.check_place(ask.machine, containers=unit.authority.containers)
    unit.membership.check_admitted(case.member.role)
    features = entitled(case.member, ask, case.authorization, product, assignment, situation.assigned)
    rule = effective(situation.rules, case.member, product.id)
    ends_at = end_of_borrow(rule, case.authorization, product, now, ask.days, ask.until)
    for borrow in situation.borrows:
        if borrow.ended_by is None and borrow.is_on(ask.machine, ask.user):
            if ask.prev is not None and not situation.is_receipt_known:
                raise rules.receipt_outstanding(borrow)
            renewed = replace(rules.renewed(borrow, product, ask, ends_at), status_max_age=rule.status_max_age)
            check_still_given(product, Features(borrow.level, borrow.extensions), ask, assignment)
            check_end(case.authorization, product, now, renewed.expires_at)
            return EventKind.RENEWAL, renewed
    if product.is_concurrent:
        features = situation.pool(product).grant(features, case.member.groups, borrowing=True)
    elif situation.borrows:
        raise rules.taken(situation.borrows[0], ask.machine)
    elif situation.elsewhere:
        raise rules.in_use_elsewhere(product, situation.elsewhere)
    return EventKind.CHECKOUT, _new_borrow(unit, case, features, rule, ends_at)


def _new_borrow(unit: Unit, case: Case[Ask], features: Features, rule: OfflineRule, ends_at: datetime) -> Borrow:
    return Borrow(
        id=unit.authority.fresh_id(),
        member_id=case.member.id,
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
        status_max_age=rule.status_max_age,
    )


def _written(unit: Unit, case: Case[Ask], situation: Situation, kind: EventKind, borrow: Borrow) -> Token:
    """Writes the borrow, its token and its log rows, and returns the token; the unit makes them one."""
    status_seq = status_lists.refreshed_seq(unit, situation.newest_list, borrow.status_max_age)
    with pipeline(unit.connection):
        members.touch(unit.connection, case.member.id, unit.now)
        if kind is EventKind.RENEWAL:
            borrows.update(unit.connection, borrow)
        else:
            borrows.insert(unit.connection, borrow, case.member.id)
            for session_id in situation.sessions_here:
                holds.give_up(unit.connection, session_id, (borrow.level, *borrow.extensions))
        last_grant = max(situation.sessions_here.values(), default=borrow.seat_free_at)
        if last_grant > borrow.seat_free_at:
            # What is taken over from a session here is taken until its grant has ended, too.
            holds.hold_until(unit.connection, borrow.id, last_grant)
    token = _new_token(unit, case.ask, borrow, status_seq)
    unit.record(borrow_events(kind, borrow, case.actor))
    return token


def _new_token(unit: Unit, ask: Ask, borrow: Borrow, status_seq: int) -> Token:
    """The token, written with a place in the status list drawn at random, so that a list shows nobody which belong together.

    Raises StorageUnavailable when no place was free after many draws.
    """
    organization, authorization, jti = unit.organization, unit.authorization, unit.authority.fresh_id()
    kid = unit.issuer.current_kid(KeyUse.BORROW, unit.now)
    for _ in range(DRAWS_OF_A_PLACE):
        place = int.from_bytes(unit.authority.random_bytes(8)) % organization.status_size
        payload = issuing.payload(
            borrow.license(), authorization, jti=jti, now=unit.now, status_index=place, status_uri=organization.status_uri
        )
        token = Token(
            jti=jti,
            borrow_id=borrow.id,
            request_jti=ask.jti,
            request_digest=ask.digest,
            request_number=ask.number,
            returns=ask.returns,
            payload=payload,
            kid=kid,
            status_index=place,
            status_seq=status_seq,
            authorization_seq=authorization.seq,
            expires_at=borrow.expires_at,
        )
        if tokens.insert(unit.connection, token):
            return token
    raise StorageUnavailable(f"no free place in the status list of {organization.status_size} was found")


def file_of(authority: Authority, token: Token) -> bytes:
    """The file of a token: the same bytes as ever, made again from the rows and signed after they were committed.

    The token and the status list in its file are recorded outside the database before they leave. Raises DatabaseBehind, DiskFull,
    NotPermitted or DiskFailed: then they must not; the same request gets them again later.
    """
    issuer, list_compact = authority.file_parts(token.authorization_seq, token.status_seq)
    data = issuing.borrow_file(issuer, token.payload, token.kid, list_compact)
    going_out.list_leaves(authority, issuer.authorization, token.status_seq, list_compact)
    authority.issued.append(token)
    return data


def show(unit: Unit, borrow_id: str) -> Borrow:
    """One borrow, for its member or who may view all. Raises NotFound, also for another member's."""
    with unit.reading():
        return _shown(unit, borrow_id)


def newest_file(unit: Unit, borrow_id: str) -> bytes:
    """The file of a borrow's latest token again, for when it was lost on the way.

    Raises NotFound as `show` does, and once its member was erased.
    """
    with unit.reading():
        _shown(unit, borrow_id)
        token = tokens.newest(unit.connection, borrow_id)
    if token.payload == NO_PAYLOAD:
        raise NotFound("there is no file of this borrow any more: its member was erased")
    return file_of(unit.authority, token)


def _shown(unit: Unit, borrow_id: str) -> Borrow:
    borrow = borrows.get(unit.connection, borrow_id)
    if borrow is None or (borrow.member_id != unit.actor.own_number and not unit.actor.has(Privilege.VIEW_BORROWS)):
        raise NotFound(f'there is no borrow "{borrow_id}"', borrow_id=borrow_id)
    return borrow


def listed(unit: Unit, wanted: Filter) -> tuple[list[Borrow], str | None]:
    """A page of borrows in their order, and the cursor of the next page; who may not view all gets their own.

    Raises NotFound, NoSuchProduct for a filter by what there is not.
    """
    with unit.reading():
        if unit.actor.has(Privilege.VIEW_BORROWS):
            filters.check(
                unit,
                member=wanted.member,
                product=wanted.product,
                group=wanted.group,
                user_type=wanted.user_type,
                machine=wanted.machine,
            )
        else:
            unit.actor.needs(Privilege.OWN_LICENSES)
            wanted = replace(wanted, member=None, member_id=unit.actor.own_number)
        rows = borrows.listed(unit.connection, wanted, unit.now)
    page = rows[: wanted.limit]
    return page, page[-1].id if len(rows) > wanted.limit else None


def every(unit: Unit, wanted: Filter) -> Iterator[Borrow]:
    """All borrows that `listed` gives page by page; the first page is read at once, the others when it is their turn.

    Between pages nothing is held open, however slowly somebody reads.
    """
    wanted = replace(wanted, limit=PAGE)
    return _paged(unit, wanted, *listed(unit, wanted))


def _paged(unit: Unit, wanted: Filter, page: list[Borrow], cursor: str | None) -> Iterator[Borrow]:
    yield from page
    while cursor is not None:
        page, cursor = listed(unit, replace(wanted, after=cursor))
        yield from page
