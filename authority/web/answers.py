"""A shown thing as the response of a route."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256

from flask import Response, request

from authority.domain.refusals import ChangedMeanwhile
from authority.presentation.shown import Shown

JSON = "application/json"
# What every system takes in the name of a file, and no header needs to quote.
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def json_of(shown: Shown, status: int = 200) -> Response:
    """The thing as JSON, rendered once."""
    return Response(shown.model_dump_json(), status, content_type=JSON)


def tagged(shown: Shown, version: str) -> Response:
    """The thing as JSON with an entity tag, or 304 without a body when whoever asks has the very same (RFC 9110, 13.1.2).

    Raises ChangedMeanwhile for If-Match of another one.
    The tag begins with the version of what may change, which is what If-Match compares, and ends with a digest of the whole.
    """
    response = json_of(shown)
    response.set_etag(f"{version}.{digest(response.get_data())}")
    return conditional(response, version)


def public_file(data: bytes, content_type: str, changed_at: datetime | None, most_age: int) -> Response:
    """What anybody may have, with an entity tag and when it changed, or 304 without a body; a cache may give it for so many seconds.

    Raises ChangedMeanwhile for If-Match of another one.
    """
    response = Response(data, content_type=content_type)
    response.set_etag(digest(data))
    response.last_modified = changed_at
    response.headers["Cache-Control"] = f"public, max-age={most_age}" if most_age else "no-cache"
    return conditional(response, digest(data))


def conditional(response: Response, version: str) -> Response:
    """The response with its entity tag, or 304 without a body. Raises ChangedMeanwhile where If-Match has neither its tag nor its version."""
    tags, own = request.if_match, {version, response.get_etag()[0]}
    if "If-Match" in request.headers and not tags.star_tag and own.isdisjoint(tags.as_set()):
        raise ChangedMeanwhile("this is not the one that was seen", version=version, changed={})
    response.make_conditional({name: value for name, value in request.environ.items() if name != "HTTP_IF_MATCH"})
    return response


def digest(data: bytes) -> str:
    """132 bits of a digest, as an entity tag has them."""
    return urlsafe_b64encode(sha256(data).digest()).decode()[:22]


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
