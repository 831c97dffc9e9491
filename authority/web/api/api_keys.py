"""/api-keys: keys for programs."""

from typing import Annotated

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

from authority.domain.members import Scope
from authority.presentation.api_keys import ApiKeys, MadeApiKey, RevokedApiKey
from authority.services import access
from authority.web.access import unit
from authority.web.answers import json_of
from authority.web.api.forms import Body, DryRunQuery, Id, IdCursor, Name, PageQuery, Problem, different

api = APIBlueprint(
    "api_keys", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem}
)


# In JSON they are texts; a strict body would wait for values of Python.
ScopeName = Annotated[Scope, Field(strict=False)]
Scopes = Annotated[list[ScopeName], AfterValidator(different), Field(min_length=1, max_length=len(Scope))]
End = Annotated[AwareDatetime, Field(strict=False)]


class NewApiKey(Body):
    username: Name = Field(description="the member that the key acts as")
    name: Name = Field(min_length=1, description="what the key is for")
    scopes: Scopes = Field(default=[Scope.ALL], description="what of the member's role it is for")
    expires_at: End | None = Field(None, description="with its zone; null: good until it is revoked")


class ApiKeyPath(BaseModel):
    key_id: Id


class ApiKeyQuery(PageQuery):
    cursor: IdCursor | None = None


@api.get("/api-keys", summary="The API keys, never their secrets", responses={200: ApiKeys})
def listed(query: ApiKeyQuery) -> Response:
    """Newest first, also those that were revoked."""
    page, cursor = access.api_keys(unit(), query.cursor, query.limit)
    return json_of(ApiKeys.of(page, cursor))


@api.post("/api-keys", summary="Make an API key", responses={201: MadeApiKey, 404: Problem})
def create(body: NewApiKey) -> Response:
    """It acts as the member, within its scopes. The secret is in this answer and nowhere else."""
    secret, key = access.create_api_key(unit(), body.username, body.name, scopes=body.scopes, expires_at=body.expires_at)
    return json_of(MadeApiKey.made(key, secret), 201)


@api.delete("/api-keys/<key_id>", summary="Revoke an API key", responses={200: RevokedApiKey, 404: Problem})
def revoke(path: ApiKeyPath, query: DryRunQuery) -> Response:
    """From now on it is of no use; once more changes nothing. A sign-in is no API key: its holder signs out."""
    key = access.revoke_api_key(unit(), path.key_id, dry_run=query.dry_run)
    return json_of(RevokedApiKey.revoked(key, dry_run=query.dry_run))
