"""What administrators set that is no rule about licenses: a name and a JSON object."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from authority.storage.db.tables import preferences

_GET = select(preferences.c.value).where(preferences.c.name == bindparam("of_name"))


def get(connection: Connection, name: str) -> dict[str, Any]:
    """What is kept under the name, empty when nothing was set."""
    text = connection.execute(_GET, {"of_name": name}).scalar_one_or_none()
    value: dict[str, Any] = {} if text is None else json.loads(text)
    return value


def put(connection: Connection, name: str, value: dict[str, Any]) -> None:
    """Replaces what is kept under the name."""
    connection.execute(delete(preferences).where(preferences.c.name == name))
    connection.execute(insert(preferences).values(name=name, value=json.dumps(value)))
