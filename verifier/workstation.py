"""The verifier with this workstation's own state: check, install, give up. The pure steps are in `steps`."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from verifier import carried, claims, clock, errors, files, identity, keys, status, steps
from verifier.authorization import Authorization
from verifier.steps import Evidence, Grant, Workstation
from verifier.store import State, Store
from verifier.trust import TrustStore


@dataclass(frozen=True, slots=True)
class License:
    """An installed borrow as people want to see it: what the product has, what is granted, and the error if it is not good."""

    evidence: Evidence
    grant: Grant | None
    error: errors.CarnetError | None


def check(
    product: str,
    level: str | None = None,
    extensions: Iterable[str] = (),
    *,
    home: Path | str | None = None,
    now: datetime | None = None,
) -> Grant:
    """The question an application asks at start: may I run? Returns a Grant or raises NotGood or NotChecked.

    Reads the state in `home` (else CARNET_HOME, else the user's data folder) and opens no network connection.
    """
    store = Store.open(home)
    evidence = _installed(store, store.trust(), product)
    granted = _judge(store, evidence, store.state(), wall_seconds(now))
    steps.check_demand(evidence.borrow, product, level, extensions)
    return granted


def licenses(store: Store, now: datetime | None = None) -> list[License]:
    """Every installed borrow with its Grant or its error; raises only when nothing at all can be read (NotChecked)."""
    trust, state = store.trust(), store.state()
    found = []
    for product in store.products():
        evidence = _installed(store, trust, product)
        try:
            found.append(License(evidence, _judge(store, evidence, state, wall_seconds(now)), None))
        except errors.CarnetError as error:
            found.append(License(evidence, None, error))
    return found


def wall_seconds(now: datetime | None) -> int:
    """The given time, or the machine's clock."""
    return int(time.time()) if now is None else steps.timestamp(now)


def this_workstation(store: Store) -> Workstation:
    """This machine, this OS user, and the thumbprint of this machine's key ("none" while there is none)."""
    return Workstation(identity.machine().id, identity.user().id, store.machine_key_thumbprint() or "none")


def _installed(store: Store, trust: TrustStore, product: str) -> Evidence:
    evidence = steps.open_borrow(store.borrow_file(product), trust, store.status_file(), known=_newest(store, trust))
    if evidence.borrow.product != product:
        raise errors.WrongProduct(f'the borrow installed for "{product}" is for "{evidence.borrow.product}"')
    return evidence


def _newest(store: Store, trust: TrustStore) -> Authorization | None:
    data = store.authorization_file()
    return None if data is None else trust.authorize(files.parse(data, "authorization")[1]["authorization"])


def _judge(store: Store, evidence: Evidence, state: State, wall: int) -> Grant:
    """Steps 4 to 10 with this workstation's identity, its tombstones and its clock."""
    borrow = evidence.borrow
    if borrow.borrow_id in state.given_up:
        given_up_at = steps.clock(state.given_up[borrow.borrow_id]["receipt"]["iat"])
        raise errors.GivenUp(
            f'this machine returned the borrow of "{borrow.product}" at {given_up_at}', borrow_id=borrow.borrow_id
        )
    steps.check_content(borrow, evidence.authorization)
    at = clock.effective(wall, floor(evidence), borrow.clock_tolerance_seconds)
    steps.check_time(borrow, at)
    steps.check_workstation(borrow, this_workstation(store))
    warnings = steps.check_status(borrow, evidence.status_list, at)
    return steps.grant(borrow, at, warnings)


def floor(evidence: Evidence) -> int:
    """The newest time that something signed states: whatever the clock says, it is not earlier than this."""
    listed = 0 if evidence.status_list is None else evidence.status_list.iat
    return max(evidence.borrow.iat, evidence.authorization.iat, evidence.newest.iat, listed)


def install(store: Store, data: bytes, now: datetime | None = None) -> str:
    """Checks a file of any kind that a workstation keeps, and keeps it. Returns what was installed, in a sentence.

    A file that does not pass changes nothing. Raises NotGood, NotChecked.
    """
    kind, _ = files.parse(data)
    with store.locked():
        if kind == "trust":
            return _install_trust(store, data)
        if kind == "authorization":
            return _install_authorization(store, data)
        if kind == "status":
            return _install_status(store, data)
        if kind == "borrow":
            return _install_borrow(store, data, wall_seconds(now))
    if kind == "clock-reset":
        raise errors.UnsupportedVersion("this version does not read clock-reset files")
    raise errors.Malformed(f"a {kind} file is for the authority", hint="Carry it to the administrator.", kind=kind)


def _install_trust(store: Store, data: bytes) -> str:
    found = TrustStore.read(data)
    try:
        known = store.trust()
    except errors.NoTrust:
        store.save_trust(data)
        return f'trust in the organization "{found.organization}" with the root key {", ".join(found.roots)}'
    if known != found:
        raise errors.UnknownKey(
            f'trust in "{known.organization}" with the root key {", ".join(known.roots)} is installed, '
            f'this file is of "{found.organization}" with {", ".join(found.roots)}',
            hint="Compare the root key thumbprint with the administrator. For another organization use another --home.",
        )
    return f'trust in the organization "{found.organization}", as before'


def _install_authorization(store: Store, data: bytes) -> str:
    trust = store.trust()
    found = trust.authorize(files.parse(data, "authorization")[1]["authorization"])
    known = _newest(store, trust)
    if known is not None and found.seq < known.seq:
        raise errors.NotAuthorized(f"the authorization has seq {found.seq}, but seq {known.seq} is installed")
    store.save_authorization(data)
    return f'the authorization of "{found.organization}" with seq {found.seq}'


def _keep_newer_authorization(store: Store, trust: TrustStore, compact: str) -> None:
    known = _newest(store, trust)
    if known is None or trust.authorize(compact).seq > known.seq:
        store.save_authorization(files.render("authorization", {"authorization": compact}))


def _install_status(store: Store, data: bytes) -> str:
    trust = store.trust()
    found, authorization = steps.open_status(data, trust)
    known = _newest(store, trust)
    if known is not None and known.seq > authorization.seq:
        found = status.read(files.parse(data, "status")[1]["status_list"], known)
    installed = store.status_file()
    if installed is not None:
        status.newest(steps.open_status(installed, trust)[0], found)
    _keep_newer_authorization(store, trust, files.parse(data)[1]["authorization"])
    store.save_status(data)
    return f"the status list with seq {found.seq} of {steps.clock(found.iat)}"


def _install_borrow(store: Store, data: bytes, wall: int) -> str:
    trust, state = store.trust(), store.state()
    evidence = steps.open_borrow(data, trust, store.status_file(), known=_newest(store, trust))
    borrow = evidence.borrow
    granted = _judge(store, evidence, state, wall)
    _check_first_use(borrow, state, max(wall, floor(evidence)))
    members = files.parse(data)[1]
    if _is_newest(store, trust, members["status_list"], evidence):
        store.save_status(files.render("status", {name: members[name] for name in ("authorization", "status_list")}))
    _keep_newer_authorization(store, trust, members["authorization"])
    # Old entries go by signed time alone: a clock set forward must not make this machine forget.
    state.activated = {jti: exp for jti, exp in state.activated.items() if exp > borrow.iat} | {borrow.jti: borrow.exp}
    store.save_state(state)
    store.save_borrow(borrow.product, data)
    return f'"{borrow.product}" {borrow.level} until {steps.rfc3339(granted.expires_at)}'


def _is_newest(store: Store, trust: TrustStore, carried_list: str | None, evidence: Evidence) -> bool:
    """True when the list in the borrow file is newer than the installed one."""
    if carried_list is None or evidence.status_list is None:
        return False
    installed = store.status_file()
    if installed is None:
        return True
    return evidence.status_list.seq > steps.open_status(installed, trust)[0].seq


def _check_first_use(borrow: claims.Borrow, state: State, at: int) -> None:
    """A token must be installed for the first time before its `act`, so that wiping the state is no way back in."""
    if borrow.jti not in state.activated and at >= borrow.activate_by:
        raise errors.NotActivatedInTime(
            f"the license had to be installed before {steps.clock(borrow.activate_by)}, it is {steps.clock(at)}",
            activate_by=steps.clock(borrow.activate_by),
        )


def request(store: Store, wish: carried.Wish, now: datetime | None = None) -> bytes:
    """The bytes of a request file for this machine and user; makes the machine key at first use."""
    state = store.state()
    try:
        organization = store.trust().organization
    except errors.NoTrust:
        organization = None
    return carried.request_file(
        store.machine_key(),
        wish,
        machine=identity.machine(),
        user=identity.user(),
        alias=state.alias,
        organization=organization,
        prev=state.last_receipt,
        jti=carried.fresh_id(),
        now=wall_seconds(now),
    )


def give_up(store: Store, product: str, now: datetime | None = None) -> bytes:
    """Gives the borrow of a product up and returns the bytes of the return file.

    The borrow stops working here before the receipt exists. After a crash, or when the receipt was lost, calling this again
    gives the same receipt. Raises NoBorrow, and NotGood when the borrow is another machine's, user's or machine key's.
    """
    with store.locked():
        state, trust, key = store.state(), store.trust(), store.machine_key()
        borrow = _installed_for_return(store, trust, product)
        steps.check_workstation(borrow, this_workstation(store))
        if borrow.borrow_id not in state.given_up:
            _bury(store, state, borrow, wall_seconds(now))
        data = carried.return_file(key, state.given_up[borrow.borrow_id]["receipt"])
        state.last_receipt = keys.encode(hashlib.sha256(data).digest())
        store.save_state(state)
    return data


def _installed_for_return(store: Store, trust: TrustStore, product: str) -> claims.Borrow:
    """The claims of the installed borrow. It need not be good any more: a status list cannot hinder a return."""
    members = files.parse(store.borrow_file(product), "borrow")[1]
    return steps.open_token(members["borrow"], trust.authorize(members["authorization"]))


def _bury(store: Store, state: State, borrow: claims.Borrow, wall: int) -> None:
    """Writes the tombstone. From here on the borrow does not work on this machine."""
    state.receipt_count += 1
    state.given_up = {bid: entry for bid, entry in state.given_up.items() if entry["exp"] > borrow.iat}
    receipt = carried.receipt_claims(
        borrow,
        machine_id=identity.machine().id,
        user_id=identity.user().id,
        count=state.receipt_count,
        jti=carried.fresh_id(),
        now=max(wall, borrow.iat),
    )
    state.given_up[borrow.borrow_id] = {"product": borrow.product, "exp": borrow.exp, "receipt": receipt}
    store.save_state(state)
