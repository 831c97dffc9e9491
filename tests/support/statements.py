"""What a call asks the database for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import event

from tests.support.authorities import Bench


def statements(bench: Bench, call: Callable[[], object]) -> list[tuple[str, Any]]:
    """The queries that the call sends, with their parameters."""
    executed: list[tuple[str, Any]] = []

    def see(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
        executed.append((statement, parameters))

    engine = bench.authority.database.engine
    event.listen(engine, "before_cursor_execute", see)
    try:
        call()
    finally:
        event.remove(engine, "before_cursor_execute", see)
    return [item for item in executed if item[0].startswith("SELECT")]
