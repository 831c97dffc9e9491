"""Reads that need no rule: trust file, authorization and its use, keys, health."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from authority.domain import days
from authority.domain.catalogue import Authorization, KeyUse, end_warning
from authority.domain.clocks import BETWEEN_SERVERS
from authority.domain.members import Privilege
from authority.domain.refusals import DatabaseLost, Refusal
from authority.services import licenses
from authority.services.unit import Unit
from authority.storage import events, members, status_lists, tokens
from authority.storage.db import schema


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `doctor` looked at."""

    subject: str
    ok: bool
    message: str


def check_ready(unit: Unit) -> None:
    """Raises, with the reason, unless the database answers and is the one that this process has been using all along.

    The log only grows: a log that ends before a number it had is that of another database, or of an older copy of this one.
    Raises StorageUnavailable, DatabaseLost, NotSetUp, AuthorizationUnusable.
    """
    remembered = unit.authority.remembered
    # Read before the transaction begins, so that what another thread saw meanwhile is no reason.
    before = remembered.last_event
    with unit.reading():
        last = events.last(unit.connection)
    if last < before:
        raise DatabaseLost(f"the log ends with event {last} and had {before}: another database took the place of this one")
    remembered.last_event = max(last, remembered.last_event)


def trust_file(unit: Unit) -> bytes:
    """The trust file that workstations install first."""
    with unit.reading():
        return unit.organization.trust_file.encode()


def authorization(unit: Unit) -> tuple[Authorization, dict[str, Any]]:
    """The authorization in force, and what of it is used: `members` (count) and `products` (product to feature to count).

    Raises NotAllowed for who may not assign licenses.
    """
    with unit.reading():
        unit.actor.needs(Privilege.ASSIGN_LICENSES)
        products = {product.id: licenses.used(unit, product) for product in unit.authorization.products.values()}
        by_type = members.type_counts(unit.connection)
    return unit.authorization, {"members": unit.membership.current, "by_type": by_type, "products": products}


def keys(unit: Unit) -> list[dict[str, Any]]:
    """The authority's own keys: `kid`, `use`, and whether it signs now."""
    with unit.reading():
        pass
    rows = []
    for use in KeyUse:
        try:
            current = unit.issuer.current_kid(use, unit.now)
        except Refusal:
            current = ""
        rows += [{"kid": kid, "use": use, "signs_now": kid == current} for kid in unit.authority.ring.kids(use)]
    return rows


def public_keys(unit: Unit) -> dict[str, Any]:
    """What the vendor needs to authorize this authority: its organization, its public keys by use, and the number in force."""
    ring = unit.authority.ring
    with unit.reading():
        organization_id, seq = unit.organization.id, unit.authorization.seq
    public = [{"use": use, "kid": kid, **ring.signer(use, kid).public.as_jwk()} for use in KeyUse for kid in ring.kids(use)]
    return {"organization": organization_id, "seq": seq, "keys": public}


def examine(unit: Unit) -> list[Finding]:
    """What `doctor` says about database, keys, authorization, status list and Python. Raises nothing for what it finds wrong."""
    checks = {"tables": _tables, "keys": _signing, "authorization": _authorized, "status list": _places, "python": _python}
    return [_finding(unit, subject, check) for subject, check in checks.items()]


def _tables(unit: Unit) -> str:
    schema.check(unit.authority.database)
    return f"the tables are of revision {schema.newest()}"


def _signing(unit: Unit) -> str:
    rows = keys(unit)
    for use in KeyUse:
        if not any(row["signs_now"] for row in rows if row["use"] == use):
            raise Refusal(f"no {use} key can sign now")
    return "both keys can sign"


def _authorized(unit: Unit) -> str:
    with unit.reading():
        in_force, now = unit.authorization, unit.now
    left = days.words(days.left(in_force.ends_at, now))
    if now >= in_force.ends_at:
        raise Refusal(f"the authorization ended at {in_force.ends_at:%Y-%m-%d}")
    text = f"the authorization (seq {in_force.seq}) ends at {in_force.ends_at:%Y-%m-%d}, {left} from now"
    return text if end_warning(in_force, now) is None else f"{text}: ask the vendor for a new one"


def _places(unit: Unit) -> str:
    # Not by way of the unit: what is wrong with the authorization is no fault of the status list.
    now = unit.authority.now()
    with unit.authority.database.read() as connection:
        size, used = unit.authority.organization(connection).status_size, tokens.count(connection)
        newest, ahead = status_lists.newest(connection), status_lists.furthest_ahead(connection, now + BETWEEN_SERVERS)
    if used > 0.8 * size:
        raise Refusal(f"{used} of {size} places of the status list are taken")
    text = f"{used} of {size} places of the status list are taken"
    if newest is None or ahead is None:
        return text
    sentence = f"number {ahead[0]} is of {ahead[1]:%Y-%m-%d %H:%M} UTC, when this machine's clock was ahead"
    if newest.issued_at > now + BETWEEN_SERVERS:
        raise Refusal(
            f"{text}; {sentence}",
            hint="If the clock is right now, publish a new one and carry it to the workstations: "
            "carnet-authority status-list export -o FILE",
        )
    return f"{text}; {sentence}: workstations that took it are good again with number {newest.seq} or a later one"


def _python(_: Unit) -> str:
    """A slow Python is no fault of the authority: it is told, and nothing is wrong."""
    if is_optimized(sysconfig.get_config_var("PY_CFLAGS"), sysconfig.get_config_var("CONFIG_ARGS")):
        return "Python was built with optimization"
    return (
        "Python was built without optimization: the server takes about a third more processor time. "
        "Install the system's own Python, or build one with --enable-optimizations"
    )


def is_optimized(compiler_flags: str | None, configure_arguments: str | None) -> bool:
    """Whether Python was built with optimization, by `PY_CFLAGS` and `CONFIG_ARGS` of `sysconfig`.

    Distributions do not always write down that they optimize by a profile, so -O2 or above is enough; of several -O the
    compiler takes the last. Without flags, as on Windows, where builds are released optimized, it is taken for optimized.
    """
    if any(option in f"{compiler_flags} {configure_arguments}" for option in ("--enable-optimizations", "-fprofile-use")):
        return True
    levels = [flag for flag in (compiler_flags or "").split() if flag.startswith("-O")]
    return levels[-1] in {"-O2", "-O3"} if levels else not compiler_flags


def _finding(unit: Unit, subject: str, check: Callable[[Unit], str]) -> Finding:
    try:
        return Finding(subject, True, check(unit))
    except Refusal as error:
        return Finding(subject, False, f"{error.message}. {error.hint}".strip())
