"""Expressions as text for DuckDB, compiled once for each shape: the same question about another log has other tables and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from uuid import uuid4

import ibis
from ibis.expr import operations as ops
from ibis.expr.schema import Schema
from ibis.expr.types import Table

# So many shapes are remembered: every measure has some, and a site's own questions a few more.
MOST_SHAPES = 1_024
# The place of a table in a shape has a name that no log can know, so that nothing else is ever taken for it.
_SECRET = uuid4().hex
_PLACE = re.compile(f'"{_SECRET} ([0-9]+)"')


def text(table: Table) -> str:
    """The SELECT statement of an expression on tables of the connection, small frames among them.

    To compile takes far longer than to put the names of the tables into what was compiled.
    """
    tables = list(table.op().find(ops.DatabaseTable))
    places = {one: _place(number, one.schema) for number, one in enumerate(tables)}
    return _filled(_compiled(table.op().replace(places)), tables)


def text_of(build: Callable[..., Table], tables: Sequence[Table]) -> tuple[str, Schema]:
    """The SELECT statement of `build(*tables)`, and its columns; `build` is called once for tables with the same columns.

    build: a function of a module, whose answer depends on these tables alone. tables: of the connection.
    """
    statement, columns = _built(build, tuple(table.schema() for table in tables))
    return _filled(statement, [table.op() for table in tables]), columns


def _place(number: int, columns: Schema) -> ops.UnboundTable:
    return ops.UnboundTable(f"{_SECRET} {number}", columns)


@lru_cache(MOST_SHAPES)
def _compiled(shape: ops.Relation) -> str:
    return str(ibis.to_sql(shape.to_expr(), dialect="duckdb", pretty=False))


@lru_cache(MOST_SHAPES)
def _built(build: Callable[..., Table], columns: tuple[Schema, ...]) -> tuple[str, Schema]:
    table = build(*(_place(number, one).to_expr() for number, one in enumerate(columns)))
    return _compiled(table.op()), table.schema()


def _filled(statement: str, tables: Sequence[ops.DatabaseTable]) -> str:
    return _PLACE.sub(lambda place: _name(tables[int(place[1])]), statement)


def _name(table: ops.DatabaseTable) -> str:
    parts = (table.namespace.catalog, table.namespace.database, table.name)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts if part)
