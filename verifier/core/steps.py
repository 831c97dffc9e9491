"""The numbered steps, in order, from bytes to a Grant. No clock, no file, no environment: every input is an argument.

1. form of the file and of each token in it (strict JSON, canonical base64url, exact header)
2. key: root key, then authorization, then the authority's key by look-up alone
3. signature, over the received bytes
4. content: every claim present, of its type, and within what the authorization allows
5. time: not before it begins, not after it ends
6. product, level and extensions asked for
7. machine, 8. user, 9. machine key
10. status list last: an expired borrow is expired, whatever its status (draft-ietf-oauth-status-list-21, section 8.3)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from verifier import errors
from verifier.core import claims, files, status
from verifier.core.authorization import SECONDS_PER_DAY, Authorization
from verifier.core.jose import open_by_kid
from verifier.core.trust import TrustStore


@dataclass(frozen=True, slots=True)
class Workstation:
    """Who asks, and where: machine id, OS user id, machine key thumbprint. None means: not compared, and the grant says so."""

    machine_id: str | None
    user_id: str | None
    machine_key: str | None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a good license gives. Only the verifier makes one; `warnings` say what could not be known without a network."""

    product: str
    level: str
    levels: tuple[str, ...]
    extensions: tuple[str, ...]
    member: str
    borrow_id: str
    expires_at: datetime
    days_left: int
    alias: str | None
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The `grant` object that `--json` prints."""
        return {
            "product": self.product,
            "level": self.level,
            "levels": list(self.levels),
            "extensions": list(self.extensions),
            "member": self.member,
            "borrow_id": self.borrow_id,
            "expires_at": rfc3339(self.expires_at),
            "days_left": self.days_left,
            "alias": self.alias,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """A borrow file whose signatures were verified: its claims, the authorization it carries, the newest one, the newest list."""

    borrow: claims.Borrow
    authorization: Authorization
    newest: Authorization
    status_list: status.StatusList | None


def verify(
    borrow_file: bytes | str,
    *,
    trust: TrustStore | bytes | str,
    workstation: Workstation,
    now: datetime,
    status_list: bytes | str | None = None,
) -> Grant:
    """The Grant of a borrow file for this workstation at this time, or the error that explains why not.

    Args:
        borrow_file: the bytes of a file of the kind `borrow`.
        trust: a TrustStore, or the bytes of a trust file.
        workstation: who asks and where; a field that is None is not compared, and a warning says so.
        now: an aware time. Nothing here is lenient about it.
        status_list: the bytes of a status file, when there is a newer list than the one in the borrow file.

    Raises:
        NotGood: the license is not good.
        NotChecked: it could not be checked (a status list that is missing, stale, rolled back or unusable).
    """
    store = trust if isinstance(trust, TrustStore) else TrustStore.read(trust)
    at = timestamp(now)
    evidence = open_borrow(borrow_file, store, [] if status_list is None else [status_list])
    if status_list is not None:
        _check_given_list(evidence, open_status(status_list, store)[0])
    check_content(evidence.borrow, evidence.authorization)
    check_time(evidence.borrow, at)
    warnings = check_workstation(evidence.borrow, workstation)
    warnings += check_status(evidence.borrow, evidence.status_list, at)
    return grant(evidence.borrow, at, warnings)


def _check_given_list(evidence: Evidence, given: status.StatusList) -> None:
    """A list given beside the borrow must be the borrow's, and not older than the one in its file."""
    _check_is_of(evidence.borrow, given)
    status.newest(evidence.status_list, given)


def _check_is_of(borrow: claims.Borrow, found: status.StatusList) -> None:
    if found.uri != borrow.status_uri:
        raise errors.StatusListUnusable(f"the status list is {found.uri}, the borrow's is {borrow.status_uri}", uri=found.uri)


