"""What administrators set that is no rule about licenses: a name and a JSON object."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from authority.storage.db.rows import object_of
from authority.storage.db.tables import preferences

_GET = select(preferences.c.value).where(preferences.c.name == bindparam("of_name"))


def get(connection: Connection, name: str) -> dict[str, Any]:
    """What is kept under the name, empty when nothing was set. Raises StorageUnavailable for what is no JSON object."""
    text = connection.execute(_GET, {"of_name": name}).scalar_one_or_none()
    return {} if text is None else object_of(text, f'the setting "{name}"')


def put(connection: Connection, name: str, value: dict[str, Any]) -> None:
    """Replaces what is kept under the name."""
    connection.execute(delete(preferences).where(preferences.c.name == name))
    connection.execute(insert(preferences).values(name=name, value=json.dumps(value)))
