"""A shown thing as the response of a route."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Response

from authority.presentation.shown import Shown


def json_of(shown: Shown, status: int = 200) -> Response:
    """The thing as JSON, rendered once."""
    return json_bytes(shown.model_dump_json().encode(), status)


def json_bytes(data: bytes, status: int = 200) -> Response:
    """What is JSON already, byte for byte."""
    return Response(data, status, content_type="application/json")


def sheet(lines: Iterator[str], name: str) -> Response:
    """A CSV file to be saved under the name, sent line by line."""
    headers = {
        "Content-Type": "text/csv; charset=utf-8; header=present",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Response(lines, headers=headers)
