"""/overview: the figures of the first page."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from authority.presentation.overview import OverviewShown
from authority.services import figures
from authority.web.access import unit
from authority.web.answers import json_of
from authority.web.api.forms import Problem

api = APIBlueprint(
    "overview", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem}
)


@api.get("/overview", summary="What is used, what ends soon, what to look into", responses={200: OverviewShown})
def show() -> Response:
    """For administrators and license managers."""
    return json_of(OverviewShown.of(figures.show(unit())))
