"""Rows become frozen values."""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Row

Value = TypeVar("Value")


def value_of(kind: type[Value], row: Row[Any]) -> Value:
    """The row as a value whose fields are named like the columns."""
    return kind(**members_of(row))


def members_of(row: Row[Any]) -> dict[str, Any]:
    """The row as a dictionary. SQLAlchemy's accessor is public, its underscore only keeps it apart from column names."""
    return dict(row._mapping)  # noqa: SLF001
