"""Signing in and out, and API keys. Only digests of secrets are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from authority.domain.api_keys import ApiKey
from authority.domain.events import Event, EventKind, api_key_event
from authority.domain.members import CredentialKind, Member, Privilege, Scope, user_key
from authority.domain.names import key_of, spelled
from authority.domain.refusals import InvalidInput, Mistakes, NotAllowed, NotFound
from authority.domain.sign_ins import KNOWN_FOR, MOST_SIGN_INS, NOWHERE, SIGN_IN_LASTS, Origin, SignIn
from authority.services import sign_ins, tries
from authority.services.members import existing
from authority.services.several import Outcome, all_or_none
from authority.services.unit import Unit
from authority.signing.encoding import digest_of, encode
from authority.storage import credentials, members
from authority.storage.credentials import Credential

# Says to people and scanners what was found when a key turns up where it should not be.
PREFIXES = {CredentialKind.SIGN_IN: "carnet_si_", CredentialKind.API_KEY: "carnet_key_"}


def sign_in(
    unit: Unit, username: str, password: str, *, remember: bool = False, origin: Origin = NOWHERE
) -> tuple[str, datetime | None]:
    """A bearer token for a member, and when it ends; the unit is anybody's.

    With `remember` it does not end by itself (seed S3): it is good until signing out, a new password, or the member's removal.

    Raises NotAuthenticated with one text, whatever was wrong (seed S3), TooManyRequests after too many wrong passwords, and
    OrganizationOverLimit.
    """
    passed = tries.check_password(unit, username, password, origin)
    return begin(unit, passed.member, remember=remember, origin=origin, password_hash=passed.password_hash)


def begin(
    unit: Unit,
    member: Member,
    *,
    remember: bool,
    origin: Origin,
    password_hash: str | None = None,
    by: str | None = None,
) -> tuple[str, datetime | None]:
    """A bearer token for a member who has shown who they are, with a password or `by` a provider, and when it ends.

    Of more sign-ins than may be good at a time the oldest ends.

    Raises NotAuthenticated where the member was removed or disabled meanwhile, or has another password than the one whose hash is
    given; OrganizationOverLimit.
    """
    unit.membership.check_admitted(member.role)
    # Only an administrator gets this far when there is too much of anything.
    unit.excess = unit.membership.excess()
    with unit.writing():
        now = members.by_id(unit.connection, member.id, lock=True)
        is_old = password_hash is not None and members.hash_of(unit.connection, member.id) != password_hash
        if now is None or now.disabled or is_old:
            raise tries.not_authenticated()
        ends_at = None if remember else unit.at + SIGN_IN_LASTS
        credentials.remove_old_sign_ins(unit.connection, member.id, unit.at - KNOWN_FOR)
        secret, _ = _add(unit, member, CredentialKind.SIGN_IN, CredentialKind.SIGN_IN, ends_at, origin)
        oldest = credentials.sign_ins(unit.connection, member.id, unit.at)[MOST_SIGN_INS:]
        sign_ins.end(unit, member, oldest, f"more than {MOST_SIGN_INS} at a time", member.username)
        where = f"from {origin.address}" + ("" if by is None else f" by {by}")
        unit.record([Event(kind=EventKind.SIGNED_IN, actor=member.username, member=member.username, reason=where)])
    return secret, ends_at


def sign_out(unit: Unit, secret: str) -> None:
    """Makes a sign-in useless; the unit is anybody's. An unknown one is no error: afterwards it does not work, as was wanted."""
    with unit.writing():
        row = credentials.by_digest(unit.connection, digest_of(secret))
        if row is None or row.kind != CredentialKind.SIGN_IN or not row.is_good(unit.at):
            return
        member = members.by_id(unit.connection, row.member_id)
        if member is not None:
            sign_ins.end(unit, member, [row], "signed out", member.username)


def sign_ins_of(
    unit: Unit, username: str | None = None, after: str | None = None, limit: int = 100
) -> tuple[list[SignIn], str | None]:
    """A page of the good sign-ins of a member, by default of who asks, newest first, and the cursor of the next page.

    Raises NotAllowed, NotFound, InvalidInput (`after` is no cursor).
    """
    with unit.reading():
        member = _owner(unit, username)
        last = None if after is None else credentials.sign_in(unit.connection, after)
        if after is not None and (last is None or last.member_id != member.id):
            raise InvalidInput("this cursor is of no page of these sign-ins", hint="Begin again without a cursor.")
        rows = credentials.sign_ins(unit.connection, member.id, unit.at, after=last, limit=limit + 1)
        page = [sign_ins.sign_in_of(unit, member, row) for row in rows[:limit]]
    return page, page[-1].id if len(rows) > limit else None


def end_sign_ins(
    unit: Unit,
    username: str | None = None,
    sign_in_ids: Sequence[str] | None = None,
    *,
    keep_current: bool = False,
    dry_run: bool = False,
) -> list[SignIn]:
    """Ends sign-ins of a member, by default of who asks: those with these ids or all; returns those that were good until now.

    With `keep_current` the one that asks stays good; with `dry_run` every check is made and nothing changed. An id of a sign-in that
    ended is no error. Raises NotAllowed, NotFound (also for an id that is another member's).
    """
    with unit.writing(keep=not dry_run):
        member = _owner(unit, username, lock=True)
        rows = credentials.sign_ins(unit.connection, member.id, unit.at)
        if sign_in_ids is not None:
            named = [_sign_in(unit, member, sign_in_id) for sign_in_id in dict.fromkeys(sign_in_ids)]
            rows = [row for row in named if row.is_good(unit.at)]
        if keep_current:
            rows = [row for row in rows if row.id != unit.credential]
        return sign_ins.end(unit, member, rows, "ended")


