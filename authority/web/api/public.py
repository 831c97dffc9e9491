"""What needs no membership: sign-in, status list, trust."""

import contextlib

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from authority.domain.refusals import NotAuthenticated
from authority.presentation.api_keys import SignedIn
from authority.services import access, overview, status_lists
from authority.web.access import origin, public, secret, unit
from authority.web.answers import JSON, json_of, public_file
from authority.web.api.forms import COMPACT, Body, Name, Problem, file_answer

api = APIBlueprint("public", __name__)

STATUS_FILE = file_answer("status", authorization=COMPACT, status_list=COMPACT)
TRUST_FILE = file_answer(
    "trust",
    roots={"type": "array", "items": {"type": "object", "description": "a JWK"}},
    organization={"type": "string"},
    updates={"type": "array", "items": COMPACT},
)


# How long a cache may give the trust file without asking: a new one is carried with an authorization, which takes longer.
TRUST_SECONDS = 300


class SignIn(Body):
    username: Name
    password: str = Field(max_length=256)
    remember: bool = Field(False, description="true: good until signing out; else for 12 hours")


@api.post("/sign-in", summary="Sign in", responses={200: SignedIn, 401: Problem, 403: Problem, 429: Problem})
def sign_in(body: SignIn) -> Response:
    """A bearer token for 12 hours, or until signing out.

    After several wrong passwords for an account, or from an address, the next try waits (Retry-After), up to 15 minutes. Who sends the
    token of an earlier sign-in along, also one that ended, does not wait for what others tried.
    """
    token, ends_at = access.sign_in(public(), body.username, body.password, remember=body.remember, origin=origin())
    return json_of(SignedIn(token=token, expires_at=ends_at))


@api.post("/sign-out", summary="Sign out", security=[{"bearer": []}], responses={204: None, 401: Problem})
def sign_out() -> tuple[str, int]:
    """The bearer token of this request is of no use any more."""
    access.sign_out(public(), secret())
    return "", 204


@api.get("/status-list", summary="The newest status file", responses={200: STATUS_FILE, 304: None})
def status_list() -> Response:
    """A file of the kind status, for anyone to carry to any workstation.

    With a token it has everything that ended so far. Without one it is the newest that the server published: after an ending
    that takes a moment, or up to a minute.
    """
    work = public()
    with contextlib.suppress(NotAuthenticated):
        known = unit(open_over_limit=True)
        status_lists.publish_if_due(known)
        work = known
    newest = status_lists.published(work)
    response = public_file(newest.data, JSON, newest.issued_at, 0)
    response.headers["Vary"] = "Authorization"
    return response


@api.get("/trust", summary="The trust file", responses={200: TRUST_FILE, 304: None})
def trust() -> Response:
    """A file of the kind trust; compare its root key thumbprint by another way before you rely on it."""
    data, since = overview.trust_file_since(public())
    return public_file(data, JSON, since, TRUST_SECONDS)
