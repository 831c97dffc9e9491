"""From bytes to a Grant: the steps, in their order. No clock, no file, no environment: every input is an argument.

`opening.open_borrow` makes Evidence of a file (steps 1 to 4), `judge` makes a Grant of Evidence (steps 5 to 12); the numbers stand
beside the code. An application asks `verify`, where every input is explicit, or `verifier.check`, where the workstation gives them.

1. form of the file and of each token in it: strict JSON, canonical base64url, exact header
2. key: root key, one that the application pins; then authorization, then the authority's key, by look-up alone
3. signature, over the received bytes
4. content: every claim present, of its type, and within what the authorization allows
5. not given up on this machine
6. time: the clock is not behind what was signed; not before the license begins, not after it ends
7. product, level and extensions asked for
8. machine
9. user
10. machine key
11. status list, when all else is good: an expired borrow is expired, whatever its status (draft-ietf-oauth-status-list-21, section 8.3)
12. first use: the token came to this machine in time

Steps 5 and 12, and the clock in 6, ask what the workstation remembers; `verify` knows none of it.
"""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from verifier import errors
from verifier.core import claims, clock, opening, status
from verifier.core.grant import NO_MACHINE_KEY, Demand, Grant, Workstation
from verifier.core.opening import Evidence
from verifier.core.state import State
from verifier.core.status import StatusList
from verifier.core.times import EPOCH, SECONDS_PER_DAY, lasting, rfc3339_of, time_left, timestamp
from verifier.core.trust import Product, TrustStore

# What a clock showed before is no signed time: a license that tolerates nothing is not refused for a clock that was put right.
LEAST_TOLERANCE_SECONDS = 3600
AFTER_A_SESSION = "Check this machine's clock; if it is right, start the session again: carnet start {product}."


def verify(
    borrow_file: bytes | str,
    *,
    trust: TrustStore | bytes | str,
    workstation: Workstation,
    now: datetime,
    status_list: bytes | str | None = None,
    roots: Iterable[str] | None = None,
    organization: str | None = None,
) -> Grant:
    """The Grant of a borrow file for this workstation at this time, or the error that explains why not.

    Args:
        borrow_file: the bytes of a file of the kind `borrow`.
        trust: a TrustStore, or the bytes of a trust file.
        workstation: who asks and where; a field that is None is not compared, and a warning says so.
        now: an aware time. Nothing here is lenient about it.
        status_list: the bytes of a status file, when there is a newer list than the one in the borrow file.
        roots: thumbprints of the vendor's root keys, of which one must stand behind the license; without them a warning says so.
        organization: the id of the only organization whose licenses are good here; None for any.

    Raises:
        NotGood: the license is not good.
        NotChecked: it could not be checked (a status list that is missing, stale, rolled back, of the future or unusable).
    """
    store = (trust if isinstance(trust, TrustStore) else TrustStore.read(trust)).pinned(roots, organization)
    wall = timestamp(now)
    beside = [] if status_list is None else [opening.open_status(status_list, store)]
    evidence = opening.open_borrow(borrow_file, store, beside)
    for file in beside:
        # What a person gives beside the borrow must be the borrow's, and not older than the list in its file.
        opening.check_is_of(evidence.borrow, file.status_list)
        status.check_key(file.status_list, evidence.newest)
        status.newest(evidence.status_list, file.status_list)
    grant = judge(evidence, workstation, wall)
    if evidence.status_list is not None:
        clock.check_not_ahead(evidence.status_list.iat, wall, evidence.borrow.clock_tolerance_seconds)
    return grant


