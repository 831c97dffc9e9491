"""Receipts that were taken, by the digest of their signed text."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from authority.domain.borrows import Receipt
from authority.storage.db.tables import receipts


def is_known(connection: Connection, digest: str) -> bool:
    """True when the receipt with this digest was taken before."""
    return connection.execute(select(receipts.c.digest).where(receipts.c.digest == digest)).first() is not None


def add(connection: Connection, receipt: Receipt, at: datetime) -> None:
    """Keeps that a receipt was taken."""
    row = {"digest": receipt.digest, "borrow_id": receipt.borrow_id, "taken_at": at}
    connection.execute(insert(receipts), row)
