"""Statements of the borrow's way: written in SQLAlchemy Core, compiled once, run on the driver.

SQLAlchemy's own execution costs several times what the statements themselves do. What is prepared here keeps its words and its
types and leaves out the rest; errors of the driver are translated where every other is, in `database`.
"""

from __future__ import annotations

import contextlib
import json
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select, SelectBase, Text, UpdateBase, literal_column, union_all
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Values = Mapping[str, Any]
Row = tuple[Any, ...]
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

    def value(self, row: Row) -> Any:
        """A row of the driver with its columns by name."""
        if self.columns:
            cells = list(row)
            for place, process in self.columns:
                cells[place] = process(cells[place])
            row = tuple(cells)
        return row if self.row is None else self.row._make(row)


class Prepared:
    """One statement. `values` names every parameter of it."""

    def __init__(self, statement: Statement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, values: Values) -> list[Any]:
        """All rows, each with its columns by name."""
        compiled = self._of(connection.dialect)
        return [compiled.value(row) for row in self._cursor(connection, compiled, values).fetchall()]

    def first(self, connection: Connection, values: Values) -> Any:
        """The first row, None when there is none."""
        compiled = self._of(connection.dialect)
        row = self._cursor(connection, compiled, values).fetchone()
        return None if row is None else compiled.value(row)

    def run(self, connection: Connection, values: Values) -> DBAPICursor:
        """Runs the statement. Returns the driver's cursor, whose `rowcount` is right once a pipeline has ended."""
        return self._cursor(connection, self._of(connection.dialect), values)

    def run_many(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Runs the statement once for each of the rows."""
        compiled = self._of(connection.dialect)
        cursor = connection.connection.cursor()
        cursor.executemany(compiled.text, [compiled.parameters(values) for values in rows])

    @staticmethod
    def _cursor(connection: Connection, compiled: _Compiled, values: Values) -> DBAPICursor:
        cursor = connection.connection.cursor()
        cursor.execute(compiled.text, compiled.parameters(values))
        return cursor

    def _of(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            statement = self._statement(dialect.name) if callable(self._statement) else self._statement
            compiled = self._compiled[dialect.name] = _compile(statement, dialect)
        return compiled


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


@contextlib.contextmanager
def pipeline(connection: Connection) -> Iterator[None]:
    """Statements in the block go to PostgreSQL together, and one wait is for all of them; SQLite has nobody to wait for."""
    if connection.dialect.name == "postgresql":
        with connection.connection.dbapi_connection.pipeline():  # type: ignore[union-attr]
            yield
    else:
        yield


class _JsonRow(FunctionElement[str]):
    """Columns as one JSON array."""

    inherit_cache = True
    type = Text()


@compiles(_JsonRow, "sqlite")
def _json_row_sqlite(element: _JsonRow, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_array({compiler.process(element.clauses, **options)})"


@compiles(_JsonRow, "postgresql")
def _json_row_postgresql(element: _JsonRow, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_build_array({compiler.process(element.clauses, **options)}) AS TEXT)"


class Gathering:
    """Several small queries as one statement: each part by its name, with the rows that it alone would give.

    The parts must keep to no order, and have no limit of their own: they are rows of one UNION ALL.
    """

    def __init__(self, **parts: Select[Any]) -> None:
        self._names = tuple(parts)
        self._parts = tuple(parts.values())
        self._prepared = Prepared(union_all(*(_as_json(place, part) for place, part in enumerate(self._parts))))
        self._readers: dict[str, tuple[_Compiled, ...]] = {}

    def read(self, connection: Connection, values: Values) -> dict[str, list[Any]]:
        """The rows of each part, by its name."""
        readers = self._readers.get(connection.dialect.name)
        if readers is None:
            readers = tuple(_compile(part, connection.dialect) for part in self._parts)
            self._readers[connection.dialect.name] = readers
        rows: dict[str, list[Any]] = {name: [] for name in self._names}
        for place, text in self._prepared.rows(connection, values):
            rows[self._names[place]].append(readers[place].value(json.loads(text)))
        return rows


def _as_json(place: int, part: Select[Any]) -> Select[Any]:
    columns: list[Any] = [literal_column(str(place)), _JsonRow(*part.selected_columns)]
    return part.with_only_columns(*columns)
