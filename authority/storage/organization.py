"""The one organization of an authority, and the authorizations that it installed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, exists, func, insert, select, update

from authority.domain.catalogue import Authorization
from authority.storage.db.rows import value_of
from authority.storage.db.tables import authorizations, organization


@dataclass(frozen=True, slots=True)
class Organization:
    """The one organization of an authority; `trust_file` is what workstations install first."""

    id: str
    name: str
    trust_file: str
    status_uri: str
    status_size: int
    demonstration: bool
    created_at: datetime


_LOCK = select(organization.c.id).with_for_update()
_NEWEST_SEQ = select(func.max(authorizations.c.seq))


def add(connection: Connection, new: Organization) -> None:
    """Sets the organization up."""
    connection.execute(insert(organization), {name: getattr(new, name) for name in new.__slots__})


def get(connection: Connection) -> Organization | None:
    """The organization, or None before `init`."""
    row = connection.execute(select(organization)).one_or_none()
    return None if row is None else value_of(Organization, row)


def lock(connection: Connection) -> None:
    """Makes others who ask for this lock wait until this transaction ends."""
    connection.execute(_LOCK).all()


def replace_trust_file(connection: Connection, trust_file: str) -> None:
    """Gives the organization another trust file from now on."""
    connection.execute(update(organization).values(trust_file=trust_file))


def add_authorization(connection: Connection, new: Authorization, trust_file: str, at: datetime) -> None:
    """Keeps an authorization with the trust file of its time; it is in force from now on."""
    values = {"seq": new.seq, "compact": new.compact, "trust_file": trust_file, "installed_at": at}
    connection.execute(insert(authorizations), values)


def authorization_numbers(connection: Connection) -> list[int]:
    """The numbers of all authorizations that were installed, the newest first."""
    return list(connection.execute(select(authorizations.c.seq).order_by(authorizations.c.seq.desc())).scalars())


def newest_seq(connection: Connection) -> int | None:
    """The number of the authorization in force, None before there is one."""
    seq: int | None = connection.execute(_NEWEST_SEQ).scalar_one()
    return seq


def has_authorization(connection: Connection, seq: int) -> bool:
    """Whether the authorization with this number was ever in force here."""
    return bool(connection.execute(select(exists().where(authorizations.c.seq == seq))).scalar_one())


def trusted_since(connection: Connection, trust_file: str) -> datetime | None:
    """When the first authorization was installed that came with this trust file; None when none did."""
    query = select(func.min(authorizations.c.installed_at)).where(authorizations.c.trust_file == trust_file)
    since: datetime | None = connection.execute(query).scalar_one()
    return since


def authorization_texts(connection: Connection, seq: int) -> tuple[str, str]:
    """The signed text of one authorization, and the trust file of its time, which need not be the organization's now."""
    query = select(authorizations.c.compact, authorizations.c.trust_file).where(authorizations.c.seq == seq)
    row = connection.execute(query).one()
    return row.compact, row.trust_file
