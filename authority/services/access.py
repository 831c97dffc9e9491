"""Signing in and out, API keys, and who is behind a bearer token. Only digests of secrets are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from authority.domain.api_keys import ApiKey
from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, CredentialKind, Member, Privilege, Role, check_name
from authority.domain.refusals import InvalidInput, NotAuthenticated, NotFound
from authority.services.admission import check_admitted
from authority.services.context import Authority
from authority.services.passwords import is_right
from authority.signing.encoding import digest, encode
from authority.storage import api_keys, events
from authority.storage import members as stored
from authority.storage.members import Credential

SIGN_IN_LASTS = timedelta(hours=12)
# Says to people and scanners what was found when a key turns up where it should not be.
PREFIXES = {CredentialKind.SIGN_IN: "carnet_si_", CredentialKind.API_KEY: "carnet_key_"}


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
        secret, _ = _insert(authority, connection, member, CredentialKind.SIGN_IN, CredentialKind.SIGN_IN, now, ends_at)
        events.append(connection, [Event(kind=EventKind.SIGNED_IN, actor=member.username, member=member.username)], now)
    return secret, ends_at


def sign_out(authority: Authority, secret: str) -> None:
    """Makes a sign-in useless. An unknown one is no error: afterwards it does not work, which is what was wanted."""
    with authority.database.write() as connection:
        found = stored.credential_by_digest(connection, digest(secret))
        if found is not None and found.kind == CredentialKind.SIGN_IN:
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


def create_api_key(authority: Authority, actor: Actor, username: str, name: str) -> tuple[str, ApiKey]:
    """The secret of a new API key that acts as the member, returned this once, and the key.

    Raises NotAllowed, NotFound, InvalidInput.
    """
    actor.needs(Privilege.MANAGE_AUTHORITY)
    check_name("the name of a key", name)
    if not name.strip():
        raise InvalidInput("a key needs a name that says what it is for")
    now = authority.clock()
    with authority.database.write() as connection:
        member = stored.by_username(connection, username, lock=True)
        if member is None:
            raise NotFound(f'there is no member "{username}"', member=username)
        secret, key_id = _insert(authority, connection, member, CredentialKind.API_KEY, name, now, None)
        made = ApiKey(key_id, name, member.username, now, None)
        events.append(connection, [_event(EventKind.API_KEY_CREATED, actor, made)], now)
    return secret, made


def listed_api_keys(
    authority: Authority, actor: Actor, after: str | None = None, limit: int = 100
) -> tuple[list[ApiKey], str | None]:
    """A page of all API keys, newest first, those revoked too, and the cursor of the next page.

    Raises NotAllowed, InvalidInput (`after` is no cursor, or its key is gone with its member).
    """
    actor.needs(Privilege.MANAGE_AUTHORITY)
    with authority.database.read() as connection:
        last = None if after is None else api_keys.get(connection, after)
        if after is not None and last is None:
            raise InvalidInput("this cursor is of no page of API keys", hint="Begin again without a cursor.")
        found = api_keys.listed(connection, last, limit + 1)
    page = found[:limit]
    return page, page[-1].id if len(found) > limit else None


def revoke_api_key(authority: Authority, actor: Actor, key_id: str) -> ApiKey:
    """The key, of no use from now on; once more changes nothing. A sign-in is no API key: only its holder ends it.

    Raises NotAllowed, NotFound.
    """
    actor.needs(Privilege.MANAGE_AUTHORITY)
    now = authority.clock()
    with authority.database.write() as connection:
        before = api_keys.get(connection, key_id, lock=True) if key_id.isprintable() else None
        if before is None:
            raise NotFound(
                f'there is no API key "{key_id}"', hint="carnet-authority api-key list shows the ids.", key_id=key_id
            )
        if before.revoked_at is not None:
            return before
        stored.revoke_credential(connection, before.id, now)
        events.append(connection, [_event(EventKind.API_KEY_REVOKED, actor, before)], now)
    return replace(before, revoked_at=now)


def _event(kind: EventKind, actor: Actor, key: ApiKey) -> Event:
    """Names are not unique, so that the log has the id as well."""
    return Event(kind=kind, actor=actor.username, member=key.member, reason=f"{key.name} ({key.id})")


def _insert(
    authority: Authority,
    connection: Connection,
    member: Member,
    kind: CredentialKind,
    name: str,
    now: datetime,
    ends_at: datetime | None,
) -> tuple[str, str]:
    """Secret and id of a new credential."""
    secret, credential_id = PREFIXES[kind] + encode(authority.random_bytes(32)), authority.fresh_id()
    stored.insert_credential(connection, Credential(credential_id, kind, digest(secret), name, member.id, now, ends_at, None))
    return secret, credential_id
