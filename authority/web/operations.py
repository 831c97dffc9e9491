"""What each operation of the API takes: a request with anything else is refused, for who sent it expects something of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flask_openapi3.models.operation import Operation
from flask_openapi3.models.parameter_in_type import ParameterInType
from flask_openapi3.models.path_item import PathItem
from flask_openapi3.models.request_body import RequestBody
from flask_openapi3.models.schema import Schema

from authority.domain.refusals import InvalidInput

METHODS = ("get", "post", "put", "patch", "delete")
# What a body says that says nothing.
NOTHING = (b"", b"{}", b"null")
DRY_RUN = "dry_run"


@dataclass(frozen=True, slots=True)
class Expected:
    """The parameters of the query and the members of the body of an operation; the body is None where it takes none."""

    query: frozenset[str]
    body: frozenset[str] | None
    is_protected: bool

    def check(self, parameters: Iterable[str], data: bytes) -> None:
        """Raises InvalidInput for a parameter or a body that says what the operation does not take."""
        for name in set(parameters) - self.query:
            # Where there are others the view refuses it, but cannot say where a dry run is asked for.
            if not self.query or name == DRY_RUN:
                raise InvalidInput(f'there is no parameter "{name[:64]}" here', hint=self._hint(name))
        if self.body is None and data.strip() not in NOTHING:
            raise InvalidInput("this takes no body", hint=self._hint(DRY_RUN if b'"dry_run"' in data else ""))

    def _hint(self, name: str) -> str:
        if name == DRY_RUN and DRY_RUN in self.query:
            return "A dry run is asked for in the query: ?dry_run=true."
        if name == DRY_RUN and self.body is not None and DRY_RUN in self.body:
            return 'A dry run is asked for in the body: "dry_run": true.'
        if name == DRY_RUN:
            return "This has no dry run; nothing was done."
        return "Leave it out; /openapi.json says what there is."


def described(paths: Mapping[str, PathItem], schemas: Mapping[str, Any]) -> dict[tuple[str, str], Expected]:
    """What is taken by each operation that is described, by its method and its rule as Flask writes it."""
    return {
        (method.upper(), path.replace("{", "<").replace("}", ">")): _expected(operation, schemas)
        for path, item in paths.items()
        for method in METHODS
        if isinstance(operation := getattr(item, method), Operation)
    }


def _expected(operation: Operation, schemas: Mapping[str, Any]) -> Expected:
    query = frozenset(item.name for item in operation.parameters or () if item.param_in is ParameterInType.QUERY)
    body = operation.requestBody
    members = _members(body, schemas) if isinstance(body, RequestBody) else None
    return Expected(query, members, bool(operation.security))


def _members(body: RequestBody, schemas: Mapping[str, Any]) -> frozenset[str]:
    """The names of the members of a body."""
    (kind,) = body.content.values()
    form = kind.media_type_schema
    reference = getattr(form, "ref", None)
    if reference is not None:
        form = schemas[reference.rpartition("/")[2]]
    return frozenset(form.properties or ()) if isinstance(form, Schema) else frozenset()
