"""Statements of the borrow's way: written in SQLAlchemy Core, compiled once, run on the driver.

SQLAlchemy's own execution costs several times what the statements themselves do. What is prepared here keeps its words and its
types and leaves out the rest; errors of the driver are translated where every other is, in `database`.
"""

from __future__ import annotations

import contextlib
import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select, SelectBase, Text, UpdateBase, cast, select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Values = Mapping[str, Any]
Processor = Callable[[Any], Any]
# A statement for both databases, or a function from the name of the dialect to one.
Statement = SelectBase | UpdateBase | Callable[[str], UpdateBase]


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The text of a statement for one driver, and what turns values into parameters and columns into values."""

    text: str
    constants: Values
    positions: tuple[str, ...] | None
    binds: tuple[tuple[str, Processor], ...]
    row: type[Any] | None
    columns: tuple[tuple[int, Processor], ...]

    def parameters(self, values: Values) -> Any:
        """The parameters as the driver takes them: a tuple by position, or a dictionary."""
        if self.constants or self.binds:
            values = {**self.constants, **values}
            for name, process in self.binds:
                values[name] = process(values[name])
        if self.positions is None:
            return values
        return tuple([values[name] for name in self.positions])

    def values(self, rows: Iterable[Sequence[Any]]) -> list[Any]:
        """Rows of the driver with their columns by name."""
        assert self.row is not None  # noqa: S101 - only what selects has rows
        made: list[Any] = []
        for row in rows:
            cells = list(row)
            for place, process in self.columns:
                cells[place] = process(cells[place])
            made.append(self.row(*cells))
        return made


class Prepared:
    """One statement. `values` names every parameter of it."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: Values) -> DBAPICursor:
        """Runs the statement. Returns the driver's cursor, whose `rowcount` is right once a pipeline has ended."""
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        cursor = connection.connection.cursor()
        cursor.execute(compiled.text, compiled.parameters(values))
        return cursor

    def run_many(self, connection: Connection, rows: Iterable[Values]) -> None:
        """Runs the statement once for each of the rows."""
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        cursor = connection.connection.cursor()
        cursor.executemany(compiled.text, [compiled.parameters(values) for values in rows])

    def _compile(self, dialect: Dialect) -> _Compiled:
        statement = self._statement(dialect.name) if callable(self._statement) else self._statement
        return self._compiled.setdefault(dialect.name, _compile(statement, dialect))


def _compile(statement: SelectBase | UpdateBase, dialect: Dialect) -> _Compiled:
    compiler = statement.compile(dialect=dialect)
    assert isinstance(compiler, SQLCompiler)  # noqa: S101 - what mypy cannot see
    binds = ((name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in compiler.binds.items())
    columns = list(statement.selected_columns) if isinstance(statement, Select) else []
    processors = (
        (place, column.type.dialect_impl(dialect).result_processor(dialect, None)) for place, column in enumerate(columns)
    )
    return _Compiled(
        text=compiler.string,
        constants={name: bind.value for name, bind in compiler.binds.items() if bind.value is not None},
        positions=None if compiler.positiontup is None else tuple(compiler.positiontup),
        binds=tuple((name, process) for name, process in binds if process is not None),
        row=namedtuple("Row", [column.name for column in columns]) if columns else None,  # noqa: PYI024 - the names are known when it runs
        columns=tuple((place, process) for place, process in processors if process is not None),
    )


def pipeline(connection: Connection) -> contextlib.AbstractContextManager[object]:
    """Statements in the block go to PostgreSQL together, and one wait is for all of them; SQLite has nobody to wait for."""
    if connection.dialect.name == "postgresql":
        return connection.connection.dbapi_connection.pipeline()  # type: ignore[no-any-return, union-attr]
    return contextlib.nullcontext()


class _JsonRow(FunctionElement[str]):
    """Columns as one JSON array."""

    inherit_cache = True
    type = Text()


class _JsonRows(FunctionElement[str]):
    """A JSON array of what every row has."""

    inherit_cache = True
    type = Text()


# An array of columns, and one of all rows; of no rows PostgreSQL makes NULL.
_ROW = {"sqlite": "json_array({})", "postgresql": "json_build_array({})"}
_ROWS = {"sqlite": "json_group_array({})", "postgresql": "coalesce(json_agg({}), '[]')"}


@compiles(_JsonRow)
def _json_row(element: _JsonRow, compiler: SQLCompiler, **options: Any) -> str:
    return _ROW[compiler.dialect.name].format(compiler.process(element.clauses, **options))


@compiles(_JsonRows)
def _json_rows(element: _JsonRows, compiler: SQLCompiler, **options: Any) -> str:
    return _ROWS[compiler.dialect.name].format(compiler.process(element.clauses, **options))


class Gathering:
    """Several small queries as one statement: each part by its name, with the rows that it alone would give, in no order."""

    def __init__(self, **parts: Select[Any]) -> None:
        self._parts = parts
        rows = [select(_JsonRows(_JsonRow(*part.subquery().c))).scalar_subquery() for part in parts.values()]
        self._prepared = Prepared(select(cast(_JsonRow(*rows), Text).label("parts")))
        self._readers: dict[str, list[_Compiled]] = {}

    def read(self, connection: Connection, values: Values) -> dict[str, list[Any]]:
        """The rows of each part, by its name; each row has its columns by name."""
        readers = self._readers.get(connection.dialect.name)
        if readers is None:
            readers = self._readers[connection.dialect.name] = [
                _compile(part, connection.dialect) for part in self._parts.values()
            ]
        (text,) = self._prepared.run(connection, values).fetchall()[0]
        parts = zip(self._parts, readers, json.loads(text), strict=True)
        return {name: reader.values(rows) if rows else [] for name, reader, rows in parts}
