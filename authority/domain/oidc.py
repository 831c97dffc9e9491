"""Sign-in by a provider of OpenID Connect: what is set about one, and what its claims say of a member."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authority.domain.members import Role, email_of
from authority.domain.refusals import InvalidInput, NotAllowed

# From the widest role to the narrowest.
ROLES = (Role.ADMINISTRATOR, Role.LICENSE_MANAGER, Role.ANALYST, Role.MEMBER)
EMAIL = "email"


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. `name` stands in addresses and in the log, `label` on its button."""

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    # The claim that is a user name here when somebody comes for the first time; None: whoever has no identity here is refused.
    match: str | None = None
    make_members: bool = False
    # Groups of the provider to roles here; without any, roles are given here alone.
    roles: Mapping[str, Role] = field(default_factory=dict)
    groups_claim: str = "groups"
    scopes: str = "openid profile email"

    def wanted_claims(self) -> tuple[str, ...]:
        """The claims that decide something, to be asked for where the ID token has them not."""
        return tuple(claim for claim in (self.match, self.groups_claim if self.roles else None) if claim)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at a provider: the two claims that never mean anybody else."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a browser keeps while it is at the provider, and nobody else knows."""

    provider: str
    state: str
    nonce: str
    verifier: str
    next: str


def username_of_claims(provider: Provider, claims: Mapping[str, Any]) -> str | None:
    """The user name that a newcomer's claims name, None where they name none that is to be believed.

    An e-mail address counts only when the provider says that it was verified.
    """
    if provider.match is None:
        return None
    value = claims.get(provider.match)
    if provider.match == EMAIL and claims.get("email_verified") is not True:
        return None
    return value if isinstance(value, str) and value else None


def email_of_claims(claims: Mapping[str, Any]) -> str:
    """The e-mail address that the claims give a newcomer; "" where they have none that the provider verified and a mail can go to."""
    value = claims.get(EMAIL)
    if claims.get("email_verified") is not True or not isinstance(value, str):
        return ""
    try:
        return email_of(value)
    except InvalidInput:
        return ""


def role_of_claims(provider: Provider, claims: Mapping[str, Any]) -> Role | None:
    """The widest role that the groups of the claims give, a member's where none gives any; None where groups decide nothing.

    They decide nothing where there is no list of them: a provider that could not say them just now takes no role away.
    """
    groups = claims.get(provider.groups_claim)
    if not provider.roles or not isinstance(groups, list | tuple):
        return None
    names = {name for name in groups if isinstance(name, str)}
    roles = {provider.roles[name] for name in names if name in provider.roles}
    return next((role for role in ROLES if role in roles), Role.MEMBER)


def unknown_member(provider: Provider, claims: Mapping[str, Any]) -> NotAllowed:
    """The refusal for who is known there and not here."""
    name = username_of_claims(provider, claims)
    who = f'you are "{name[:128]}" there' if name and name.isprintable() else "who you are there is known"
    return NotAllowed(f"{provider.label}: {who}, and no member here", hint="Ask an administrator to add you.")
