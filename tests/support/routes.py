"""The routes as the application itself documents them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from authority.services.context import Authority
from authority.signing.keyring import KeyRing
from authority.storage.db.database import Database
from authority.web.application import create_app
from tests.support.authorities import TestClock

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Field:
    """A member of a body."""

    is_required: bool
    is_nullable: bool


@dataclass
class Operation:
    """What the description says of one route. `members` and `objects` are places in the body such as `assignments.0.product`."""

    summary: str
    is_protected: bool
    has_body: bool
    # Status to whether the form of its answer is said.
    success: dict[int, bool]
    query: dict[str, bool]
    members: dict[str, Field] = field(default_factory=dict)
    objects: list[str] = field(default_factory=list)


def described() -> dict[str, Any]:
    """The OpenAPI document. No database is opened for it."""
    app = create_app(Authority(Database("sqlite:///not-opened.db"), KeyRing({}), TestClock(), secrets.token_bytes))
    document: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return document


def documented_routes() -> list[tuple[str, str, str]]:
    """Method, path and summary of every route of the API, in order."""
    operations = described_operations().items()
    routes = [(name.partition(" ")[0], name.partition(" ")[2], operation.summary) for name, operation in operations]
    return sorted(routes, key=lambda route: (route[1], route[0]))


def described_operations() -> dict[str, Operation]:
    """METHOD PATH to what is said of it."""
    document = described()
    schemas, operations = document["components"]["schemas"], {}
    for path, methods in document["paths"].items():
        for method, raw in methods.items():
            body = raw.get("requestBody")
            operation = Operation(
                raw["summary"],
                bool(raw.get("security")),
                body is not None,
                {int(status): "content" in answer for status, answer in raw["responses"].items() if status < "300"},
                {item["name"]: item.get("required", False) for item in raw.get("parameters", []) if item["in"] == "query"},
            )
            if body is not None:
                _walk(schemas, body["content"]["application/json"]["schema"], "", operation)
            operations[f"{method.upper()} {path.removeprefix(PREFIX)}"] = operation
    return operations


def _walk(schemas: dict[str, Any], schema: dict[str, Any], place: str, operation: Operation) -> None:
    """Notes the members of an object and of the objects in it."""
    schema = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    if schema.get("type") == "array":
        _walk(schemas, schema.get("items", {}), f"{place}.0", operation)
        return
    if "properties" not in schema:
        return
    operation.objects.append(place.lstrip("."))
    for name, inner in schema["properties"].items():
        forms = inner.get("anyOf", [inner])
        operation.members[f"{place}.{name}".lstrip(".")] = Field(
            name in schema.get("required", ()), {"type": "null"} in [{"type": form.get("type")} for form in forms]
        )
        for form in forms:
            _walk(schemas, form, f"{place}.{name}", operation)
