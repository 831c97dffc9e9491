"""What changes this workstation's state: installing files that were carried here, and giving a borrow up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from verifier import errors
from verifier.core import claims, files, status, steps
from verifier.core.authorization import Authorization
from verifier.core.steps import Evidence
from verifier.core.trust import TrustStore
from verifier.workstation import carry, identity
from verifier.workstation.check import floor, judge, newest_authorization, this_workstation
from verifier.workstation.clock import wall_seconds
from verifier.workstation.store import State, Store, damaged


def install(store: Store, data: bytes, now: datetime | None = None) -> str:
    """Checks a file of any kind that a workstation keeps, and keeps it. Returns what was installed, in a sentence.

    A file that does not pass changes nothing. Raises NotGood, NotChecked.
    """
    kind, members = files.parse(data)
    if kind in ("request", "return"):
        raise errors.Malformed(f"a {kind} file is for the authority", hint="Carry it to the administrator.", kind=kind)
    if kind == "clock-reset":
        raise errors.UnsupportedVersion("this version does not read clock-reset files")
    with store.locked():
        if kind == "trust":
            return _install_trust(store, data)
        if kind == "authorization":
            return _install_authorization(store, members["authorization"])
        if kind == "status":
            return _install_status(store, data, members)
        return _install_borrow(store, data, members, wall_seconds(now))


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


def _install_authorization(store: Store, compact: object) -> str:
    trust, state = store.trust(), store.state()
    found = trust.authorize(compact)
    _keep_newer_authorization(store, trust, str(compact), found)
    _raise_floor(store, state, found.iat)
    return f'the authorization of "{found.organization}" with seq {found.seq}'


def _keep_newer_authorization(
    store: Store, trust: TrustStore, compact: str, found: Authorization, *, strict: bool = True
) -> None:
    """Keeps the newer one. An older one, or another text of the same number, is refused when `strict` (NotAuthorized)."""
    known = newest_authorization(store, trust)
    if known is None or found.seq > known.seq:
        store.save_authorization(files.render("authorization", {"authorization": compact}))
    elif strict and found.seq < known.seq:
        raise errors.NotAuthorized(f"the authorization has seq {found.seq}, but seq {known.seq} is installed")
    elif found.seq == known.seq and found != known:
        raise errors.NotAuthorized(f"there are two different authorizations with seq {found.seq}")


def _install_status(store: Store, data: bytes, members: dict[str, Any]) -> str:
    trust, state = store.trust(), store.state()
    found, authorization = steps.open_status(data, trust)
    known = newest_authorization(store, trust)
    if known is not None and known.seq > authorization.seq:
        found = status.read(members["status_list"], known)
    _check_newer(store, trust, found)
    _keep_newer_authorization(store, trust, members["authorization"], authorization, strict=False)
    store.save_status(found.uri, data)
    _raise_floor(store, state, max(found.iat, authorization.iat))
    return f"the status list with seq {found.seq} of {steps.clock(found.iat)}"


def _check_newer(store: Store, trust: TrustStore, found: status.StatusList) -> None:
    installed = store.status_file(found.uri)
    if installed is not None:
        with damaged("the newest status list"):
            known = steps.open_status(installed, trust)[0]
        status.newest(known, found)


def _raise_floor(store: Store, state: State, signed_at: int) -> None:
    if signed_at > state.floor:
        state.floor = signed_at
        store.save_state(state)


def _install_borrow(store: Store, data: bytes, members: dict[str, Any], wall: int) -> str:
    trust, state = store.trust(), store.state()
    evidence = steps.open_borrow(data, trust, store.status_files(), known=newest_authorization(store, trust))
    borrow = evidence.borrow
    granted = judge(store, evidence, state, wall)
    _keep_newer_authorization(store, trust, members["authorization"], evidence.authorization, strict=False)
    _keep_carried_list(store, members, evidence)
    state.floor = max(state.floor, floor(evidence))
    # Old entries go by signed time alone: a clock set forward must not make this machine forget.
    state.activated = {jti: exp for jti, exp in state.activated.items() if exp > state.floor} | {borrow.jti: borrow.exp}
    store.save_state(state)
    store.save_borrow(borrow.product, data)
    return f'"{borrow.product}" {borrow.level} until {steps.rfc3339(granted.expires_at)}'


def _keep_carried_list(store: Store, members: dict[str, Any], evidence: Evidence) -> None:
    """Keeps the list in the borrow file when it is the newest of all known."""
    listed, compact = evidence.status_list, members["status_list"]
    if listed is not None and isinstance(compact, str) and status.digest_of(compact) == listed.digest:
        store.save_status(
            listed.uri, files.render("status", {name: members[name] for name in ("authorization", "status_list")})
        )


def give_up(store: Store, product: str, now: datetime | None = None) -> bytes:
    """Gives the borrow of a product up and returns the bytes of the return file.

    The borrow stops working here before the receipt exists. After a crash, or when the receipt was lost, calling this again
    gives the same receipt. Raises NoBorrow, and NotGood when the borrow is another machine's, user's or machine key's.
    """
    with store.locked():
        state, trust = store.state(), store.trust()
        borrow = _installed_for_return(store, trust, product)
        steps.check_workstation(borrow, this_workstation(store))
        if borrow.borrow_id not in state.given_up:
            _bury(store, state, borrow, wall_seconds(now))
        return carry.return_file(store.machine_key(), state.given_up[borrow.borrow_id]["receipt"])


def _installed_for_return(store: Store, trust: TrustStore, product: str) -> claims.Borrow:
    """The claims of the installed borrow. It need not be good any more: a status list cannot hinder a return."""
    data = store.borrow_file(product)
    with damaged(f'the borrow of "{product}"'):
        members = files.parse(data, "borrow")[1]
        return steps.open_token(members["borrow"], trust.authorize(members["authorization"]))


def _bury(store: Store, state: State, borrow: claims.Borrow, wall: int) -> None:
    """Writes the tombstone. From here on the borrow does not work on this machine."""
    state.receipt_count += 1
    state.floor = max(state.floor, borrow.iat)
    receipt = carry.receipt_claims(
        borrow,
        machine_id=identity.machine().id,
        user_id=identity.user().id,
        count=state.receipt_count,
        jti=carry.fresh_id(),
        now=max(wall, state.floor),
    )
    # Tombstones too go by signed time alone.
    state.given_up = {bid: entry for bid, entry in state.given_up.items() if entry["exp"] > state.floor}
    state.given_up[borrow.borrow_id] = {"product": borrow.product, "exp": borrow.exp, "receipt": receipt}
    state.activated.pop(borrow.jti, None)
    state.last_receipt = carry.receipt_digest(store.machine_key(), receipt)
    store.save_state(state)
