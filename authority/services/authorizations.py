"""Installing an authorization: what it changes, and what of that which is in use it no longer covers, is said with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.authorization_changes import Shortage, Usage, changes, consequences, shortages
from authority.domain.catalogue import Authorization
from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Privilege
from authority.domain.refusals import AuthorizationUnusable, KeyUnusable, NotSetUp
from authority.services import set_up
from authority.services.context import Authority
from authority.signing import authorizations, inbox, times
from authority.storage import authorizations as stored
from authority.storage import events, members
from authority.storage import organization as stored_organization
from authority.storage.organization import Organization


@dataclass(frozen=True, slots=True)
class NewTrust:
    """A trust file to replace the organization's, and the root key thumbprints that a person has compared."""

    data: bytes
    accepted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Installation:
    """What an installation did, or would do; `is_new` is False when this very authorization was there already.

    `trust_file` is the organization's new one, None when it stays. `changes` and `consequences` are sentences, and so is
    `trouble`: what could not be done beside it.
    """

    authorization: Authorization
    before: Authorization
    is_new: bool
    trust_file: bytes | None
    changes: tuple[str, ...]
    consequences: tuple[str, ...]
    shortages: tuple[Shortage, ...]
    members: int
    trouble: str | None = None


def install(
    authority: Authority, actor: Actor, data: bytes, new_trust: NewTrust | None = None, *, dry_run: bool = False
) -> Installation:
    """Puts an authorization into force, also one for less than is in use; its consequences are told, not refused.

    A foreign root key is taken with a trust file whose root keys were accepted: that file becomes the organization's.
    Raises NotAllowed, AuthorizationUnusable (damaged, foreign, ended, not begun, of a number that is not above the one in
    force, or naming none of the keys here for a use); then nothing is changed.
    """
    actor.needs(Privilege.MANAGE_AUTHORITY)
    now = authority.now()
    transaction = authority.database.read if dry_run else authority.database.write
    with transaction() as connection:
        organization = stored_organization.get(connection, lock=not dry_run)
        if organization is None:
            raise NotSetUp("the authority has no organization yet")
        before = authority.authorization(connection)
        trust_file = organization.trust_file if new_trust is None else _accepted(new_trust, organization)
        found = _read(data, trust_file)
        if (found.seq, found.compact) == (before.seq, before.compact):
            return Installation(found, before, False, None, (), (), (), _members(connection))
        _check(found, before, now)
        _check_keys(authority, found, trust_file)
        result = _result(connection, organization, before, found, trust_file, now)
        if not dry_run:
            _keep(connection, actor, organization, result, authority.clock())
    if dry_run or result.trust_file is None:
        return result
    authority.remembered.organization = replace(organization, trust_file=trust_file)
    return replace(result, trouble=_copy_trust(authority, result.trust_file))


def _copy_trust(authority: Authority, trust_file: bytes) -> str | None:
    """Writes the home's copy of the trust file, and says when that cannot be: the authorization is in force all the same."""
    if authority.trust_copy is None:
        return None
    try:
        inbox.write_file(authority.trust_copy, trust_file)
    except OSError as error:
        path = authority.trust_copy
        return f"{path} cannot be written: {error.strerror}; write it with carnet-authority trust export -o {path}"
    return None


def _accepted(new_trust: NewTrust, organization: Organization) -> str:
    """The text of a new trust file that is of this organization and whose every root key was accepted."""
    found, roots = authorizations.organization_of(new_trust.data)
    if found != organization.id:
        raise AuthorizationUnusable(f'the trust file is of the organization "{found}", this is "{organization.id}"')
    if set(roots) != new_trust.accepted:
        raise AuthorizationUnusable(
            f"the trust file has the root key {', '.join(roots)}, accepted was {', '.join(sorted(new_trust.accepted)) or 'none'}",
            hint="Compare the thumbprint with the vendor, by a way other than the file's, and say it: --accept-root THUMBPRINT",
            roots=roots,
        )
    return new_trust.data.decode()


