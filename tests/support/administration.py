"""What tests of administrators' settings share: all that is kept, and one home seen by command and by HTTP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import select

from authority.storage.db.database import Database
from authority.storage.db.tables import metadata
from authority.web.application import create_app
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.console import Console
from tests.support.web import API

HOSTILE_TEXTS = {
    "NUL": "a\u0000b",
    "surrogate": "\ud800",
    "line break": "a\nb",
    "escape": "\u001b[2J",
    "direction": "\u202eabc",
    "markup": "<script>alert(1)</script>",
    "quote": "'; DROP TABLE members; --",
    "formula": "=cmd|' /C calc'!A0",
    "braces": "{{7*7}}${7*7}%s%n",
    "slashes": "../../etc/passwd",
    "look-alike": "\u0430da",
    "emoji": "\U0001f4a9" * 10,
}


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def contents_of(console: Console) -> dict[str, list[tuple[Any, ...]]]:
    """The same for the home of a console."""
    authority = open_authority(load({}, str(console.home)))
    found = contents(authority.database)
    authority.database.close()
    return found


@contextlib.contextmanager
def over_http(console: Console) -> Iterator[Callable[[str], Any]]:
    """What a GET by the administrator of this home answers."""
    secret = console.good("api-key", "create", "admin", "--name", "over HTTP")["api_key"]
    authority = open_authority(load({}, str(console.home)))
    client = create_app(authority).test_client()
    yield lambda path: client.get(API + path, headers={"Authorization": f"Bearer {secret}"}).get_json()
    authority.database.close()
