"""API keys, and what a sign-in answers with."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from authority.domain.api_keys import ApiKey
from authority.domain.members import Scope
from authority.presentation.shown import Shown, Time


class ApiKeyShown(Shown):
    """An API key, without its secret."""

    id: str
    name: str = Field(description="what the key is for")
    member: str = Field(description="the member that the key acts as")
    scopes: tuple[Scope, ...] = Field(description="what of the member's role it is for")
    created_at: Time
    expires_at: Time | None = Field(description="null: when somebody revokes it")
    last_used_at: Time | None = Field(description="exact to an hour; null: never, or soon after it was made")
    revoked_at: Time | None = Field(description="from then on it is of no use")

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        """The key without its secret."""
        return cls.model_validate(key)


class MadeApiKey(ApiKeyShown):
    """An API key that was just made."""

    api_key: str = Field(description="the secret, shown this once: Authorization: Bearer KEY", repr=False)

    @classmethod
    def made(cls, key: ApiKey, secret: str) -> Self:
        """The key with its secret."""
        return cls(**ApiKeyShown.of(key).model_dump(), api_key=secret)


class RevokedApiKey(ApiKeyShown):
    """An API key that is of no use from now on, or, in a dry run, would be."""

    dry_run: bool

    @classmethod
    def revoked(cls, key: ApiKey, *, dry_run: bool) -> Self:
        """The key; in a dry run it has the time at which it would have been revoked."""
        return cls(**ApiKeyShown.of(key).model_dump(), dry_run=dry_run)


class ApiKeys(Shown):
    """A page of API keys, the newest first."""

    items: tuple[ApiKeyShown, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[ApiKey], cursor: str | None) -> Self:
        """The keys of a page."""
        return cls(items=tuple(map(ApiKeyShown.of, page)), next=cursor)


class SignedIn(Shown):
    """The bearer token of a sign-in."""

    token: str = Field(description="Authorization: Bearer TOKEN", repr=False)
    expires_at: Time | None = Field(description="null: when somebody signs out")
