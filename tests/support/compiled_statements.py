"""Statements that SQLAlchemy compiled, kept for the databases of all tests: a thousand databases of one kind are asked the same questions."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import Engine
from sqlalchemy.util import LRUCache

from authority.storage.db import database


class OfOneKind(MutableMapping[Any, Any]):
    """A cache of an engine in which dialects of one class are one.

    A program has one database, and compiles a statement once; a test has its own, and spent a third of its time on compiling. What
    is compiled depends on the statement, the class of the dialect, and its server, which is one for all tests.
    """

    def __init__(self) -> None:
        self._compiled: LRUCache[Any, Any] = LRUCache(2000)

    @staticmethod
    def _of(key: Any) -> Any:
        dialect, *rest = key
        return type(dialect), *rest

    def __getitem__(self, key: Any) -> Any:
        return self._compiled[self._of(key)]

    def __setitem__(self, key: Any, compiled: Any) -> None:
        self._compiled[self._of(key)] = compiled

    def __delitem__(self, key: Any) -> None:
        del self._compiled[self._of(key)]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._compiled)

    def __len__(self) -> int:
        return len(self._compiled)


def compile_once(patch: pytest.MonkeyPatch) -> OfOneKind:
    """From now on databases of one kind compile each statement once in this process; returns what they have compiled."""
    compiled = OfOneKind()

    def create(*arguments: Any, **options: Any) -> Engine:
        engine = create_engine(*arguments, **options)
        engine._compiled_cache = compiled
        return engine

    patch.setattr(database, "create_engine", create)
    return compiled
