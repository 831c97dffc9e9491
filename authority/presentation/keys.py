"""The authority's own keys."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from authority.presentation.shown import Shown, Time
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

    begins_at: Time | None = Field(description="since when the authorization in force lets it sign; null: it does not name it")
    ends_at: Time | None = Field(description="until when the authorization in force lets it sign")
    borrows_out: int = Field(description="borrows that are out of which a token that has not expired is signed with it")

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
            begins_at=key.begins_at,
            ends_at=key.ends_at,
            borrows_out=key.borrows_out,
        )


class Keys(Shown):
    """All keys of the authority, by use."""

    items: tuple[KeyShown, ...]
    next: None = None
    roots: tuple[str, ...] = Field(
        description="thumbprints of the vendor's root keys, to be compared by another way than a trust file's"
    )

    @classmethod
    def of(cls, keys: Iterable[OwnKey], roots: Iterable[str]) -> Self:
        """All of them on one page."""
        return cls(items=tuple(map(KeyShown.of, keys)), roots=tuple(roots))


class MadeKeys(Shown):
    """Keys that were just made."""

    items: tuple[KeyShown, ...]

    @classmethod
    def of(cls, keys: Iterable[OwnKey]) -> Self:
        """The new keys."""
        return cls(items=tuple(map(KeyShown.of, keys)))


class PublicKeys(Shown):
    """What the vendor needs to authorize this authority."""

    organization: str
    seq: int = Field(description="of the authorization in force")
    keys: tuple[dict[str, Any], ...] = Field(description="JWKs with their use; of retired ones what workstations need to know")


class TrustShown(Shown):
    """Whom workstations of this organization trust."""

    organization: str
    roots: tuple[str, ...] = Field(description="thumbprints of the vendor's root keys")
