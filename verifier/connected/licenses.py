"""A license with a line: start a session, borrow, check in. The rules are those of carried files: same machine, same OS user, same account."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from verifier.connected.authority import Authority
from verifier.core import claims, files, steps
from verifier.core.grant import Demand, Grant
from verifier.core.jose import COMPACT, strict_object
from verifier.core.keys import decode
from verifier.core.times import rfc3339_of, seconds_of
from verifier.errors import (
    AnswerUnusable,
    CarnetError,
    ClockInDoubt,
    Expired,
    GivenUp,
    KeyNotValid,
    NoBorrow,
    NotActivatedInTime,
    Refused,
    Revoked,
    StatusListMissing,
    StatusListStale,
    UnknownKey,
    WrongBinding,
)
from verifier.workstation import carry, install, licensing
from verifier.workstation.carry import Wish
from verifier.workstation.check import License, licenses
from verifier.workstation.clock import wall_seconds
from verifier.workstation.installed import BorrowInstalled
from verifier.workstation.licensing import Pending
from verifier.workstation.store import Store

ENDED = "session-ended"
# What an answer can have become by the time it is here: of no use, however often it is asked for.
COME_TOO_LATE = (
    Expired,
    Revoked,
    GivenUp,
    NotActivatedInTime,
    KeyNotValid,
    UnknownKey,
    WrongBinding,
    # It has the list of when it was made; a new one has a new list.
    StatusListStale,
    StatusListMissing,
)
# Refusals of the request itself, too old or answered for somebody else, and not of what it asks for.
OF_THE_REQUEST = frozenset(["request-invalid", "request-replayed"])


class Started(NamedTuple):
    """What is good here now: a session's grant, or the offline license that was there already (`is_offline`)."""

    license: BorrowInstalled
    is_offline: bool


class CheckedIn(NamedTuple):
    """What was given back: a borrow or a session (`is_session`).

    `seat_free_at` is when the last grant of the session here ends, and with it the seat is free (RFC 3339); None for now.
    """

    product: str
    is_session: bool
    seat_free_at: str | None


def start(store: Store, authority: Authority, wish: Wish, now: datetime | None = None) -> Started:
    """Starts a session of a product on this machine, or uses the one that is here again: it lasts so much longer.

    With an offline license of the product nothing is asked: it covers what is wished for, or LevelNotGranted or
    ExtensionNotGranted is raised. Raises Refused; for a session that an administrator ended once, with the time to save by.
    """
    here = _installed(store, wish.product, now)
    evidence = None if here is None else here.evidence
    borrow = None if evidence is None else evidence.borrow
    if here is not None and evidence is not None and here.grant is not None and not evidence.borrow.is_session:
        licensed = evidence.authorization.product(evidence.borrow.product)
        steps.check_demand(evidence.borrow, Demand(wish.product, wish.level, tuple(wish.extensions or ())), licensed)
        return Started(_as_installed(here.grant), is_offline=True)
    request = carry.signed_request(store, wish, claims.SESSION_REQUEST_TYP, now)
    session_id = borrow.borrow_id if borrow is not None and borrow.is_session else None
    data = None if session_id is None else _used_again(store, authority, wish.product, session_id, request)
    data = data or authority.start(request)
    with _of_now(now):
        installed = _kept(store, data, wish.product, is_session=True, now=now)
    licensing.keep(store, licensing.read(store).with_session(wish.product, str(_stated(data)["bid"])))
    return Started(installed, is_offline=False)


def _used_again(store: Store, authority: Authority, product: str, session_id: str, request: str) -> bytes | None:
    """Another grant of the session here; None when it is over and a new one is to be started.

    Of an ending by an administrator the user is told once, with the time to save by (seed S1).
    """
    settings = licensing.read(store)
    ended = settings.told.get(product)
    if ended is not None and ended.session == session_id:
        return None
    try:
        return authority.use(session_id, request)
    except Refused as error:
        if error.code not in (ENDED, "not-found"):
            raise
        save_by = error.evidence.get("save_by")
        if save_by is None:
            return None
        licensing.keep(store, settings.with_told(product, licensing.Ended(session_id, seconds_of(save_by))))
        raise


def borrow(store: Store, authority: Authority, wish: Wish, now: datetime | None = None) -> BorrowInstalled:
    """Takes a license offline. What was asked before and not answered is sent again, byte for byte, before anything new is asked.

    An answer that has ended or was revoked on its way, or a request that has become too old, is settled by that: a new one is made.
    Raises Refused, after which nothing is pending; NotReached, after which saying the same again costs nothing.
    """
    text = json.dumps(asdict(wish), sort_keys=True)
    pending = licensing.read(store).pending.get(wish.product)
    if pending is not None:
        installed = _sent_again(store, authority, wish.product, pending, is_same=pending.wish == text, now=now)
        if installed is not None:
            return installed
    pending = Pending(text, carry.signed_request(store, wish, claims.REQUEST_TYP, now))
    licensing.keep(store, licensing.read(store).with_pending(wish.product, pending))
    with _of_now(now):
        return _answered(store, authority, wish.product, pending, now)


