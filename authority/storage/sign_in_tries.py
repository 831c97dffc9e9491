"""Wrong passwords, and right ones of each minute, counted in rows of a bounded number."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, delete, literal, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from authority.domain.sign_ins import FORGOTTEN_AFTER, MINUTE, Budget, Tries, current
from authority.storage.db.tables import sign_in_tries

# Rows of each budget at most. Two names or addresses that share one share its waits; who wants to slow somebody names them anyway.
ROWS_OF_BUDGET = 2**16
# Old rows that one try removes at most.
MOST_REMOVED = 100
_t = sign_in_tries.c
_READ = select(sign_in_tries).where(_t.key.in_(bindparam("keys", expanding=True))).order_by(_t.key)
_COUNT = (
    update(sign_in_tries).where(_t.key == bindparam("of_key")).values(wrong=bindparam("now_wrong"), last_at=bindparam("at"))
)


def key(budget: Budget, *subjects: object) -> str:
    """The row in which wrong passwords for these subjects are counted."""
    digest = hashlib.sha256("\n".join((budget, *map(str, subjects))).encode("utf-8", "surrogatepass")).digest()
    return f"{budget}:{int.from_bytes(digest[:4], 'big') % ROWS_OF_BUDGET:x}"


def read(connection: Connection, keys: Mapping[str, Budget], *, lock: bool = False) -> dict[str, Tries]:
    """What was counted in the rows that are there; with `lock` nobody else counts in them until this transaction ends."""
    rows = connection.execute(_READ.with_for_update() if lock else _READ, {"keys": sorted(keys)})
    return {row.key: Tries(keys[row.key], row.wrong, row.last_at) for row in rows}


def lock_rows(connection: Connection, keys: Mapping[str, Budget], at: datetime) -> dict[str, Tries]:
    """What was counted in all of the rows, which are made where there are none, and locked until this transaction ends.

    Rows in which nothing counts any more are removed.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    new = [{"key": name, "wrong": 0, "last_at": at} for name in sorted(keys)]
    connection.execute(insert(sign_in_tries).on_conflict_do_nothing(), new)
    locked = read(connection, keys, lock=True)
    # What another holds is left to the next: nobody waits for rows that are not their own.
    old = select(_t.key).where(_t.last_at < at - FORGOTTEN_AFTER, _t.key.not_in(sorted(keys))).limit(MOST_REMOVED)
    connection.execute(delete(sign_in_tries).where(_t.key.in_(old.with_for_update(skip_locked=True))))
    return locked


def count(connection: Connection, tries: Mapping[str, Tries], at: datetime) -> dict[str, Tries]:
    """The rows, which are locked, with one more wrong password in each."""
    counted = {name: Tries(item.budget, current(item, at).wrong + 1, at) for name, item in sorted(tries.items())}
    for name, item in counted.items():
        connection.execute(_COUNT, {"of_key": name, "now_wrong": item.wrong, "at": at})
    return counted


def count_right(connection: Connection, name: str, at: datetime) -> None:
    """Counts a right password in its row, which is made where there is none; the minute of the row begins with its first."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    is_new = or_(_t.last_at <= at - MINUTE, _t.last_at > at)
    connection.execute(
        insert(sign_in_tries)
        .values(key=name, wrong=1, last_at=at)
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "wrong": case((is_new, 1), else_=_t.wrong + 1),
                "last_at": case((is_new, literal(at, _t.last_at.type)), else_=_t.last_at),
            },
        )
    )


def take_back(connection: Connection, keys: Iterable[str]) -> None:
    """Takes back one wrong password from each of the rows: it was right."""
    fewer = case((_t.wrong > 0, _t.wrong - 1), else_=0)
    connection.execute(update(sign_in_tries).where(_t.key.in_(sorted(keys))).values(wrong=fewer))


def clear(connection: Connection, keys: Iterable[str]) -> None:
    """Forgets what was counted in the rows."""
    connection.execute(delete(sign_in_tries).where(_t.key.in_(sorted(keys))))
