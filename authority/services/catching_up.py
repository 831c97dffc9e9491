"""Catching up with what went out: the numbers jump over all of it, and what the database has lost is taken in again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from authority.domain import endings as rules
from authority.domain.borrows import Borrow, BorrowState
from authority.domain.events import Event, EventKind, borrow_events
from authority.domain.members import Member, Privilege, Role
from authority.domain.refusals import AuthorizationUnusable
from authority.domain.tokens import Token
from authority.services import reconciling, seals, status_lists
from authority.services.reconciling import Comparison, Node, Orphan
from authority.services.unit import Unit
from authority.signing import authorizations, checkpoints, own_texts
from authority.signing.floors import Floor, Numbered
from authority.storage import borrows, events, members, organization, tokens
from authority.storage import status_lists as lists
from authority.storage.members import MemberChange
from authority.storage.status_lists import PublishedList

# More than any authority does for long; a list is published each second at the most, and by commands a few more.
LISTS_A_SECOND, EVENTS_A_SECOND = 1, 10
# And for those of the last moments before.
LISTS_AT_ONCE, EVENTS_AT_ONCE = 100, 10_000
DECIDED_BY = "taken in from the record of what went out"
ENDED_BY_LIST = "ended by a status list that went out; the database does not know how"


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What was taken in, or would be, and the number of the list that is published then; None where nothing was behind."""

    comparison: Comparison
    taken_in: tuple[Orphan, ...]
    published: PublishedList | None

    @property
    def list_seq(self) -> int | None:
        """The number of that list."""
        return None if self.published is None else self.published.seq


@dataclass(frozen=True, slots=True)
class Beyond:
    """How far the log of a database went that is replaced: the next event has a higher number."""

    last_event: int


def catch_up(unit: Unit, others: Iterable[Node] = (), *, jump: bool = False, dry_run: bool = False) -> CaughtUp:
    """Takes in what went out from this node and others, and publishes a list whose number is above all that may have gone out.

    Borrows that a list ended are ended here too, places of tokens that nobody knows stay ended, and tokens that the database has
    lost are there again with their borrows and seats. Where nothing is behind, nothing is done, unless `jump` says that the
    records were lost too. Raises NotAllowed, DatabaseBehind (another organization's), AuthorizationUnusable, KeyUnusable.
    """
    nodes = [reconciling.this_node(unit), *others]
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        result = caught_up(unit, reconciling.compared(unit, nodes), jump=jump)
    if not dry_run:
        raise_floor(unit, result)
    unit.authority.remembered.clear()
    return result


def caught_up(unit: Unit, comparison: Comparison, *, jump: bool = False, beyond: Beyond | None = None) -> CaughtUp:
    """Does what `catch_up` says within the transaction that is under way; `raise_floor` follows once it is kept."""
    named = comparison.floor.organization
    if named not in (None, unit.organization.id) and comparison.behind is not None:
        raise comparison.behind
    if not (comparison.takes_in or jump):
        return CaughtUp(comparison, (), None)
    unit.lock_organization()
    _install_lost_authorization(unit, comparison.floor.authorization)
    taken_in = tuple(orphan for orphan in comparison.orphans if orphan.clash is None)
    return CaughtUp(comparison, taken_in, _write(unit, comparison, taken_in, beyond))


def raise_floor(unit: Unit, result: CaughtUp) -> None:
    """Records the list that was published, so that what is below it is known to be so. Raises what recording raises."""
    floor, published = result.comparison.floor, result.published
    if published is not None:
        floor = floor.raised(Floor(unit.organization.id, status_list=Numbered(published.seq, published.compact)))
    unit.authority.floors.raise_to(floor)
    seals.newest_leaves(unit)


def _install_lost_authorization(unit: Unit, newest: Numbered | None) -> None:
    """Puts the newest authorization that went out into force again, where the database has an older one.

    One that the organization's trust file of then does not know stays out: `authorization install` takes it with the vendor's.
    """
    if newest is None or newest.number <= unit.authorization.seq:
        return
    trust_file = unit.organization.trust_file
    try:
        lost = authorizations.read(newest.text, trust_file)
    except AuthorizationUnusable:
        return
    organization.add_authorization(unit.connection, lost, trust_file, unit.at)
    words = f"number {lost.seq}, which went out and was lost"
    unit.record([Event(kind=EventKind.AUTHORIZATION_INSTALLED, actor=unit.actor.username, reason=words)])
    unit.lock_organization()


