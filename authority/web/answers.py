"""A shown thing as the response of a route."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

from authority.presentation.shown import Shown

JSON = "application/json"


def json_of(shown: Shown, status: int = 200) -> Response:
    """The thing as JSON, rendered once."""
    return Response(shown.model_dump_json(), status, content_type=JSON)


def sheet(lines: Iterator[str], name: str) -> Response:
    """A CSV file to be saved under the name, sent line by line."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8; header=present",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(lines, headers=headers)
