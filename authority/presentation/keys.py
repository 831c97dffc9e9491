"""The authority's own keys."""

from __future__ import annotations

from pydantic import Field

from authority.presentation.shown import Shown


class KeyShown(Shown):
    """A key, without what is private of it."""

    kid: str = Field(description="RFC 7638 thumbprint of the public key")
    use: str = Field(description="what it signs")
    signs_now: bool
