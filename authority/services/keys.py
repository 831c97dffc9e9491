"""The authority's own keys: which sign, another one beside them, and retiring one while borrows that it signed are out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authority.domain.catalogue import KeyUse, needed_until
from authority.domain.events import Event, EventKind
from authority.domain.members import Privilege
from authority.domain.refusals import LastKey, Refusal
from authority.services.unit import Unit
from authority.signing import authorizations
from authority.signing.floors import Floor
from authority.signing.keyring import Retired
from authority.storage import usage


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key of this authority: whether it signs now, since when it is retired, and until when workstations need to know it."""

    kid: str
    use: KeyUse
    signs_now: bool
    is_authorized: bool
    retired_at: datetime | None
    is_stolen: bool
    needed_until: datetime | None
    # What the authorization in force says of it, None when it does not name it.
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    # How many borrows are out of which a token that has not expired is signed with it.
    borrows_out: int = 0


def every(unit: Unit) -> list[OwnKey]:
    """The keys that are here, by use; the retired ones among them. Raises NotAllowed."""
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        return [_own_key(unit, use, kid) for use in KeyUse for kid in unit.authority.ring.every_kid(use)]


def roots(unit: Unit) -> list[str]:
    """The thumbprints of the vendor's root keys in the organization's trust file, which anybody may compare."""
    with unit.reading():
        return authorizations.organization_of(unit.organization.trust_file.encode())[1]


def rotate(unit: Unit, uses: Iterable[KeyUse]) -> list[OwnKey]:
    """Makes another key for each use. It signs once an authorization names it; until then, and beside it, the others do.

    Raises NotAllowed, KeyUnusable, DiskFull, NotPermitted or DiskFailed.
    """
    with unit.writing():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        kids = [(use, unit.authority.ring.add(use)) for use in dict.fromkeys(uses)]
        actor = unit.actor.username
        unit.record(Event(kind=EventKind.KEY_ADDED, actor=actor, reason=f"{use} key {kid}") for use, kid in kids)
        return [_own_key(unit, use, kid) for use, kid in kids]


def retire(unit: Unit, kid: str, *, is_stolen: bool = False, dry_run: bool = False) -> OwnKey:
    """The key signs nothing new from now on; what it signed stays good.

    After a theft only those of its borrow tokens that are known here stay good, once the vendor's next authorization says so.
    Raises NotAllowed, NotFound, and LastKey when no other key is there to sign: one that is authorized, or after a theft any.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        ring = unit.authority.ring
        use, before = ring.use_of(kid), ring.retired.get(kid)
        if before is not None and before.is_stolen >= is_stolen:
            return _own_key(unit, use, kid)
        _check_another(unit, use, kid, is_stolen=is_stolen)
        retired = Retired(unit.now if before is None else before.at, is_stolen)
        words = f"{use} key {kid}, {'stolen' if is_stolen else 'no longer wanted'}"
        unit.record([Event(kind=EventKind.KEY_RETIRED, actor=unit.actor.username, reason=words)])
        if not dry_run:
            unit.authority.floors.raise_to(Floor(retired=frozenset({kid})))
            ring.retire(kid, retired)
        return _described(unit, use, kid, retired)


def public(unit: Unit) -> dict[str, Any]:
    """What the vendor needs to authorize this authority: its organization, its public keys by use, and the number in force.

    Of retired keys those that workstations still need to know: since when they are retired, and after a theft which tokens
    stay good. Raises NotAllowed.
    """
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        ring, entries = unit.authority.ring, []
        for use in KeyUse:
            for kid in ring.every_kid(use):
                key = _own_key(unit, use, kid)
                if key.retired_at is None or key.needed_until is not None:
                    entries.append({"use": use, "kid": kid, **ring.signer(use, kid).public.as_jwk(), **_remarks(unit, key)})
        return {"organization": unit.organization.id, "seq": unit.authorization.seq, "keys": entries}


def _remarks(unit: Unit, key: OwnKey) -> dict[str, Any]:
    if key.retired_at is None:
        return {}
    retired = {"retired_at": int(key.retired_at.timestamp())}
    if not key.is_stolen:
        return retired
    return {**retired, "revoked": True, "known": usage.jtis_out(unit.connection, key.kid, unit.now)}


def _check_another(unit: Unit, use: KeyUse, kid: str, *, is_stolen: bool) -> None:
    others = [other for other in unit.authority.ring.kids(use) if other != kid]
    in_force = unit.authorization.keys
    signing = [other for other in others if other in in_force and in_force[other].signs_at(unit.now)]
    if not others or not (signing or is_stolen):
        lacks = f"there is no other {use} key" if not others else f"no other {use} key is authorized yet"
        raise LastKey(
            f"the {use} key {kid} cannot be retired: {lacks}",
            hint=("First: " if others else "First: carnet-authority key rotate; ")
            + "carnet-authority key list --public -o KEYS.json; the vendor authorizes them with "
            "carnet-authority root authorize; then carnet-authority authorization install FILE.",
            kid=kid,
        )


def _own_key(unit: Unit, use: KeyUse, kid: str) -> OwnKey:
    return _described(unit, use, kid, unit.authority.ring.retired.get(kid))


def _described(unit: Unit, use: KeyUse, kid: str, retired: Retired | None) -> OwnKey:
    try:
        signs_now = retired is None and unit.issuer.current_kid(use, unit.now) == kid
    except Refusal:
        signs_now = False
    authorized = unit.authorization.keys.get(kid)
    return OwnKey(
        kid=kid,
        use=use,
        signs_now=signs_now,
        is_authorized=authorized is not None,
        retired_at=None if retired is None else retired.at,
        is_stolen=retired is not None and retired.is_stolen,
        needed_until=None if retired is None else _needed_until(unit, use, kid, retired),
        begins_at=None if authorized is None else authorized.begins_at,
        ends_at=None if authorized is None else authorized.ends_at,
        borrows_out=usage.borrows_out(unit.connection, kid, unit.now) if use is KeyUse.BORROW else 0,
    )


def _needed_until(unit: Unit, use: KeyUse, kid: str, retired: Retired) -> datetime | None:
    if kid not in unit.authorization.keys:
        return None
    last = usage.last_expiry(unit.connection, kid, unit.now)
    return needed_until(use, retired.at, last, unit.authorization.max_borrow_days, unit.now)
