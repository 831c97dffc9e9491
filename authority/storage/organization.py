"""The organization itself: its name and trust file, its authorizations, its pools and its offline rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, insert, select

from authority.domain.catalogue import Authorization
from authority.storage.db.rows import value_of
from authority.storage.db.tables import authorizations, organization, pools


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


_LOCK_POOLS = select(pools).where(pools.c.product == bindparam("product")).order_by(pools.c.feature).with_for_update()
_ASSIGNED = select(pools.c.feature, pools.c.assigned).where(pools.c.product == bindparam("product"))
_NEWEST_SEQ = select(func.max(authorizations.c.seq))


def insert_organization(connection: Connection, found: Organization) -> None:
    """Sets the organization up."""
    connection.execute(insert(organization).values({name: getattr(found, name) for name in found.__slots__}))


def get(connection: Connection, *, lock: bool = False) -> Organization | None:
    """The organization, or None before `init`; with `lock` other writers that ask for it wait."""
    query = select(organization)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else value_of(Organization, row)


def newest_seq(connection: Connection) -> int | None:
    """The number of the authorization in force."""
    found: int | None = connection.execute(_NEWEST_SEQ).scalar_one()
    return found


def authorization_text(connection: Connection, seq: int) -> str:
    """The signed text of one authorization."""
    return str(connection.execute(select(authorizations.c.compact).where(authorizations.c.seq == seq)).scalar_one())


def insert_authorization(connection: Connection, found: Authorization, trust_file: str, at: datetime) -> None:
    """Keeps an authorization with the trust file of its time, and one pool for each level and extension in it."""
    values = {"seq": found.seq, "compact": found.compact, "trust_file": trust_file, "installed_at": at}
    connection.execute(insert(authorizations), values)
    wanted = {
        (product.id, feature) for product in found.products.values() for feature in (*product.levels, *product.extensions)
    }
    known = {(product, feature) for product, feature in connection.execute(select(pools.c.product, pools.c.feature))}
    new = [{"product": product, "feature": feature} for product, feature in sorted(wanted - known)]
    if new:
        connection.execute(insert(pools), new)


def known_products(connection: Connection) -> set[str]:
    """Every product that any authorization had."""
    return set(connection.execute(select(pools.c.product).distinct()).scalars())


def lock_pools(connection: Connection, product: str) -> None:
    """Makes others who want seats of the product wait until this transaction ends; in one order, so that no two wait for each other."""
    connection.execute(_LOCK_POOLS, {"product": product}).all()


def assigned(connection: Connection, product: str) -> dict[str, int]:
    """How often each level and extension of a product is assigned; those that nobody holds are left out."""
    rows = connection.execute(_ASSIGNED, {"product": product})
    return {row.feature: row.assigned for row in rows if row.assigned}
