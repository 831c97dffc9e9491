"""The pages at /docs, made from the OpenAPI document: a list of all routes, and a page for each resource."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, abort, render_template

from authority.web.answers import public_file

PREFIX = "/api/v1/"
SECONDS = 300
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
WORDS = {"string": "text", "integer": "number", "boolean": "true or false", "array": "list", "object": "object", "null": "null"}


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a member of a body: its name with the names around it, what it is, whether it must be there, what it means."""

    name: str
    kind: str
    required: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One status with what it means and an example of its body, None without one."""

    status: str
    meaning: str
    example: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One route as it is read."""

    name: str
    anchor: str
    summary: str
    text: str
    is_protected: bool
    parameters: tuple[Field, ...]
    members: tuple[Field, ...]
    example: str | None
    answers: tuple[Answer, ...]


class Reference:
    """What an OpenAPI document says, by resource: the first word of each path."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas = document["components"]["schemas"]
        self.resources: dict[str, list[Operation]] = {}
        for path, operations in sorted(document["paths"].items()):
            for method, operation in operations.items():
                resource = path.removeprefix(PREFIX).partition("/")[0]
                self.resources.setdefault(resource, []).append(self._operation(f"{method.upper()} {path}", operation))

    def _operation(self, name: str, raw: Mapping[str, Any]) -> Operation:
        body = raw.get("requestBody", {}).get("content", {}).get("application/json")
        parameters = raw.get("parameters", ())
        return Operation(
            name=name,
            anchor="".join(char if char.isalnum() else "-" for char in name.lower()).strip("-"),
            summary=raw["summary"],
            text=raw.get("description", ""),
            is_protected=bool(raw.get("security")),
            parameters=tuple(self._field(item["name"], item["schema"], item, of=item["in"]) for item in parameters),
            members=() if body is None else tuple(self._members(body["schema"], "")),
            example=None if body is None else _json(body["example"]),
            answers=tuple(_answer(status, response) for status, response in sorted(raw["responses"].items())),
        )

    def _members(self, schema: Mapping[str, Any], place: str) -> Iterator[Field]:
        schema = self._schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        for name, inner in schema.get("properties", {}).items():
            yield self._field(f"{place}{name}", inner, {"required": name in schema.get("required", ())})
            for form in inner.get("anyOf", inner.get("allOf", [inner])):
                yield from self._members(form.get("items", form), f"{place}{name}.")

    def _field(self, name: str, schema: Mapping[str, Any], raw: Mapping[str, Any], *, of: str = "") -> Field:
        meaning = raw.get("description") or schema.get("description") or ""
        # Of what stands in an address nothing can be null: it is left out.
        forms = [form for form in schema.get("anyOf", ()) if form.get("type") != "null"] if of else []
        kind = self._kind({"anyOf": forms} if forms else schema)
        return Field(name, f"{kind}, in the {of}" if of else kind, bool(raw.get("required")), meaning)

    def _kind(self, schema: Mapping[str, Any]) -> str:
        """`text of at most 128`, `list of text`, `one of a, b`."""
        if "$ref" in schema:
            return self._kind(self._schemas[schema["$ref"].rpartition("/")[2]])
        if "enum" in schema or "const" in schema:
            return " or ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
        if forms := schema.get("anyOf", schema.get("allOf")):
            return " or ".join(dict.fromkeys(map(self._kind, forms)))
        word = WORDS.get(schema.get("type", ""), "anything")
        return f"list of {self._kind(schema.get('items', {}))}" if word == "list" else word + _bounds(schema)


def _bounds(schema: Mapping[str, Any]) -> str:
    if "maxLength" in schema:
        return f" of at most {schema['maxLength']}"
    if "minimum" in schema and "maximum" in schema:
        return f" from {schema['minimum']:.15g} to {schema['maximum']:.15g}"
    return ""


def _answer(status: str, response: Mapping[str, Any]) -> Answer:
    examples = [content["example"] for content in response.get("content", {}).values() if "example" in content]
    is_success = int(status) < HTTPStatus.BAD_REQUEST
    return Answer(status, response.get("description", ""), _json(examples[0]) if examples and is_success else None)


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def blueprint(document: Callable[[], Mapping[str, Any]]) -> Blueprint:
    """The pages; `document` makes the OpenAPI document when the first of them is asked for."""
    pages = Blueprint("reference", __name__, url_prefix="/docs", template_folder="templates")
    made: list[Reference] = []

    def reference() -> Reference:
        if not made:
            made.append(Reference(document()))
        return made[0]

    def shown(template: str, **values: Any) -> Response:
        text = render_template(f"reference/{template}", resources=reference().resources, **values)
        response = public_file(text.encode(), "text/html; charset=utf-8", None, SECONDS)
        response.headers.update(HEADERS)
        return response

    @pages.get("")
    def index() -> Response:
        return shown("index.html")

    @pages.get("/")
    def with_slash() -> Response:
        return Response(status=HTTPStatus.PERMANENT_REDIRECT, headers={"Location": "/docs"})

    @pages.get("/<resource>")
    def resource(resource: str) -> Response:
        if resource not in reference().resources:
            abort(HTTPStatus.NOT_FOUND)
        return shown("resource.html", name=resource, operations=reference().resources[resource])

    return pages
