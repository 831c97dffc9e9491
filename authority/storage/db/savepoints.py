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
    connection.exec_driver_sql("SAVEPOINT part")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
        connection.exec_driver_sql("RELEASE SAVEPOINT part")
        raise
    if not keep:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT part")
    connection.exec_driver_sql("RELEASE SAVEPOINT part")
