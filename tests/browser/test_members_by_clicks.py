"""What administrators do with members, by clicks, with a look of axe-core at each page on the way."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Visitors
from tests.browser.test_every_page import findings

FILE = """username,full_name,role
ada,Ada Lovelace,
bob,Bob,queen
-cyd,Cyd,
ada,Ada again,
dan,Dan,
"""
NEW = "another long password"


def test_members_are_imported_changed_several_at_once_and_removed(visitors: Visitors, tmp_path: Path) -> None:
    person = visitors.come("administrator")
    page, problems = person.page, []
    path = tmp_path / "staff.csv"
    path.write_text(FILE)
    person.open("/console/members")
    page.get_by_role("link", name="Import a file").click()
    problems += findings(page)
    page.get_by_label("File").set_input_files(path)
    person.press("Look at it")
    person.reads("3 refused")
    problems += findings(page)
    person.press("Do the 2 good rows")
    person.reads("2 added, 0 changed, 3 refused")
    problems += findings(page)

    person.open("/console/members?search=a&type=Creator")
    page.get_by_label("all on this page").click()
    page.get_by_label("New user type").select_option("Viewer")
    person.press("Change the type …")
    person.reads("user type: Creator, from now on Viewer")
    problems += findings(page)
    page.get_by_role("button", name="Change the type of").click()
    person.reads("changed")
    problems += findings(page)

    person.open("/console/members?search=dan")
    page.get_by_role("link", name="dan", exact=True).click()
    problems += findings(page)
    person.press("Remove …")
    person.press("Remove dan")
    person.reads("dan is removed.")
    assert problems == []


def test_a_member_is_added_changed_and_given_a_license_and_a_password(visitors: Visitors) -> None:
    person = visitors.come("administrator", phone=True)
    page, problems, wide = person.page, [], []

    def look() -> None:
        problems.extend(findings(page))
        if page.evaluate("document.documentElement.scrollWidth") > page.viewport_size["width"]:  # type: ignore[index]
            wide.append(page.url)

    person.open("/console/members/defaults")
    look()
    person.open("/console/members/add")
    look()
    page.get_by_label("User name").fill("eve")
    page.get_by_label("User type").select_option("Creator")
    person.press("Add the member")
    person.reads("eve is a member now.")
    look()
    page.get_by_role("link", name="Assign ArcGIS Pro").click()
    look()
    page.get_by_label("Level").select_option("Standard")
    person.press("Assign the license")
    person.reads("eve holds ArcGIS Pro Standard.")
    page.get_by_role("link", name="Change", exact=True).click()
    look()
    page.get_by_label("Groups").fill("crew; night")
    person.press("Change")
    person.reads("groups: none, from now on crew; night")
    look()
    person.press("Change eve")
    person.reads("eve is changed.")
    page.get_by_role("link", name="Password and sign-ins").click()
    look()
    page.get_by_role("textbox", name="New password", exact=True).fill(NEW)
    page.get_by_label("New password once more").fill(NEW)
    person.press("Set the password")
    person.reads("eve has a new password")
    assert (problems, wide) == ([], [])


def test_a_tick_stays_while_the_list_follows_what_is_typed(visitors: Visitors) -> None:
    person = visitors.come("administrator")
    page = person.page
    person.open("/console/members")
    rows, box = page.locator("input[name=usernames]"), page.locator("input[name=usernames][value=administrator]")
    assert rows.count() > 1
    page.get_by_label("Name or group").press_sequentially("administrator")
    # Before the list that was asked for is here.
    box.check()
    expect(rows).to_have_count(1)
    assert box.is_checked()
    page.get_by_label("Name or group").fill("")
    expect(rows).not_to_have_count(1)
    assert [row.get_attribute("value") for row in rows.all() if row.is_checked()] == ["administrator"]
