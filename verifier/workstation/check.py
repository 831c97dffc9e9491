"""May I run? The core's steps with what this workstation keeps, remembers and is."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from verifier.core import opening, steps
from verifier.core.clock import Reading
from verifier.core.grant import NO_MACHINE_KEY, Demand, Grant, Workstation
from verifier.core.opening import Evidence
from verifier.core.state import State
from verifier.core.trust import SAMPLE_ROOTS, TrustStore
from verifier.errors import CarnetError, UntrustedRoot
from verifier.workstation import identity
from verifier.workstation.clock import reading
from verifier.workstation.store import Store, damaged

SECOND_COPY_GONE = "the second copy of what this workstation remembers is gone, and is written anew; a license that was returned may have been put back"


class License(NamedTuple):
    """An installed borrow as people want to see it; `evidence` is None when its file cannot be read, `error` says why."""

    product: str
    evidence: Evidence | None
    grant: Grant | None
    error: CarnetError | None


class _Memory(NamedTuple):
    """What is remembered here as of now, and what makes that less certain, as warnings."""

    state: State
    warnings: tuple[str, ...]


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
    demand, time = Demand(product, level, tuple(extensions)), reading(now)
    here = this_workstation(machine_key)
    state, warnings = _remember(store, here, machine_key, time, [evidence])
    evidence = evidence._replace(warnings=evidence.warnings + warnings)
    return steps.judge(evidence, here, time.wall, demand=demand, state=state)


def licenses(store: Store, now: datetime | None = None) -> list[License]:
    """Every installed borrow with its Grant or its error; raises only when nothing at all can be read (NotChecked)."""
    trust, machine_key, time = store.trust(), store.machine_key_thumbprint(), reading(now)
    # Whom to trust is asked by applications; people are shown whose license it is.
    trust = trust.pinned(trust.roots)
    opened: dict[str, Evidence | CarnetError] = {}
    for product in store.products():
        try:
            opened[product] = _open(store, trust, product)
        except CarnetError as error:
            opened[product] = error
    evidences = [item for item in opened.values() if isinstance(item, Evidence)]
    here = this_workstation(machine_key) if evidences else None
    memory = _remember(store, here, machine_key, time, evidences)
    return [_license(product, item, here, time.wall, memory) for product, item in opened.items()]


def _license(product: str, item: Evidence | CarnetError, here: Workstation | None, wall: int, memory: _Memory) -> License:
    if here is None or isinstance(item, CarnetError):
        return License(product, None, None, item if isinstance(item, CarnetError) else None)
    state, item = memory.state, item._replace(warnings=item.warnings + memory.warnings)
    try:
        return License(product, item, steps.judge(item, here, wall, demand=Demand(product), state=state), None)
    except CarnetError as error:
        return License(product, item, None, error)


def this_workstation(machine_key: str | None) -> Workstation:
    """This machine and this OS user, with the thumbprint of the machine key ("none" while there is none)."""
    system = identity.system()
    return Workstation(system.machine().id, system.user().id, machine_key or NO_MACHINE_KEY)


def _remember(
    store: Store, here: Workstation | None, machine_key: str | None, time: Reading, evidences: Sequence[Evidence]
) -> _Memory:
    """The state with the time and the lists of now; what is news in it is kept, before anything is judged by it.

    Where a home is shared or was copied, nothing is remembered of a machine that no license here is for: how long that one has run
    says nothing about the machine that the license is for.

    Where it cannot be kept, on a full or read-only disk or while somebody else writes, nobody is refused for it; the second copy
    is kept by itself then, and a warning says so where even that cannot be.
    """
    state = store.state_of(machine_key)
    evidences = [evidence for evidence in evidences if here is not None and evidence.borrow.machine_id == here.machine_id]
    warnings: tuple[str, ...] = (SECOND_COPY_GONE,) if state.is_alone else ()
    is_news = bool(evidences) and (note(state, time, evidences) or state.is_alone)
    if is_news and machine_key is not None:
        try:
            with store.locked(wait=False):
                state = store.state_of(machine_key)
                note(state, time, evidences)
                store.save_state(state)
        except CarnetError as error:
            if not store.save_second_copy(state):
                warnings += (f"what this workstation remembers cannot be written: {error.message}",)
    return _Memory(state, warnings)


def note(state: State, time: Reading, evidences: Sequence[Evidence]) -> bool:
    """Remembers the time, and what lists and authorizations were seen. True when there is something worth writing."""
    news = [state.follow(time, max((evidence.signed_at for evidence in evidences), default=0))]
    for evidence in evidences:
        news += [state.note_list(evidence.status_list), state.note_authorization(evidence.newest)]
    return any(news)


def _open(store: Store, trust: TrustStore, product: str) -> Evidence:
    """The evidence of the installed borrow, with everything that is kept here beside it."""
    data = store.borrow_file(product)
    status_files, newest = store.status_files(trust), store.newest_authorization(trust)
    with damaged(f'the borrow of "{product}"'):
        evidence = opening.open_borrow(data, trust, status_files, known=newest)
    # Most licenses have a list: a session, which has none, is all that is asked further.
    if evidence.status_list is not None or not evidence.borrow.is_session:
        return evidence
    from verifier.workstation import licensing

    warnings = licensing.end_of_session(store, product, evidence.borrow.borrow_id, evidence.borrow.exp)
    return evidence._replace(warnings=evidence.warnings + warnings)
