"""Migrations on a database that is in use: what was kept before is there afterwards, in the form of now."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import insert, select, text

from authority.storage.db import migrating
from authority.storage.db.database import Database
from authority.storage.db.tables import groups, member_groups, offline_rules, pool_rules, preferences

NFC, NFD = "Vermessung München", "Vermessung Mu\u0308nchen"
# Groups that a database of the first tables can have, and who is in each.
MEMBERS = {NFD: (1, 2), NFC: (2, 3, 4), "field-crew": (1,), "field-crew ": (2,), "Field-Crew": (3,), "Night  shift": (4,)}
_MEMBER = text(
    "INSERT INTO members (id, username, username_key, full_name, user_type, role, disabled, created_at) "
    "VALUES (:number, :name, :name, '', 'Creator', 'member', false, 0)"
)


@pytest.fixture
def database(empty_database_url: str) -> Iterator[Database]:
    """A database with the first tables, and what an organization kept there."""
    database = Database(empty_database_url)
    database.make_private()
    _to_revision(database, "0001")
    with database.write() as connection:
        for number in range(1, 5):
            connection.execute(_MEMBER, {"number": number, "name": f"m{number}"})
        rows = [{"member_id": number, "name": name} for name, numbers in MEMBERS.items() for number in numbers]
        connection.execute(insert(member_groups), rows)
    yield database
    database.close()


def _to_revision(database: Database, revision: str) -> None:
    with database.write() as connection:
        config = migrating._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _offline(subject: str, product: str = "", *, allowed: bool | None = None, longest: int | None = None) -> dict[str, object]:
    key: dict[str, object] = {"level": "group", "subject": subject, "product": product}
    return {**key, "allowed": allowed, "longest_days": longest, "default_days": longest}


def _seats(group: str, reserved: int, maximum: int | None) -> dict[str, object]:
    key = {"product": "arcgis-desktop", "feature": "Advanced", "group_name": group}
    return key | {"low_water": 0, "most_borrowed": None, "reserved": reserved, "maximum": maximum, "from_higher": False}


def test_groups_that_look_alike_become_one_with_the_spelling_of_most_members(database: Database) -> None:
    migrating.migrate(database)
    with database.read() as connection:
        rows = {tuple(row) for row in connection.execute(select(member_groups))}
        spellings = set(connection.execute(select(groups.c.name)).scalars())
    crew = {(number, "Field-Crew") for number in (1, 2, 3)}
    assert rows == {(number, NFC) for number in (1, 2, 3, 4)} | crew | {(4, "Night shift")}
    assert spellings == {NFC, "Field-Crew", "Night shift"}


def test_of_two_offline_rules_that_become_one_the_stricter_stays(database: Database) -> None:
    rules = [
        _offline(NFC, allowed=False),
        _offline(NFD, longest=20),
        _offline("field-crew", "arcgis-pro", longest=9),
        _offline("Field-Crew", "arcgis-pro", longest=5),
        _offline("Field-Crew", allowed=True),
        _offline("alone", longest=3),
    ]
    other = {**_offline("Creator", longest=4), "level": "type"}
    with database.write() as connection:
        connection.execute(insert(offline_rules), [*rules, other])
    migrating.migrate(database)
    with database.read() as connection:
        rows = {tuple(row) for row in connection.execute(select(offline_rules))}
    assert rows == {
        ("group", NFC, "", False, 20, 20, None),
        ("group", "Field-Crew", "arcgis-pro", None, 5, 5, None),
        ("group", "Field-Crew", "", True, None, None, None),
        ("group", "alone", "", None, 3, 3, None),
        ("type", "Creator", "", None, 4, 4, None),
    }


def test_of_two_rules_about_seats_the_larger_reservation_and_the_smaller_maximum_stay(database: Database) -> None:
    rules = [
        _seats("", 0, None),
        _seats(NFC, 3, 6),
        _seats(NFD, 2, 4),
        _seats("field-crew", 4, None),
        _seats("field-crew ", 0, 2),
    ]
    with database.write() as connection:
        connection.execute(insert(pool_rules), rules)
    migrating.migrate(database)
    with database.read() as connection:
        rows = {(row.group_name, row.reserved, row.maximum) for row in connection.execute(select(pool_rules))}
    assert rows == {("", 0, None), (NFC, 3, 4), ("Field-Crew", 4, 4)}


def test_the_defaults_of_new_members_name_the_groups_that_are_there(database: Database) -> None:
    value = {
        "user_type": "Creator",
        "role": "member",
        "groups": [NFD, "new ", "field-crew "],
        "add_ons": [],
        "vendor_access": False,
    }
    with database.write() as connection:
        connection.execute(insert(preferences), {"name": "member-defaults", "value": json.dumps(value)})
    migrating.migrate(database)
    with database.read() as connection:
        rows = json.loads(connection.execute(select(preferences.c.value)).scalar_one())
    assert rows == value | {"groups": ["Field-Crew", NFC, "new"]}
