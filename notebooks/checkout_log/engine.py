"""Where expressions run: DuckDB in this process by default, or any other engine that Ibis knows, such as Spark."""

from __future__ import annotations

import itertools
import shutil
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from ibis.expr.operations import DatabaseTable, Namespace
from ibis.expr.schema import Schema
from ibis.expr.types import Table

from checkout_log import statements
from checkout_log.columns import ARROW, TIME, Column

_numbers = itertools.count()
# What DuckDB may hold in memory, so that ten million events need no large computer; what is more waits on disk.
MEMORY = "2GB"


class Engine:
    """A connection of Ibis. Every measure is one expression that runs on it; a frame comes out at the end."""

    def __init__(self, connection: Any = None) -> None:
        """Runs on this Ibis connection, by default on a DuckDB of its own, which is opened when something is asked."""
        self._connection = connection

    @cached_property
    def connection(self) -> Any:
        """The connection of Ibis. A DuckDB of its own puts what does not fit in memory on disk."""
        if self._connection is not None:
            return self._connection
        folder = mkdtemp(prefix="checkout-log-")
        connection = ibis.duckdb.connect(memory_limit=MEMORY, temp_directory=folder)
        # The order of rows is asked for where it matters.
        connection.raw_sql("SET preserve_insertion_order = false")
        # It would be drawn between the lines that a program prints; a notebook that cannot draw it refuses to change it.
        with suppress(duckdb.InvalidInputException):
            connection.raw_sql("SET enable_progress_bar = false")
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        return connection

    @property
    def is_shared(self) -> bool:
        """Whether more than one computer may take part."""
        return self._connection is not None and bool(self._connection.name != "duckdb")

    def parquet(self, paths: Sequence[Path]) -> Table:
        """The rows of these parquet files."""
        # One by one: not every engine takes a list.
        tables = [self.connection.read_parquet(str(path)) for path in paths]
        return ibis.union(*tables) if len(tables) > 1 else tables[0]

    def memory(self, frame: pd.DataFrame, columns: Sequence[Column]) -> Table:
        """The rows of a small frame with these columns; times become whole microseconds."""
        return self._small({column.name: _inner(frame[column.name], column) for column in columns})

    def numbers(self, frame: pd.DataFrame, columns: Sequence[Column]) -> Table:
        """The rows of a small frame whose times are whole microseconds already."""
        return self._small({column.name: pa.Array.from_pandas(frame[column.name], type=_read_as(column)) for column in columns})

    def _small(self, arrays: dict[str, pa.Array]) -> Table:
        if self.is_shared:
            return ibis.memtable(pa.table(arrays))
        name, rows = _new_name(), pa.table(arrays)
        self.connection.con.register(name, rows)
        return self._table(name, Schema.from_pyarrow(rows.schema))

    def named(self, table: Table) -> Table:
        """The rows of an expression as a table of the connection, computed whenever they are asked for."""
        if self.is_shared or isinstance(table.op(), DatabaseTable):
            return table
        name = _new_name()
        self.connection.raw_sql(f"CREATE TEMP VIEW {name} AS {statements.text(table)}")
        return self._table(name, table.schema())

    def materialized(self, table: Table) -> Table:
        """The rows of an expression, computed once and kept, for this engine and no longer."""
        if self.is_shared:
            # A view of its own makes the engine know the small frames in the expression before it keeps the rows.
            view: Table = self.connection.create_view(_new_name(), table)
            return view.cache()
        return self._kept(statements.text(table), table.schema())

    def built(self, build: Callable[..., Table], *tables: Table) -> Table:
        """The rows of `build(*tables)`, computed once and kept: what many logs are asked is not compiled for each of them.

        build: a function of a module, whose answer depends on these tables alone.
        """
        if self.is_shared:
            return self.materialized(build(*tables))
        return self._kept(*statements.text_of(build, [self.named(table) for table in tables]))

    def _kept(self, statement: str, columns: Schema) -> Table:
        name = _new_name()
        # The types are those of the expression: what DuckDB adds up is wider.
        self.connection.raw_sql(f"CREATE TEMP TABLE {name} ({_definitions(columns)})")
        self.connection.raw_sql(f"INSERT INTO {name} {statement}")
        return self._table(name, columns)

    def frame(self, table: Table, columns: Sequence[Column]) -> pd.DataFrame:
        """The rows as a frame with these columns: whole microseconds become aware UTC times."""
        return _frame(self._rows(table.select(*(column.name for column in columns))), columns)

    def asked(self, build: Callable[..., Table], *tables: Table, columns: Sequence[Column]) -> pd.DataFrame:
        """The rows of `build(*tables)` as a frame, as `frame` makes it of an expression; compiled once, as in `built`.

        build: a function of a module, whose answer depends on these tables alone, and has these columns in this order.
        """
        if self.is_shared:
            return self.frame(build(*tables), columns)
        statement, _columns = statements.text_of(build, [self.named(table) for table in tables])
        return _frame(self.connection.con.sql(statement).to_arrow_table(), columns)

    def _rows(self, table: Table) -> pa.Table:
        if self.is_shared:
            return self.connection.to_pyarrow(table)
        return self.connection.con.sql(statements.text(table)).to_arrow_table()

    def _table(self, name: str, columns: Schema) -> Table:
        """A temporary table or view that is there, with columns that are known: to ask for them takes longer than most answers."""
        return DatabaseTable(name, columns, self.connection, Namespace(catalog="temp", database="main")).to_expr()


def _new_name() -> str:
    return f"kept_{next(_numbers)}"


@lru_cache(statements.MOST_SHAPES)
def _definitions(columns: Schema) -> str:
    """The columns of a table as DuckDB creates it."""
    return ", ".join(one.sql("duckdb") for one in columns.to_sqlglot_column_defs("duckdb"))


def _frame(rows: pa.Table, columns: Sequence[Column]) -> pd.DataFrame:
    """Rows as a frame with these columns: whole microseconds become aware UTC times."""
    arrays = {column.name: rows[column.name].cast(_read_as(column)).cast(ARROW[column.kind]) for column in columns}
    return pa.table(arrays).to_pandas(types_mapper=_pandas_type)


def _read_as(column: Column) -> pa.DataType:
    return pa.int64() if column.kind == TIME else ARROW[column.kind]


def _pandas_type(kind: pa.DataType) -> Any:
    """Texts keep pandas' own type for text; the rest is what pyarrow chooses."""
    return pd.StringDtype() if pa.types.is_string(kind) else None


def _inner(values: pd.Series, column: Column) -> pa.Array:
    array = pa.Array.from_pandas(values, type=ARROW[column.kind])
    return pc.cast(array, pa.int64()) if column.kind == TIME else array
