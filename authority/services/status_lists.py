"""Publishing status lists: a new one when something ended, or when the last grows old; each signed, numbered and kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization
from authority.services.context import Authority, authorization_of, issuer_of, organization_of
from authority.signing import authorizations, tokens
from authority.signing.encoding import digest
from authority.storage import borrows as stored
from authority.storage import organization as stored_organization
from authority.storage.borrows import PublishedList
from authority.storage.organization import Organization

# The list inside a new borrow file may be this old; one that is asked for is always up to date.
REFRESH = timedelta(hours=1)
# A workstation's clock may be behind by this much and still think that an expired borrow is good.
KEPT_AFTER_EXPIRY = timedelta(hours=48)


def refresh(authority: Authority) -> None:
    """Publishes a list when there is none yet or the last is older than an hour."""
    with authority.database.read() as connection:
        last = stored.newest_list(connection)
    if last is None or authority.now() - last.issued_at >= REFRESH:
        export(authority)


def newest_seq(connection: Connection) -> int:
    """The number of the list published last; `refresh` made sure that there is one."""
    last = stored.newest_list(connection)
    return 0 if last is None else last.seq


def export(authority: Authority) -> bytes:
    """The bytes of a status file with everything that ended so far; the last one again when nothing changed since."""
    now = authority.now()
    with authority.database.read() as connection:
        organization = organization_of(connection)
        last = stored.newest_list(connection)
        if last is None or not _is_current(connection, organization, last, now):
            last = None
    if last is None:
        last = _publish(authority, now)
    with authority.database.read() as connection:
        return tokens.status_file(stored_organization.authorization_text(connection, last.authorization_seq), last.compact)


def _is_current(connection: Connection, organization: Organization, last: PublishedList, now: datetime) -> bool:
    newest = stored_organization.newest_authorization(connection)
    same_authorization = newest is not None and newest[0] == last.authorization_seq
    return same_authorization and now - last.issued_at < REFRESH and last.packed == _packed(connection, organization, now)


def _packed(connection: Connection, organization: Organization, now: datetime) -> str:
    return tokens.pack(stored.ended_indexes(connection, now - KEPT_AFTER_EXPIRY), organization.status_size)


def _publish(authority: Authority, now: datetime) -> PublishedList:
    with authority.database.write() as connection:
        organization = organization_of(connection)
        stored_organization.get(connection, lock=True)
        last = stored.newest_list(connection)
        if last is not None and _is_current(connection, organization, last, now):
            return last  # another node was faster
        authorization = authorization_of(connection, organization)
        packed = _packed(connection, organization, now)
        seq, prev = (1, None) if last is None else (last.seq + 1, digest(last.compact))
        issuer = issuer_of(authority, organization, authorization)
        compact = tokens.status_list(issuer, packed, uri=organization.status_uri, seq=seq, prev=prev, now=now)
        published = PublishedList(seq, packed, compact, now, authorization.seq)
        stored.insert_list(connection, published)
    return published


def authorization_in(compact: str, organization: Organization) -> Authorization:
    """The authorization in a signed text that we keep."""
    return authorizations.read(compact, organization.trust_file)
