"""Receipts that were taken, by the digest of their signed text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, and_, insert, or_, select

from authority.domain.borrows import Receipt
from authority.storage.db.tables import borrows, receipts, tokens


def is_known(connection: Connection, digest: str) -> bool:
    """True when the receipt with this digest was taken before."""
    return connection.execute(select(receipts.c.digest).where(receipts.c.digest == digest)).first() is not None


def add(connection: Connection, receipt: Receipt, at: datetime) -> None:
    """Keeps that a receipt was taken."""
    row = {
        "digest": receipt.digest,
        "borrow_id": receipt.borrow_id,
        "taken_at": at,
        "machine_key": receipt.machine_key,
        "number": receipt.count,
        "requests": receipt.requests,
    }
    connection.execute(insert(receipts), row)


def has_number(connection: Connection, receipt: Receipt) -> bool:
    """True when another receipt of the same machine key and the same number was taken."""
    is_same = and_(receipts.c.machine_key == receipt.machine_key, receipts.c.number == receipt.count)
    return connection.execute(select(receipts.c.digest).where(is_same, receipts.c.digest != receipt.digest)).first() is not None


def counts_no_more(connection: Connection, receipt: Receipt) -> bool:
    """True when a receipt without counts comes from a machine key of which a request, or an earlier receipt, had them."""
    if receipt.requests is not None:
        return False
    request = select(tokens.c.jti).join(borrows).where(borrows.c.machine_key == receipt.machine_key)
    earlier = select(receipts.c.digest).where(receipts.c.machine_key == receipt.machine_key)
    queries = (request.where(tokens.c.request_number.is_not(None)), earlier.where(receipts.c.requests.is_not(None)))
    return any(connection.execute(query.limit(1)).first() is not None for query in queries)


def contradicts_requests(connection: Connection, receipt: Receipt) -> bool:
    """True when a request of the same machine key that was answered tells the counts otherwise.

    One that was made later must know of the receipt, and one that was made before must not. Requests of machines that do not count
    are asked nothing.
    """
    if receipt.requests is None:
        return False
    later = and_(tokens.c.request_number > receipt.requests, tokens.c.returns < receipt.count)
    earlier = and_(tokens.c.request_number <= receipt.requests, tokens.c.returns >= receipt.count)
    query = select(tokens.c.jti).join(borrows).where(borrows.c.machine_key == receipt.machine_key, or_(later, earlier))
    return connection.execute(query.limit(1)).first() is not None