def _owner(unit: Unit, username: str | None, *, lock: bool = False) -> Member:
    """Whose sign-ins it is about: who asks, or the member who is named, for whom one manages members."""
    actor = unit.actor
    is_own = username is None or (actor.member_id is not None and user_key(username) == user_key(actor.username))
    actor.needs(Privilege.OWN_ACCESS if is_own else Privilege.MANAGE_MEMBERS)
    member = members.by_id(unit.connection, actor.member_id or 0, lock=lock) if username is None else None
    if member is None and username is None:
        raise NotAllowed(f"this is about a member's own, and {actor.username} is no member", hint="Sign in as the member.")
    return member or existing(unit.connection, username or "", lock=lock)


def _sign_in(unit: Unit, member: Member, sign_in_id: str) -> Credential:
    row = credentials.sign_in(unit.connection, sign_in_id) if sign_in_id.isprintable() else None
    if row is None or row.member_id != member.id:
        raise NotFound(
            f'the member {member.username} has no sign-in "{sign_in_id}"',
            hint="carnet-authority sign-in list NAME shows the ids.",
            sign_in_id=sign_in_id,
        )
    return row


def create_api_key(
    unit: Unit, username: str, name: str, *, scopes: Sequence[Scope] = (Scope.ALL,), expires_at: datetime | None = None
) -> tuple[str, ApiKey]:
    """The secret of a new API key that acts as the member within the scopes, returned this once, and the key.

    Without `expires_at` it is good until it is revoked. Raises NotAllowed, NotFound, InvalidInput (also for an end that has passed).
    """
    with unit.writing():
        unit.actor.needs(Privilege.GIVE_ACCESS)
        mistakes = Mistakes()
        with mistakes.collected():
            name = _key_name(name)
        with mistakes.collected():
            _check_end(expires_at, unit.at)
        with mistakes.collected():
            member = existing(unit.connection, username, lock=True)
        mistakes.tell()
        return add_api_key(unit, member, name, scopes, expires_at)


def _key_name(text: str) -> str:
    name = spelled("the name of a key", text)
    if not key_of(name):
        raise InvalidInput("a key needs a name that says what it is for", about="name")
    return name


def _check_end(expires_at: datetime | None, at: datetime) -> None:
    if expires_at is not None and expires_at <= at:
        text = f"the key would have ended already: {expires_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        raise InvalidInput(text, about="expires_at", asked=expires_at)


def add_api_key(
    unit: Unit, member: Member, name: str, scopes: Sequence[Scope] = (Scope.ALL,), expires_at: datetime | None = None
) -> tuple[str, ApiKey]:
    """The secret of a new API key, and the key, within the transaction that is under way; name, end and privilege were checked."""
    ordered = (Scope.ALL,) if Scope.ALL in scopes else tuple(scope for scope in Scope if scope in scopes)
    words = None if ordered == (Scope.ALL,) else " ".join(ordered)
    secret, key_id = _add(unit, member, CredentialKind.API_KEY, name, expires_at, scopes=words)
    key = ApiKey(key_id, name, member.username, unit.at, None, ordered, expires_at)
    unit.record([api_key_event(EventKind.API_KEY_CREATED, unit.actor, key)])
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


def revoke_api_key(unit: Unit, key_id: str, *, dry_run: bool = False) -> ApiKey:
    """The key, of no use from now on; once more changes nothing. A sign-in is no API key: only its holder ends it.

    With `dry_run` every check is made and nothing changed. Raises NotAllowed, NotFound.
    """
    return revoke_api_keys(unit, [key_id], dry_run=dry_run)[0].done()


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
        unit.record([api_key_event(EventKind.API_KEY_REVOKED, unit.actor, before)])
        return replace(before, revoked_at=unit.at)

    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        # In one order, so that two who revoke the same ones do not wait for each other.
        for key_id in sorted({key_id for key_id in key_ids if key_id.isprintable()}):
            credentials.api_key(unit.connection, key_id, lock=True)
        return all_or_none(key_ids, revoke, one_by_one=one_by_one)


def _add(
    unit: Unit,
    member: Member,
    kind: CredentialKind,
    name: str,
    ends_at: datetime | None,
    origin: Origin | None = None,
    scopes: str | None = None,
) -> tuple[str, str]:
    """Secret and id of a new credential."""
    authority = unit.authority
    secret, credential_id = PREFIXES[kind] + encode(authority.random_bytes(32)), authority.fresh_id()
    credential = Credential(credential_id, kind, digest_of(secret), name, member.id, unit.at, ends_at, None, scopes=scopes)
    if origin is not None:
        credential = replace(credential, address=origin.address, agent=origin.agent)
    credentials.add(unit.connection, credential)
    return secret, credential_id
