"""Signing in and out, API keys, and who is behind a bearer token. Only digests of secrets are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from authority.domain.events import Event
from authority.domain.members import Actor, Member, Privilege, Role, check_name
from authority.domain.refusals import InvalidInput, NotAuthenticated, NotFound
from authority.services.admission import check_admitted
from authority.services.context import Authority
from authority.services.passwords import is_right
from authority.signing.encoding import digest, encode
from authority.storage import events
from authority.storage import members as stored
from authority.storage.members import Credential

SIGN_IN, API_KEY = "sign-in", "api-key"
SIGN_IN_LASTS = timedelta(hours=12)
# Says to people and scanners what was found when a key turns up where it should not be.
PREFIXES = {SIGN_IN: "carnet_si_", API_KEY: "carnet_key_"}


def sign_in(authority: Authority, username: str, password: str) -> tuple[str, datetime]:
    """A bearer token for a member, and when it ends. Raises NotAuthenticated with one text, whatever was wrong (seed S3)."""
    now = authority.clock()
    with authority.database.read() as connection:
        member_id, password_hash = stored.password_hash(connection, username)
        member = None if member_id is None else stored.by_id(connection, member_id)
    if not is_right(password, password_hash) or member is None or member.disabled:
        raise NotAuthenticated(
            "invalid user name or password", hint="Check both and try again, or ask the administrator for a new password."
        )
    with authority.database.read() as connection:
        check_admitted(authority, connection, member)
    ends_at = now + SIGN_IN_LASTS
    with authority.database.write() as connection:
        secret = _insert(authority, connection, member, SIGN_IN, SIGN_IN, now, ends_at)
        events.append(connection, [Event(kind="signed-in", actor=member.username, member=member.username)], now)
    return secret, ends_at


def sign_out(authority: Authority, secret: str) -> None:
    """Makes a sign-in useless. An unknown one is no error: afterwards it does not work, which is what was wanted."""
    with authority.database.write() as connection:
        found = stored.credential_by_digest(connection, digest(secret))
        if found is not None and found.kind == SIGN_IN:
            stored.revoke_credential(connection, found.id, authority.clock())


def actor_of(authority: Authority, secret: str) -> Actor:
    """Who is behind a bearer token. Raises NotAuthenticated when it is unknown, ended or revoked, or its member disabled."""
    with authority.database.read() as connection:
        found = stored.bearer(connection, digest(secret))
    if found is None or found.revoked_at is not None or found.disabled:
        raise NotAuthenticated("the bearer token is not known")
    if found.expires_at is not None and found.expires_at <= authority.clock():
        raise NotAuthenticated(f"the sign-in ended at {found.expires_at:%Y-%m-%d %H:%M} UTC", hint="Sign in again.")
    return Actor(found.id, found.username, Role(found.role))


def create_api_key(authority: Authority, actor: Actor, username: str, name: str) -> tuple[str, Credential]:
    """A new API key that acts as the member; the secret is returned this once. Raises NotAllowed, NotFound, InvalidInput."""
    actor.needs(Privilege.MANAGE_AUTHORITY)
    check_name("the name of a key", name)
    if not name.strip():
        raise InvalidInput("a key needs a name that says what it is for")
    now = authority.clock()
    with authority.database.write() as connection:
        member = stored.by_username(connection, username)
        if member is None:
            raise NotFound(f'there is no member "{username}"', member=username)
        secret = _insert(authority, connection, member, API_KEY, name, now, None)
        found = stored.credential_by_digest(connection, digest(secret))
        events.append(connection, [Event(kind="api-key-created", actor=actor.username, member=username, reason=name)], now)
    if found is None:
        raise NotFound("the key just made is not there")
    return secret, found


def _insert(
    authority: Authority, connection: Connection, member: Member, kind: str, name: str, now: datetime, ends_at: datetime | None
) -> str:
    secret = PREFIXES[kind] + encode(authority.random_bytes(32))
    stored.insert_credential(
        connection, Credential(authority.fresh_id(), kind, digest(secret), name, member.id, now, ends_at, None)
    )
    return secret
