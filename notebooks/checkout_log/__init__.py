"""What checkout logs say: read -> events -> sessions -> measures -> pictures. Reads logs, and imports neither other room."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from checkout_log.log import Log
    from checkout_log.reading import read

__all__ = ["Log", "read"]

_WHERE = {"Log": "checkout_log.log", "read": "checkout_log.reading"}


def __getattr__(name: str) -> Any:
    """Imports what was asked for only now, so that the command can say which package is missing."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
