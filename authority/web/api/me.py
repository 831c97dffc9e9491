"""/me: one's own license."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.presentation import rendering, rendering_licenses
from authority.services import me
from authority.web.access import actor, authority
from authority.web.api.models.common import Problem
from authority.web.api.models.me import DownloadRequested, MeShown

api = APIBlueprint("me", __name__, abp_security=[{"bearer": []}], abp_responses={401: Problem, 403: Problem})


@api.get("/me", summary="Your own license", responses={200: MeShown})
def show() -> dict[str, Any]:
    """Levels and extensions yes or no, until when, how long offline, the borrow that is out and the active sessions."""
    return rendering_licenses.me(me.show(authority(), actor()), authority().now())


@api.post("/me/download-request", summary="Ask for the permission to download", responses={200: DownloadRequested})
def request_download() -> dict[str, Any]:
    """Needs vendor access; an administrator grants or denies it. Once more changes nothing."""
    found = rendering.member(me.request_download(authority(), actor()))
    return {name: found[name] for name in ("username", "vendor_access", "download_permission")}