def open_borrow(
    borrow_file: bytes | str, trust: TrustStore, status_files: Sequence[bytes | str], *, known: Authorization | None = None
) -> Evidence:
    """Steps 1 to 3 for a borrow file, the status files beside it, and the newest authorization known.

    The newest authorization says which keys are good. A list in the borrow file whose key it no longer takes says nothing,
    for who stole a status key can make lists; a status file whose key it does not take is refused (StatusListUnusable).
    """
    _, members = files.parse(borrow_file, "borrow")
    authorization = trust.authorize(members["authorization"])
    opened = [open_status(data, trust) for data in status_files]
    candidates = [authorization, *(found for _, found in opened), *(() if known is None else (known,))]
    newest = max(candidates, key=lambda item: item.seq)
    lists = [_current(found, newest) for found, _ in opened]
    borrow = open_token(members["borrow"], authorization, newest)
    if members["status_list"] is not None:
        carried = status.read(members["status_list"], authorization)
        _check_is_of(borrow, carried)
        lists += _still_signed([carried], newest)
    return Evidence(borrow, authorization, newest, _list_for(borrow, lists))


def _current(found: status.StatusList, newest: Authorization) -> status.StatusList:
    try:
        newest.check_key_at(found.kid, found.iat, None)
    except errors.KeyNotValid as error:
        raise errors.StatusListUnusable(f"the status list cannot be used: {error.message}", cause=error.code) from error
    return found


def _still_signed(lists: list[status.StatusList], newest: Authorization) -> list[status.StatusList]:
    try:
        return [_current(found, newest) for found in lists]
    except errors.StatusListUnusable:
        return []


def _list_for(borrow: claims.Borrow, lists: list[status.StatusList]) -> status.StatusList | None:
    """The newest of the lists that is this borrow's. Two different lists of one number are refused (StatusListRolledBack)."""
    newest: status.StatusList | None = None
    for found in sorted((item for item in lists if item.uri == borrow.status_uri), key=lambda item: item.seq):
        newest = status.newest(newest, found)
    return newest


def open_status(data: bytes | str, trust: TrustStore) -> tuple[status.StatusList, Authorization]:
    """The verified list in a status file, and the authorization that the file carries."""
    _, members = files.parse(data, "status")
    authorization = trust.authorize(members["authorization"])
    return status.read(members["status_list"], authorization), authorization


def open_token(token: object, authorization: Authorization, newest: Authorization | None = None) -> claims.Borrow:
    """Steps 1 to 3 for one borrow token; `newest` is the latest authorization known, which may have revoked the key."""
    if not isinstance(token, str):
        raise errors.Malformed("the borrow is not a compact JWS")
    signed = open_by_kid(token, claims.BORROW_TYP, lambda kid: authorization.key(kid, "borrow"))
    borrow = claims.borrow(signed.claims)
    (newest or authorization).check_key_at(signed.key.kid, borrow.iat, borrow.jti)
    return borrow


def check_content(borrow: claims.Borrow, authorization: Authorization) -> None:
    """Step 4: what the token grants lies within what the authorization it carries allows. Raises NotAuthorized."""
    if borrow.organization != authorization.organization:
        raise _beyond(f'the borrow is of the organization "{borrow.organization}", not "{authorization.organization}"')
    product = authorization.product(borrow.product)
    if not product.seats.get(borrow.level):
        raise _beyond(f'"{product.id}" has no seats of the level "{borrow.level}"')
    if borrow.levels != product.levels_up_to(borrow.level):
        raise _beyond(f'the levels {list(borrow.levels)} are not those up to "{borrow.level}" of "{product.id}"')
    unknown = [code for code in borrow.extensions if not product.extensions.get(code)]
    if unknown:
        raise _beyond(f'"{product.id}" has no seats of the extensions {unknown}')
    longest = authorization.max_borrow_days * SECONDS_PER_DAY
    if borrow.exp - borrow.iat > longest:
        raise _beyond(f"the borrow lasts {borrow.exp - borrow.iat} seconds, at most {longest} are allowed")
    ends = [end for end in (authorization.exp, product.until) if end is not None]
    if borrow.exp > min(ends) or borrow.iat < authorization.nbf:
        raise _beyond(f"the borrow lasts beyond the authorization, from {authorization.nbf} to {min(ends)}")


def _beyond(message: str) -> errors.NotAuthorized:
    return errors.NotAuthorized(message)


