"""Tokens given out for borrows, and the places in the status list that they took for ever."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, UpdateBase, bindparam, func, select
from sqlalchemy.dialects import postgresql, sqlite

from authority.storage.db.prepared import Prepared
from authority.storage.db.rows import value_of
from authority.storage.db.tables import borrows, tokens


@dataclass(frozen=True, slots=True)
class Token:
    """One token given out: `payload` is the text that was signed with the key `kid`."""

    jti: str
    borrow_id: str
    request_jti: str
    request_digest: str
    payload: str
    kid: str
    status_index: int
    status_seq: int
    authorization_seq: int
    expires_at: datetime
    request_number: int | None = None
    returns: int | None = None


def _insert(dialect: str) -> UpdateBase:
    """A place is taken by writing it: who comes second to the same one writes nothing."""
    if dialect == "sqlite":
        return sqlite.insert(tokens).on_conflict_do_nothing(index_elements=["status_index"])
    return postgresql.insert(tokens).on_conflict_do_nothing(index_elements=["status_index"])


_INSERT = Prepared(_insert)
_OF_BORROW = Prepared(
    select(tokens.c.jti).where(tokens.c.borrow_id == bindparam("borrow_id"), tokens.c.jti == bindparam("jti"))
)


def insert(connection: Connection, token: Token) -> bool:
    """Keeps a token. False when its place in the status list is another's: then nothing was written."""
    cursor = _INSERT.run(connection, {name: getattr(token, name) for name in token.__slots__})
    return cursor.rowcount == 1


def has(connection: Connection, borrow_id: str, jti: str) -> bool:
    """True when the borrow was given a token with this id."""
    return bool(_OF_BORROW.run(connection, {"borrow_id": borrow_id, "jti": jti}).fetchall())


def of_request(connection: Connection, request_jti: str) -> Token | None:
    """The token that the request with this number was answered with, None when it was not answered."""
    row = connection.execute(select(tokens).where(tokens.c.request_jti == request_jti)).one_or_none()
    return None if row is None else value_of(Token, row)


def newest(connection: Connection, borrow_id: str) -> Token:
    """The latest token of a borrow: the first, or that of its last renewal."""
    query = (
        select(tokens).where(tokens.c.borrow_id == borrow_id).order_by(tokens.c.expires_at.desc(), tokens.c.status_seq.desc())
    )
    return value_of(Token, connection.execute(query.limit(1)).one())


def count(connection: Connection) -> int:
    """How many places of the status list are taken."""
    return connection.execute(select(func.count()).select_from(tokens)).scalar_one()


def ended_indexes(connection: Connection, not_expired_at: datetime) -> list[int]:
    """The status list places of tokens whose borrow ended before its time, and that time alone does not yet refuse."""
    query = (
        select(tokens.c.status_index)
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.expires_at > not_expired_at, borrows.c.ended_by.is_not(None))
    )
    return list(connection.execute(query).scalars())
