"""Members from a file on a page: each row is seen first, the good ones are done, and what was sent comes back whole."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from authority.domain.members import Role
from tests.support.browsing import Browser, form_token, shown
from tests.support.database_contents import contents, unchanged
from tests.support.web import one_web, sign_in_of

IMPORT = "/console/members/import"
# Three rows are bad: a role that there is not, a name that cannot be, and one that is there twice.
FILE = """username,full_name,user_type,role,groups
ada,Ada Lovelace,Creator,member,crew; night
bob,Bob <b>Berg</b>,,queen,
-cyd,Cyd,Creator,member,
dan,Dan,Creator,member,
Dan,Dan again,Creator,member,
analyst,Ann Alyst,,,
"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    for web in one_web(tmp_path):
        yield Browser(web).be(Role.ADMINISTRATOR)


def look(browser: Browser, text: str | bytes = FILE) -> str:
    """Gives the file in, and returns what the page says."""
    token = form_token(browser.get(IMPORT).text)
    data = text.encode() if isinstance(text, str) else text
    browser.post(IMPORT, {"form_token": token, "file": (io.BytesIO(data), "staff.csv")}, content_type="multipart/form-data")
    return shown(browser)


def go_on(browser: Browser) -> dict[str, str]:
    """The fields by which the page goes on."""
    return dict(re.findall(r'name="(upload|seen)" value="([^"]*)"', browser.last.text))


def usernames(browser: Browser) -> set[str]:
    return {member["username"] for member in browser.web.get("/members").get_json()["items"]}


def test_three_bad_rows_are_shown_with_what_is_wrong_and_the_good_ones_are_done(browser: Browser) -> None:
    database = browser.web.bench.authority.database
    with unchanged(database, but=["uploads"]):
        text = look(browser)
    for words in (
        "6 rows of staff.csv",
        "2 to add, 1 to change, 0 as they are, 3 refused",
        'Role "queen": there is no such value',
        '"-cyd" cannot be a user name',
        '"Dan" is in row 5 already',
        "full name: Ada Lovelace",
        "groups: crew; night",
        "full name: none, from now on Ann Alyst",
        "Do the 3 good rows",
    ):
        assert words in text, (words, text)
    browser.send_form(f"{IMPORT}/done", go_on(browser))
    text = shown(browser)
    assert "2 added, 1 changed, 3 refused" in text
    # What was done is still there, as often as it is wanted, and what is to be sent back alone.
    address = f"{IMPORT}/outcomes.csv"
    fields = browser.fields(address)
    for _ in range(2):
        rows = list(csv.DictReader(io.StringIO(browser.send_form(address, fields).text)))
        assert [row["action"] for row in rows] == ["added", "refused", "refused", "added", "refused", "changed"]
        assert [bool(row["message"]) for row in rows] == [row["action"] == "refused" for row in rows]
        assert "full name: none, from now on Ann Alyst" in rows[5]["changes"]
    refused = csv.DictReader(io.StringIO(browser.send_form(address, {**fields, "refused": "true"}).text))
    assert list(refused) == [row for row in rows if row["action"] == "refused"]
    assert usernames(browser) >= {"ada", "dan"}
    assert "bob" not in usernames(browser)
    assert "0 to add, 0 to change, 3 as they are, 3 refused" in look(browser)
    assert "There is nothing to do" in shown(browser)


def test_a_file_that_was_not_done_has_no_outcomes_and_its_form_is_done_once(browser: Browser) -> None:
    look(browser, "username\nzoe\n")
    fields = go_on(browser)
    answer = browser.send_form(f"{IMPORT}/outcomes.csv", {**fields, "refused": "true"})
    assert (answer.status_code, "was not done yet" in shown(browser)) == (400, True)
    form = {**fields, "form_token": form_token(browser.get(IMPORT).text)}
    browser.post(f"{IMPORT}/done", form)
    assert "1 added" in shown(browser)
    # As the browser does it when the page of what was done is loaded anew.
    answer = browser.post(f"{IMPORT}/done", form)
    assert (answer.status_code, answer.location) == (303, IMPORT)
    browser.get(answer.location)
    assert "This was done already at" in shown(browser)


