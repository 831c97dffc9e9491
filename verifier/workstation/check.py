"""The verifier with this workstation's own state: may I run? The pure steps are in `steps`, installing in `installing`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from verifier import errors
from verifier.core import claims, files, steps
from verifier.core.authorization import Authorization
from verifier.core.steps import Evidence, Grant, Workstation
from verifier.core.trust import TrustStore
from verifier.workstation import clock, identity
from verifier.workstation.clock import wall_seconds
from verifier.workstation.store import State, Store, damaged


@dataclass(frozen=True, slots=True)
class License:
    """An installed borrow as people want to see it; `evidence` is None when its file cannot be read, `error` says why."""

    product: str
    evidence: Evidence | None
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
    granted = judge(store, evidence, store.state(), wall_seconds(now))
    steps.check_demand(evidence.borrow, product, level, extensions)
    return granted


def licenses(store: Store, now: datetime | None = None) -> list[License]:
    """Every installed borrow with its Grant or its error; raises only when nothing at all can be read (NotChecked)."""
    trust, state, wall = store.trust(), store.state(), wall_seconds(now)
    found = []
    for product in store.products():
        evidence = None
        try:
            evidence = _installed(store, trust, product)
            found.append(License(product, evidence, judge(store, evidence, state, wall), None))
        except errors.CarnetError as error:
            found.append(License(product, evidence, None, error))
    return found


def this_workstation(store: Store) -> Workstation:
    """This machine, this OS user, and the thumbprint of this machine's key ("none" while there is none)."""
    return Workstation(identity.machine().id, identity.user().id, store.machine_key_thumbprint() or "none")


def _installed(store: Store, trust: TrustStore, product: str) -> Evidence:
    data = store.borrow_file(product)
    with damaged(f'the borrow of "{product}"'):
        evidence = steps.open_borrow(data, trust, store.status_files(), known=newest_authorization(store, trust))
    if evidence.borrow.product != product:
        raise errors.WrongProduct(f'the borrow installed for "{product}" is for "{evidence.borrow.product}"')
    return evidence


def newest_authorization(store: Store, trust: TrustStore) -> Authorization | None:
    """The newest authorization seen here, if any. Raises StateDamaged."""
    data = store.authorization_file()
    if data is None:
        return None
    with damaged("the newest authorization"):
        return trust.authorize(files.parse(data, "authorization")[1]["authorization"])


def judge(store: Store, evidence: Evidence, state: State, wall: int) -> Grant:
    """Steps 4 to 10 with this workstation's identity, its tombstones and its clock."""
    borrow = evidence.borrow
    if borrow.borrow_id in state.given_up:
        given_up_at = steps.clock(state.given_up[borrow.borrow_id]["receipt"]["iat"])
        raise errors.GivenUp(
            f'this machine returned the borrow of "{borrow.product}" at {given_up_at}', borrow_id=borrow.borrow_id
        )
    steps.check_content(borrow, evidence.authorization)
    at = clock.effective(wall, max(floor(evidence), state.floor), borrow.clock_tolerance_seconds)
    steps.check_time(borrow, at)
    steps.check_workstation(borrow, this_workstation(store))
    warnings = steps.check_status(borrow, evidence.status_list, at)
    _check_first_use(borrow, state, at)
    return steps.grant(borrow, at, warnings)


def floor(evidence: Evidence) -> int:
    """The newest time that something signed states: whatever the clock says, it is not earlier than this."""
    listed = 0 if evidence.status_list is None else evidence.status_list.iat
    return max(evidence.borrow.iat, evidence.authorization.iat, evidence.newest.iat, listed)


def _check_first_use(borrow: claims.Borrow, state: State, at: int) -> None:
    """A token must be installed for the first time before its `act`, so that wiping the state is no way back in."""
    if borrow.jti not in state.activated and at >= borrow.activate_by:
        raise errors.NotActivatedInTime(
            f"the license had to be installed before {steps.clock(borrow.activate_by)}, it is {steps.clock(at)}",
            activate_by=steps.clock(borrow.activate_by),
        )
