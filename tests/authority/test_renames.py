"""A member with another user name: the number stays, and with it all that is the member's; the log says it."""

from __future__ import annotations

import pytest

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.refusals import (
    AlreadyExists,
    InvalidInput,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    Refusal,
    RequestReplayed,
)
from authority.services import access, activity, borrow, endings, licenses, me, member_changes, members, policies
from authority.services.member_changes import Change, Changed
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from tests.support.authorities import ON_SQLITE, Bench, actor_of
from tests.support.borrowing import at_once, claims_of, codes, issued_to, workstation
from tests.support.connecting import started, used
from tests.support.console import Console
from tests.support.database_contents import contents, log_rows
from tests.support.organizations import actor
from tests.support.web import API, make_web, problem
from verifier.workstation.carry import Wish

PASSWORD = "correct-horse-9"


def console(bench: Bench) -> Unit:
    return Unit(bench.authority, CONSOLE)


def rename(bench: Bench, old: str, new: str, who: Actor = CONSOLE) -> Changed:
    return member_changes.change(Unit(bench.authority, who), old, Change(username=new))


def test_borrows_stay_a_members_own_under_another_name(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    request = laptop.request(Wish("arcgis-pro", days=5), bench.clock())
    first = borrow.issue(Unit(bench.authority, ada), request)
    changed = rename(bench, "ada", "a.lovelace")
    assert (changed.before.id, changed.before.username) == (changed.after.id, "ada")
    renamed = actor(bench, "a.lovelace")
    assert renamed.member_id == ada.member_id
    mine = Unit(bench.authority, renamed)
    assert [item.id for item in borrow.listed(mine, Filter())[0]] == [first.borrow.id]
    assert borrow.listed(console(bench), Filter(member="A.Lovelace"))[0][0].member == "a.lovelace"
    # The token that is out has the name of its time; the next one has the new one.
    assert borrow.newest_file(mine, first.borrow.id) == borrow.issue(mine, request).file == first.file
    renewed = issued_to(bench, renamed, laptop, days=9)
    assert (renewed.borrow.id, claims_of(renewed.file)["member"]) == (first.borrow.id, "a.lovelace")
    assert endings.check_in(mine, laptop.receipt_for(renewed.file, bench.clock())).member_id == ada.member_id


def test_sign_ins_keys_sessions_rules_and_licenses_stay_too(bench: Bench) -> None:
    ada = bench.member("ada", user_type="Creator", groups=("crew",), password=PASSWORD)
    licenses.assign(console(bench), "ada", "arcgis-pro", "Basic", ("3DAnalyst",))
    policies.change(console(bench), "member", "ada", "", allowed=None, longest_days=9, default_days=None)
    key = access.create_api_key(console(bench), "ada", "backup")[0]
    sign_in = access.sign_in(console(bench), "ada", PASSWORD)[0]
    session = started(bench, ada, workstation("tower")).session
    rename(bench, "ada", "CORP\\ada")
    assert {actor_of(bench, secret) for secret in (key, sign_in)} == {actor(bench, "CORP\\ada")}
    assert {item.member for item in access.api_keys(console(bench))[0]} == {"CORP\\ada", "admin"}
    assert access.sign_in(console(bench), "corp\\ADA", PASSWORD)
    with pytest.raises(NotAuthenticated):
        access.sign_in(console(bench), "ada", PASSWORD)
    mine = Unit(bench.authority, actor(bench, "CORP\\ada"))
    assert used(bench, actor(bench, "CORP\\ada"), session.id).session.member == "CORP\\ada"
    assert policies.explain(mine, "CORP\\ada", "arcgis-pro").rule.longest_days == 9
    own = me.show(mine)
    assert (own.member.groups, own.member.last_used_at) == (("crew",), bench.clock())
    assert any(item.product.id == "arcgis-pro" and item.sessions for item in own.licenses)
    (row,) = [row for row in activity.listed(console(bench), "arcgis-pro")[0] if row.sessions]
    assert (row.member, row.last_used_at) == ("CORP\\ada", bench.clock())


def test_the_log_keeps_the_names_of_their_time_and_says_where_one_changed(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued_to(bench, ada, laptop)
    rename(bench, "ada", "a.lovelace")
    issued_to(bench, actor(bench, "a.lovelace"), laptop, days=9)
    database = bench.authority.database
    assert [row["member"] for row in log_rows(database, "checkout")] == ["ada"]
    assert [row["member"] for row in log_rows(database, "renewal")] == ["a.lovelace"]
    (row,) = log_rows(database, "member-changed")
    assert (row["member"], row["reason"]) == ("a.lovelace", "user name: ada, from now on a.lovelace")


def test_whoever_gets_the_former_name_gets_nothing_else(bench: Bench) -> None:
    ada, laptop = bench.member("ada", password=PASSWORD), workstation("laptop")
    policies.change(console(bench), "member", "ada", "", allowed=False, longest_days=None, default_days=None)
    policies.change(console(bench), "member", "ada", "arcgis-pro", allowed=True, longest_days=None, default_days=None)
    request = laptop.request(Wish("arcgis-pro"), bench.clock())
    issued = borrow.issue(Unit(bench.authority, ada), request)
    rename(bench, "ada", "a.lovelace")
    second = bench.member("Ada", password="another-horse-9")
    mine = Unit(bench.authority, second)
    assert second.member_id != ada.member_id
    assert borrow.listed(mine, Filter())[0] == []
    assert policies.explain(mine, "ada", "arcgis-desktop").rule.allowed
    with pytest.raises(NotFound):
        borrow.newest_file(mine, issued.borrow.id)
    with pytest.raises(RequestReplayed):
        borrow.issue(mine, request)
    with pytest.raises(NotAuthenticated):
        access.sign_in(console(bench), "ada", PASSWORD)


@pytest.mark.parametrize(
    ("new", "refusal"), [("EVE", AlreadyExists), ("defaults", InvalidInput), ("a b", InvalidInput), ("", InvalidInput)]
)
def test_a_name_that_cannot_be_or_is_anothers_is_refused_and_changes_nothing(
    bench: Bench, new: str, refusal: type[Refusal]
) -> None:
    bench.member("ada")
    bench.member("eve")
    before = contents(bench.authority.database)
    with pytest.raises(refusal):
        rename(bench, "ada", new)
    with pytest.raises(NotFound):
        rename(bench, "nobody", "somebody")
    assert contents(bench.authority.database) == before


def test_the_case_of_a_name_can_be_changed_and_the_same_name_changes_nothing(bench: Bench) -> None:
    bench.member("ada")
    policies.change(console(bench), "member", "ada", "", allowed=None, longest_days=9, default_days=None)
    assert rename(bench, "ada", "Ada").after.username == "Ada"
    assert rename(bench, "ADA", "Ada").after == rename(bench, "ada", "Ada").before
    assert policies.explain(console(bench), "ada", "arcgis-pro").rule.longest_days == 9


@ON_SQLITE
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMINISTRATOR])
def test_only_who_manages_members_renames(bench: Bench, role: Role) -> None:
    somebody = bench.member("ada", role=role)
    with pytest.raises(NotAllowed):
        rename(bench, "ada", "other", somebody)


