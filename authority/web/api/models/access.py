"""Signing in."""

from pydantic import BaseModel, Field

from authority.web.api.models.common import Body, Text


class SignIn(Body):
    username: Text = Field(max_length=128)
    password: str = Field(max_length=256)


class SignedIn(BaseModel):
    token: str
    expires_at: str
