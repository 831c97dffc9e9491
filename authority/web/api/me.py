"""/me: one's own license."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from authority.presentation.me import DownloadRequested, MeShown
from authority.services import me
from authority.web.access import authority, unit
from authority.web.answers import json_of
from authority.web.api.forms import Problem

api = APIBlueprint("me", __name__, abp_security=[{"bearer": []}], abp_responses={401: Problem, 403: Problem})


@api.get("/me", summary="Your own license", responses={200: MeShown})
def show() -> Response:
    """Levels and extensions yes or no, until when, how long offline, the borrow that is out and the active sessions."""
    return json_of(MeShown.of(me.show(unit()), authority().now()))


@api.post("/me/download-request", summary="Ask for the permission to download", responses={200: DownloadRequested})
def request_download() -> Response:
    """Needs vendor access; an administrator grants or denies it. Once more changes nothing."""
    return json_of(DownloadRequested.of(me.request_download(unit())))
