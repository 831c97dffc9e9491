"""Addresses that take a form alone, as steps of something do, and the pages that they belong to."""

from __future__ import annotations

from urllib.parse import quote

from flask import current_app, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

HOME = "/console/"


def is_step(path: str) -> bool:
    """True for a path that takes a form and is no page; a page with an argument, which it could be too, is another thing."""
    takes = _rule_of(path, "POST")
    return takes is not None and takes != _rule_of(path, "GET")


def page_of(path: str) -> str:
    """The address of the page that a path is or belongs to, with the query that was sent; that of the first page at last."""
    while is_step(path) or not (_rule_of(path, "GET") or "").startswith(HOME):
        path = path.rpartition("/")[0]
        if not path:
            return HOME
    query = request.query_string.decode("ascii", "replace")
    return quote(path) + (f"?{query}" if query else "")


def _rule_of(path: str, method: str) -> str | None:
    """The rule of the address that answers to this path and method, None where there is none."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None  # noqa: S101 - there is one for each request
    try:
        return str(adapter.match(path, method, return_rule=True)[0].rule)
    except (HTTPException, RequestRedirect):
        return None
