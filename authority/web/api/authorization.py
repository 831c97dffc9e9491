"""/authorization: what the vendor lets the organization give."""

import json
from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.presentation import rendering
from authority.services import authorizations, overview
from authority.services.authorizations import NewTrust
from authority.web.access import actor, authority
from authority.web.api.models.authorization import AuthorizationShown, InstallationShown, NewAuthorization
from authority.web.api.models.common import Problem

api = APIBlueprint(
    "authorization", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem}
)


@api.get("/authorization", summary="What is licensed, and what of it is used", responses={200: AuthorizationShown})
def show() -> dict[str, Any]:
    """With a warning from 30 days before its end."""
    found, used = overview.authorization(authority(), actor())
    return rendering.authorization(found, used, authority().now())


@api.post(
    "/authorization",
    summary="Install an authorization",
    responses={201: InstallationShown, 200: InstallationShown, 409: Problem, 503: Problem},
)
def install(body: NewAuthorization) -> tuple[dict[str, Any], int]:
    """201 when it came into force; 200 when it was in force already, or with dry_run, which changes nothing.

    One for fewer members or seats than are in use is installed too, and says so: borrows already out stay good.
    With a new trust file workstations need that one for new borrows: `GET /trust`.
    """
    who = actor()
    new_trust = None if body.trust_file is None else NewTrust(_file(body.trust_file), frozenset(body.accept_root))
    done = authorizations.install(authority(), who, _file(body.authorization_file), new_trust, dry_run=body.dry_run)
    shown = rendering.installation(done, authority().now(), dry_run=body.dry_run)
    return shown, 201 if shown["installed"] else 200


def _file(members: dict[str, Any]) -> bytes:
    """The bytes of a file whose members came in a body. A text that is no Unicode makes it a file that nobody can read.

    Without indentation, which would make much of a little that is deeply nested.
    """
    return (json.dumps(members, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
