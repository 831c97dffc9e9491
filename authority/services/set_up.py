"""Setting an authority up: tables, keys, organization, authorization and the first administrator."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization, KeyUse
from authority.domain.events import Event, EventKind
from authority.domain.members import CONSOLE, Member, Role, check_name, check_username
from authority.domain.offline_rules import FIRST_RULE
from authority.domain.refusals import AlreadyExists, InvalidInput
from authority.services import access, defaults, members
from authority.services.context import Authority
from authority.services.passwords import hash_password
from authority.services.unit import Unit
from authority.services.work import Work, working
from authority.signing import authorizations
from authority.signing.encoding import encode
from authority.signing.issuing import Issuer
from authority.signing.keyring import Signer
from authority.signing.vendor import authorizing
from authority.storage import offline_rules, organization, pools
from authority.storage.db import schema
from authority.storage.organization import Organization

# 2^20 places: a million tokens. Two bits each make 256 KiB, which pack to a few KiB while few of them are set.
STATUS_SIZE = 2**20
SAMPLE_LASTS = timedelta(days=3 * 365)


@dataclass(frozen=True, slots=True)
class Administrator:
    """The first administrator; password and key are shown this once."""

    username: str
    password: str
    api_key: str


def organization_id(name: str) -> str:
    """An id for an organization: its name in lower-case ASCII letters, digits and hyphens. Raises InvalidInput."""
    check_name("the name of an organization", name)
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[^a-z0-9]+", "-", ascii_name).strip("-")[:48]
    if not text:
        raise InvalidInput(f'"{name}" has no letters or digits to make an id from')
    return text


def check_names(organization_name: str, admin: str) -> None:
    """Raises InvalidInput for a name of the organization or the administrator that cannot be used."""
    organization_id(organization_name)
    check_username(admin)


def check_empty(authority: Authority) -> None:
    """Raises AlreadyExists when the database has an organization already."""
    authority.database.make_private()
    if schema.current(authority.database) is not None:
        with authority.database.read() as connection:
            present = organization.get(connection)
        if present is not None:
            raise AlreadyExists(
                f'the database belongs to the organization "{present.name}" already',
                hint="Choose another --home, or use this one.",
            )


def check_keys(authority: Authority, authorization: Authorization, trust_file: str) -> None:
    """Raises KeyUnusable when the authorization names none of the keys here for one of the uses."""
    for use in KeyUse:
        Issuer(authority.ring, authorization, trust_file).current_kid(use, authority.now())


def own_vendor(authority: Authority, root: Signer, name: str, now: datetime) -> tuple[Authorization, str]:
    """The sample authorization of an organization that is its own vendor, and its trust file."""
    org = organization_id(name)
    ring = {use: [authority.ring.signer(use, kid).public for kid in authority.ring.kids(use)] for use in KeyUse}
    # A day's room, so that a workstation whose clock is behind can use it at once.
    begins_at, ends_at = now - timedelta(days=1), now + SAMPLE_LASTS
    compact = authorizing.authorize(
        root,
        authorizing.sample_specification(org, name, vendor=org),
        authorizing.key_records(ring, begins_at, ends_at),
        seq=1,
        now=now,
        begins_at=begins_at,
        ends_at=ends_at,
    )
    trust_file = authorizing.trust_file(org, [root.public])
    return authorizations.read(compact, trust_file), trust_file


def create(
    authority: Authority, authorization: Authorization, trust_file: str, *, admin: str, demonstration: bool = False
) -> Administrator:
    """Makes the tables and writes organization, authorization, first rule and first administrator in one transaction.

    Raises InvalidInput, AlreadyExists, KeyUnusable when the authorization names none of the keys here.
    """
    check_empty(authority)
    check_keys(authority, authorization, trust_file)
    schema.migrate(authority.database)
    now, password = authority.now(), encode(authority.random_bytes(15))
    new = Organization(
        id=authorization.organization,
        name=authorization.organization_name,
        trust_file=trust_file,
        status_uri=f"urn:carnet:{authorization.organization}:status:1",
        status_size=STATUS_SIZE,
        demonstration=demonstration,
        created_at=now,
    )

    def first(connection: Connection) -> None:
        organization.add(connection, new)
        organization.add_authorization(connection, authorization, trust_file, now)
        pools.add_missing(connection, authorization.products.values())
        offline_rules.put(connection, FIRST_RULE)

    unit, password_hash = Unit(authority, CONSOLE), hash_password(password)
    with unit.writing(first=first):
        unit.record([Event(kind=EventKind.ORGANIZATION_CREATED, actor=CONSOLE.username, reason=new.name)])
        with working(unit) as work:
            member = _add_administrator(work, admin, password_hash)
        member = work.written(member)
        secret, _ = access.add_api_key(unit, member, "first key")
    return Administrator(member.username, password, secret)


def _add_administrator(work: Work, admin: str, password_hash: str) -> Member:
    # The administrator takes the type that holds least, so that administering costs no license.
    user_types = work.unit.authorization.user_types.values()
    user_type = min(user_types, key=lambda item: (len(item.includes), len(item.may_hold)))
    new = members.NewMember(username=admin, user_type=user_type.name, role=Role.ADMINISTRATOR)
    return members.insert(work, new, password_hash, defaults.get(work.unit))[0]
