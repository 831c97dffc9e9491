"""Reads that need no rule: trust file, authorization and its use, keys, health."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authority.domain.catalogue import Authorization, KeyUse, end_warning
from authority.domain.members import CONSOLE, Actor, Privilege
from authority.domain.refusals import Refusal
from authority.services.context import Authority
from authority.storage import members as stored_members
from authority.storage import organization as stored_organization
from authority.storage import pools, tokens
from authority.storage.db import schema


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that `doctor` looked at."""

    subject: str
    ok: bool
    message: str


def trust_file(authority: Authority) -> bytes:
    """The trust file that workstations install first."""
    with authority.database.read() as connection:
        authority.authorization(connection)  # takes notice of a trust file that came with a newer one
        return authority.organization(connection).trust_file.encode()


def authorization(authority: Authority, actor: Actor) -> tuple[Authorization, dict[str, Any]]:
    """The authorization in force, and what of it is used: `members` (count) and `products` (product to feature to count).

    Raises NotAllowed for who may not assign licenses.
    """
    actor.needs(Privilege.ASSIGN_LICENSES)
    now = authority.now()
    with authority.database.read() as connection:
        found = authority.authorization(connection)
        used = {
            product.id: pools.seats_in_use(connection, product.id, now)
            if product.is_concurrent
            else stored_organization.assigned(connection, product.id)
            for product in found.products.values()
        }
        members = stored_members.type_counts(connection)
    return found, {"members": sum(members.values()), "by_type": members, "products": used}


def keys(authority: Authority) -> list[dict[str, Any]]:
    """The authority's own keys: `kid`, `use`, and whether it signs now."""
    with authority.database.read() as connection:
        issuer = authority.issuer(connection, authority.authorization(connection))
    rows = []
    for use in KeyUse:
        try:
            current = issuer.current_kid(use, authority.now())
        except Refusal:
            current = ""
        rows += [{"kid": kid, "use": use, "signs_now": kid == current} for kid in authority.ring.kids(use)]
    return rows


def public_keys(authority: Authority) -> dict[str, Any]:
    """What the vendor needs to authorize this authority: its organization and its public keys by use."""
    with authority.database.read() as connection:
        organization = authority.organization(connection)
    found = [
        {"use": use, "kid": kid, **authority.ring.signer(use, kid).public.as_jwk()}
        for use in KeyUse
        for kid in authority.ring.kids(use)
    ]
    return {"organization": organization.id, "keys": found}


def examine(authority: Authority) -> list[Finding]:
    """What `doctor` says about database, keys, authorization and status list. Raises nothing for what it finds wrong."""

    def tables() -> str:
        schema.check(authority.database)
        return f"the tables are of revision {schema.newest()}"

    def signing() -> str:
        for use in KeyUse:
            if not any(row["signs_now"] for row in keys(authority) if row["use"] == use):
                raise Refusal(f"no {use} key can sign now")
        return "both keys can sign"

    def authorized() -> str:
        found, _ = authorization(authority, CONSOLE)
        left = (found.ends_at - authority.now()).days
        if left < 0:
            raise Refusal(f"the authorization ended at {found.ends_at:%Y-%m-%d}")
        text = f"the authorization (seq {found.seq}) ends at {found.ends_at:%Y-%m-%d}, {left} days from now"
        return text if end_warning(found, authority.now()) is None else f"{text}: ask the vendor for a new one"

    def places() -> str:
        with authority.database.read() as connection:
            size, used = authority.organization(connection).status_size, tokens.count(connection)
        if used > 0.8 * size:
            raise Refusal(f"{used} of {size} places of the status list are taken")
        return f"{used} of {size} places of the status list are taken"

    checks = (("tables", tables), ("keys", signing), ("authorization", authorized), ("status list", places))
    return [_finding(subject, check) for subject, check in checks]


def _finding(subject: str, check: Any) -> Finding:
    try:
        return Finding(subject, True, check())
    except Refusal as error:
        return Finding(subject, False, f"{error.message}. {error.hint}".strip())
