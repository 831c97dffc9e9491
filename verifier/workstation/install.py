"""What changes this workstation's state: installing files that were carried here, and giving a borrow up."""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any, NamedTuple

from verifier import errors
from verifier.core import claims, clock, files, opening, status, steps
from verifier.core.clock import Reading
from verifier.core.grant import Demand, Workstation
from verifier.core.keys import digest_of
from verifier.core.opening import Evidence, StatusFile
from verifier.core.state import State, Tombstone
from verifier.core.status import StatusList
from verifier.core.times import rfc3339_of
from verifier.core.trust import Authorization, TrustStore
from verifier.workstation import carry
from verifier.workstation.check import note, this_workstation
from verifier.workstation.clock import reading, wall_seconds
from verifier.workstation.clock_reset import install_reset
from verifier.workstation.installed import (
    AuthorizationInstalled,
    BorrowInstalled,
    Installed,
    StatusListInstalled,
    TrustInstalled,
    TrustUpdated,
)
from verifier.workstation.store import Store, damaged


def install(store: Store, data: bytes, now: datetime | None = None) -> Installed:
    """Checks a file of any kind that a workstation keeps, and keeps it. Returns what was installed.

    A file that does not pass changes nothing, nor does one that was signed more than a day ahead of this machine's clock
    (ClockInDoubt). Raises NotGood, NotChecked.
    """
    kind, members = files.parse(data)
    if kind in ("request", "return"):
        raise errors.Malformed(f"{files.named(kind)} is for the authority", hint="Carry it to the administrator.", kind=kind)
    if kind == "checkpoint":
        raise errors.Malformed(
            "a checkpoint file is of the authority's log: there is nothing to install",
            hint="Keep it: the authority's log is compared with it later.",
            kind=kind,
        )
    with store.locked():
        time = reading(now)
        if kind == "trust":
            return _install_trust(store, data, time.wall)
        if kind == "trust-update":
            return _install_trust_update(store, members["updates"], time.wall)
        if kind == "clock-reset":
            return install_reset(store, data, time)
        if kind == "authorization":
            return _install_authorization(store, members["authorization"], time.wall)
        if kind == "status":
            return _install_status(store, data, members, time.wall)
        return _install_borrow(store, data, members, time)


def _install_trust(store: Store, data: bytes, wall: int) -> TrustInstalled:
    trust = TrustStore.read(data)
    try:
        known = store.trust()
    except errors.NoTrust:
        clock.check_not_ahead(trust.succession.iat, wall)
        store.save_trust(data)
        return TrustInstalled(trust.organization, tuple(trust.roots), is_new=True)
    if trust.is_continued_in(known):
        return TrustInstalled(known.organization, tuple(known.roots), is_new=False)
    if not known.is_continued_in(trust):
        raise errors.UnknownKey(
            f'trust in "{known.organization}" with the root key {", ".join(known.roots)} is installed, '
            f'this file is of "{trust.organization}" with {", ".join(trust.roots)}',
            hint="Compare the root key thumbprint with the administrator. If the vendor has a new root key, install the trust update "
            "first. For another organization use another --home.",
        )
    clock.check_not_ahead(trust.succession.iat, wall)
    store.save_trust(data)
    _count_anew(store)
    return TrustInstalled(trust.organization, tuple(trust.roots), is_new=True)


def _count_anew(store: Store) -> None:
    machine_key = store.machine_key_thumbprint()
    if machine_key is not None:
        state = store.state_of(machine_key)
        state.count_anew()
        store.save_state(state)


def _install_trust_update(store: Store, updates: object, wall: int) -> TrustUpdated:
    known = store.trust()
    if not isinstance(updates, list):
        raise errors.Malformed('the trust update: "updates" must be an array')
    trust = known.continued_by(updates)
    clock.check_not_ahead(trust.succession.iat, wall)
    is_new = trust != known
    if is_new:
        store.save_trust(trust.as_file())
        _count_anew(store)
    return TrustUpdated(trust.organization, tuple(trust.roots), trust.succession.seq, is_new)


