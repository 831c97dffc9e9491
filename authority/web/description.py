"""What `/openapi.json` says beyond what each route says of itself: the answers that any route may give."""

from __future__ import annotations

import copy
from http import HTTPStatus
from typing import Any

from authority.web import examples

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
# Before any route is asked, and for want of a database: see `problems`.
ANY_ROUTE = (HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)
ROUTE_WITH_BODY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
METHODS_WITH_BODY = {"post", "put", "patch"}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document of the routes, with every error as the body it has (RFC 9457) and with those of every route.

    The document that is given stays as it is.
    """
    completed = copy.deepcopy(document)
    for operations in completed["paths"].values():
        for method, operation in operations.items():
            responses = operation["responses"]
            for status in (*ANY_ROUTE, *(ROUTE_WITH_BODY if method in METHODS_WITH_BODY else ())):
                responses.setdefault(str(status.value), {"description": status.phrase})
            for status_text, response in responses.items():
                if int(status_text) >= HTTPStatus.BAD_REQUEST:
                    response["content"] = copy.deepcopy(PROBLEM)
            if method == "post" and operation.get("security"):
                for status in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.TOO_MANY_REQUESTS):
                    responses.setdefault(str(status.value), {"description": status.phrase, "content": copy.deepcopy(PROBLEM)})
                operation["parameters"] = [*operation.get("parameters", ()), dict(IDEMPOTENCY_KEY)]
            _describe_headers(operation, responses)
    examples.add_to(completed)
    return completed


def _describe_headers(operation: dict[str, Any], responses: dict[str, Any]) -> None:
    """Adds the conditional headers (RFC 9110, section 13) to an operation whose answers say that it knows them."""
    headers = []
    if str(HTTPStatus.NOT_MODIFIED.value) in responses:
        changed = {"description": HTTPStatus.PRECONDITION_FAILED.phrase, "content": copy.deepcopy(PROBLEM)}
        responses.setdefault(str(HTTPStatus.PRECONDITION_FAILED.value), changed)
    if str(HTTPStatus.PRECONDITION_FAILED.value) in responses:
        headers.append(dict(IF_MATCH))
    if str(HTTPStatus.NOT_MODIFIED.value) in responses:
        headers.append(dict(IF_NONE_MATCH))
        for status in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            responses[str(status.value)]["headers"] = {"ETag": {"schema": {"type": "string"}, "description": "of this answer"}}
    if headers:
        operation["parameters"] = [*operation.get("parameters", ()), *headers]


def _header(name: str, meaning: str) -> dict[str, Any]:
    tag = {"type": "string", "pattern": r'^(\*|"[A-Za-z0-9_.-]{1,128}")$'}
    return {"name": name, "in": "header", "required": False, "description": meaning, "schema": tag}


IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "a new UUID for each request: sent again within 24 hours it does nothing new and gets the first answer",
    "schema": {"type": "string", "pattern": "^[!#-Z^-~]{1,255}$"},
}
IF_MATCH = _header(
    "If-Match", "what you have seen of it: an ETag, or its `version` in quotation marks; 412 when it is another by now"
)
IF_NONE_MATCH = _header("If-None-Match", "an ETag that you have; 304 when the answer would be the same")
