"""Where members are signed in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from authority.domain.sign_ins import SignIn
from authority.presentation.shown import Shown, Time


class SignInShown(Shown):
    """A sign-in of a browser or a program; never its token."""

    id: str
    member: str
    created_at: Time
    last_used_at: Time = Field(description="exact to an hour")
    expires_at: Time | None = Field(description="null: remembered until somebody signs out")
    address: str | None = Field(description="from where it was made; of IPv6 the network of 64 bits")
    agent: str | None = Field(description="what the browser or program calls itself")
    current: bool = Field(description="whether it is the one that asks")

    @classmethod
    def of(cls, sign_in: SignIn) -> Self:
        """The sign-in, as it is or was until it was ended."""
        return cls(
            id=sign_in.id,
            member=sign_in.member,
            created_at=sign_in.created_at,
            last_used_at=sign_in.last_used_at,
            expires_at=sign_in.expires_at,
            address=sign_in.address,
            agent=sign_in.agent,
            current=sign_in.is_current,
        )


class SignIns(Shown):
    """A page of sign-ins, the newest first."""

    items: tuple[SignInShown, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[SignIn], cursor: str | None) -> Self:
        """The sign-ins of a page."""
        return cls(items=tuple(map(SignInShown.of, page)), next=cursor)


class EndedSignIns(Shown):
    """Sign-ins that were good until now; in a dry run, until now or later."""

    items: tuple[SignInShown, ...]

    @classmethod
    def of(cls, ended: Iterable[SignIn]) -> Self:
        """Those that were ended."""
        return cls(items=tuple(map(SignInShown.of, ended)))