@ON_SQLITE
def test_two_members_cannot_get_one_name(bench: Bench) -> None:
    bench.member("ada")
    bench.member("eve")
    with pytest.raises(InvalidInput, match="one member"):
        member_changes.change_several(console(bench), ["ada", "eve"], Change(username="other"))


def test_of_two_who_rename_to_one_name_at_once_one_wins(bench: Bench) -> None:
    names = [bench.member(f"m{number}").username for number in range(4)]
    outcomes = at_once([lambda name=name: rename(bench, name, "wanted") for name in names])  # type: ignore[misc]
    assert codes(outcomes)["already-exists"] == 3
    assert members.show(console(bench), "wanted")[0].username == "wanted"


@ON_SQLITE
def test_over_http_a_member_has_a_number_and_is_renamed(bench: Bench) -> None:
    web = make_web(bench)
    made = web.post("/members", {"username": "ada"}).get_json()
    assert made["id"] == members.show(console(bench), "ada")[0].id
    dry = web.send("PATCH", f"{API}/members/ada?dry_run=true", json={"username": "müller"}).get_json()
    assert (dry["member"]["username"], web.get("/members/ada").status_code) == ("müller", 200)
    answer = web.send("PATCH", f"{API}/members/ada", json={"username": "mu\u0308ller", "full_name": "M."})
    renamed = answer.get_json()["member"]
    assert renamed == made | {"username": "müller", "full_name": "M.", "version": renamed["version"]}
    problem(web.get("/members/ada"), 404, "not-found")
    assert web.get("/members/m%C3%BCller").get_json()["id"] == made["id"]
    problem(web.send("PATCH", f"{API}/members/member", json={"username": "MÜLLER"}), 409, "already-exists")


def test_the_command_says_what_it_did_and_would_do(console: Console) -> None:
    number = console.good("member", "show", "ada")["id"]
    assert f"id                   {number}\n" in console.run("member", "show", "ada").out
    would = console.run("member", "rename", "ada", "a.lovelace", "--dry-run")
    assert (would.status, console.good("member", "show", "ada")["id"]) == (0, number)
    assert "user name: ada, from now on a.lovelace" in would.out
    renamed = console.good("member", "rename", "ADA", "a.lovelace")
    assert (renamed["member"]["id"], renamed["member"]["username"]) == (number, "a.lovelace")
    console.refused("not-found", 1, "member", "rename", "ada", "other")
    console.refused("already-exists", 1, "member", "rename", "a.lovelace", "Admin")
    assert {item["username"]: item["id"] for item in console.good("member", "list")}["a.lovelace"] == number