def _write(unit: Unit, comparison: Comparison, taken_in: Iterable[Orphan], beyond: Beyond | None) -> PublishedList:
    connection, before, out = unit.connection, lists.newest(unit.connection), comparison.floor.status_list
    highest, since = (0, unit.organization.created_at) if before is None else (before.seq, before.issued_at)
    if out is not None and out.number > highest:
        # It is kept too, so that the next one names it as the one before.
        item, highest = own_texts.status_list_of(out.text), out.number
        lists.append(connection, PublishedList(out.number, item.packed, out.text, item.issued_at, unit.authorization.seq))
    seq = highest + 1 + _most_since(since, unit.now, LISTS_A_SECOND, LISTS_AT_ONCE)
    _jump_events(unit, comparison.floor, 0 if beyond is None else beyond.last_event)
    for orphan in taken_in:
        _take_in(unit, orphan, seq)
    for borrow_id in comparison.revived:
        _end(unit, borrow_id)
    if comparison.lost_places:
        tokens.keep_places(connection, comparison.lost_places, reconciling.lost_until(unit, comparison.lists))
    words = "; ".join([*reconciling.sentences(comparison), f"the next status list is number {seq}"])
    if comparison.lost_checkpoint is not None or not seals.is_sound(unit):
        seals.restored(unit, comparison.lost_checkpoint)
    unit.record([Event(kind=EventKind.CAUGHT_UP, actor=unit.actor.username, reason=words)])
    return status_lists.publish_at(unit, seq)


def _most_since(since: datetime, now: datetime, each_second: int, at_once: int) -> int:
    """How many numbers may have been given out since then, where nobody knows."""
    return at_once + each_second * max(0, int((now - since).total_seconds()))


def _jump_events(unit: Unit, floor: Floor, before: int) -> None:
    """Who follows the log goes on after the number that they saw last: no event that comes later may have a lower one."""
    last, last_at = events.last(unit.connection), events.last_at(unit.connection) or unit.now
    sealed = 0 if floor.checkpoint is None else checkpoints.stated(floor.checkpoint.text).end.last
    events.jump(unit.connection, max(last, sealed, before) + _most_since(last_at, unit.now, EVENTS_A_SECOND, EVENTS_AT_ONCE))


def _take_in(unit: Unit, orphan: Orphan, list_seq: int) -> None:
    """The token is there again, and its borrow, its seats and its row in the log; what it needs and is lost too, is what is now."""
    connection, token = unit.connection, orphan.token
    borrow = borrows.get(connection, token.borrow_id, lock=True)
    kind = EventKind.CHECKOUT if borrow is None else EventKind.RENEWAL
    if borrow is None:
        borrow = _borrow_of(unit, orphan)
        borrows.insert(connection, borrow, borrow.member_id)
    elif borrow.ended_by is None and token.expires_at > borrow.expires_at:
        borrow = replace(borrow, expires_at=token.expires_at, seat_free_at=max(borrow.seat_free_at, token.expires_at))
        borrows.update(connection, borrow)
    was_ended = tokens.take_lost(connection, token.status_index)
    tokens.insert(connection, _token_of(unit, orphan, list_seq))
    unit.record(borrow_events(kind, borrow, unit.actor, DECIDED_BY), orphan.granted.issued_at)
    if orphan.is_ended or was_ended:
        _end(unit, borrow.id)


def _token_of(unit: Unit, orphan: Orphan, list_seq: int) -> Token:
    connection, token = unit.connection, orphan.token
    if lists.text_or_none(connection, token.status_seq) is None:
        token = replace(token, status_seq=list_seq)
    if not organization.has_authorization(connection, token.authorization_seq):
        token = replace(token, authorization_seq=unit.authorization.seq)
    if tokens.of_request(connection, token.request_jti) is not None:
        # The request was sent again, and has another answer meanwhile.
        token = replace(token, request_jti=token.jti)
    return token


def _borrow_of(unit: Unit, orphan: Orphan) -> Borrow:
    granted, member = orphan.granted.license, _member(unit, orphan)
    return Borrow(
        id=granted.id,
        member_id=member.id,
        member=member.username,
        user_type=member.user_type,
        groups=member.groups,
        product=granted.product,
        level=granted.level,
        extensions=granted.extensions,
        machine=granted.machine,
        user=granted.user,
        issued_at=orphan.granted.issued_at,
        expires_at=granted.ends_at,
        ended_at=None,
        ended_by=None,
        end_reason=None,
        seat_free_at=granted.ends_at,
        decided_by=DECIDED_BY,
        status_max_age=granted.status_max_age,
    )


def _member(unit: Unit, orphan: Orphan) -> Member:
    """Whose the borrow is; one who is not in the database any more is there as one who was removed, with nothing but the name."""
    username = orphan.granted.license.member
    member = members.by_username(unit.connection, username)
    if member is not None:
        return member
    former = Member(0, username, "", "", Role.MEMBER, disabled=True, groups=(), created_at=orphan.granted.issued_at)
    (number,) = members.add(unit.connection, [MemberChange(None, former)])
    members.remove(unit.connection, number, unit.now)
    return replace(former, id=number)


def _end(unit: Unit, borrow_id: str) -> None:
    """A list that went out says that the borrow ended, and not how: withdrawn, its seat stays taken until its end by time."""
    borrow = borrows.get(unit.connection, borrow_id, lock=True)
    if borrow is not None and borrow.state(unit.now) is BorrowState.ACTIVE:
        after = rules.revoked(borrow, ENDED_BY_LIST, unit.now)
        borrows.update(unit.connection, after)
        unit.record(borrow_events(EventKind.REVOCATION, after, unit.actor, reason=ENDED_BY_LIST))
