"""All rows of the program's tables, out of a database and into one, whatever its kind; by the columns that its tables have."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from sqlalchemy import Connection, Integer, MetaData, Table, delete, func, insert, literal_column, select, text

from authority.domain.refusals import BackupUnusable
from authority.storage.archive import Archive, Manifest, Row
from authority.storage.db.tables import metadata

# So many rows are read or written at once.
MOST_AT_ONCE = 1000


def tables_of(connection: Connection) -> list[Table]:
    """The program's tables as they are in this database, those that others refer to first.

    What else is there, such as a copy that somebody made or the tables of an extension of PostgreSQL, is not ours to keep or to
    replace. No migration takes a table away: those of earlier programs are among those of now.
    """
    here = MetaData()
    here.reflect(connection, only=lambda name, _: name in metadata.tables)
    return here.sorted_tables


def content_of(connection: Connection) -> Iterator[tuple[str, tuple[str, ...], Iterable[Row]]]:
    """Each table with its columns and its rows, which are read as they are asked for."""
    for table in tables_of(connection):
        yield table.name, tuple(table.c.keys()), _rows(connection, table)


def _rows(connection: Connection, table: Table) -> Iterator[Row]:
    query = select(table).order_by(*table.primary_key.columns).execution_options(yield_per=MOST_AT_ONCE)
    for row in connection.execute(query):
        yield tuple(row)


def lock_all(connection: Connection) -> None:
    """Nobody else reads or writes a row until the transaction that is under way ends; SQLite has one writer by itself."""
    if connection.dialect.name == "postgresql":
        for table in tables_of(connection):
            connection.execute(text(f'LOCK TABLE "{table.name}" IN ACCESS EXCLUSIVE MODE'))


def replace_all(connection: Connection, archive: Archive) -> None:
    """Puts the rows of a backup in the place of all rows there are, in the transaction that is under way.

    Others wait until it ends and see nothing of it before. Raises BackupUnusable where its tables are others than those here.
    """
    tables = tables_of(connection)
    _check_tables(archive.manifest, tables)
    lock_all(connection)
    for table in reversed(tables):
        connection.execute(delete(table))
    for table in tables:
        names = archive.manifest.tables[table.name].columns
        rows = archive.rows(table.name)
        while part := list(itertools.islice(rows, MOST_AT_ONCE)):
            connection.execute(insert(table), [dict(zip(names, row, strict=True)) for row in part])
        _go_on_after(connection, table)


def _check_tables(manifest: Manifest, tables: Iterable[Table]) -> None:
    there = {table.name: sorted(table.c.keys()) for table in tables}
    # Programs before this one took along what else was in the database.
    in_backup = {name: sorted(content.columns) for name, content in manifest.tables.items() if name in metadata.tables}
    if there != in_backup:
        differing = sorted(name for name in there.keys() | in_backup.keys() if there.get(name) != in_backup.get(name))
        raise BackupUnusable(f"the backup has other tables than this database: {', '.join(differing)}")


def _go_on_after(connection: Connection, table: Table) -> None:
    """The next row that the database numbers itself comes after all that are there; SQLite sees to that by itself."""
    if connection.dialect.name != "postgresql" or not isinstance(table.primary_key.columns.values()[0].type, Integer):
        return
    column = table.primary_key.columns.values()[0]
    sequence = connection.execute(select(func.pg_get_serial_sequence(table.name, column.name))).scalar_one()
    if sequence is not None:
        # A sequence knows no transactions: one that was lowered would stay so when the restore is taken back.
        highest = func.greatest(
            select(func.max(column)).scalar_subquery(),
            select(literal_column("last_value")).select_from(text(sequence)).scalar_subquery(),
        )
        connection.execute(select(func.setval(sequence, highest)))
