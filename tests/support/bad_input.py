"""Routes under bad input: what is refused names the member that is wrong, and changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import select

from authority.domain.members import Role
from authority.storage.db.database import Database
from authority.storage.db.tables import metadata
from tests.support.authorities import make_bench
from tests.support.web import API, Web, make_web, problem

# Of another type than a text, or a text that nobody types.
NO_TEXT: list[Any] = [7, True, [], {}, ["x"], {"x": 1}]
HOSTILE_TEXTS = ["a\u0000b", "\ud800", "a\nb", "\u001b[2J", "\u202eabc", "\u00a0", "x" * 257]
NO_FLAG: list[Any] = [0, 1, "true", "yes", [], {}]


def one_web(folder: Path) -> Iterator[Web]:
    """The application over a bench on SQLite, for a fixture that many tests share because none of them changes anything."""
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    yield make_web(bench)
    bench.authority.database.close()


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def with_value(body: Any, field: str, value: Any) -> Any:
    """The body with another value at a place such as `assignments.0.product`."""
    changed = copy.deepcopy(body)
    found, *names = changed, *field.split(".")
    for name in names[:-1]:
        found = found[int(name) if isinstance(found, list) else name]
    found[names[-1]] = value
    return changed


def check_refused(web: Web, method: str, path: str, body: Any, field: str, values: Iterable[Any]) -> None:
    """Every value is refused with the member named, and leaves everything as it was."""
    before = contents(web.bench.authority.database)
    for value in values:
        answer = web.send(method, API + path, json=with_value(body, field, value))
        found = problem(answer, 400, "invalid-input")
        assert any(item["field"].startswith(field) for item in found["errors"]), (value, found)
    assert contents(web.bench.authority.database) == before


def check_roles(web: Web, method: str, path: str, allowed: set[Role], **more: Any) -> None:
    """Whoever may not is refused as such, nobody gets in without a token, and neither changes anything."""
    before = contents(web.bench.authority.database)
    problem(web.send(method, API + path, None, **more), 401, "not-authenticated")
    for role in set(Role) - allowed:
        found = problem(web.send(method, API + path, role, **more), 403, "not-allowed")
        assert f'has the role "{role}"' in found["detail"]
        assert found["hint"]
    assert contents(web.bench.authority.database) == before
    for role in allowed:
        assert web.send(method, API + path, role, **more).status_code != 403
