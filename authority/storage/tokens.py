"""Tokens given out for borrows, and the places in the status list that they took for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Connection, Integer, UpdateBase, bindparam, delete, exists, func, select
from sqlalchemy import insert as inserting
from sqlalchemy.dialects import postgresql, sqlite

from authority.domain.tokens import Token
from authority.storage.db.prepared import Prepared
from authority.storage.db.rows import value_of
from authority.storage.db.tables import borrows, lost_places, tokens

# SQLite takes 32,766 values in one statement, PostgreSQL 65,535.
MOST_VALUES = 10_000
# Below every number that there is, so that who does not count is compared with nobody.
NOT_COUNTED = -1


def _insert(dialect: str) -> UpdateBase:
    """A place is taken by writing it: who comes second to the same one writes nothing, nor who draws one whose token was lost."""
    names = [column.name for column in tokens.columns]
    place: BindParameter[int] = bindparam("status_index", type_=Integer())
    values = [place if name == "status_index" else bindparam(name, type_=tokens.c[name].type) for name in names]
    row = select(*values).where(~exists().where(lost_places.c.status_index == place))
    insertion = sqlite.insert(tokens) if dialect == "sqlite" else postgresql.insert(tokens)
    return insertion.from_select(names, row).on_conflict_do_nothing(index_elements=["status_index"])


_INSERT = Prepared(_insert)


def insert(connection: Connection, token: Token) -> bool:
    """Keeps a token. False when its place in the status list is another's: then nothing was written."""
    cursor = _INSERT.run(connection, {name: getattr(token, name) for name in token.__slots__})
    return cursor.rowcount == 1


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


def out(connection: Connection, now: datetime) -> list[Token]:
    """The tokens that have not expired."""
    return [value_of(Token, row) for row in connection.execute(select(tokens).where(tokens.c.expires_at > now))]


def count(connection: Connection) -> int:
    """How many places of the status list are taken."""
    return connection.execute(select(func.count()).select_from(tokens)).scalar_one()


def known(connection: Connection, jtis: Sequence[str]) -> set[str]:
    """Those of these ids under which there are tokens."""
    ids: set[str] = set()
    for first in range(0, len(jtis), MOST_VALUES):
        query = select(tokens.c.jti).where(tokens.c.jti.in_(jtis[first : first + MOST_VALUES]))
        ids.update(connection.execute(query).scalars())
    return ids


@dataclass(frozen=True, slots=True)
class Place:
    """A place of the status list, the borrow whose token has it, and when that ends by time where nobody ended it (None)."""

    status_index: int
    borrow_id: str
    open_until: datetime | None


def at_places(connection: Connection, places: Sequence[int]) -> list[Place]:
    """The tokens that have these places of the status list."""
    rows: list[Place] = []
    columns = (tokens.c.status_index, tokens.c.borrow_id, borrows.c.ended_by, borrows.c.expires_at)
    for first in range(0, len(places), MOST_VALUES):
        query = select(*columns).join(borrows, borrows.c.id == tokens.c.borrow_id)
        of_these = connection.execute(query.where(tokens.c.status_index.in_(places[first : first + MOST_VALUES])))
        rows += [Place(row.status_index, row.borrow_id, None if row.ended_by else row.expires_at) for row in of_these]
    return rows


def ended_indexes(connection: Connection, not_expired_at: datetime) -> list[int]:
    """The status list places of tokens whose borrow ended before its time, and that time alone does not yet refuse."""
    query = (
        select(tokens.c.status_index)
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.expires_at > not_expired_at, borrows.c.ended_by.is_not(None))
    )
    without_token = select(lost_places.c.status_index).where(lost_places.c.until > not_expired_at)
    return [*connection.execute(query).scalars(), *connection.execute(without_token).scalars()]


def keep_places(connection: Connection, places: Iterable[int], until: datetime) -> None:
    """Places without a token here stay ended until then, and are given to nobody; of those that are kept already nothing changes."""
    already = lost(connection)
    rows = [{"status_index": place, "until": until} for place in places if place not in already]
    if rows:
        connection.execute(inserting(lost_places), rows)


def take_lost(connection: Connection, place: int) -> bool:
    """The place may be given again, to the token that had it. Returns whether it was kept as one that nobody here has."""
    return connection.execute(delete(lost_places).where(lost_places.c.status_index == place)).rowcount == 1


def lost(connection: Connection) -> set[int]:
    """The places that are kept ended though nobody here has them."""
    return set(connection.execute(select(lost_places.c.status_index)).scalars())