def test_every_row_can_be_downloaded(browser: Browser) -> None:
    look(browser)
    rows = list(csv.DictReader(io.StringIO(browser.send_form(f"{IMPORT}/rows.csv", go_on(browser)).text)))
    assert [row["action"] for row in rows] == ["add", "refused", "refused", "add", "refused", "change"]
    assert rows[1]["code"] == "invalid-input"
    assert rows[1]["hint"]


def test_when_somebody_was_quicker_the_rows_are_shown_again(browser: Browser) -> None:
    look(browser)
    fields = go_on(browser)
    assert browser.web.send("PATCH", "/api/v1/members/analyst", json={"full_name": "Ann Alyst"}).status_code == 200
    browser.send_form(f"{IMPORT}/done", fields)
    text = shown(browser)
    assert "Look again: something changed" in text
    assert "2 to add, 0 to change, 1 as they are" in text
    assert "ada" not in usernames(browser)
    browser.send_form(f"{IMPORT}/done", go_on(browser))
    assert "2 added, 0 changed" in shown(browser)


def test_what_is_no_such_file_is_said_with_what_there_may_be(browser: Browser) -> None:
    for text, words in (
        ("name\nada\n", "Columns unknown"),
        ("username\n", "no row below its header"),
        ("username,password\nada,secret\n", "There must be no column"),
        (b"username\n\xff\n", "no UTF-8"),
    ):
        assert words in look(browser, text), text
        assert browser.last.status_code == 400
    look(browser, "username,password\nada,secret\n")
    assert "The page of a member sets one" in shown(browser)
    browser.send_form(IMPORT)
    assert "No file was chosen" in shown(browser)


def test_a_file_is_there_for_who_gave_it_in_until_it_is_done_or_another_one_was_given_in(browser: Browser) -> None:
    look(browser)
    first = go_on(browser)
    look(browser, "username\nzoe\n")
    second = go_on(browser)
    other = Browser(browser.web)
    browser.web.bench.member("second", role=Role.ADMINISTRATOR)
    other.client.set_cookie("carnet", sign_in_of(browser.web.bench.authority, "second"))
    for who, fields in ((browser, first), (other, second), (browser, {}), (browser, {"upload": "\u00e9", "seen": ""})):
        for path in ("/done", "/rows.csv"):
            assert who.send_form(IMPORT + path, fields).status_code == 404
            assert "The file is not here any more" in shown(who)
    fields = {"form_token": form_token(browser.get(IMPORT).text), **second}
    browser.post(f"{IMPORT}/done", fields)
    assert "1 added" in shown(browser)
    # Its answer loaded again says that it was done: the file is gone because of that.
    assert browser.post(f"{IMPORT}/done", fields).status_code == 303
    browser.get(IMPORT)
    assert "This was done already" in shown(browser)
    assert browser.send_form(f"{IMPORT}/done", second).status_code == 404
    look(browser)
    browser.web.bench.clock.turn(hours=25)
    assert browser.send_form(f"{IMPORT}/done", go_on(browser)).status_code == 404
    assert contents(browser.web.bench.authority.database)["uploads"] != []
    look(other)
    assert len(contents(browser.web.bench.authority.database)["uploads"]) == 1


def test_a_table_of_thousands_of_rows_makes_a_small_page(browser: Browser) -> None:
    """On the page stand the first rows, and the rest is counted."""
    rows = "".join(f"nobody{number},{'No Body ' * 15},nosuch\n" for number in range(2_500))
    text = look(browser, f"username,full_name,user_type\n{rows}")
    assert browser.last.status_code == 200
    assert len(browser.last.data) < 40_000
    assert "2,450 more are refused" in text
    assert len(rows) > 300_000


def test_only_who_manages_members_gets_there(browser: Browser) -> None:
    manager = Browser(browser.web).be(Role.LICENSE_MANAGER)
    for path in ("", "/done", "/rows.csv", "/outcomes.csv"):
        assert manager.send_form(IMPORT + path).status_code == 403


def test_who_may_be_offline_with_what_a_row_takes_is_said_before(browser: Browser) -> None:
    browser.web.post("/members", {"username": "ada", "user_type": "GIS Professional"})
    assert "What is out offline stays good" in look(browser, "username,user_type\nada,Viewer\n")
    assert "What is out offline stays good" not in look(browser, "username,full_name\nada,Ada L.\nzoe,Zoe\n")
