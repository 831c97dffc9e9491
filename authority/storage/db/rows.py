"""Rows become frozen values."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from sqlalchemy import Row

from authority.domain.refusals import StorageUnavailable
from authority.storage.db.tables.columns import NOT_OURS

Value = TypeVar("Value")


def value_of(kind: type[Value], row: Row[Any]) -> Value:
    """The row as a value whose fields are named like the columns."""
    return kind(**members_of(row))


def members_of(row: Row[Any]) -> dict[str, Any]:
    """The row as a dictionary. SQLAlchemy's accessor is public, its underscore only keeps it apart from column names."""
    return dict(row._mapping)  # noqa: SLF001


def object_of(text: str, what: str) -> dict[str, Any]:
    """The JSON object in a column; `what` says what it is. Raises StorageUnavailable for a text that is none."""
    try:
        value = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise StorageUnavailable(f"{what} in the database cannot be read", hint=NOT_OURS) from error
    if not isinstance(value, dict):
        raise StorageUnavailable(f"{what} in the database cannot be read", hint=NOT_OURS)
    return value