def _read(data: bytes, trust_file: str) -> Authorization:
    try:
        return authorizations.read_file(data, trust_file)
    except AuthorizationUnusable as error:
        if error.cause == "unknown-key":
            error.hint = (
                "Is it of another vendor than before? Compare the thumbprint of the vendor's root key, "
                "and name the vendor's trust file: --trust FILE --accept-root THUMBPRINT"
            )
        raise


def _check(found: Authorization, before: Authorization, now: datetime) -> None:
    if found.seq <= before.seq:
        raise AuthorizationUnusable(
            f"the authorization has the number (seq) {found.seq}, {before.seq} is in force",
            hint=f"Install the newest file from the vendor; its number has to be above {before.seq}.",
            seq=found.seq,
            in_force=before.seq,
        )
    if found.ends_at <= now:
        raise AuthorizationUnusable(f"the authorization ended at {found.ends_at:%Y-%m-%d %H:%M} UTC")
    if found.begins_at > now:
        raise AuthorizationUnusable(
            f"the authorization begins at {found.begins_at:%Y-%m-%d %H:%M} UTC",
            hint="It would replace the one in force at once: install it when it has begun.",
        )
    if not found.user_types:
        raise AuthorizationUnusable("the authorization has no user type, so that nobody could be a member")


def _check_keys(authority: Authority, found: Authorization, trust_file: str) -> None:
    """It is the authorization that cannot be used: the keys here are as good as ever."""
    try:
        set_up.check_keys(authority, found, trust_file)
    except KeyUnusable as error:
        raise AuthorizationUnusable(error.message, hint=error.hint, path=error.path, kid=error.kid) from error


def _result(
    connection: Connection,
    organization: Organization,
    before: Authorization,
    found: Authorization,
    trust_file: str,
    now: datetime,
) -> Installation:
    old_roots = authorizations.organization_of(organization.trust_file.encode())[1]
    new_roots = authorizations.organization_of(trust_file.encode())[1]
    is_moved = set(old_roots) != set(new_roots)
    usage = Usage(
        members.type_counts(connection),
        stored.holders(connection),
        stored.assigned(connection),
        stored.held(connection, now),
    )
    told = changes(before, found)
    follows = consequences(found, usage, now)
    if is_moved:
        told = (f"root key: {', '.join(old_roots)} -> {', '.join(new_roots)}", *told)
    else:
        follows += _refused_borrows(found, stored.tokens_out(connection, now))
    return Installation(
        authorization=found,
        before=before,
        is_new=True,
        trust_file=trust_file.encode() if is_moved else None,
        changes=told,
        consequences=follows,
        shortages=shortages(found, usage),
        members=sum(usage.members.values()),
    )


def _refused_borrows(found: Authorization, tokens_out: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Says how many borrows that are out were signed when, by this authorization, their key was not in use."""
    refused = []
    for kid, payload in tokens_out:
        claims = json.loads(payload)
        key, signed_at = found.keys.get(kid), times.instant(claims["iat"])
        if key is None or not key.covers(signed_at, claims["jti"]):
            refused.append(signed_at)
    if not refused:
        return ()
    since = min(refused)
    sentence = (
        f"{len(refused)} borrow tokens that are out, the first of {since:%Y-%m-%d %H:%M} UTC, were signed by a key that this "
        "authorization does not take for that time: workstations that learn of it refuse them. "
        "If that is not meant, the vendor's specification begins (nbf) earlier and goes with all public keys"
    )
    return (sentence,)


def _members(connection: Connection) -> int:
    return sum(members.type_counts(connection).values())


def _keep(connection: Connection, actor: Actor, organization: Organization, result: Installation, at: datetime) -> None:
    found = result.authorization
    trust_file = organization.trust_file if result.trust_file is None else result.trust_file.decode()
    stored_organization.insert_authorization(connection, found, trust_file, at)
    if trust_file != organization.trust_file:
        stored.replace_trust_file(connection, trust_file)
    words = "; ".join((f"seq: {result.before.seq} -> {found.seq}", *result.changes))
    event = Event(kind=EventKind.AUTHORIZATION_INSTALLED, actor=actor.username, until=found.ends_at, reason=words)
    events.append(connection, [event], at)