def judge(
    evidence: Evidence, workstation: Workstation, wall: int, *, demand: Demand | None = None, state: State | None = None
) -> Grant:
    """Steps 5 to 12: the Grant of what was opened, at the clock's time `wall` (seconds since 1970 UTC).

    Without a `demand` nothing is asked for; without a `state` this is no workstation's own check. Raises NotGood, NotChecked.
    """
    borrow, at = evidence.borrow, wall
    if state is not None:
        # 5. Not given up on this machine.
        _check_not_given_up(borrow, state)
        _check_authorization_is_newest(evidence, state)
        # 6. Time: the clock first.
        floor = max(evidence.signed_at, state.floor)
        at = judged_at(wall, floor, borrow.clock_tolerance_seconds, sure=state.sure)
        _check_time_in_doubt(borrow, at, max(floor, state.sure))
    # 6. Time.
    check_time(borrow, at)
    # 7. Product, level and extensions asked for.
    if demand is not None:
        check_demand(borrow, demand, evidence.authorization.product(borrow.product))
    # 8. Machine, 9. user, 10. machine key.
    warnings = check_workstation(borrow, workstation)
    # 11. Status list.
    warnings += check_status(borrow, evidence.status_list, at)
    if state is not None:
        _check_list_is_newest(borrow, evidence.status_list, state)
    # 12. First use.
    if state is not None:
        _check_first_use(borrow, state, at)
    seconds_left = borrow.exp - at
    warn_before = 0 if evidence.status_list is None else evidence.status_list.warn_before_seconds
    # For half of the time at most: a warning that is always there is no warning.
    if seconds_left <= min(warn_before, (borrow.exp - borrow.iat) // 2):
        warnings += (_end_warning(borrow, seconds_left),)
    return Grant(
        product=borrow.product,
        level=borrow.level,
        levels=borrow.levels,
        extensions=borrow.extensions,
        member=borrow.member,
        borrow_id=borrow.borrow_id,
        expires_at=EPOCH + timedelta(seconds=borrow.exp),
        days_left=math.ceil(seconds_left / SECONDS_PER_DAY),  # begun days
        seconds_left=seconds_left,
        alias=borrow.alias,
        organization=borrow.organization,
        root=evidence.authorization.root,
        warnings=evidence.warnings + warnings,
    )


def _check_not_given_up(borrow: claims.Borrow, state: State) -> None:
    """Step 5: nothing brings a borrow back that this machine returned. Raises GivenUp."""
    if borrow.borrow_id in state.given_up:
        returned_at = rfc3339_of(state.given_up[borrow.borrow_id].receipt["iat"])
        raise errors.GivenUp(
            f'this machine returned the borrow of "{borrow.product}" at {returned_at}', borrow_id=borrow.borrow_id
        )


def _check_authorization_is_newest(evidence: Evidence, state: State) -> None:
    """What the newest authorization took from a key stays taken, though its file was removed. Raises StateDamaged."""
    known_seq = state.authorizations.get(evidence.newest.organization, 0)
    if evidence.newest.seq < known_seq:
        raise errors.StateDamaged(
            f"the authorization with seq {known_seq} was installed here and is gone",
            hint="Install the newest status file again (carnet-authority status-list export): it brings the authorization.",
        )


def judged_at(wall: int, floor: int, tolerance_seconds: int, *, sure: int = 0) -> int:
    """The time to judge by: the latest of the machine's clock, the newest signed time seen here and what is sure of its clock.

    All are seconds since 1970 UTC. Nothing signed comes from the future, and what the clock showed long enough has passed, so
    a clock turned back gains nothing. Beyond the tolerance of the license it is refused with both times (ClockTurnedBack); within
    it an honest clock that is a little slow is not punished.
    """
    if wall < floor - tolerance_seconds:
        raise errors.ClockTurnedBack(
            f"this machine says it is {rfc3339_of(wall)}, but something signed at {rfc3339_of(floor)} is installed here",
            clock_at=rfc3339_of(wall),
            floor_at=rfc3339_of(floor),
        )
    believed_from = sure - max(tolerance_seconds, LEAST_TOLERANCE_SECONDS)
    if wall < believed_from:
        raise errors.ClockTurnedBack(
            f"this machine says it is {rfc3339_of(wall)}, but by what its clock showed before it is {rfc3339_of(sure)} or later",
            hint="Set this machine's clock right, then try again. If it is right, it was ahead before: the license is good again "
            f"when the clock shows {rfc3339_of(believed_from)}. Who cannot wait asks the administrator for a clock reset, "
            "with the code that carnet clock shows.",
            clock_at=rfc3339_of(wall),
            floor_at=rfc3339_of(sure),
            believed_from=rfc3339_of(believed_from),
        )
    return max(wall, floor, sure)


def _check_time_in_doubt(borrow: claims.Borrow, at: int, certain: int) -> None:
    """An end that only a step of the clock brought about is told as what it is. Raises Expired, with what is certain."""
    if certain < borrow.exp <= at and at - certain > SECONDS_PER_DAY:
        raise errors.Expired(
            f"the license ended at {rfc3339_of(borrow.exp)}, it is {rfc3339_of(at)} by this machine's clock",
            hint="Is this machine's clock right? If it was set ahead, set it right: then the license is good again. "
            "If it is right, borrow the license again: make a new request on this machine.",
            expired_at=rfc3339_of(borrow.exp),
        )


def check_time(borrow: claims.Borrow, at: int) -> None:
    """Step 6: `at` (seconds since 1970 UTC) lies within [nbf, exp). Raises NotYetValid or Expired."""
    if at < borrow.nbf:
        begins_at = rfc3339_of(borrow.nbf)
        raise errors.NotYetValid(f"the license begins at {begins_at}, it is {rfc3339_of(at)}", begins_at=begins_at)
    if at >= borrow.exp:
        expired_at = rfc3339_of(borrow.exp)
        raise errors.Expired(
            f"the license ended at {expired_at}, it is {rfc3339_of(at)}",
            hint=AFTER_A_SESSION.format(product=borrow.product) if borrow.is_session else errors.Expired.default_hint,
            expired_at=expired_at,
        )


def check_demand(borrow: claims.Borrow, demand: Demand, licensed: Product) -> None:
    """Step 7: what an application asks for is granted. Raises WrongProduct, LevelNotGranted or ExtensionNotGranted.

    `licensed` is the borrow's product as the authorization has it: a name that it lacks is misspelled, and no other license has it.
    """
    if borrow.product != demand.product:
        raise errors.WrongProduct(f'the license is for "{borrow.product}", not for "{demand.product}"', product=borrow.product)
    if demand.level is not None and demand.level not in borrow.levels:
        raise errors.LevelNotGranted(
            f'the license is of the level "{borrow.level}", not "{demand.level}"',
            hint=_misspelled("level", [demand.level], licensed.levels) or errors.LevelNotGranted.default_hint,
            level=borrow.level,
        )
    missing = [code for code in demand.extensions if code not in borrow.extensions]
    if missing:
        raise errors.ExtensionNotGranted(
            f"the license is without {', '.join(missing)}",
            hint=_misspelled("extension", missing, licensed.extensions) or errors.ExtensionNotGranted.default_hint,
            extensions=list(borrow.extensions),
        )


def _misspelled(what: str, wanted: Iterable[str], licensed: Iterable[str]) -> str | None:
    """What to do about names that the product does not have, with those that it has; None when it has all of them."""
    names = sorted(licensed)
    for name in wanted:
        if name not in names:
            return f'The product has no {what} "{name}". Ask for one that it has, written as it is here: {", ".join(names) or "none"}.'
    return None


def check_workstation(borrow: claims.Borrow, workstation: Workstation) -> tuple[str, ...]:
    """Steps 8 to 10: machine, user, machine key. Returns a warning for each that was not given to compare."""
    warnings = []
    for name, error, wanted, here in (
        ("machine", errors.WrongMachine, borrow.machine_id, workstation.machine_id),
        ("user", errors.WrongUser, borrow.user_id, workstation.user_id),
        ("machine key", errors.WrongMachineKey, borrow.machine_key, workstation.machine_key),
    ):
        if here is None:
            warnings.append(f"the {name} was not compared")
        elif here == NO_MACHINE_KEY:
            raise errors.MachineKeyMissing(
                f"the license is bound to the machine key {wanted}, and there is no machine key here", wanted=wanted, found=here
            )
        elif here != wanted:
            raise error(f"the license is bound to the {name} {wanted}, this is {here}", wanted=wanted, found=here)
    return tuple(warnings)


def check_status(borrow: claims.Borrow, status_list: StatusList | None, at: int) -> tuple[str, ...]:
    """Step 11. An ended borrow is refused by any list, however old; only then is asked whether the list is fresh enough."""
    max_age = borrow.status_max_age_seconds
    if status_list is None:
        if max_age is not None:
            raise errors.StatusListMissing(f"the license demands a status list not older than {lasting(max_age)}")
        # Of a session's grant nothing could be known: it ends by itself before a list would come here.
        return (
            () if borrow.is_session else ("no status list: a return or revocation since the borrow was made is not known here",)
        )
    value = status_list.status_of(borrow.status_index)
    if value == status.SUSPENDED:
        raise errors.Suspended(
            f"the status list of {rfc3339_of(status_list.iat)} says that the license is suspended", seq=status_list.seq
        )
    if value != status.VALID:
        raise errors.Revoked(
            f"the status list of {rfc3339_of(status_list.iat)} says that the license has ended", seq=status_list.seq
        )
    age = max(0, at - status_list.iat)
    if max_age is not None and age > max_age:
        raise errors.StatusListStale(
            f"the status list is {lasting(age)} old, the license demands one of at most {lasting(max_age)}",
            age_seconds=age,
            limit=max_age,
        )
    if at >= status_list.exp:
        return (f"the status list is of {rfc3339_of(status_list.iat)}: a revocation since then is not known here",)
    return ()


def _end_warning(borrow: claims.Borrow, seconds_left: int) -> str:
    """Said as long before the end as the authority wants; it may need a journey to renew a license."""
    line, files = f"carnet borrow {borrow.product}", f"carnet request {borrow.product} -o FILE"
    how = f"to renew it, which needs no return, borrow it again ({line}), or without a line carry a new request: {files}"
    return f"the license ends at {rfc3339_of(borrow.exp)}, {time_left(seconds_left)} left; {how}"


def _check_list_is_newest(borrow: claims.Borrow, status_list: StatusList | None, state: State) -> None:
    """A list that was here and is gone may have ended the borrow. Raises StatusListMissing, StatusListRolledBack."""
    known = state.lists.get(borrow.status_uri)
    if known is not None and (status_list is None or status_list.seq < known.seq):
        raise errors.StatusListMissing(
            f"the status list with seq {known.seq} was installed here and is gone",
            hint="Install the newest status file again: fetch one (carnet-authority status-list export).",
            known_seq=known.seq,
            seq=None if status_list is None else status_list.seq,
        )
    if status_list is not None:
        state.check_list(status_list)


def _check_first_use(borrow: claims.Borrow, state: State, at: int) -> None:
    """Step 12: a token comes to a machine before its `act`, so that wiping the state is no way back. Raises NotActivatedInTime."""
    if borrow.jti not in state.activated and at >= borrow.activate_by:
        activate_by = rfc3339_of(borrow.activate_by)
        raise errors.NotActivatedInTime(
            f"the license had to be installed before {activate_by}, it is {rfc3339_of(at)}", activate_by=activate_by
        )
