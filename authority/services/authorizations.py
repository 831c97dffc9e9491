"""Installing an authorization: what it changes, and what of that which is in use it no longer covers, is said with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from authority.domain.authorization_changes import Shortage, Usage, changes, consequences, shortages
from authority.domain.catalogue import Authorization, check_made
from authority.domain.clocks import CHECK_CLOCK
from authority.domain.events import Event, EventKind
from authority.domain.members import Privilege
from authority.domain.plurals import counted
from authority.domain.refusals import AuthorizationUnusable, KeyUnusable
from authority.services import set_up
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.signing import authorizations, encoding, inbox
from authority.storage import members, organization, pools, usage
from authority.storage.organization import Organization

TOKENS_OUT = ("borrow token is out", "borrow tokens are out")


@dataclass(frozen=True, slots=True)
class NewTrust:
    """A trust file to replace the organization's, and the root key thumbprints that a person has compared.

    A trust update, and a trust file that goes on from the organization's, are signed by the root key of before: for them nothing
    need be compared.
    """

    data: bytes
    accepted: frozenset[str]


@dataclass(frozen=True, slots=True)
class Installation:
    """What an installation did, or would do; `is_new` is False when this very authorization was there already.

    `trust_file` is the organization's new one, None when it stays; `is_continued` when it goes on from the one before, so that
    workstations take it without a new beginning. `changes` and `consequences` are sentences, and so is
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
    is_continued: bool = False
    trouble: str | None = None


def install(unit: Unit, data: bytes, new_trust: NewTrust | None = None, *, dry_run: bool = False) -> Installation:
    """Puts an authorization into force, also one for less than is in use; its consequences are told, not refused.

    A foreign root key is taken with a trust file whose root keys were accepted: that file becomes the organization's.
    Raises NotAllowed, AuthorizationUnusable (damaged, foreign, ended, not begun, of a number that is not above the one in
    force, or naming none of the keys here for a use); then nothing is changed.
    """
    if dry_run:
        with unit.reading():
            return _checked(unit, data, new_trust)
    with unit.writing():
        # Before the lock: who may not install makes nobody wait.
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        unit.lock_organization()
        installation = _checked(unit, data, new_trust)
        if installation.is_new:
            _write(unit, installation)
    if installation.trust_file is None:
        return installation
    return replace(installation, trouble=_copy_trust(unit.authority, installation.trust_file))


def _checked(unit: Unit, data: bytes, new_trust: NewTrust | None) -> Installation:
    """What the installation would do; nothing is written. Raises NotAllowed, AuthorizationUnusable."""
    unit.actor.needs(Privilege.MANAGE_AUTHORITY)
    before = unit.authorization
    trust_file, is_continued = _trust_file(new_trust, unit.organization)
    new = _read(data, trust_file)
    if (new.seq, new.compact) == (before.seq, before.compact):
        return Installation(new, before, False, None, (), (), (), unit.membership.current)
    _check(new, before, unit.now)
    _check_keys(unit.authority, new, trust_file)
    return _installation(unit, new, trust_file, is_continued=is_continued)


def _trust_file(new_trust: NewTrust | None, organization: Organization) -> tuple[str, bool]:
    """The text of the trust file to go by, and whether it goes on from the organization's."""
    if new_trust is None:
        return organization.trust_file, True
    continued = None if new_trust.accepted else authorizations.continued(organization.trust_file, new_trust.data)
    return (_accepted(new_trust, organization), False) if continued is None else (continued, True)


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
    named, roots = authorizations.organization_of(new_trust.data)
    if named != organization.id:
        raise AuthorizationUnusable(
            f'the trust file is of the organization "{named}", this is "{organization.id}"', about="trust_file"
        )
    if set(roots) != new_trust.accepted:
        raise AuthorizationUnusable(
            f"the trust file has the root key {', '.join(roots)}, accepted was {', '.join(sorted(new_trust.accepted)) or 'none'}",
            hint="Compare the thumbprint with the vendor, by a way other than the file's, and say it: --accept-root THUMBPRINT",
            about="accept_root",
            roots=roots,
        )
    return new_trust.data.decode("utf-8-sig")


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


