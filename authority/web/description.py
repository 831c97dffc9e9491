"""What `/openapi.json` says beyond what each route says of itself: the answers that any route may give."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask_openapi3.models.path_item import PathItem

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
# Before any route is asked, and for want of a database: see `problems`.
ANY_ROUTE = (HTTPStatus.BAD_REQUEST, HTTPStatus.SERVICE_UNAVAILABLE)
ROUTE_WITH_BODY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
METHODS_WITH_BODY = {"post", "put", "patch"}
METHODS = ("get", *METHODS_WITH_BODY, "delete")


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
                    response["content"] = PROBLEM
    return completed


def protected(paths: Mapping[str, PathItem]) -> frozenset[tuple[str, str]]:
    """Method and rule, as Flask writes them, of each operation that is described as one that needs a credential."""
    return frozenset(
        (method.upper(), path.replace("{", "<").replace("}", ">"))
        for path, operations in paths.items()
        for method in METHODS
        if (operation := getattr(operations, method)) is not None and operation.security
    )
