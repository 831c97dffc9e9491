"""The tasks of the console by clicks, on a screen and on a phone without scripts; two of them by keyboard alone.

What is carried is made, installed and checked by the real command on this machine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from authority.domain.members import CONSOLE, Actor
from authority.services import borrow, sessions
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from authority.storage.sessions import Filter as SessionFilter
from tests.browser.conftest import KEYBOARD, WAYS, Person, Visitors
from tests.connected.conftest import PASSWORD, Laptop, RunningServer
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import started
from tests.support.provider import RunningProvider

PRO = "arcgis-pro"
EVERY_WAY = pytest.mark.parametrize("way", [*WAYS.values(), KEYBOARD], ids=[*WAYS, "keyboard"])


def states(server: RunningServer, member: Actor) -> list[str]:
    """The states of the borrows of a member."""
    work = Unit(server.bench.authority, CONSOLE)
    rows, _ = borrow.listed(work, Filter(member=member.username))
    return [str(row.state(work.now)) for row in rows]


def requested(laptop: Laptop, member: Actor) -> Path:
    """The request file of a workstation."""
    file = laptop.home.parent / "trip.request"
    laptop.answer("request", PRO, "--days", "3", "--member", member.username, "-o", str(file))
    return file


def returned(laptop: Laptop) -> Path:
    """The receipt of a workstation that gave its license back."""
    file = laptop.home.parent / "back.return"
    laptop.answer("return", PRO, "-o", str(file))
    return file


def brought_back(person: Person, laptop: Laptop, server: RunningServer) -> Path:
    """The receipt of a license whose borrow file somebody took from the page, that ran on the workstation, and was given back there."""
    laptop.answer("install", str(person.download("Download the borrow file", laptop.home.parent / "trip.borrow")))
    assert laptop.answer("check", PRO, "--root", server.root)["grant"]["level"] == "Advanced"
    return returned(laptop)


@EVERY_WAY
def test_a_request_is_issued_and_its_receipt_checked_in(
    visitors: Visitors, server: RunningServer, laptop: Laptop, member: Actor, way: dict[str, bool]
) -> None:
    person = visitors.come("administrator", **way)
    person.visit("Exchange")
    person.give("Files", requested(laptop, member))
    person.press("Look at them")
    person.reads(f"for {member.username}")
    person.reads("The rules say")
    assert states(server, member) == []
    person.press("Do what is ticked")
    person.reads("1 borrow issued")
    receipt = brought_back(person, laptop, server)
    person.visit("Exchange")
    person.give("Files", receipt)
    person.press("Look at them")
    person.reads("a workstation gave a license back")
    assert states(server, member) == ["active"]
    person.press("Do what is ticked")
    person.reads("The seat is free.")
    assert states(server, member) == ["checked-in"]


@EVERY_WAY
def test_a_member_takes_a_license_offline_and_gives_it_back(
    visitors: Visitors, server: RunningServer, laptop: Laptop, member: Actor, way: dict[str, bool]
) -> None:
    person = visitors.come(member.username, **way)
    person.visit("My license")
    person.follow("Take offline")
    person.give("Request file", requested(laptop, member))
    person.press("Look at it")
    person.reads("3 days")
    assert states(server, member) == []
    person.press("Take it offline")
    person.reads("is yours offline until")
    receipt = brought_back(person, laptop, server)
    person.follow("Give back")
    person.give("Return file", receipt)
    person.press("Give back")
    person.reads("is given back; its seat is free")
    assert states(server, member) == ["checked-in"]


def test_the_license_of_a_lost_laptop_is_released(
    visitors: Visitors, server: RunningServer, member: Actor, way: dict[str, bool]
) -> None:
    issued_to(server.bench, member, workstation("lost"), days=9)
    person = visitors.come("administrator", **way)
    person.visit("Offline")
    person.fill("Name or group", member.username)
    person.press("Show")
    person.tick(f"{member.username} on lost")
    person.press("Release those ticked …")
    person.reads("the lost copy can run beside a new one until its end")
    person.fill("Reason", "Left in a train")
    person.tick("I know that the lost copy can run until the time that is named")
    assert states(server, member) == ["active"]
    person.press("Release 1 borrow")
    person.reads("Its seat is free.")
    person.reads("Left in a train")
    assert states(server, member) == ["released"]


def test_without_acknowledging_the_overlap_nothing_is_released(
    visitors: Visitors, server: RunningServer, member: Actor
) -> None:
    """The browser holds the form back, and says what is missing."""
    issued_to(server.bench, member, workstation("lost"), days=9)
    person = visitors.come("administrator")
    person.open(f"/console/offline?member={member.username}")
    person.tick(f"{member.username} on lost")
    person.press("Release those ticked …")
    person.fill("Reason", "Left in a train")
    person.press("Release 1 borrow")
    box = person.page.get_by_label("I know that the lost copy can run until the time that is named")
    assert box.evaluate("element => element.validity.valueMissing")
    assert states(server, member) == ["active"]


def test_a_session_is_ended_with_time_to_save(
    visitors: Visitors, server: RunningServer, member: Actor, way: dict[str, bool]
) -> None:
    session = started(server.bench, member, workstation("tower")).session
    person = visitors.come("administrator", **way)
    person.visit("Activity")
    person.fill("Name or group", member.username)
    person.press("Show")
    person.tick(f"the session of {member.username} on tower")
    person.press("End the sessions ticked …")
    person.reads("has 60 minutes to save the work")
    person.press("End 1 session")
    person.reads(f"The session of {member.username}, ArcGIS Pro on tower, is ended.")
    work = Unit(server.bench.authority, CONSOLE)
    rows, _ = sessions.listed(work, SessionFilter(member=member.username, ended=True))
    assert [(row.id, str(row.state(work.now))) for row in rows] == [(session.id, "ended")]


def test_a_wrong_password_then_the_right_one_then_out(visitors: Visitors, member: Actor, way: dict[str, bool]) -> None:
    person = visitors.come(None, **way)
    person.open("/console/my-license/give-back")
    person.fill("User name", member.username)
    person.fill("Password", "another one than that")
    person.press("Sign in")
    person.page.get_by_role("alert").wait_for()
    assert person.page.get_by_label("User name").input_value() == member.username
    assert person.page.get_by_label("Password", exact=True).input_value() == ""
    person.fill("Password", PASSWORD)
    person.press("Sign in")
    # The page that was asked for before.
    person.page.get_by_role("heading", level=1, name="Give back").wait_for()
    person.press("Sign out")
    person.page.get_by_role("heading", level=1, name="Sign in").wait_for()
    person.open("/console/my-license")
    person.page.get_by_role("heading", level=1, name="Sign in").wait_for()


@pytest.mark.parametrize("scripts", [True, False], ids=["typed", "no scripts"])
def test_members_are_looked_for(visitors: Visitors, server: RunningServer, member: Actor, *, scripts: bool) -> None:
    """While one types with scripts, by a button without; the address says it either way."""
    server.member(f"{member.username}-other", full_name=f"Émile Zola of {member.username}")
    person = visitors.come("administrator", scripts=scripts)
    person.visit("Members")
    rows = person.page.get_by_role("table", name="Members").get_by_role("rowheader")
    assert rows.count() > 2
    person.fill("Name or group", f"emile zola of {member.username}")
    if not scripts:
        person.press("Search")
    person.page.wait_for_url("**/console/members?*search=emile+zola+of+*")
    rows.filter(has_text="administrator").wait_for(state="detached")
    assert f"{member.username}-other" in rows.all_inner_texts()
    person.reads("1 member")


def test_a_member_signs_in_by_the_provider_of_the_company(
    visitors: Visitors, provider: RunningProvider, member: Actor, way: dict[str, bool]
) -> None:
    """From the button, by the form of the provider, back to the page that was asked for."""
    provider.user(f"subject of {member.username}", preferred_username=member.username)
    person = visitors.come(None, **way)
    person.open("/console/my-license/give-back")
    person.follow("Sign in with the company account")
    person.page.locator("[name=sub]").first.fill(f"subject of {member.username}")
    person.page.get_by_role("button", name="Authorize").first.click()
    person.page.get_by_role("heading", level=1, name="Give back").wait_for()
    assert person.page.get_by_role("banner").get_by_role("link", name=member.username).is_visible()
