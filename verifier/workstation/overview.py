"""Everything that people want to see of this workstation's licenses, read at once (seed S3)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from verifier.errors import CarnetError
from verifier.workstation import licensing
from verifier.workstation.check import License, licenses
from verifier.workstation.clock import wall_seconds
from verifier.workstation.store import Store


class NewestList(NamedTuple):
    """The newest status list seen here that speaks of a license, and how old it is by this machine's clock.

    `good_until` is when the license asks for a newer one (seconds since 1970 UTC), None when it asks for none.
    """

    seq: int
    issued_at: int
    age_seconds: int
    good_until: int | None = None


class LicenseInformation(NamedTuple):
    """One license. Of the levels the one that is held has the yes, though those below it may be used too (seed S3).

    `error` says why it is not good now; times are seconds since 1970 UTC, `days_left` begun days and `seconds_left` exactly what is left, both 0
    when it is not good.
    """

    product: str
    name: str
    level: str
    levels: dict[str, bool]
    extensions: dict[str, bool]
    member: str
    alias: str | None
    borrow_id: str
    is_session: bool
    expires_at: int
    days_left: int
    seconds_left: int
    status_list: NewestList | None
    warnings: tuple[str, ...]
    error: CarnetError | None


class Unreadable(NamedTuple):
    """An installed license whose file cannot be read, and why."""

    product: str
    error: CarnetError


class Overview(NamedTuple):
    """This workstation: where its state is, its alias, whose licenses it takes (root keys as thumbprints), and its licenses.

    `organization_name` is how the organization is called, None while no file that says so was installed. `url` is where its
    authority is, None where files are carried, and `username` who is signed in there.
    """

    home: Path
    alias: str | None
    organization: str
    organization_name: str | None
    roots: tuple[str, ...]
    url: str | None
    username: str | None
    licenses: tuple[LicenseInformation | Unreadable, ...]


def overview(store: Store, now: datetime | None = None) -> Overview:
    """What there is to see, as of `now`. Raises NotChecked when nothing at all can be read."""
    wall, trust = wall_seconds(now), store.trust()
    installed = licenses(store, now)
    known = [store.newest_authorization(trust), *(item.evidence.newest for item in installed if item.evidence)]
    name = next((authorization.organization_name for authorization in known if authorization), None)
    items = tuple(_information(item, wall) for item in installed)
    line = licensing.read(store)
    return Overview(
        store.home, store.state().alias, trust.organization, name, tuple(trust.roots), line.url, line.username, items
    )


def _information(item: License, wall: int) -> LicenseInformation | Unreadable:
    if item.evidence is None:
        assert item.error is not None  # noqa: S101 - what was read, or why not
        return Unreadable(item.product, item.error)
    borrow, newest = item.evidence.borrow, item.evidence.status_list
    product = item.evidence.authorization.product(borrow.product)
    most_age = borrow.status_max_age_seconds
    return LicenseInformation(
        product=borrow.product,
        name=product.name,
        level=borrow.level,
        levels={level: level == borrow.level for level in product.levels},
        extensions={code: code in borrow.extensions for code in product.extensions},
        member=borrow.member,
        alias=borrow.alias,
        borrow_id=borrow.borrow_id,
        is_session=borrow.is_session,
        expires_at=borrow.exp,
        days_left=item.grant.days_left if item.grant else 0,
        seconds_left=item.grant.seconds_left if item.grant else 0,
        status_list=None
        if newest is None
        else NewestList(newest.seq, newest.iat, max(0, wall - newest.iat), None if most_age is None else newest.iat + most_age),
        warnings=item.grant.warnings if item.grant else (),
        error=item.error,
    )
