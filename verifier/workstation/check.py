"""May I run? The core's steps with what this workstation keeps, remembers and is."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from verifier.core import steps
from verifier.core.grant import Demand, Grant, Workstation
from verifier.core.steps import Evidence
from verifier.core.trust import SAMPLE_ROOTS, TrustStore
from verifier.errors import CarnetError, UntrustedRoot
from verifier.workstation import identity
from verifier.workstation.clock import wall_seconds
from verifier.workstation.store import Store, damaged


class License(NamedTuple):
    """An installed borrow as people want to see it; `evidence` is None when its file cannot be read, `error` says why."""

    product: str
    evidence: Evidence | None
    grant: Grant | None
    error: CarnetError | None


def check(
    product: str,
    level: str | None = None,
    extensions: Iterable[str] = (),
    *,
    roots: Iterable[str] | None = None,
    organization: str | None = None,
    home: Path | str | None = None,
    now: datetime | None = None,
) -> Grant:
    """The question an application asks at start: may I run? Returns a Grant or raises NotGood or NotChecked.

    Reads the state in `home` (else CARNET_HOME, else the user's data folder) and opens no network connection. That folder is
    the user's, and so is the trust file in it: an application pins the vendor's root keys with `roots` (their thumbprints) and,
    when it is made for one, the `organization` (its id). Without `roots` the grant warns, and the published sample key is
    refused (UntrustedRoot). Raises ValueError for a root that is no thumbprint.
    """
    store = Store.open(home)
    evidence = _open(store, store.trust().pinned(roots, organization), product)
    root = evidence.authorization.root
    if roots is None and root in SAMPLE_ROOTS:
        raise UntrustedRoot(f"the license comes from the published sample root key {root}: anybody can make one", kid=root)
    machine_key = store.machine_key_thumbprint()
    demand, remembered = Demand(product, level, tuple(extensions)), store.state_of(machine_key)
    return steps.judge(evidence, this_workstation(machine_key), wall_seconds(now), demand=demand, state=remembered)


def licenses(store: Store, now: datetime | None = None) -> list[License]:
    """Every installed borrow with its Grant or its error; raises only when nothing at all can be read (NotChecked)."""
    trust, machine_key, wall = store.trust(), store.machine_key_thumbprint(), wall_seconds(now)
    # Whom to trust is asked by applications; people are shown whose license it is.
    trust = trust.pinned(trust.roots)
    remembered, result = store.state_of(machine_key), []
    for product in store.products():
        evidence, grant, failure = None, None, None
        try:
            evidence = _open(store, trust, product)
            grant = steps.judge(evidence, this_workstation(machine_key), wall, demand=Demand(product), state=remembered)
        except CarnetError as error:
            failure = error
        result.append(License(product, evidence, grant, failure))
    return result


def this_workstation(machine_key: str | None) -> Workstation:
    """This machine and this OS user, with the thumbprint of the machine key ("none" while there is none)."""
    system = identity.system()
    return Workstation(system.machine().id, system.user().id, machine_key or "none")


def _open(store: Store, trust: TrustStore, product: str) -> Evidence:
    """The evidence of the installed borrow, with everything that is kept here beside it."""
    data = store.borrow_file(product)
    status_files, newest = store.status_files(trust), store.newest_authorization(trust)
    with damaged(f'the borrow of "{product}"'):
        return steps.open_borrow(data, trust, status_files, known=newest)
