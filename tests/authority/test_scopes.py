"""API keys for less than everything: no way from a narrow key to a wide one, an end, and what is shown of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Role, Scope
from authority.domain.refusals import InvalidInput, NotAllowed, NotAuthenticated
from authority.domain.sign_ins import NOWHERE
from authority.services import access, borrow, defaults, me, member_changes, member_files, members, removal
from authority.services.member_changes import Change
from authority.services.member_files import Line
from authority.services.members import NewMember
from authority.services.unit import Secret, Unit
from authority.storage.borrows import Filter
from tests.support.authorities import ON_SQLITE, START, Bench, actor_of
from tests.support.console import Console
from tests.support.database_contents import unchanged
from tests.support.web import make_web, problem

PASSWORD = "correct horse battery staple"


def key_of(bench: Bench, *scopes: Scope, username: str = "chief") -> str:
    return access.create_api_key(Unit(bench.authority, CONSOLE), username, "narrow", scopes=scopes)[0]


# What would make more of a key than it is, each within its scopes but for that.
ESCALATIONS: dict[str, tuple[tuple[Scope, ...], Callable[[Unit], object]]] = {
    "a key of its own": ((Scope.AUTHORITY, Scope.MEMBERS), lambda unit: access.create_api_key(unit, "chief", "wide")),
    "a password": ((Scope.MEMBERS,), lambda unit: member_changes.change(unit, "ada", Change(password=PASSWORD))),
    "a role": ((Scope.MEMBERS,), lambda unit: member_changes.change(unit, "ada", Change(role=Role.ADMINISTRATOR))),
    "a role taken": ((Scope.MEMBERS,), lambda unit: member_changes.change(unit, "chief", Change(role=Role.MEMBER))),
    "keys revoked": ((Scope.MEMBERS,), lambda unit: member_changes.change(unit, "ada", Change(revoke_keys=True))),
    "another's name": ((Scope.MEMBERS,), lambda unit: member_changes.change(unit, "second", Change(username="mallory"))),
    "a name of several": (
        (Scope.MEMBERS,),
        lambda unit: member_changes.change_several(unit, ["analyst"], Change(username="mallory")),
    ),
    "being let in again": ((Scope.MEMBERS,), lambda unit: member_changes.change(unit, "gone", Change(disabled=False))),
    "being there no more": ((Scope.MEMBERS,), lambda unit: removal.remove(unit, ["ada", "second"])),
    "a new administrator": ((Scope.MEMBERS,), lambda unit: members.add(unit, NewMember("eve", role=Role.ADMINISTRATOR))),
    "a new password": ((Scope.MEMBERS,), lambda unit: members.add(unit, NewMember("eve", password=PASSWORD))),
    "a role of all to come": ((Scope.MEMBERS,), lambda unit: defaults.change(unit, {"role": str(Role.ADMINISTRATOR)})),
    "one's own password": (
        (Scope.OWN, Scope.AUTHORITY),
        lambda unit: me.change_password(unit, PASSWORD, "x" * 12, NOWHERE),
    ),
    "one's own sign-ins": ((Scope.OWN,), access.end_sign_ins),
    "one's own by reading": ((Scope.READ,), access.end_sign_ins),
}


@ON_SQLITE
@pytest.mark.parametrize("name", ESCALATIONS)
def test_t34_no_way_leads_from_a_narrow_key_to_a_wide_one(bench: Bench, name: str) -> None:
    bench.member("chief", user_type="Viewer", role=Role.ADMINISTRATOR, password=PASSWORD)
    bench.member("ada", user_type="Viewer")
    bench.member("second", user_type="Viewer", role=Role.ADMINISTRATOR)
    bench.member("analyst", user_type="Viewer", role=Role.ANALYST)
    bench.member("gone", user_type="Viewer", role=Role.ADMINISTRATOR)
    member_changes.change(Unit(bench.authority, CONSOLE), "gone", Change(disabled=True))
    scopes, act = ESCALATIONS[name]
    secret = key_of(bench, *scopes)
    with unchanged(bench.authority.database), pytest.raises(NotAllowed, match="the scopes of this API key of chief leave out"):
        act(Unit(bench.authority, Secret(secret)))
    act(Unit(bench.authority, Secret(key_of(bench, Scope.ALL))))


@ON_SQLITE
def test_a_narrow_key_names_and_removes_who_may_no_more_than_it(bench: Bench) -> None:
    bench.administrator()
    for name, role in (("ada", Role.MEMBER), ("lic", Role.LICENSE_MANAGER)):
        bench.member(name, user_type="Viewer", role=role)
    key = Unit(bench.authority, Secret(key_of(bench, Scope.MEMBERS)))
    assert member_changes.change(key, "ada", Change(username="eve", disabled=True)).after.username == "eve"
    assert [gone.member.username for gone in removal.remove(key, ["eve"])] == ["eve"]
    wider = Unit(bench.authority, Secret(key_of(bench, Scope.MEMBERS, Scope.LICENSES, Scope.BORROWS)))
    with pytest.raises(NotAllowed):
        removal.remove(key, ["lic"])
    assert [gone.member.username for gone in removal.remove(wider, ["lic"])] == ["lic"]


@ON_SQLITE
def test_a_file_gives_no_role_by_a_narrow_key(bench: Bench) -> None:
    bench.administrator()
    unit = Unit(bench.authority, Secret(key_of(bench, Scope.MEMBERS, Scope.LICENSES)))
    bench.member("second", user_type="Viewer", role=Role.ADMINISTRATOR)
    rows = [
        Line(2, "eve", {"role": Role.ADMINISTRATOR}),
        Line(3, "second", {"disabled": True}),
        Line(4, "bob", {"full_name": "Bob"}),
    ]
    *refused, last = member_files.import_lines(unit, rows, go_on=True).outcomes
    assert all(isinstance(outcome.refusal, NotAllowed) for outcome in refused)
    assert last.refusal is None


@ON_SQLITE
def test_a_key_that_is_not_for_ones_own_sees_nothing_of_ones_own(bench: Bench) -> None:
    bench.member("ada")
    log = Unit(bench.authority, Secret(key_of(bench, Scope.LOG, username="ada")))
    for ask in (me.show, lambda unit: borrow.listed(unit, Filter()), lambda unit: members.show(unit, "ada")):
        with pytest.raises(NotAllowed):
            ask(log)
    own = Unit(bench.authority, Secret(key_of(bench, Scope.OWN, username="ada")))
    assert me.show(own).member.username == "ada"
    assert members.show(own, "ADA")[0].username == "ada"


def test_a_key_ends_at_its_end_to_the_second(bench: Bench) -> None:
    bench.member("ada")
    ends_at = START + timedelta(days=400)
    secret, key = access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "x", scopes=[Scope.LOG], expires_at=ends_at)
    assert (key.scopes, key.expires_at) == ((Scope.LOG,), ends_at)
    bench.clock.turn(days=400, seconds=-1)
    assert actor_of(bench, secret).username == "ada"
    shown = next(item for item in access.api_keys(Unit(bench.authority, CONSOLE))[0] if item.id == key.id)
    assert (shown.scopes, shown.expires_at, shown.last_used_at) == ((Scope.LOG,), ends_at, bench.clock())
    bench.clock.turn(seconds=1)
    with pytest.raises(NotAuthenticated, match="the API key ended at 2027-04-06"):
        actor_of(bench, secret)
    with pytest.raises(InvalidInput, match="ended already"):
        access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "x", expires_at=bench.clock())


def test_scopes_over_http(sqlite_bench: Bench) -> None:
    web = make_web(sqlite_bench)
    body = {
        "username": "administrator",
        "name": "sync",
        "scopes": ["members", "licenses"],
        "expires_at": "2027-01-01T00:00:00+01:00",
    }
    made = web.post("/api-keys", body).get_json()
    assert (made["scopes"], made["expires_at"], made["last_used_at"]) == (["licenses", "members"], "2026-12-31T23:00:00Z", None)
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    assert web.post("/members", {"username": "new"}, None, headers=headers).status_code == 201
    body = problem(web.get("/events", None, headers=headers), 403, "not-allowed")
    assert body["detail"] == "the scopes of this API key of administrator leave out: read the log"
    wrong_ones: list[dict[str, Any]] = [
        {"scopes": []},
        {"scopes": ["log", "log"]},
        {"scopes": ["king"]},
        {"expires_at": "2027-01-01T00:00:00"},
    ]
    for wrong in wrong_ones:
        problem(web.post("/api-keys", body | wrong), 400, "invalid-input")
    assert web.post("/api-keys", {"username": "member", "name": "x", "scopes": ["log", "all"]}).get_json()["scopes"] == ["all"]


def test_commands_make_and_show_scopes(console: Console) -> None:
    made = console.good(
        "api-key", "create", "admin", "--name", "x", "--scope", "log", "--scope", "read", "--until", "2099-01-01"
    )
    assert (made["scopes"], made["expires_at"]) == (["read", "log"], "2099-01-01T00:00:00Z")
    assert console.good("api-key", "list")[0]["scopes"] == ["read", "log"]
    assert "for all, until it is revoked" in console.run("api-key", "create", "admin", "--name", "y").out
    console.refused("invalid-input", 1, "api-key", "create", "admin", "--name", "z", "--until", "2001-01-01")