def _install_authorization(store: Store, compact: object, wall: int) -> AuthorizationInstalled:
    trust, state = store.trust(), store.state()
    authorization = trust.authorize(compact)
    clock.check_not_ahead(authorization.iat, wall)
    known = store.newest_authorization(trust)
    _keep_newer_authorization(store, str(compact), authorization, _Newest(known, state))
    news = [_forget_stolen(state, known, authorization), state.note_authorization(authorization)]
    if any(news) or authorization.iat > state.floor:
        state.floor = max(state.floor, authorization.iat)
        store.save_state(state)
    is_new = known is None or authorization.seq > known.seq
    return AuthorizationInstalled(authorization.organization, authorization.seq, is_new)


class _Newest(NamedTuple):
    """The newest authorization installed here, if any, and the state, which knows of one even when its file is gone."""

    authorization: Authorization | None
    state: State


def _keep_newer_authorization(
    store: Store, compact: str, authorization: Authorization, known: _Newest, *, strict: bool = True
) -> None:
    """Keeps the newer one. An older one, or another text of the same number, is refused when `strict` (NotAuthorized)."""
    known_seq = known.state.authorizations.get(authorization.organization, 0)
    if known.authorization is not None:
        known_seq = max(known_seq, known.authorization.seq)
        if authorization.seq == known.authorization.seq and authorization != known.authorization:
            raise errors.NotAuthorized(f"there are two different authorizations with seq {authorization.seq}")
    if authorization.seq < known_seq:
        if strict:
            raise errors.NotAuthorized(
                f"the authorization has seq {authorization.seq}, but seq {known_seq} is installed",
                hint="The newer one stays. Nothing needs to be done.",
                seq=authorization.seq,
                known_seq=known_seq,
            )
    elif known.authorization is None or authorization.seq > known.authorization.seq:
        store.save_authorization(files.render("authorization", {"authorization": compact}))


def _install_status(store: Store, data: bytes, members: dict[str, Any], wall: int) -> StatusListInstalled:
    trust, state = store.trust(), store.state()
    carried, known = opening.open_status(data, trust), store.newest_authorization(trust)
    status_list, authorization = carried.status_list, carried.authorization
    if known is not None and known.seq > authorization.seq:
        status_list = status.read(members["status_list"], known)
    signed_at = max(status_list.iat, authorization.iat)
    clock.check_not_ahead(signed_at, wall)
    installed = store.status_file(status_list.uri, trust)
    newest = authorization if known is None or known.seq < authorization.seq else known
    before = None if installed is None else _unless_stolen(installed.status_list, newest)
    is_forgotten = _forget_stolen(state, known, authorization)
    status.newest(before, status_list)
    state.check_list(status_list)
    _keep_newer_authorization(store, members["authorization"], authorization, _Newest(known, state), strict=False)
    store.save_status(status_list.uri, data)
    news = [state.note_list(status_list), state.note_authorization(authorization), _set_floor(state, before, status_list)]
    if is_forgotten or any(news) or signed_at > state.floor:
        state.floor = max(state.floor, signed_at)
        store.save_state(state)
    return StatusListInstalled(status_list.seq, status_list.iat, is_new=before is None or status_list.seq > before.seq)


def _unless_stolen(status_list: StatusList, newest: Authorization) -> StatusList | None:
    """The list that was here before; None when its key was stolen, so that its number says nothing."""
    key = newest.keys.get(status_list.kid)
    return None if key is not None and key.revoked else status_list


