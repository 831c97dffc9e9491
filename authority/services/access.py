"""Signing in and out, and API keys. Only digests of secrets are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from authority.domain.api_keys import SIGN_IN_LASTS, ApiKey
from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, CredentialKind, Member, Privilege
from authority.domain.names import key_of, spelled
from authority.domain.refusals import InvalidInput, NotAuthenticated, NotFound
from authority.services.members import existing
from authority.services.passwords import is_right
from authority.services.several import Outcome, all_or_none
from authority.services.unit import Unit
from authority.signing.encoding import digest_of, encode
from authority.storage import credentials, members
from authority.storage.credentials import Credential

# Says to people and scanners what was found when a key turns up where it should not be.
PREFIXES = {CredentialKind.SIGN_IN: "carnet_si_", CredentialKind.API_KEY: "carnet_key_"}


def sign_in(unit: Unit, username: str, password: str, *, remember: bool = False) -> tuple[str, datetime | None]:
    """A bearer token for a member, and when it ends; the unit is anybody's.

    With `remember` it does not end by itself (seed S3): it is good until signing out, a new password, or the member's removal.

    Raises NotAuthenticated with one text, whatever was wrong (seed S3), and OrganizationOverLimit.
    """
    with unit.reading():
        member_id, password_hash = members.password_hash(unit.connection, username)
        member = None if member_id is None else members.by_id(unit.connection, member_id)
    # Outside of a transaction: it is slow on purpose.
    if not is_right(password, password_hash) or member is None or member.disabled:
        raise NotAuthenticated(
            "invalid user name or password", hint="Check both and try again, or ask the administrator for a new password."
        )
    unit.membership.check_admitted(member.role)
    # Only an administrator gets this far when there is too much of anything.
    unit.excess = unit.membership.excess()
    with unit.writing():
        ends_at = None if remember else unit.at + SIGN_IN_LASTS
        secret, _ = _add(unit, member, CredentialKind.SIGN_IN, CredentialKind.SIGN_IN, ends_at)
        unit.record([Event(kind=EventKind.SIGNED_IN, actor=member.username, member=member.username)])
    return secret, ends_at


def sign_out(unit: Unit, secret: str) -> None:
    """Makes a sign-in useless; the unit is anybody's. An unknown one is no error: afterwards it does not work, as was wanted."""
    with unit.writing():
        credential = credentials.by_digest(unit.connection, digest_of(secret))
        if credential is not None and credential.kind == CredentialKind.SIGN_IN:
            credentials.revoke(unit.connection, credential.id, unit.at)


def create_api_key(unit: Unit, username: str, name: str) -> tuple[str, ApiKey]:
    """The secret of a new API key that acts as the member, returned this once, and the key.

    Raises NotAllowed, NotFound, InvalidInput.
    """
    with unit.writing():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        name = spelled("the name of a key", name)
        if not key_of(name):
            raise InvalidInput("a key needs a name that says what it is for")
        return add_api_key(unit, existing(unit.connection, username, lock=True), name)


def add_api_key(unit: Unit, member: Member, name: str) -> tuple[str, ApiKey]:
    """The secret of a new API key, and the key, within the transaction that is under way; name and privilege were checked."""
    secret, key_id = _add(unit, member, CredentialKind.API_KEY, name, None)
    key = ApiKey(key_id, name, member.username, unit.at, None)
    unit.record([_event(EventKind.API_KEY_CREATED, unit.actor, key)])
    return secret, key


def api_keys(unit: Unit, after: str | None = None, limit: int = 100) -> tuple[list[ApiKey], str | None]:
    """A page of all API keys, newest first, those revoked too, and the cursor of the next page.

    Raises NotAllowed, InvalidInput (`after` is no cursor, or its key is gone with its member).
    """
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        last = None if after is None else credentials.api_key(unit.connection, after)
        if after is not None and last is None:
            raise InvalidInput("this cursor is of no page of API keys", hint="Begin again without a cursor.")
        rows = credentials.api_keys(unit.connection, last, limit + 1)
    page = rows[:limit]
    return page, page[-1].id if len(rows) > limit else None


def revoke_api_key(unit: Unit, key_id: str) -> ApiKey:
    """The key, of no use from now on; once more changes nothing. A sign-in is no API key: only its holder ends it.

    Raises NotAllowed, NotFound.
    """
    return revoke_api_keys(unit, [key_id])[0].done()


def revoke_api_keys(
    unit: Unit, key_ids: Sequence[str], *, one_by_one: bool = False, dry_run: bool = False
) -> list[Outcome[str, ApiKey]]:
    """API keys, of no use from now on, all or none or `one_by_one`; with `dry_run` every check is made and nothing changed.

    Raises NotAllowed, and unless `one_by_one` NotFound.
    """

    def revoke(key_id: str) -> ApiKey:
        before = credentials.api_key(unit.connection, key_id) if key_id.isprintable() else None
        if before is None:
            raise NotFound(
                f'there is no API key "{key_id}"', hint="carnet-authority api-key list shows the ids.", key_id=key_id
            )
        if before.revoked_at is not None:
            return before
        credentials.revoke(unit.connection, before.id, unit.at)
        unit.record([_event(EventKind.API_KEY_REVOKED, unit.actor, before)])
        return replace(before, revoked_at=unit.at)

    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        # In one order, so that two who revoke the same ones do not wait for each other.
        for key_id in sorted({key_id for key_id in key_ids if key_id.isprintable()}):
            credentials.api_key(unit.connection, key_id, lock=True)
        return all_or_none(key_ids, revoke, one_by_one=one_by_one)


def _event(kind: EventKind, actor: Actor, key: ApiKey) -> Event:
    """Names are not unique, so that the log has the id as well."""
    return Event(kind=kind, actor=actor.username, member=key.member, reason=f"{key.name} ({key.id})")


def _add(unit: Unit, member: Member, kind: CredentialKind, name: str, ends_at: datetime | None) -> tuple[str, str]:
    """Secret and id of a new credential."""
    authority = unit.authority
    secret, credential_id = PREFIXES[kind] + encode(authority.random_bytes(32)), authority.fresh_id()
    credentials.add(
        unit.connection, Credential(credential_id, kind, digest_of(secret), name, member.id, unit.at, ends_at, None)
    )
    return secret, credential_id
