"""The authority's own keys."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from authority.presentation.shown import Shown
from authority.services.keys import OwnKey


class KeyShown(Shown):
    """A key, without what is private of it."""

    kid: str = Field(description="RFC 7638 thumbprint of the public key")
    use: str = Field(description="what it signs")
    signs_now: bool
    authorized: bool = Field(description="whether the authorization in force names it")
    retired_at: datetime | None = Field(description="since when it signs nothing new")
    stolen: bool = Field(description="retired because it may be in other hands")
    needed_until: datetime | None = Field(
        description="a retired key: until then borrows are out that need it, so that its file stays and authorizations name it"
    )

    @classmethod
    def of(cls, key: OwnKey) -> KeyShown:
        """The key as it is shown."""
        return cls(
            kid=key.kid,
            use=key.use,
            signs_now=key.signs_now,
            authorized=key.is_authorized,
            retired_at=key.retired_at,
            stolen=key.is_stolen,
            needed_until=key.needed_until,
        )
