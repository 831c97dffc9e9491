"""Publishing status lists: a new one when something ended, or when the last grows old; each signed, numbered and kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from authority.services.context import Authority
from authority.signing import issuing
from authority.signing.encoding import digest
from authority.storage import borrows as stored
from authority.storage import organization as stored_organization
from authority.storage.borrows import PublishedList
from authority.storage.organization import Organization

# The list inside a new borrow file may be this old; one that is asked for is always up to date.
REFRESH = timedelta(hours=1)
# A workstation's clock may be behind by this much and still think that an expired borrow is good.
KEPT_AFTER_EXPIRY = timedelta(hours=48)


def refreshed_seq(authority: Authority, connection: Connection, authorization_seq: int) -> int:
    """The number of the list for a new borrow file under this authorization, which must know the list's key.

    Publishes one first when the last known here is older than an hour, or of another authorization.
    """
    known = authority.remembered.newest_list
    if known is None or known[2] != authorization_seq or authority.now() - known[1] >= REFRESH:
        last = stored.newest_list(connection)
        is_of_it = last is not None and last.authorization_seq == authorization_seq
        if last is None or not is_of_it or authority.now() - last.issued_at >= REFRESH:
            last = _publish(authority, connection, authority.now())
        return last.seq  # remembered by `remember` once it is committed
    return known[0]


def remember(authority: Authority, seq: int) -> None:
    """Keeps in mind that the list with this number is there, after the transaction that used it was committed."""
    known = authority.remembered.newest_list
    if known is None or known[0] < seq:
        with authority.database.read() as connection:
            last = stored.newest_list(connection)
        if last is not None:
            authority.remembered.newest_list = (last.seq, last.issued_at, last.authorization_seq)


def export(authority: Authority) -> bytes:
    """The bytes of a status file with everything that ended so far; the last one again when nothing changed since."""
    now = authority.now()
    with authority.database.read() as connection:
        organization = authority.organization(connection)
        last = stored.newest_list(connection)
        is_current = last is not None and _is_current(connection, organization, last, now)
    if last is None or not is_current:
        with authority.database.write() as connection:
            last = _publish(authority, connection, now)
    authority.remembered.newest_list = (last.seq, last.issued_at, last.authorization_seq)
    with authority.database.read() as connection:
        authorization = authority.authorization(connection, last.authorization_seq)
    return issuing.status_file(authorization.compact, last.compact)


def _is_current(connection: Connection, organization: Organization, last: PublishedList, now: datetime) -> bool:
    if stored_organization.newest_seq(connection) != last.authorization_seq or now - last.issued_at >= REFRESH:
        return False
    return last.packed == _packed(connection, organization, now)


def _packed(connection: Connection, organization: Organization, now: datetime) -> str:
    return issuing.pack(stored.ended_indexes(connection, now - KEPT_AFTER_EXPIRY), organization.status_size)


def _publish(authority: Authority, connection: Connection, now: datetime) -> PublishedList:
    """Publishes a list within the caller's transaction."""
    organization = authority.organization(connection)
    stored.lock_lists(connection)
    last = stored.newest_list(connection)
    if last is not None and _is_current(connection, organization, last, now):
        return last  # another node was faster
    authorization = authority.authorization(connection)
    packed = _packed(connection, organization, now)
    seq, prev = (1, None) if last is None else (last.seq + 1, digest(last.compact))
    issuer = authority.issuer(connection, authorization)
    compact = issuing.status_list(issuer, packed, uri=organization.status_uri, seq=seq, prev=prev, now=now)
    published = PublishedList(seq, packed, compact, now, authorization.seq)
    stored.insert_list(connection, published)
    return published