def _check(new: Authorization, before: Authorization, now: datetime) -> None:
    if new.seq <= before.seq:
        raise AuthorizationUnusable(
            f"the authorization has the number (seq) {new.seq}, {before.seq} is in force",
            hint=f"Install the newest file from the vendor; its number has to be above {before.seq}.",
            seq=new.seq,
            in_force=before.seq,
        )
    if new.ends_at <= now:
        raise AuthorizationUnusable(
            f"the authorization ended at {new.ends_at:%Y-%m-%d %H:%M} UTC, it is {now:%Y-%m-%d %H:%M} UTC",
            hint=f"{CHECK_CLOCK} {AuthorizationUnusable.default_hint}",
        )
    if new.begins_at > now:
        raise AuthorizationUnusable(
            f"the authorization begins at {new.begins_at:%Y-%m-%d %H:%M} UTC, it is {now:%Y-%m-%d %H:%M} UTC",
            hint=f"{CHECK_CLOCK} It would replace the one in force at once: install it when it has begun.",
        )
    check_made(new, now)
    if not new.user_types:
        raise AuthorizationUnusable("the authorization has no user type, so that nobody could be a member")


def _check_keys(authority: Authority, new: Authorization, trust_file: str) -> None:
    """It is the authorization that cannot be used: the keys here are as good as ever."""
    try:
        set_up.check_keys(authority, new, trust_file)
    except KeyUnusable as error:
        raise AuthorizationUnusable(error.message, hint=error.hint, path=error.path, kid=error.kid) from error


def _installation(unit: Unit, new: Authorization, trust_file: str, *, is_continued: bool) -> Installation:
    before, connection = unit.authorization, unit.connection
    old_roots = authorizations.organization_of(unit.organization.trust_file.encode())[1]
    new_roots = authorizations.organization_of(trust_file.encode())[1]
    is_moved = set(old_roots) != set(new_roots)
    counts = members.type_counts(connection)
    in_use = Usage(counts, usage.holders(connection), usage.assigned(connection), usage.held(connection, unit.now))
    differences = changes(before, new)
    follows = consequences(new, in_use, unit.now)
    if is_moved:
        differences = (f"root key: {', '.join(old_roots)} -> {', '.join(new_roots)}", *differences)
    if is_continued:
        follows += _refused_borrows(new, usage.tokens_out(connection, unit.now))
        follows += _forgotten_authorizations(unit, trust_file)
    return Installation(
        authorization=new,
        before=before,
        is_new=True,
        trust_file=trust_file.encode() if is_moved else None,
        changes=differences,
        consequences=follows,
        shortages=shortages(new, in_use),
        members=unit.membership.current,
        is_continued=is_continued,
    )


def _forgotten_authorizations(unit: Unit, trust_file: str) -> tuple[str, ...]:
    """Says how many borrows that are out came with an authorization that the vendor's new root key does not know."""
    counts = usage.tokens_by_authorization(unit.connection, unit.now)
    texts = {seq: organization.authorization_texts(unit.connection, seq)[0] for seq in counts}
    before = unit.organization.trust_file
    good = [seq for seq, compact in texts.items() if authorizations.stays_good(compact, before)]
    forgotten = [seq for seq in good if not authorizations.stays_good(texts[seq], trust_file)]
    if not forgotten:
        return ()
    sentence = (
        f"{counted(sum(counts[seq] for seq in forgotten), *TOKENS_OUT)} that came with what was authorized before (seq "
        f"{', '.join(map(str, forgotten))}) and the vendor's trust update does not name: workstations that install it refuse such a token, "
        "and its member borrows anew. If that is not meant, the vendor makes the update from the folder that issued them"
    )
    return (sentence,)


def _refused_borrows(new: Authorization, tokens_out: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Says how many borrows that are out were signed when, by this authorization, their key was not in use."""
    refused = []
    for kid, payload in tokens_out:
        claims = json.loads(payload)
        key, signed_at = new.keys.get(kid), encoding.instant(claims["iat"])
        if key is None or not key.covers(signed_at, claims["jti"]):
            refused.append(signed_at)
    if not refused:
        return ()
    since = min(refused)
    sentence = (
        f"{counted(len(refused), *TOKENS_OUT)}, the first of {since:%Y-%m-%d %H:%M} UTC, signed by a key that this "
        "authorization does not take for that time: workstations that learn of it refuse such a token. "
        "If that is not meant, the vendor's specification begins (nbf) earlier and goes with all public keys"
    )
    return (sentence,)


def _write(unit: Unit, installation: Installation) -> None:
    new, trust_file = installation.authorization, unit.organization.trust_file
    if installation.trust_file is not None:
        trust_file = installation.trust_file.decode("utf-8-sig")
        organization.replace_trust_file(unit.connection, trust_file)
    organization.add_authorization(unit.connection, new, trust_file, unit.at)
    pools.add_missing(unit.connection, new.products.values())
    words = "; ".join((f"number: {installation.before.seq} -> {new.seq}", *installation.changes))
    actor = unit.actor.username
    unit.record([Event(kind=EventKind.AUTHORIZATION_INSTALLED, actor=actor, until=new.ends_at, reason=words)])
