"""Setting an authority up: tables, keys, organization, authorization and the first administrator."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization, KeyUse
from authority.domain.events import Event, EventKind
from authority.domain.members import CONSOLE, Member, Role, username_of
from authority.domain.names import key_of, spelled
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
from authority.storage.db import migrating, schema
from authority.storage.organization import Organization

# 2^20 places: a million tokens. Two bits each make 256 KiB, which pack to a few KiB while few of them are set.
STATUS_SIZE = 2**20
SAMPLE_LASTS = timedelta(days=3 * 365)
# docs/token-format.md: the form of `sub` in an authorization.
ORGANIZATION_ID = re.compile(r"\A[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?\Z")
ID_RULE = "1 to 64 of a-z 0-9 . - that begin and end with a letter or digit"
# Latin letters that Unicode does not take apart into a plain one and a mark.
PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h", "ŧ": "t"}
)


@dataclass(frozen=True, slots=True)
class Administrator:
    """The first administrator; password and key are shown this once."""

    username: str
    password: str
    api_key: str


def organization_name(text: str) -> str:
    """The name of an organization in its one spelling. Raises InvalidInput."""
    name = spelled("the name of an organization", text)
    if not any(char.isalnum() for char in name):
        raise InvalidInput(f'"{name}" has no letter or digit: an organization has a name that people can read')
    return name


def organization_id(name: str, wanted: str | None = None) -> str:
    """The id of an organization: the one that is wanted, or one made from its name. Raises InvalidInput.

    From a name its letters and digits are taken as a-z and 0-9, with hyphens between. Where the name has others, which are
    lost, the beginning of its SHA-256 digest stands after them, so that two names do not get one id.
    """
    if wanted is not None:
        if not ORGANIZATION_ID.match(wanted):
            raise InvalidInput(f'"{wanted[:140]}" cannot be the id of an organization: {ID_RULE}')
        return wanted
    plain = unicodedata.normalize("NFKD", organization_name(name).casefold().translate(PLAIN_LETTERS))
    text = re.sub("[^a-z0-9]+", "-", re.sub("[^\x00-\x7f]", "", plain)).strip("-")[:48].strip("-")
    is_whole = all(char.isascii() for char in plain if unicodedata.category(char)[0] in "LN")
    return text if is_whole else f"{text or 'org'}-{hashlib.sha256(key_of(name).encode()).hexdigest()[:8]}"


def check_names(organization: str, wanted_id: str | None, admin: str) -> None:
    """Raises InvalidInput for a name or id of the organization, or a name of the administrator, that cannot be used."""
    organization_id(organization, wanted_id)
    organization_name(organization)
    username_of(admin)


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


def own_vendor(
    authority: Authority, root: Signer, name: str, now: datetime, *, wanted_id: str | None = None
) -> tuple[Authorization, str]:
    """The sample authorization of an organization that is its own vendor, and its trust file."""
    org, name = organization_id(name, wanted_id), organization_name(name)
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
    migrating.migrate(authority.database)
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
    new = members.NewMember(username=username_of(admin), user_type=user_type.name, role=Role.ADMINISTRATOR)
    return members.insert(work, new, password_hash, defaults.get(work.unit))[0]
