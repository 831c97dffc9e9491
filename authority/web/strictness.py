"""What a request may not say, refused before its route is asked: what cannot be read, stands there twice, or is not taken there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Request
from flask.json.provider import DefaultJSONProvider
from flask_openapi3.models.operation import Operation
from flask_openapi3.models.parameter_in_type import ParameterInType
from flask_openapi3.models.path_item import PathItem
from flask_openapi3.models.request_body import RequestBody
from flask_openapi3.models.schema import Schema
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.http import parse_date

from authority.domain.refusals import InvalidInput

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Without one of these a request would do more than who sent it asked for, or be taken for another's.
GUARDS = frozenset(
    {
        *("authorization", "if-match", "if-none-match", "idempotency-key", "origin", "sec-fetch-site"),
        *("x-forwarded-for", "x-forwarded-proto", "content-type"),
    }
)
DATES = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE", "HTTP_DATE")
# In the environ: names of the headers whose values are no ASCII, which the server does not give.
UNREADABLE = "carnet.unreadable_headers"
SAFE = ("GET", "HEAD", "OPTIONS")
METHODS_WITH_BODY = ("POST", "PUT", "PATCH")
JSON_TYPES, FORM_TYPES = ("application/json",), ("application/x-www-form-urlencoded", "multipart/form-data")
METHODS = ("get", "post", "put", "patch", "delete")
# What a body says that says nothing.
NOTHING = (b"", b"{}", b"null")
DRY_RUN = "dry_run"


def check_headers(environ: WSGIEnvironment) -> None:
    """Leaves out dates that are none. Raises InvalidInput for a header that guards something and cannot be read."""
    for name in DATES:
        if name in environ and not _is_date_or_tag(environ[name]):
            del environ[name]
    unreadable = sorted(GUARDS.intersection(environ.get(UNREADABLE, ())))
    if unreadable:
        raise InvalidInput(f"the header {unreadable[0]} has characters other than ASCII", hint="Write it in ASCII.")


def _is_date_or_tag(value: str) -> bool:
    try:
        return parse_date(value) is not None or '"' in value
    except (ArithmeticError, ValueError):
        return False


def _json_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise _twice("member", next(name for name in names if names.count(name) > 1))
    return members


def _twice(what: str, name: str) -> InvalidInput:
    return InvalidInput(f'the {what} "{name[:64]}" stands there twice', hint="Say it once.")


class StrictJSON(DefaultJSONProvider):
    """JSON in which each member stands once, as I-JSON has it (RFC 7493, section 2.3): of two nobody knows which is meant."""

    # What the text says. Raises InvalidInput for a member that stands there twice, ValueError for no JSON.
    loads = staticmethod(partial(json.loads, object_pairs_hook=_json_members))


def check_parameters(parameters: MultiDict[str, str]) -> None:
    """Raises InvalidInput for a parameter that stands there twice."""
    for name, values in parameters.lists():
        if len(values) > 1:
            raise _twice("parameter", name)


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


def check_form(asked: Request, expected: Expected | None, *, is_page: bool) -> None:
    """Raises UnsupportedMediaType for a body that is no JSON, and on a page no form; InvalidInput for a query or body that is not taken.

    `expected` is None for what is not described.
    """
    length, has_query = asked.content_length, bool(asked.query_string)
    if length and asked.method in METHODS_WITH_BODY and asked.mimetype not in (FORM_TYPES if is_page else JSON_TYPES):
        raise UnsupportedMediaType
    if has_query:
        check_parameters(asked.args)
    takes_body = expected is None or expected.body is not None or asked.method in SAFE
    if expected is not None and (has_query or (length and not takes_body)):
        expected.check(asked.args, b"" if takes_body else asked.get_data())


def expected_of(paths: Mapping[str, PathItem], schemas: Mapping[str, Any]) -> dict[tuple[str, str], Expected]:
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
