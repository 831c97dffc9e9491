"""Signing in as whom a provider of OpenID Connect says somebody is; its answer was verified before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Member, Privilege, Role
from authority.domain.oidc import Identity, Provider, email_of_claims, role_of_claims, unknown_member, username_of_claims
from authority.domain.refusals import InvalidInput, LastAdministrator, NotAllowed, NotFound
from authority.domain.sign_ins import Origin
from authority.services import access, defaults
from authority.services.context import Authority
from authority.services.member_changes import Change, change_within
from authority.services.members import NewMember, in_form, insert
from authority.services.unit import Unit
from authority.services.work import working
from authority.storage import assignments, identities, members


def sign_in(authority: Authority, provider: Provider, claims: Mapping[str, Any], origin: Origin) -> tuple[str, datetime | None]:
    """A bearer token for the member whom the claims name, and when it ends.

    Who was here before is known by issuer and subject alone. A newcomer is matched once by the claim that is set, or made a member
    where that is allowed; roles follow groups at each sign-in where that is set.
    Raises NotAllowed (no member, disabled, another one is that member there), InvalidInput, OrganizationOverLimit, and what adding
    a member raises.
    """
    unit = Unit(authority, Actor(None, f"oidc:{provider.name}", Role.ADMINISTRATOR))
    identity = Identity(provider.issuer, str(claims["sub"]))
    with unit.writing():
        member = _member(unit, provider, identity, claims)
        if member.disabled:
            raise NotAllowed(
                f"the member {member.username} is disabled", hint="Ask an administrator to enable you.", member=member.username
            )
    role = role_of_claims(provider, claims)
    if role is not None and role is not member.role:
        member = _with_role(unit, member, role)
    return access.begin(unit, member, remember=False, origin=origin, by=provider.name)


def _member(unit: Unit, provider: Provider, identity: Identity, claims: Mapping[str, Any]) -> Member:
    number = identities.member_id(unit.connection, identity)
    known = None if number is None else members.by_id(unit.connection, number)
    return known or _newcomer(unit, provider, identity, claims)


def _newcomer(unit: Unit, provider: Provider, identity: Identity, claims: Mapping[str, Any]) -> Member:
    """The member of the name that the claims say, from now on known by issuer and subject."""
    # Two answers at once, or a name that is given at this moment, wait for each other.
    unit.lock_organization()
    username = username_of_claims(provider, claims)
    member = None if username is None else members.by_username(unit.connection, username, lock=True)
    if member is None:
        if username is None or not provider.make_members:
            raise unknown_member(provider, claims)
        member = _made(unit, provider, username, claims)
    elif identities.has_one(unit.connection, member.id, identity.issuer):
        # The name went to somebody else there: its new holder is not the member who had it.
        raise NotAllowed(
            f"{provider.label}: the member {member.username} is somebody else there",
            hint="Ask an administrator to have the member's earlier account there forgotten: docs/sign-in.md",
            member=member.username,
        )
    identities.add(unit.connection, identity, member.id, unit.at)
    words = f"signs in by {provider.name}"
    unit.record([Event(kind=EventKind.MEMBER_CHANGED, actor=unit.actor.username, member=member.username, reason=words)])
    return member


def _made(unit: Unit, provider: Provider, username: str, claims: Mapping[str, Any]) -> Member:
    name = claims.get("name")
    new_member = NewMember(username, full_name=name if isinstance(name, str) else "", email=email_of_claims(claims))
    try:
        new = in_form(unit, new_member)
    except InvalidInput as error:
        # Nobody typed it here: who comes can correct nothing.
        hint = (
            "Ask an administrator: your name has to be another one there, or to be taken from another claim (docs/sign-in.md)."
        )
        raise NotAllowed(f"{provider.label}: {error.message}", hint=hint) from error
    with working(unit) as work:
        added, _ = insert(work, new, None, defaults.get(unit))
    return work.written(added)


def _with_role(unit: Unit, member: Member, role: Role) -> Member:
    """The member in the role that the groups give; the last administrator keeps theirs."""
    try:
        with unit.writing(), working(unit) as work:
            before = members.by_id(unit.connection, member.id, lock=True)
            if before is None:
                return member
            return change_within(work, before, assignments.of_member(unit.connection, before.id), Change(role=role)).after
    except LastAdministrator:
        return member


def issuers_of(unit: Unit, username: str) -> list[tuple[str, datetime]]:
    """The issuers of the providers at which a member is known, and since when, the oldest first. Raises NotAllowed, NotFound."""
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_MEMBERS)
        member = members.by_username(unit.connection, username)
        if member is None:
            raise NotFound(f'there is no member "{username}"', member=username)
        return identities.of_member(unit.connection, member.id)