def _forget_stolen(state: State, known: Authorization | None, newer: Authorization) -> bool:
    """Lets the numbers of lists count anew where a newer authorization says that a status key was stolen. True when it does."""
    if known is not None and known.seq >= newer.seq:
        return False
    stolen = {kid for kid, key in newer.keys.items() if key.use == "status" and key.revoked}
    if known is not None:
        stolen -= {kid for kid, key in known.keys.items() if key.revoked}
    if not stolen or not state.lists:
        return False
    state.count_lists_anew()
    return True


def _set_floor(state: State, before: StatusList | None, newer: StatusList | None) -> bool:
    """Sets the floor back where a newer list says that the authority's clock had been ahead. True when it does."""
    floor = status.floor_after(state.floor, before, newer)
    if floor == state.floor:
        return False
    state.set_back(floor)
    return True


def _install_borrow(store: Store, data: bytes, members: dict[str, Any], time: Reading) -> BorrowInstalled:
    trust, machine_key = store.trust(), store.machine_key_thumbprint()
    state, known = store.state_of(machine_key), store.newest_authorization(trust)
    status_files = store.status_files(trust)
    evidence = opening.open_borrow(data, trust, status_files, known=known)
    borrow = evidence.borrow
    carried = _carried_list(members, evidence)
    signed_at = max(borrow.iat, evidence.authorization.iat, *(file.status_list.iat for file in carried))
    clock.check_not_ahead(signed_at, time.wall, borrow.clock_tolerance_seconds)
    beside = next((file.status_list for file in status_files if file.status_list.uri == borrow.status_uri), None)
    before = None if beside is None else _unless_stolen(beside, evidence.newest)
    remembered = state.claims()
    _forget_stolen(state, known, evidence.newest)
    _set_floor(state, before, evidence.status_list)
    note(state, time, [evidence])
    here = this_workstation(machine_key)
    steps.judge(evidence, here, time.wall, state=state)
    other = _other_token(store, borrow, _Known(trust, [*status_files, *carried], evidence.newest, here, state, time.wall))
    if other is not None:
        _check_holder(other, borrow)
    _keep_newer_authorization(store, members["authorization"], evidence.authorization, _Newest(known, state), strict=False)
    for file in carried:
        file_members = {name: members[name] for name in ("authorization", "status_list")}
        store.save_status(file.status_list.uri, files.render("status", file_members))
    _remember(state, evidence)
    if state.claims() != remembered:
        store.save_state(state)
    if other is not None and _is_newer(other, borrow):
        return BorrowInstalled(other.product, other.level, other.extensions, other.exp, is_new=False, is_earlier=True)
    store.save_borrow(borrow.product, data)
    is_new = other is None or other.jti != borrow.jti
    return BorrowInstalled(borrow.product, borrow.level, borrow.extensions, borrow.exp, is_new)


def _remember(state: State, evidence: Evidence) -> None:
    """Notes that the token came here in time, and the newest signed time that came with it."""
    borrow = evidence.borrow
    state.floor = max(state.floor, evidence.signed_at)
    # Old entries go by signed time alone: a clock set forward must not make this machine forget.
    state.activated = {jti: exp for jti, exp in state.activated.items() if exp > state.floor} | {borrow.jti: borrow.exp}


def _carried_list(members: dict[str, Any], evidence: Evidence) -> list[StatusFile]:
    """The list in the borrow file when it is the newest of all known; any other one says nothing and is not kept."""
    newest, compact = evidence.status_list, members["status_list"]
    if newest is None or not isinstance(compact, str) or digest_of(compact) != newest.digest:
        return []
    return [StatusFile(newest, compact, evidence.authorization)]


class _Known(NamedTuple):
    """What a token that is installed already is judged by, once what came with the new one is known."""

    trust: TrustStore
    status_files: list[StatusFile]
    newest: Authorization
    here: Workstation
    state: State
    wall: int


