"""API keys."""

from pydantic import BaseModel, ConfigDict, Field

from authority.web.api.models.common import Body, Text


class NewApiKey(Body):
    username: Text = Field(max_length=128, description="the member that the key acts as")
    name: Text = Field(min_length=1, max_length=128, description="what the key is for")


class ApiKeyPath(BaseModel):
    key_id: str = Field(pattern=r"^[A-Za-z0-9_-]{22}$")


class ApiKeyQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cursor: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{22}$", description="`next` of the page before")
    limit: int = Field(100, ge=1, le=1000)


class ApiKeyShown(BaseModel):
    id: str
    name: str
    member: str
    created_at: str
    revoked_at: str | None


class MadeApiKey(ApiKeyShown):
    api_key: str = Field(description="the secret, shown this once: Authorization: Bearer KEY")


class ApiKeys(BaseModel):
    items: list[ApiKeyShown]
    next: str | None