def check_time(borrow: claims.Borrow, at: int) -> None:
    """Step 5: `at` (seconds since 1970 UTC) lies within [nbf, exp). Raises NotYetValid or Expired."""
    if at < borrow.nbf:
        raise errors.NotYetValid(f"the license begins at {clock(borrow.nbf)}, it is {clock(at)}", begins_at=clock(borrow.nbf))
    if at >= borrow.exp:
        raise errors.Expired(f"the license ended at {clock(borrow.exp)}, it is {clock(at)}", expired_at=clock(borrow.exp))


def check_demand(granted: claims.Borrow, product: str, level: str | None, extensions: Iterable[str]) -> None:
    """Step 6: what an application asks for is granted. Raises WrongProduct, LevelNotGranted or ExtensionNotGranted."""
    if granted.product != product:
        raise errors.WrongProduct(f'the license is for "{granted.product}", not for "{product}"', product=granted.product)
    if level is not None and level not in granted.levels:
        raise errors.LevelNotGranted(f'the license is of the level "{granted.level}", not "{level}"', level=granted.level)
    missing = [code for code in extensions if code not in granted.extensions]
    if missing:
        raise errors.ExtensionNotGranted(f"the license is without {', '.join(missing)}", extensions=list(granted.extensions))


def check_workstation(borrow: claims.Borrow, workstation: Workstation) -> tuple[str, ...]:
    """Steps 7 to 9: machine, user, machine key. Returns a warning for each that was not given to compare."""
    compared: tuple[tuple[str, type[errors.NotGood], str, str | None], ...] = (
        ("machine", errors.WrongMachine, borrow.machine_id, workstation.machine_id),
        ("user", errors.WrongUser, borrow.user_id, workstation.user_id),
        ("machine key", errors.WrongMachineKey, borrow.machine_key, workstation.machine_key),
    )
    for name, error, wanted, found in compared:
        if found is not None and found != wanted:
            raise error(f"the license is bound to the {name} {wanted}, this is {found}", wanted=wanted, found=found)
    return tuple(f"the {name} was not compared" for name, _, _, found in compared if found is None)


def check_status(borrow: claims.Borrow, known: status.StatusList | None, at: int) -> tuple[str, ...]:
    """Step 10. An ended borrow is refused by any list, however old; only then is asked whether the list is fresh enough."""
    max_age = borrow.status_max_age_seconds
    if known is None:
        if max_age is not None:
            raise errors.StatusListMissing(f"the license demands a status list not older than {max_age} seconds")
        return ("no status list: a return or revocation since the borrow was made is not known here",)
    found = known.status_of(borrow.status_index)
    if found == status.SUSPENDED:
        raise errors.Suspended(f"the status list of {clock(known.iat)} says that the license is suspended", seq=known.seq)
    if found != status.VALID:
        raise errors.Revoked(f"the status list of {clock(known.iat)} says that the license has ended", seq=known.seq)
    age = max(0, at - known.iat)
    if max_age is not None and age > max_age:
        raise errors.StatusListStale(
            f"the status list is {age} seconds old, the license demands at most {max_age}", age_seconds=age, limit=max_age
        )
    if at >= known.exp:
        return (f"the status list is of {clock(known.iat)}: a revocation since then is not known here",)
    return ()


def grant(borrow: claims.Borrow, at: int, warnings: tuple[str, ...] = ()) -> Grant:
    """The Grant of a borrow that passed every step; days left are begun days."""
    return Grant(
        product=borrow.product,
        level=borrow.level,
        levels=borrow.levels,
        extensions=borrow.extensions,
        member=borrow.member,
        borrow_id=borrow.borrow_id,
        expires_at=datetime.fromtimestamp(borrow.exp, UTC),
        days_left=math.ceil((borrow.exp - at) / SECONDS_PER_DAY),
        alias=borrow.alias,
        warnings=warnings,
    )


def timestamp(at: datetime) -> int:
    """Whole seconds since 1970 UTC of an aware time. Raises ValueError for a naive one, which could mean any moment."""
    if at.tzinfo is None:
        raise ValueError(f"the time {at.isoformat()} has no time zone")
    return math.floor(at.timestamp())


def rfc3339(at: datetime) -> str:
    """`2026-03-01T12:00:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(seconds: int) -> str:
    """A time of a token for a sentence: RFC 3339. The claims were bounded by the calendar when they were read."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
