"""/carried-files: what a file is that came on a stick."""

import json
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from authority.presentation.carried import CarriedShown
from authority.services import carried
from authority.web.access import unit
from authority.web.answers import json_of
from authority.web.api.forms import Body, Problem

api = APIBlueprint("carried", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem})


class FileBody(Body):
    file: dict[str, Any] = Field(description="the file as it is, of any kind")


@api.post("/carried-files", summary="What a file is that was carried here", responses={200: CarriedShown})
def look_at(body: FileBody) -> Response:
    """Which kind, whose, and what to do with it; nothing is changed. A member is told of their own borrows alone."""
    work, data = unit(), json.dumps(body.file, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return json_of(CarriedShown.of(carried.look_at(work, data), work.now))
