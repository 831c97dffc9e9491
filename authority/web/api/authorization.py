"""/authorization: what the vendor lets the organization give."""

import json
from typing import Annotated, Any, Self

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field, model_validator

from authority.presentation.authorization import AuthorizationShown, InstallationShown
from authority.services import authorizations, overview
from authority.services.authorizations import NewTrust
from authority.web.access import authority, unit
from authority.web.answers import json_of
from authority.web.api.forms import Body, Problem

api = APIBlueprint(
    "authorization", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem}
)

Thumbprint = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]


class NewAuthorization(Body):
    authorization_file: dict[str, Any] = Field(description="the vendor's file of the kind authorization, as it is")
    trust_file: dict[str, Any] | None = Field(
        None,
        description="what the vendor sent with it: a file of the kind trust-update, or trust when the vendor is another one than before",
    )
    accept_root: list[Thumbprint] = Field(
        default=[],
        max_length=64,
        description="every root key in the trust file of another vendor, compared with what that vendor says",
    )
    dry_run: bool = Field(False, description="true: say what would change, and change nothing")

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        if self.accept_root and self.trust_file is None:
            raise ValueError("accept_root goes with trust_file")
        return self


@api.get("/authorization", summary="What is licensed, and what of it is used", responses={200: AuthorizationShown})
def show() -> Response:
    """With a warning from 30 days before its end."""
    authorization, used = overview.authorization(unit())
    return json_of(AuthorizationShown.of(authorization, used, authority().now()))


@api.post(
    "/authorization",
    summary="Install an authorization",
    responses={201: InstallationShown, 200: InstallationShown, 409: Problem, 503: Problem},
)
def install(body: NewAuthorization) -> Response:
    """201 when it came into force; 200 when it was in force already, or with dry_run, which changes nothing.

    One for fewer members or seats than are in use is installed too, and says so: borrows already out stay good.
    With a new trust file workstations need that one for new borrows: `GET /trust`.
    """
    new_trust = None if body.trust_file is None else NewTrust(_file(body.trust_file), frozenset(body.accept_root))
    installation = authorizations.install(unit(), _file(body.authorization_file), new_trust, dry_run=body.dry_run)
    shown = InstallationShown.of(installation, authority().now(), dry_run=body.dry_run)
    return json_of(shown, 201 if shown.installed else 200)


def _file(members: dict[str, Any]) -> bytes:
    """The bytes of a file whose members came in a body. A text that is no Unicode makes it a file that nobody can read.

    Without indentation, which would make much of a little that is deeply nested.
    """
    return (json.dumps(members, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")
