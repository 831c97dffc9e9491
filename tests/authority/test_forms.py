"""What may be sent: each form alone against values that it may not have, and every place of every request has a form with bounds.

The values are written by hand: a form that the application loosens is still refused here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from authority.web.api import forms
from tests.support.routes import described

# Texts that nobody types into a name.
UNPRINTABLE = ["a\u0000b", "a\nb", "\u001b[2J", "\u202eabc", "\ud800"]
NO_TEXT: list[Any] = [7, True, None, [], {}, ["x"]]
WRONG: dict[str, list[Any]] = {
    "Text": [*NO_TEXT, *UNPRINTABLE, "x" * 257],
    "Name": [*NO_TEXT, *UNPRINTABLE, "x" * 129],
    "Typed": [*NO_TEXT, *UNPRINTABLE, "x" * 129],
    "UserName": [*NO_TEXT, *UNPRINTABLE, "x" * 129, "", " ", "-a", 'a"b', "a b", "<b>", "a\u0000"],
    "GroupName": [*NO_TEXT, *UNPRINTABLE, "x" * 129, ""],
    "UserTypeName": [*NO_TEXT, *UNPRINTABLE, "x" * 65, ""],
    "ProductId": [*NO_TEXT, *UNPRINTABLE, "", "Upper", "-x", "x-", "a b", "arcgis-pro\n", "\u0430rcgis", "x" * 65],
    "Feature": [*NO_TEXT, *UNPRINTABLE, "", " Basic", "Basic\n", "B\u00e4sic", "x" * 65],
    "Features": ["3DAnalyst", 7, None, {}, [7], [""], [None], ["x", "x"], ["a\u0000"], [str(number) for number in range(65)]],
    "Id": [*NO_TEXT, "", "short", "A" * 23, "A" * 21 + "!", "A" * 22 + "\n", "\u00e9" * 22],
    "Ids": [[], "A" * 22, ["A" * 22, "A" * 22], [f"{number:022}" for number in range(1001)], ["short"]],
    "NameCursor": [*NO_TEXT, "", "A" * 1025, "a b", "a=", "a\n"],
}


@pytest.mark.parametrize("name", WRONG)
def test_a_form_refuses_what_it_may_not_have(name: str) -> None:
    adapter = TypeAdapter[Any](getattr(forms, name), config={"strict": True})
    for value in WRONG[name]:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


# What is kept as it came and read by a rule of its own, which says what is wrong with it.
FREE = {"authorization_file", "trust_file", "file"}
# What bounds each kind of schema, and what is bounded by itself.
BOUNDS: dict[str | None, list[set[str]]] = {
    "string": [{"maxLength"}, {"pattern"}, {"enum"}, {"const"}, {"format"}],
    "integer": [{"minimum", "maximum"}],
    "array": [{"maxItems"}],
    "object": [set()],
    "boolean": [set()],
    "null": [set()],
    None: [{"anyOf"}, {"allOf"}, {"enum"}, {"const"}],
}


def unbounded(schemas: dict[str, Any], schema: dict[str, Any], place: str) -> Iterator[str]:
    """The places of a schema at which there may be a text, list, number or object of any size."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for form in schema.get("anyOf", schema.get("allOf", ())):
        yield from unbounded(schemas, form, place)
    kind = schema.get("type")
    if not any(words <= schema.keys() for words in BOUNDS[kind]):
        yield place
    if kind == "array":
        yield from unbounded(schemas, schema["items"], f"{place}.0")
    if kind == "object":
        yield from _unbounded_object(schemas, schema, place)


def _unbounded_object(schemas: dict[str, Any], schema: dict[str, Any], place: str) -> Iterator[str]:
    if "properties" not in schema:
        if place.rpartition(".")[2] not in FREE and "maxProperties" not in schema:
            yield place
        return
    if schema.get("additionalProperties") is not False:
        yield f"{place} (takes unknown members)"
    for name, inner in schema["properties"].items():
        yield from unbounded(schemas, inner, f"{place}.{name}")


def test_every_place_of_every_request_has_a_form_with_bounds() -> None:
    document = described()
    schemas, places = document["components"]["schemas"], list[str]()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            name = f"{method.upper()} {path}"
            for parameter in operation.get("parameters", ()):
                places += unbounded(schemas, parameter["schema"], f"{name} ?{parameter['name']}")
            if "requestBody" in operation:
                places += unbounded(schemas, operation["requestBody"]["content"]["application/json"]["schema"], name)
    assert places == []
