"""What needs no membership: sign-in, status list, trust, health; and the log for those who may read it."""

import json
from typing import Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint

from authority.presentation import rendering
from authority.services import access, log, overview, status_lists
from authority.web.access import actor, authority, public, secret, tell_excess
from authority.web.api.models.access import SignedIn, SignIn
from authority.web.api.models.common import FILE, Problem
from authority.web.api.models.events import EventQuery, Events

api = APIBlueprint("public", __name__)


@api.post("/sign-in", summary="Sign in", responses={200: SignedIn, 401: Problem})
def sign_in(body: SignIn) -> dict[str, Any]:
    """A bearer token for 12 hours."""
    token, ends_at = access.sign_in(authority(), body.username, body.password)
    tell_excess()
    return {"token": token, "expires_at": rendering.rfc3339(ends_at)}


@api.post("/sign-out", summary="Sign out", security=[{"bearer": []}], responses={204: None, 401: Problem})
def sign_out() -> tuple[str, int]:
    """The bearer token of this request is of no use any more."""
    access.sign_out(authority(), secret())
    return "", 204


@api.get("/status-list", summary="The newest status file", responses={200: FILE})
def status_list() -> Response:
    """A file of the kind status, for anyone to carry to any workstation."""
    return Response(status_lists.export(public()), content_type="application/json")


@api.get("/trust", summary="The trust file", responses={200: FILE})
def trust() -> Response:
    """A file of the kind trust; compare its root key thumbprint by another way before you rely on it."""
    return Response(overview.trust_file(authority()), content_type="application/json")


@api.get("/events", summary="The log", security=[{"bearer": []}], responses={200: Events, 401: Problem, 403: Problem})
def events(query: EventQuery) -> Response:
    """Oldest first; `next` is the number to go on after, null when there is nothing more yet."""
    kinds = None if query.kind is None else (query.kind,)
    found = log.events(authority(), actor(), query.after, kinds, query.limit)
    items = [row | {"at": log.instant(row["at"]), "until": log.instant(row["until"])} for row in found]
    following = str(found[-1]["id"]) if len(found) == query.limit else None
    return Response(json.dumps({"items": items, "next": following}), content_type="application/json")
