"""Files of members that were given in to be looked at: the last one of each member, compressed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select

from authority.storage.db.rows import value_of
from authority.storage.db.tables import uploads

_u = uploads.c


@dataclass(frozen=True, slots=True)
class Upload:
    """Who gave in a file when, its name, its digest, and the file compressed."""

    member_id: int
    digest: str
    name: str
    packed: bytes
    given_at: datetime


def put(connection: Connection, new: Upload, until: datetime) -> None:
    """Keeps a file in place of the one that the member gave in before, and removes those of everybody that were given in by then."""
    connection.execute(delete(uploads).where(or_(_u.member_id == new.member_id, _u.given_at <= until)))
    connection.execute(insert(uploads).values({name: getattr(new, name) for name in new.__slots__}))


def get(connection: Connection, member_id: int) -> Upload | None:
    """The file that the member gave in last."""
    row = connection.execute(select(uploads).where(_u.member_id == member_id)).one_or_none()
    return None if row is None else value_of(Upload, row)
