"""A shown thing as the response of a route."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import Response

from authority.presentation.shown import Shown

JSON = "application/json"
# What every system takes in the name of a file, and no header needs to quote.
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


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


def carried(data: bytes, *words: str, ending: str) -> Response:
    """A file to be carried, saved under a name that is made of the words: `ada-arcgis-pro.borrow`."""
    name = "-".join(filter(None, (NOT_IN_NAMES.sub("-", word).strip("-.") for word in words)))[:100] or "carnet"
    return Response(data, content_type=JSON, headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'})