def _sent_again(
    store: Store, authority: Authority, product: str, pending: Pending, *, is_same: bool, now: datetime | None
) -> BorrowInstalled | None:
    """What comes for a request that was sent before, when it `is_same` as what is wished for now.

    None when something new is to be asked for: the authority may have granted another wish, and what is out must be known here, to be
    returned; or the answer has come too late to be of use, or the request has. Nothing is pending any more then.
    """
    try:
        installed = _answered(store, authority, product, pending, now)
    except Refused as error:
        if is_same and error.code not in OF_THE_REQUEST:
            raise
    except AnswerUnusable:
        if is_same:
            raise
    except COME_TOO_LATE:
        pass
    else:
        return installed if is_same else None
    licensing.keep(store, licensing.read(store).without_pending(product))
    return None


def _answered(store: Store, authority: Authority, product: str, pending: Pending, now: datetime | None) -> BorrowInstalled:
    try:
        data = authority.borrow(pending.request)
    except Refused:
        licensing.keep(store, licensing.read(store).without_pending(product))
        raise
    installed = _kept(store, data, product, is_session=False, now=now)
    licensing.keep(store, licensing.read(store).without_pending(product))
    return installed


def check_in(store: Store, authority: Authority, product: str, now: datetime | None = None) -> CheckedIn:
    """Gives back what is here of a product. Nothing stops working here before the authority was heard and knows it as this account's.

    A borrow whose answer was lost is asked for again before, for it has a seat. May be said again until it is done: the receipt stays
    the same. Raises NoBorrow, Refused, NotReached, and NotGood on another
    machine or as another user.
    """
    pending = licensing.read(store).pending.get(product)
    if pending is not None:
        _sent_again(store, authority, product, pending, is_same=False, now=now)
    here = _installed(store, product, now)
    if here is None or here.evidence is None:
        raise (
            NoBorrow(f'nothing of "{product}" is here to be checked in', product=product) if here is None else _unreadable(here)
        )
    borrow_id = here.evidence.borrow.borrow_id
    if here.evidence.borrow.is_session:
        free_at = _end(authority, borrow_id)
        store.remove_borrow(product)
        return CheckedIn(product, is_session=True, seat_free_at=free_at)
    authority.check_own(borrow_id)
    receipt = files.parse(install.give_up(store, product, now), "return")[1]["receipt"]
    authority.check_in(receipt)
    # The borrow took the place of a session here, which has the seat again until its last grant ends.
    session_id, free_at = licensing.read(store).sessions.get(product), None
    if session_id is not None:
        # One that is not this account's holds no seat of it.
        with contextlib.suppress(Refused):
            free_at = _end(authority, session_id)
    return CheckedIn(product, is_session=False, seat_free_at=free_at)


def _end(authority: Authority, session_id: str) -> str | None:
    """Ends a session that may be over already; returns when its seat is free (RFC 3339), None when the authority does not say."""
    try:
        return authority.end(session_id)
    except Refused as error:
        if error.code != ENDED:
            raise
        free_at = seconds_of(error.evidence.get("seat_free_at"))
        return None if free_at is None else rfc3339_of(free_at)


def _unreadable(here: License) -> CarnetError:
    return here.error or NoBorrow(f'nothing of "{here.product}" can be read here', product=here.product)


def _installed(store: Store, product: str, now: datetime | None) -> License | None:
    return next((item for item in licenses(store, now) if item.product == product), None)


def _kept(store: Store, data: bytes, product: str, *, is_session: bool, now: datetime | None) -> BorrowInstalled:
    """Installs what the authority answered with, as a carried file; of another product or kind it is not taken."""
    stated = _stated(data)
    uri = f"urn:carnet:{stated.get('iss')}:sessions"
    if stated.get("aud") != product or (stated.get("status") == {"status_list": {"idx": 0, "uri": uri}}) != is_session:
        raise AnswerUnusable(f'the authority answers with something else than was asked for of "{product}"')
    installed = install.install(store, data, now)
    if not isinstance(installed, BorrowInstalled):
        raise AnswerUnusable(f'the authority answers with something else than was asked for of "{product}"')
    return installed


@contextlib.contextmanager
def _of_now(now: datetime | None) -> Iterator[None]:
    """A block in which the authority is asked for something new. Raises ClockInDoubt where that has ended by this machine's clock."""
    try:
        yield
    except Expired as error:
        wall = wall_seconds(now)
        raise ClockInDoubt(
            f"this machine says it is {rfc3339_of(wall)}, and what the authority gave just now has ended by then",
            clock_at=rfc3339_of(wall),
        ) from error


def _stated(data: bytes) -> dict[str, object]:
    """What the token in a borrow file says, unverified: whether to install it at all, which verifies it."""
    compact = files.parse(data, "borrow")[1]["borrow"]
    match = COMPACT.match(compact) if isinstance(compact, str) else None
    if match is None:
        raise AnswerUnusable("the authority answers with a borrow file without a token")
    return strict_object(decode(match[2]))


def _as_installed(grant: Grant) -> BorrowInstalled:
    expires_at = int(grant.expires_at.timestamp())
    return BorrowInstalled(grant.product, grant.level, tuple(grant.extensions), expires_at, is_new=False)