def _other_token(store: Store, borrow: claims.Borrow, known: _Known) -> claims.Borrow | None:
    """The installed token of the product: another one of this borrow, or of another borrow that may still run here.

    What is damaged, has ended or was given up is in nobody's way. Whose it is, is not asked here.
    """
    try:
        data = store.borrow_file(borrow.product)
        evidence = opening.open_borrow(data, known.trust, known.status_files, known=known.newest)
    except errors.CarnetError:
        return None
    other = evidence.borrow
    if other.borrow_id == borrow.borrow_id:
        return other
    # What cannot be checked now, for want of a fresh list, may be good again.
    with contextlib.suppress(errors.NotChecked):
        try:
            anyone = known.here._replace(user_id=None)
            steps.judge(evidence, anyone, known.wall, demand=Demand(borrow.product), state=known.state)
        except errors.NotGood:
            return None
    return other


def _check_holder(other: claims.Borrow, borrow: claims.Borrow) -> None:
    """Raises AlreadyBorrowed when the place is taken by the borrow of another member or OS user, whose seat stays taken.

    An application asks for a product and gets one answer, so that one folder has one borrow of it.
    """
    if other.borrow_id != borrow.borrow_id and (other.member, other.user_id) != (borrow.member, borrow.user_id):
        until = rfc3339_of(other.exp)
        raise errors.AlreadyBorrowed(
            f'"{other.product}" is borrowed here by {other.member} ({other.user_name}) until {until}; '
            f"this file is {borrow.member}'s ({borrow.user_name})",
            member=other.member,
            user=other.user_name,
            expires_at=until,
        )


def _is_newer(other: claims.Borrow, borrow: claims.Borrow) -> bool:
    """True when `other` was made after `borrow`: a renewal never shortens, so that of one borrow the end tells it first."""
    if other.borrow_id == borrow.borrow_id:
        return (other.exp, other.iat) > (borrow.exp, borrow.iat)
    return other.iat > borrow.iat


def give_up(store: Store, product: str, now: datetime | None = None) -> bytes:
    """Gives the borrow of a product up and returns the bytes of the return file.

    The borrow stops working here before the receipt exists. After a crash, or when the receipt was lost, calling this again
    gives the same receipt. Raises NoBorrow, and NotGood when the borrow is another machine's, user's or machine key's.
    """
    with store.locked():
        machine_key = store.machine_key_thumbprint()
        state, workstation = store.state_of(machine_key), this_workstation(machine_key)
        borrow = _installed_for_return(store, product)
        steps.check_workstation(borrow, workstation)
        if borrow.borrow_id not in state.given_up:
            _bury(store, state, borrow, wall_seconds(now))
        return carry.return_file(store.machine_key(), state.given_up[borrow.borrow_id].receipt)


def _installed_for_return(store: Store, product: str) -> claims.Borrow:
    """The claims of the installed borrow. It need not be good any more: a status list cannot hinder a return."""
    trust, data = store.trust(), store.borrow_file(product)
    with damaged(f'the borrow of "{product}"'):
        members = files.parse(data, "borrow")[1]
        return opening.open_token(members["borrow"], trust.authorize(members["authorization"]))


def _bury(store: Store, state: State, borrow: claims.Borrow, wall: int) -> None:
    """Writes the tombstone. From here on the borrow does not work on this machine.

    The receipt names the machine and user of the borrow, which are those of this workstation, as was checked before.
    """
    state.receipt_count += 1
    state.floor = max(state.floor, borrow.iat)
    made_at, counts = max(wall, state.floor), {"count": state.receipt_count, "requests": state.request_count}
    receipt = carry.receipt_claims(borrow, **counts, jti=carry.fresh_id(), now=made_at)
    # Tombstones too go by signed time alone.
    state.given_up = {bid: tombstone for bid, tombstone in state.given_up.items() if tombstone.exp > state.floor}
    state.given_up[borrow.borrow_id] = Tombstone(borrow.product, borrow.exp, receipt)
    state.activated.pop(borrow.jti, None)
    state.last_receipt = carry.receipt_digest(store.machine_key(), receipt)
    store.save_state(state)
