"""Databases that share what was compiled answer from their own rows."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, select

from authority.storage.db.database import Database
from tests.support.compiled_statements import compile_once

THINGS = Table("things", MetaData(), Column("name", String, primary_key=True), Column("size", Integer))


def test_a_statement_is_compiled_once_and_asks_each_database_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile_once(monkeypatch)
    sizes: list[int] = []
    for name in ("one", "two"):
        (tmp_path / name).touch()
        with contextlib.closing(Database(f"sqlite:///{tmp_path / name}")) as database, database.write() as connection:
            THINGS.create(connection)
            connection.execute(THINGS.insert().values(name=name, size=len(sizes)))
            for other in ("one", "two"):
                rows = connection.execute(select(THINGS).where(THINGS.c.name == other)).all()
                assert [tuple(row) for row in rows] == ([(name, len(sizes))] if other == name else [])
        sizes.append(len(compiled))
    assert sizes[0] == sizes[1] > 0
