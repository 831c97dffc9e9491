"""Names of people, organizations, aliases and keys as they are written in the world, and user names as directories have them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import AlreadyExists, InvalidInput
from authority.services import access, borrow, endings, member_changes
from authority.services.member_changes import Change
from authority.services.set_up import organization_id
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import claims_of, issued_to, workstation
from tests.support.console import Console
from tests.support.database_contents import log_rows
from tests.support.web import API, Web, make_web, problem

PEOPLE = {
    "ideographic space": ("横山\u3000美咲", "横山 美咲"),
    "joiner": ("امیر\u200cحسین", "امیر\u200cحسین"),
    "space that does not break": ("Renée\u00a0d\u2019Arc", "Renée d\u2019Arc"),
    "decomposed": ("Zoe\u0308", "Zoë"),
}
HIDDEN = {"direction mark": "\u202e", "isolate": "\u2067", "escape": "\x1b", "no width": "\u200b", "tabulator": "\t"}
USERNAMES = [
    "CORP\\ada",
    "o'brien",
    "müller",
    "иван.петров",
    "山田太郎",
    "امیر\u200cحسین",
    "ada#EXT#@tenant.example",
    "100~a&b",
]


@pytest.mark.parametrize(("typed", "spelling"), PEOPLE.values(), ids=PEOPLE)
def test_a_name_of_a_person_is_taken_by_every_way_in(console: Console, tmp_path: Path, typed: str, spelling: str) -> None:
    assert console.good("member", "add", "eve", "--name", typed)["full_name"] == spelling
    console.good("member", "set", "ada", "--name", typed)
    (tmp_path / "members.csv").write_text(f"username,full_name\nbob,{typed}\n", encoding="utf-8")
    console.good("member", "import", str(tmp_path / "members.csv"))
    names = {item["username"]: item["full_name"] for item in console.good("member", "list")}
    assert names == {"admin": "", "ada": spelling, "eve": spelling, "bob": spelling}
    assert spelling in console.run("member", "list").out


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_a_character_that_nobody_sees_is_refused_and_named(console: Console, hidden: str) -> None:
    point = f"U+{ord(hidden):04X}"
    error = console.refused("invalid-input", 1, "member", "add", "eve", "--name", f"E{hidden}ve")
    assert point in error["message"]
    assert error["evidence"]["character"] == point
    for arguments in (
        ("member", "set", "ada", "--name", f"A{hidden}da"),
        ("member", "set", "ada", "--group", f"A{hidden}da"),
        ("api-key", "create", "ada", "--name", f"A{hidden}da"),
        ("policy", "set", "--group", f"A{hidden}da", "--deny"),
        ("borrow", "release", "A" * 22, "--reason", f"A{hidden}da", "--accept-overlap"),
    ):
        assert point in console.refused("invalid-input", 1, *arguments)["message"], arguments


@ON_SQLITE
def test_over_http_names_are_taken_and_what_nobody_sees_is_named(bench: Bench) -> None:
    web = make_web(bench)
    for number, (typed, spelling) in enumerate(PEOPLE.values()):
        made = web.post("/members", {"username": f"m{number}", "full_name": typed})
        assert (made.status_code, made.get_json()["full_name"]) == (201, spelling)
    errors = problem(web.post("/members", {"username": "eve", "full_name": "E\u202eve"}), 400, "invalid-input")["errors"]
    assert "U+202E (RIGHT-TO-LEFT OVERRIDE)" in errors[0]["message"]
    for username, character in (("E\u202eve", "U+202E (RIGHT-TO-LEFT OVERRIDE)"), ("e ve", "U+0020 (SPACE)")):
        answer = web.post("/members", {"username": username})
        assert character in json.dumps(problem(answer, 400, "invalid-input"))


def test_a_key_and_a_reason_are_named_as_people_write(bench: Bench) -> None:
    bench.member("ada")
    unit = Unit(bench.authority, CONSOLE)
    assert access.create_api_key(unit, "ada", " 夜間\u3000バックアップ ")[1].name == "夜間 バックアップ"
    issued = issued_to(bench, bench.member("eve"), workstation("laptop"))
    assert endings.revoke(unit, issued.borrow.id, "紛失\u3000しました").end_reason == "紛失 しました"
    with pytest.raises(InvalidInput, match="needs a name"):
        access.create_api_key(unit, "ada", "\u3000")


def test_an_alias_is_kept_in_one_spelling_and_found_in_any(bench: Bench) -> None:
    laptop = workstation("laptop")
    laptop.alias = "測量車\u3000２号 Bu\u0308ro"
    issued = issued_to(bench, bench.member("ada"), laptop)
    assert issued.borrow.machine.alias == claims_of(issued.file)["machine"]["alias"] == "測量車 ２号 Büro"
    for text in ("測量車 ２号 Büro", laptop.alias):
        borrows = borrow.listed(Unit(bench.authority, CONSOLE), Filter(machine=text))[0]
        assert [item.id for item in borrows] == [issued.borrow.id]


@pytest.mark.parametrize("username", USERNAMES)
def test_a_user_name_of_a_directory_goes_all_the_way(bench: Bench, username: str) -> None:
    """Member, borrow, token, log, list, CSV and URL: the name is the same everywhere, and in none of them anything else."""
    web = make_web(bench)
    member = bench.member(username, password="correct-horse-9")
    issued = issued_to(bench, member, workstation("laptop"))
    assert claims_of(issued.file)["member"] == username
    assert claims_of(issued.file)["sub"].startswith("uid:")
    assert {row["member"] for row in log_rows(bench.authority.database, "checkout")} == {username}
    for path in (f"/members/{quote(username, safe='')}", f"/members/{quote(username.upper(), safe='')}"):
        assert web.get(path).get_json()["username"] == username
    borrows = web.get("/borrows", query_string={"member": username}).get_json()["items"]
    assert [item["member"] for item in borrows] == [username]
    rows = csv.DictReader(io.StringIO(web.get("/borrows", headers={"Accept": "text/csv"}).get_data(as_text=True), newline=""))
    assert [row["member"] for row in rows] == [username]
    signed_in = web.post("/sign-in", {"username": username, "password": "correct-horse-9"}, None)
    assert signed_in.status_code == 200
    with pytest.raises(AlreadyExists):
        bench.member(username.upper())


@pytest.mark.parametrize("username", USERNAMES)
def test_a_user_name_of_a_directory_is_taken_by_commands_and_files(console: Console, tmp_path: Path, username: str) -> None:
    console.good("member", "add", username, "--type", "GIS Professional")
    console.good("policy", "set", "--member", username.upper(), "--longest-days", "9")
    assert "member" in console.good("policy", "explain", username, "arcgis-pro")["decided_by"]
    assert console.borrow(workstation("laptop"), username)["member"] == username
    console.good("member", "export", "-o", str(tmp_path / "members.csv"))
    imported = console.good("member", "import", str(tmp_path / "members.csv"))
    assert (imported["changed"], imported["refused"]) == (0, 0)
    (tmp_path / "names").write_text(f"{username}\n", encoding="utf-8")
    removed = console.good("member", "remove", "--file", str(tmp_path / "names"), "--release")
    assert username in json.dumps(removed, ensure_ascii=False).replace("\\\\", "\\")
    assert console.good("policy", "show")[0]["level"] == "organization"


@ON_SQLITE
def test_pages_go_on_after_a_name_of_any_script(bench: Bench) -> None:
    web: Web = make_web(bench)
    for username in USERNAMES:
        bench.member(username, user_type="Viewer")
    everybody = [item["username"] for item in web.get("/members?limit=1000").get_json()["items"]]
    names, path = [], "/members?limit=2"
    while path:
        page = web.get(path).get_json()
        names += [item["username"] for item in page["items"]]
        path = f"/members?limit=2&cursor={page['next']}" if page["next"] else ""
    assert names == everybody
    assert set(USERNAMES) < set(names)


@ON_SQLITE
def test_a_change_keeps_a_name_in_one_spelling(bench: Bench) -> None:
    bench.member("ada")
    changed = member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(full_name=" Zoe\u0308\u3000 L. "))
    assert changed.after.full_name == "Zoë L."
    problem(
        make_web(bench).send("PATCH", f"{API}/members/ada", Role.ADMINISTRATOR, json={"full_name": "a\nb"}),
        400,
        "invalid-input",
    )


IDS = {
    "Field Survey": "field-survey",
    "Vermessung München": "vermessung-munchen",
    "Łódź Geodezja": "lodz-geodezja",
    "Straßenbau & Co. KG": "strassenbau-co-kg",
    "横山測量\u3000株式会社": "org-4a9b8daf",
    "Γεωδαισία": "org-",
    "Геодезия GIS 24": "gis-24-",
}


@pytest.mark.parametrize(("name", "beginning"), IDS.items())
def test_an_organization_gets_an_id_from_its_name(name: str, beginning: str) -> None:
    made = organization_id(name)
    assert made.startswith(beginning)
    assert organization_id(made) == organization_id(f" {name} ", made) == made
    assert organization_id(name.replace("\u3000", " ")) == made
    if beginning.endswith("-"):
        assert len(made) == len(beginning) + 8


def test_names_that_lose_letters_do_not_get_one_id() -> None:
    names = ("Γεωδαισία", "Геодезия", "横山測量", "横山測量 2", "Геодезия 2")
    assert len({organization_id(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["横山測量\u3000株式会社", "Γεωδαισία", "Геодезия"])
@pytest.mark.parametrize("wanted", [None, "yokoyama.survey"])
def test_an_organization_of_any_script_is_set_up_and_used(
    empty: Console, tmp_path: Path, name: str, wanted: str | None
) -> None:
    made = empty.good("init", "--org", name, *(("--id", wanted) if wanted else ()))
    assert made["organization"] == (wanted or organization_id(name))
    empty.good("member", "add", "ada", "--type", "GIS Professional")
    assert empty.borrow(workstation("laptop"), "ada")["state"] == "active"
    assert empty.good("authorization", "show")["organization_name"] == name.replace("\u3000", " ")


@pytest.mark.parametrize("wanted", ["", "Yokoyama", "横山", "-a", "a-", "a b", "a/b", "a" * 65, "\udcff"])
def test_an_id_of_another_form_is_refused_with_the_rule_and_nothing_is_made(empty: Console, wanted: str) -> None:
    error = empty.refused("invalid-input", 1, "init", "--org", "Field Survey", "--id", wanted)
    assert "1 to 64 of a-z 0-9 . -" in error["message"]
    assert not empty.home.exists()


@pytest.mark.parametrize("name", ["", "\u3000", "!!!", "a\u202eb", "a\nb", "x" * 129])
def test_a_name_that_nobody_can_read_is_no_organizations(empty: Console, name: str) -> None:
    empty.refused("invalid-input", 1, "init", "--org", name)
    assert not empty.home.exists()


def test_an_id_beside_an_authorization_is_wrong_usage(empty: Console) -> None:
    ended: Any = empty.run("init", "--org", "x", "--id", "x", "--authorization", "x", "--trust", "x")
    assert ended.status == 2
    assert "leave --id out" in ended.err
