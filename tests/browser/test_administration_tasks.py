"""The tasks of an administrator by clicks, on a screen and on a phone without scripts."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from authority.domain.events import Event, EventKind
from authority.domain.members import CONSOLE, Actor
from authority.domain.refusals import NotAuthenticated
from authority.services import licenses, members, notifying
from authority.services.unit import Unit
from tests.browser.conftest import Person, Visitors
from tests.connected.conftest import RunningServer
from tests.support.authorities import actor_of, authorization_text
from tests.support.receivers import webhook_receiver

SOURCE, NAME = "arcgis-allsource", "ArcGIS AllSource"
AUTHORIZATIONS = itertools.count(2)


def console(server: RunningServer) -> Unit:
    return Unit(server.bench.authority, CONSOLE)


def holds(server: RunningServer, name: str) -> dict[str, str]:
    """The levels of the products that a member holds."""
    return {item.product: item.level for item in members.show(console(server), name)[1]}


def authorization_file(server: RunningServer, folder: Path, standard_seats: int) -> tuple[int, Path]:
    """Number and file of the next authorization, with so many seats of one level."""

    def change(specification: dict[str, Any]) -> None:
        product = next(item for item in specification["products"] if item["id"] == SOURCE)
        product["seats"]["Standard"] = standard_seats

    bench, number = server.bench, next(AUTHORIZATIONS)
    text = authorization_text(bench.authority, bench.root, bench.clock(), seq=number, change=change)
    file = folder / f"{number}.authorization"
    file.write_text(json.dumps({"carnet": "authorization", "version": 1, "authorization": text}), encoding="utf-8")
    return number, file


def install(person: Person, number: int, file: Path, said_first: str) -> None:
    """Puts an authorization into force, having read what it changes."""
    person.visit("Authorization")
    person.give("Authorization file", file)
    person.press("See what changes …")
    person.reads(said_first)
    person.press(f"Put {number} into force")
    person.reads(f"Authorization {number} is in force until")


def test_a_license_is_assigned_and_taken_away(
    visitors: Visitors, server: RunningServer, member: Actor, way: dict[str, bool]
) -> None:
    person = visitors.come("administrator", **way)
    person.open(f"/console/licenses?search={member.username}")
    person.tick(member.username)
    person.unfold(NAME)
    person.choose("Level", "Basic")
    person.press(f"Assign {NAME} …")
    person.reads(f"{member.username}: given: Basic")
    assert SOURCE not in holds(server, member.username)
    person.press("Assign a license to 1 member")
    person.reads(f"{member.username} is given the license. Given: Basic")
    assert holds(server, member.username)[SOURCE] == "Basic"
    person.tick(member.username)
    person.unfold(NAME)
    person.press(f"Unassign {NAME} …")
    person.press("Take a license from 1 member")
    person.reads(f"{member.username} is without the license. Taken: {NAME} Basic")
    assert SOURCE not in holds(server, member.username)


def test_a_smaller_authorization_is_installed_and_mended(
    visitors: Visitors, server: RunningServer, member: Actor, tmp_path: Path, way: dict[str, bool]
) -> None:
    """What there is too much of leads to who holds it; at last the larger one comes back."""
    licenses.assign(console(server), member.username, SOURCE, "Standard", ())
    person = visitors.come("administrator", **way)
    install(person, *authorization_file(server, tmp_path, 0), "A smaller authorization is put into force all the same")
    person.reads("More in use than authorized")
    person.follow("Unassign some")
    person.reads("nobody can start or borrow ArcGIS AllSource until it is corrected")
    person.tick(member.username)
    person.press(f"Unassign {NAME} …")
    person.press("Take a license from 1 member")
    person.reads(f"{member.username} is without the license. Taken: {NAME} Standard")
    person.visit("Authorization")
    assert person.page.get_by_text("More in use than authorized").count() == 0
    install(person, *authorization_file(server, tmp_path, 50), "What is in use stays covered.")


def test_a_rule_is_set_and_tried(visitors: Visitors, member: Actor, way: dict[str, bool]) -> None:
    person = visitors.come("administrator", **way)
    person.visit("Rules")
    person.follow("New rule")
    person.choose("For a", "member")
    person.fill("Which", member.username)
    person.choose("Product", "ArcGIS Pro")
    person.choose("May licenses be taken offline?", "yes")
    person.fill("Longest, in days", "21")
    person.press("See what follows …")
    person.reads("There is no such rule yet.")
    person.press("Set it")
    person.follow("See what is in effect")
    person.reads("take ArcGIS Pro offline for at most 21 days")


def test_a_file_with_three_bad_rows_is_imported(
    visitors: Visitors, server: RunningServer, member: Actor, tmp_path: Path, way: dict[str, bool]
) -> None:
    """The good rows are done, the bad ones named with what is wrong."""
    file, name = tmp_path / "crew.csv", member.username
    rows = [
        ("username", "full_name", "user_type"),
        (f"{name}-a", "Ada", "Creator"),
        (f"{name}-b", "Bea", "No such type"),
        ("not a name!", "Cyd", "Creator"),
        (f"{name}-a", "Ada again", "Creator"),
        (name, "Dan", "GIS Professional"),
    ]
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    person = visitors.come("administrator", **way)
    person.visit("Members")
    person.follow("Import a file")
    person.give("File", file)
    person.press("Look at it")
    person.reads("1 to add, 1 to change, 0 as they are, 3 refused. Nothing is changed yet.")
    assert members.show(console(server), name)[0].full_name == ""
    person.press("Do the 2 good rows")
    person.reads("1 added, 1 changed, 3 refused")
    assert person.page.get_by_role("table", name="Refused rows").get_by_role("row").count() == 4
    assert members.show(console(server), name)[0].full_name == "Dan"
    assert members.show(console(server), f"{name}-a")[0].full_name == "Ada"


def test_several_members_are_disabled_at_once(
    visitors: Visitors, server: RunningServer, member: Actor, way: dict[str, bool]
) -> None:
    other = server.member(f"{member.username}-too")
    person = visitors.come("administrator", **way)
    person.open(f"/console/members?search={member.username}")
    person.tick(member.username)
    person.tick(other.username)
    person.press("Disable …")
    person.reads("They cannot sign in, start or borrow anything until they are enabled again.")
    person.press("Disable 2 members")
    person.reads("2 of 2 disabled")
    for name in (member.username, other.username):
        assert members.show(console(server), name)[0].disabled


def test_a_key_for_a_program_is_shown_once_and_revoked(
    visitors: Visitors, server: RunningServer, member: Actor, way: dict[str, bool]
) -> None:
    person = visitors.come("administrator", **way)
    person.visit("API keys")
    person.fill("What it is for", f"report of {member.username}")
    person.fill("The member that it acts as", member.username)
    person.press("Make the key")
    person.reads("Shown this once:")
    secret = person.page.get_by_label("Secret", exact=True).input_value()
    assert actor_of(server.bench, secret).username == member.username
    person.follow("All API keys")
    person.tick(f"report of {member.username} of {member.username}")
    assert secret not in person.page.content()
    person.press("Revoke those ticked …")
    person.press("Revoke 1 API key")
    person.reads(f"The key report of {member.username} of {member.username} is revoked.")
    with pytest.raises(NotAuthenticated):
        actor_of(server.bench, secret)


def test_a_channel_is_added_and_a_notice_arrives_there(visitors: Visitors, server: RunningServer) -> None:
    with webhook_receiver() as receiver:
        person = visitors.come("administrator")
        person.visit("Notifications")
        person.follow("Add a channel")
        person.fill("Name", "night desk")
        person.choose("How it sends", "a signed request to a server of your own")
        person.fill("URL", receiver.url)
        person.press("Add the channel")
        person.reads("Shown this once:")
        receiver.secret = person.page.get_by_label("Secret", exact=True).input_value()
        person.press("Send a test message")
        person.reads("The message was taken")
        assert [body["type"] for body in receiver.taken.values()] == ["notice.test"]
        work = console(server)
        with work.writing():
            work.record([Event(EventKind.CLONE_SUSPECTED, "ada", member="ada", product=SOURCE, alias="twin", reason="twice")])
        notifying.run(server.bench.authority)
        person.visit("Notifications")
        person.reads(f"{NAME} of ada on twin: twice")
        person.page.get_by_role("row").filter(has_text="twin").get_by_text("night desk").wait_for()
        assert "clone-suspected" in {notice["kind"] for notice in receiver.notices()}
        assert receiver.secret not in person.page.content()


def test_what_the_log_has_of_somebody_is_downloaded(
    visitors: Visitors, member: Actor, tmp_path: Path, way: dict[str, bool]
) -> None:
    person = visitors.come("administrator", **way)
    person.visit("Log")
    person.open(f"/console/log?member={member.username}")
    with person.download("CSV", tmp_path / "log.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["member"] for row in rows} == {member.username}
    assert "member-added" in {row["kind"] for row in rows}
