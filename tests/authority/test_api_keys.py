"""API keys: made, listed and revoked, by service and by command; never is a secret kept or shown again."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select

from authority.domain.api_keys import ApiKey
from authority.domain.members import ANYBODY, CONSOLE, Role
from authority.domain.refusals import InvalidInput, NotAllowed, NotAuthenticated, NotFound, StorageUnavailable
from authority.services import access, members, removal
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.storage.db.tables import credentials
from tests.support.authorities import ON_SQLITE, Bench, actor_of
from tests.support.borrowing import at_once, fail_inserts
from tests.support.console import Console, contents_of, over_http
from tests.support.database_contents import contents, log_rows
from tests.support.web import HOSTILE_TEXTS

PASSWORD = "correct horse battery staple"
ID = "A" * 22


def make(bench: Bench, username: str = "ada", name: str = "script") -> tuple[str, ApiKey]:
    return access.create_api_key(Unit(bench.authority, CONSOLE), username, name)


def listed(bench: Bench) -> list[ApiKey]:
    return access.api_keys(Unit(bench.authority, CONSOLE), None, 1000)[0]


@ON_SQLITE
def test_a_key_is_named_by_its_member_as_the_member_is_written(bench: Bench) -> None:
    bench.member("Ada")
    _, made = make(bench, "ADA")
    assert (made.member, made.name, made.created_at, made.revoked_at) == ("Ada", "script", bench.clock(), None)
    (row,) = [row for row in log_rows(bench.authority.database, "api-key-created") if row["member"] == "Ada"]
    assert (row["actor"], row["reason"]) == ("console", f"script ({made.id})")


def test_keys_are_listed_newest_first_with_those_revoked(bench: Bench) -> None:
    bench.member("ada")
    made = []
    for name in "abc":
        bench.clock.turn(minutes=1)
        made.append(make(bench, name=name)[1])
    revoked = access.revoke_api_key(Unit(bench.authority, CONSOLE), made[1].id)
    assert revoked.revoked_at == bench.clock()
    assert listed(bench)[:3] == [made[2], revoked, made[0]]
    assert [key.name for key in listed(bench)] == ["c", "b", "a", "first key"]


def test_pages_of_keys_follow_each_other_also_when_many_are_of_one_moment(bench: Bench) -> None:
    bench.member("ada")
    made = {make(bench, name=f"key {number}")[1].id for number in range(7)}
    ids: list[str] = []
    page, cursor = access.api_keys(Unit(bench.authority, CONSOLE), None, 3)
    while True:
        ids += [key.id for key in page]
        if cursor is None:
            break
        page, cursor = access.api_keys(Unit(bench.authority, CONSOLE), cursor, 3)
    assert made < set(ids)
    assert len(ids) == len(set(ids)) == 8


def test_a_revoked_key_is_of_no_use_and_others_are(bench: Bench) -> None:
    bench.member("ada", role=Role.ANALYST)
    (first, made), (second, _) = make(bench), make(bench)
    access.revoke_api_key(Unit(bench.authority, CONSOLE), made.id)
    with pytest.raises(NotAuthenticated):
        actor_of(bench, first)
    assert actor_of(bench, second).role is Role.ANALYST


def test_revoking_once_more_changes_nothing(bench: Bench) -> None:
    bench.member("ada")
    _, made = make(bench)
    revoked = access.revoke_api_key(Unit(bench.authority, CONSOLE), made.id)
    bench.clock.turn(days=1)
    before = contents(bench.authority.database)
    assert access.revoke_api_key(Unit(bench.authority, CONSOLE), made.id) == revoked
    assert contents(bench.authority.database) == before
    (row,) = log_rows(bench.authority.database, "api-key-revoked")
    assert (row["actor"], row["member"], row["reason"]) == ("console", "ada", f"script ({made.id})")


def test_of_many_who_revoke_at_once_one_is_in_the_log(bench: Bench) -> None:
    bench.member("ada")
    _, made = make(bench)
    at_once([lambda: access.revoke_api_key(Unit(bench.authority, CONSOLE), made.id)] * 8)
    assert len(log_rows(bench.authority.database, "api-key-revoked")) == 1


ACTS: dict[str, Callable[[Bench, ApiKey], object]] = {
    "api-key-created": lambda bench, _: make(bench),
    "api-key-revoked": lambda bench, made: access.revoke_api_key(Unit(bench.authority, CONSOLE), made.id),
}


@pytest.mark.parametrize("kind", ACTS)
def test_without_its_log_row_nothing_is_done(bench: Bench, kind: str) -> None:
    bench.member("ada")
    _, made = make(bench)
    before = contents(bench.authority.database)
    restore = fail_inserts(bench.authority.database, "events", kind)
    with pytest.raises(StorageUnavailable, match="disk full"):
        ACTS[kind](bench, made)
    restore()
    assert contents(bench.authority.database) == before


def test_a_sign_in_is_no_api_key(bench: Bench) -> None:
    """It is not listed, and its id revokes nothing: its holder signs out, or the administrator disables the member."""
    members.add(Unit(bench.authority, CONSOLE), NewMember("ada", password=PASSWORD))
    secret, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD)
    with bench.authority.database.read() as connection:
        query = select(credentials.c.id).where(credentials.c.kind == "sign-in")
        sign_in_id = connection.execute(query).scalar_one()
    assert sign_in_id not in {key.id for key in listed(bench)}
    with pytest.raises(NotFound):
        access.revoke_api_key(Unit(bench.authority, CONSOLE), sign_in_id)
    with pytest.raises(InvalidInput):
        access.api_keys(Unit(bench.authority, CONSOLE), sign_in_id)
    assert actor_of(bench, secret).username == "ada"


def test_a_members_keys_are_gone_with_the_member(bench: Bench) -> None:
    bench.member("ada")
    secret, made = make(bench)
    removal.remove(Unit(bench.authority, CONSOLE), ["ada"])
    assert made.id not in {key.id for key in listed(bench)}
    with pytest.raises(NotFound):
        access.revoke_api_key(Unit(bench.authority, CONSOLE), made.id)
    with pytest.raises(NotAuthenticated):
        actor_of(bench, secret)


@pytest.mark.parametrize("attempt", range(3))
def test_no_key_outlives_a_member_who_is_removed_at_the_same_time(bench: Bench, attempt: int) -> None:
    bench.member("ada")
    made, _ = at_once([lambda: make(bench), lambda: removal.remove(Unit(bench.authority, CONSOLE), ["ada"])])
    if isinstance(made, tuple):
        with pytest.raises(NotAuthenticated):
            actor_of(bench, made[0])
    else:
        assert isinstance(made, NotFound)
    assert [key.member for key in listed(bench)] == ["admin"]


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_administrators_make_list_and_revoke_keys_even_their_own(sqlite_bench: Bench, role: Role) -> None:
    actor = sqlite_bench.member("ada", role=role)
    _, own = make(sqlite_bench)
    before = contents(sqlite_bench.authority.database)
    with pytest.raises(NotAllowed):
        access.create_api_key(Unit(sqlite_bench.authority, actor), "ada", "mine")
    with pytest.raises(NotAllowed):
        access.api_keys(Unit(sqlite_bench.authority, actor))
    with pytest.raises(NotAllowed):
        access.revoke_api_key(Unit(sqlite_bench.authority, actor), own.id)
    with pytest.raises(NotAllowed):
        access.revoke_api_key(Unit(sqlite_bench.authority, actor), ID)
    assert contents(sqlite_bench.authority.database) == before


@pytest.mark.parametrize("key_id", ["", "x", ID, "A" * 30, "%", "' OR 1=1 --", "\u0000", "\udcff", "a\nb"], ids=ascii)
def test_what_is_no_id_is_not_found(bench: Bench, key_id: str) -> None:
    before = contents(bench.authority.database)
    with pytest.raises(NotFound):
        access.revoke_api_key(Unit(bench.authority, CONSOLE), key_id)
    assert contents(bench.authority.database) == before


# The commands.


def test_a_key_is_made_listed_and_revoked_by_command(console: Console) -> None:
    made = console.good("api-key", "create", "ADA", "--name", "nightly export")
    assert (made["name"], made["member"], made["revoked_at"]) == ("nightly export", "ada", None)
    rows = console.good("api-key", "list")
    assert {row["id"]: row for row in rows}[made["id"]] == {name: made[name] for name in made if name != "api_key"}
    output = console.run("api-key", "list").out
    for text in ("member", "created", "revoked", made["id"], "nightly export", "ada"):
        assert text in output
    output = console.run("api-key", "revoke", made["id"]).out
    assert f"API key {made['id']} (nightly export) of ada is revoked since 20" in output
    revoked = console.good("api-key", "revoke", made["id"])
    assert revoked["revoked_at"] is not None
    assert {row["id"]: row for row in console.good("api-key", "list")}[made["id"]] == revoked


def test_no_command_shows_a_secret_or_digest_again(console: Console) -> None:
    secret = console.good("api-key", "create", "ada", "--name", "script")["api_key"]
    (digest,) = [row[2] for row in contents_of(console)["credentials"] if row[3] == "script"]
    for arguments in (("api-key", "list"), ("--json", "api-key", "list"), ("member", "show", "ada"), ("log", "export")):
        out = console.run(*arguments).out
        assert secret not in out
        assert secret.removeprefix("carnet_key_") not in out
        assert digest not in out
    assert secret not in json.dumps(contents_of(console), default=str)


def test_more_than_the_limit_is_said(console: Console) -> None:
    console.good("api-key", "create", "ada", "--name", "script")
    ended = console.run("--json", "api-key", "list", "--limit", "1")
    assert [row["name"] for row in ended.json] == ["script"]
    assert "more than 1" in ended.err


USAGE: dict[str, tuple[str, ...]] = {
    "create nothing": ("create",),
    "create without a name": ("create", "ada"),
    "create for two": ("create", "ada", "eve", "--name", "x"),
    "list with more": ("list", "ada"),
    "list none": ("list", "--limit", "0"),
    "list a text": ("list", "--limit", "many"),
    "revoke nothing": ("revoke",),
    "an unknown command": ("rotate",),
}


@pytest.mark.parametrize("arguments", USAGE.values(), ids=USAGE)
def test_wrong_usage_exits_with_2_and_changes_nothing(console: Console, arguments: tuple[str, ...]) -> None:
    before = contents_of(console)
    ended = console.run("api-key", *arguments)
    assert (ended.status, ended.out) == (2, "")
    assert contents_of(console) == before


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "an unknown member": (("create", "nobody", "--name", "x"), "not-found"),
    "no member": (("create", "", "--name", "x"), "not-found"),
    "a member that is no Unicode": (("create", "\udcff", "--name", "x"), "not-found"),
    "an empty name": (("create", "ada", "--name", ""), "invalid-input"),
    "a blank name": (("create", "ada", "--name", "  "), "invalid-input"),
    "a long name": (("create", "ada", "--name", "x" * 129), "invalid-input"),
    "a name with a line break": (("create", "ada", "--name", "a\nb"), "invalid-input"),
    "a name with an escape": (("create", "ada", "--name", "\u001b[2J"), "invalid-input"),
    "a name that is no Unicode": (("create", "ada", "--name", "\udcff"), "invalid-input"),
    "an unknown key": (("revoke", ID), "not-found"),
    "no key": (("revoke", ""), "not-found"),
    "a key that is no Unicode": (("revoke", "\udcff"), "not-found"),
    "a pattern": (("revoke", "%"), "not-found"),
}


@pytest.mark.parametrize(("arguments", "code"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_value_is_refused_with_its_code_and_changes_nothing(
    console: Console, arguments: tuple[str, ...], code: str
) -> None:
    before = contents_of(console)
    console.refused(code, 1, "api-key", *arguments)
    assert contents_of(console) == before


def test_hostile_names_are_refused_or_shown_as_the_text_they_are(console: Console) -> None:
    for text in HOSTILE_TEXTS.values():
        if "\u0000" in text:
            continue  # no command line can have it
        ended = console.run("--json", "api-key", "create", "ada", "--name", text)
        if text.isprintable():
            assert ended.json["name"] == text
        else:
            assert ended.json["code"] == "invalid-input"
    assert all(row["name"].isprintable() for row in console.good("api-key", "list"))
    assert "\u001b" not in console.run("api-key", "list").out


def test_commands_and_routes_show_the_same(console: Console) -> None:
    made = console.good("api-key", "create", "ada", "--name", "script")
    console.good("api-key", "revoke", made["id"])
    with over_http(console) as get:
        assert get("/api-keys")["items"] == console.good("api-key", "list")
