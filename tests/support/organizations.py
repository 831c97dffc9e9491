"""Short ways to look at members and to put another authorization into force, as an administrator does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from authority.domain.members import CONSOLE, Actor
from authority.services import authorizations, licenses, members
from authority.services.authorizations import Installation
from authority.services.unit import Unit
from tests.support.authorities import Bench, authorization_text
from tests.support.vendors import authorization_file

Change = Callable[[dict[str, Any]], None]


def actor(bench: Bench, username: str) -> Actor:
    """A member who is there, as an actor."""
    member = members.show(Unit(bench.authority, CONSOLE), username)[0]
    return Actor(member.id, member.username, member.role)


def held(bench: Bench, username: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """What a member holds: product to level and extensions."""
    rows = members.show(Unit(bench.authority, CONSOLE), username)[1]
    return {item.product: (item.level, item.extensions) for item in rows}


def available(bench: Bench, feature: str, product: str = "arcgis-pro") -> int:
    """How many of a level or extension are left."""
    rows = licenses.availability(Unit(bench.authority, CONSOLE), product)
    return next(item.available for item in rows if item.feature == feature)


def authorize(bench: Bench, *changes: Change) -> Installation:
    """Puts the sample specification, after these changes of it, into force; its number is the next one."""

    def change(specification: dict[str, Any]) -> None:
        for one in changes:
            one(specification)

    with bench.authority.database.read() as connection:
        seq = bench.authority.terms(connection).authorization.seq + 1
    compact = authorization_text(bench.authority, bench.root, bench.clock(), seq=seq, change=change)
    return authorizations.install(Unit(bench.authority, CONSOLE), authorization_file(compact))


def members_at_most(total: int) -> Change:
    """An authorization for so many members."""
    return lambda specification: specification["members"].update(total=total)


def seats(feature: str, count: int | None, product: str = "arcgis-pro") -> Change:
    """An authorization with so many seats of a level or extension; None takes the extension out."""

    def change(specification: dict[str, Any]) -> None:
        licensed = next(item for item in specification["products"] if item["id"] == product)
        group = "seats" if feature in licensed["levels"] else "extensions"
        licensed[group] = {name: value for name, value in licensed[group].items() if name != feature}
        if count is not None:
            licensed[group][feature] = count

    return change


def without(product: str) -> Change:
    """An authorization that does not have this product any more."""

    def change(specification: dict[str, Any]) -> None:
        specification["products"] = [item for item in specification["products"] if item["id"] != product]
        for user_type in specification["user_types"].values():
            user_type["may_hold"] = [name for name in user_type["may_hold"] if name != product]

    return change


def ends(product: str, at: datetime) -> Change:
    """An authorization whose product ends at this time."""

    def change(specification: dict[str, Any]) -> None:
        licensed = next(item for item in specification["products"] if item["id"] == product)
        licensed["until"] = int(at.timestamp())

    return change
