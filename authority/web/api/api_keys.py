"""/api-keys: keys for programs."""

from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.presentation import rendering
from authority.services import access
from authority.web.access import actor, authority
from authority.web.api.models.api_keys import ApiKeyPath, ApiKeyQuery, ApiKeys, ApiKeyShown, MadeApiKey, NewApiKey
from authority.web.api.models.common import Problem

api = APIBlueprint(
    "api_keys", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem}
)


@api.get("/api-keys", summary="The API keys, never their secrets", responses={200: ApiKeys})
def listed(query: ApiKeyQuery) -> dict[str, Any]:
    """Newest first, also those that were revoked."""
    page, cursor = access.listed_api_keys(authority(), actor(), query.cursor, query.limit)
    return {"items": [rendering.api_key(found) for found in page], "next": cursor}


@api.post("/api-keys", summary="Make an API key", responses={201: MadeApiKey, 404: Problem})
def create(body: NewApiKey) -> tuple[dict[str, Any], int]:
    """It acts as the member. The secret is in this answer and nowhere else."""
    secret, found = access.create_api_key(authority(), actor(), body.username, body.name)
    return rendering.api_key(found) | {"api_key": secret}, 201


@api.delete("/api-keys/<key_id>", summary="Revoke an API key", responses={200: ApiKeyShown, 404: Problem})
def revoke(path: ApiKeyPath) -> dict[str, Any]:
    """From now on it is of no use; once more changes nothing. A sign-in is no API key: its holder signs out."""
    return rendering.api_key(access.revoke_api_key(authority(), actor(), path.key_id))
