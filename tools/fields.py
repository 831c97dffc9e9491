"""The page of the documentation that has every field of every shown thing; `make docs` writes it with the others."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

from authority import presentation
from authority.presentation.shown import Shown

HEAD = """\
# Fields

{written}

What REST answers with, `--json` prints and CSV has: one thing each, whichever way it is asked for.
Times are RFC 3339 in UTC and whole seconds, those of the log with microseconds.
In CSV a list is one cell with semicolons, and `machine.id` is the column `machine_id`.
"""
PLAIN = {"string": "text", "integer": "number", "boolean": "true or false", "null": "null"}


def page(written: str) -> str:
    """The page; `written` is the remark that it comes from the code."""
    parts = [HEAD.format(written=written)]
    for model in models():
        parts += [f"## {model.__name__}", "", str(inspect.getdoc(model)), "", "| field | is | meaning |", "|---|---|---|"]
        parts += [f"| `{name}` | {kind} | {meaning} |" for name, kind, meaning in _fields(model)]
        parts += [""]
    return "\n".join(parts)


def models() -> list[type[Shown]]:
    """Every shown thing by name."""
    for module in pkgutil.iter_modules(presentation.__path__, "authority.presentation."):
        importlib.import_module(module.name)
    things: set[type[Shown]] = set()
    rest: list[type[Shown]] = [Shown]
    while rest:
        children = rest.pop().__subclasses__()
        things.update(child for child in children if child.__module__.startswith("authority.presentation."))
        rest += children
    return sorted(things, key=lambda thing: thing.__name__)


def _fields(model: type[Shown]) -> Iterator[tuple[str, str, str]]:
    schema = model.model_json_schema(mode="serialization")
    for name, field in schema["properties"].items():
        yield name, _kind(field, schema.get("$defs", {})), field.get("description", "")


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """What a value is, in words: `text`, `time or null`, `list of [BorrowShown](#borrowshown)`."""
    if "anyOf" in field:
        return " or ".join(_kind(item, definitions) for item in field["anyOf"])
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[-1]
        words = definitions[name].get("enum")
        return f"[{name}](#{name.lower()})" if words is None else ", ".join(f"`{word}`" for word in words)
    if "const" in field:
        return str(field["const"]).lower()
    if field.get("format") == "date-time":
        return "time"
    return PLAIN.get(field.get("type", ""), "") or _kind_of_many(field, definitions)


def _kind_of_many(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "items" in field:
        return f"list of {_kind(field['items'], definitions)}"
    if field.get("type") != "object":
        return "any value"
    values = field.get("additionalProperties")
    return f"object of {_kind(values, definitions)}" if isinstance(values, dict) else "object"
