"""Parts of a transaction that are kept or taken back by themselves, on both databases."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from sqlalchemy import Connection


@contextlib.contextmanager
def savepoint(connection: Connection, *, keep: bool = True) -> Iterator[None]:
    """A part of the transaction that is under way: taken back when the block raises, or in any case with `keep` false.

    What came before it stays as it is, and the transaction goes on. Savepoints may stand within each other.
    """
    # Said by hand: SQLAlchemy's own savepoints stay open after they were rolled back, each within the one before.
    _run(connection, "SAVEPOINT part")
    try:
        yield
    except BaseException:
        take_back(connection)
        _run(connection, "RELEASE SAVEPOINT part")
        raise
    if not keep:
        take_back(connection)
    _run(connection, "RELEASE SAVEPOINT part")


def take_back(connection: Connection) -> None:
    """Takes back what was done since the innermost savepoint, which stays open."""
    _run(connection, "ROLLBACK TO SAVEPOINT part")


def _run(connection: Connection, text: str) -> None:
    connection.connection.cursor().execute(text)
