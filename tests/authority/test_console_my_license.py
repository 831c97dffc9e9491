"""The page My license: what a member has, taking it offline, giving it back, sessions, and sign-ins (seed S3)."""

from __future__ import annotations

import io

import pytest

from authority.domain.members import CONSOLE, Actor
from authority.services import borrow, member_changes
from authority.services.member_changes import Change
from authority.services.unit import Unit
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, shown
from tests.support.connecting import assign, started
from tests.support.database_contents import contents
from tests.support.web import Web
from tests.support.workstations import SimulatedWorkstation
from verifier.core import files
from verifier.workstation.carry import Wish

MINE = "/console/my-license"
PASSWORD, OTHER = "correct horse battery staple", "another horse, another staple"


@pytest.fixture
def ada(web: Web) -> Actor:
    return web.bench.member("ada", password=PASSWORD)


@pytest.fixture
def browser(web: Web, ada: Actor) -> Browser:
    """Ada's."""
    made = Browser(web)
    made.sign_in("ada", PASSWORD)
    return made


def followed(browser: Browser) -> str:
    """The text of the page that the last answer leads to."""
    assert browser.last.status_code == 303, shown(browser)
    browser.get(browser.last.location)
    return shown(browser)


def request_file(web: Web, laptop: SimulatedWorkstation, **wish: object) -> bytes:
    wanted = Wish("arcgis-pro", **wish)  # type: ignore[arg-type]
    return files.render("request", {"request": laptop.request(wanted, web.bench.clock())})


def upload(browser: Browser, where: str, data: bytes, **fields: str) -> str:
    sent = {"file": (io.BytesIO(data), "stick.bin"), **fields}
    browser.send_form(f"{MINE}/{where}", sent, content_type="multipart/form-data")
    return shown(browser) if browser.last.status_code != 303 else ""


def agreed(browser: Browser, data: bytes, **fields: str) -> None:
    text = str(files.parse(data)[1]["request"])
    browser.send_form(f"{MINE}/take-offline", {"request": text, "agreed": "true", **fields})


def test_each_level_and_extension_yes_or_no_and_where_it_is(web: Web, ada: Actor, browser: Browser) -> None:
    assign(web.bench, "ada", "Standard", ("3DAnalyst",))
    session = started(web.bench, ada, workstation("tower"), "arcgis-desktop").session
    issued_to(web.bench, ada, workstation("laptop"), days=9)
    browser.get(MINE)
    text = shown(browser)
    for words in ("Standardlevel● yes", "Advancedlevelno", "3DAnalystextension● yes", "offline on laptop"):
        assert words in text, words
    assert "tower" in text
    browser.send_form(f"{MINE}/sessions/{session.id}/end")
    text = followed(browser)
    assert "on tower is ended" in text
    assert "Sessions of" not in text


def test_who_has_nothing_is_told_whom_to_ask(web: Web) -> None:
    web.bench.member("vic", user_type="Viewer", password=PASSWORD)
    browser = Browser(web)
    browser.sign_in("vic", PASSWORD)
    browser.get(MINE)
    assert "You have no license yet" in shown(browser)


def test_take_offline_shows_the_commands_looks_first_and_gives_the_file(web: Web, browser: Browser) -> None:
    browser.get(f"{MINE}/take-offline?product=arcgis-pro&days=5")
    assert "carnet request arcgis-pro --days 5 -o trip.request" in shown(browser)
    data, before = request_file(web, workstation("laptop"), days=5), contents(web.bench.authority.database)
    text = upload(browser, "take-offline", data)
    assert "Take ArcGIS Pro offline on laptop?" in text
    assert "2026-03-07 09:00 UTC" in text
    assert contents(web.bench.authority.database) == before
    agreed(browser, data)
    assert "is yours offline until 2026-03-07 09:00 UTC" in followed(browser)
    [row] = web.get("/borrows").get_json()["items"]
    assert f'href="{MINE}/file?borrow={row["id"]}"' in browser.last.text
    answer = browser.get(f"{MINE}/file?borrow={row['id']}")
    assert answer.data == borrow.newest_file(Unit(web.bench.authority, CONSOLE), row["id"])
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ada-arcgis-pro.borrow"'


def test_the_days_are_chosen_here_where_the_request_does_not_say(web: Web, browser: Browser) -> None:
    data = request_file(web, workstation("laptop"))
    assert "Days, up to 30" in upload(browser, "take-offline", data)
    agreed(browser, data, days="31")
    assert browser.last.status_code == 409
    assert "duration-too-long" in shown(browser)
    assert 'id="days-error"' in browser.last.text
    assert 'value="31"' in browser.last.text
    assert web.get("/borrows").get_json()["items"] == []
    agreed(browser, data, days="12")
    assert "until 2026-03-14 09:00 UTC" in followed(browser)
    said = request_file(web, workstation("laptop"), days=3)
    agreed(browser, said, days="12")
    assert browser.last.status_code == 400
    assert "says itself how long" in shown(browser)


def test_give_back_takes_the_receipt_of_the_workstation(web: Web, ada: Actor, browser: Browser) -> None:
    laptop = workstation("laptop")
    borrow_file = issued_to(web.bench, ada, laptop, days=9).file
    browser.get(f"{MINE}/give-back")
    assert "carnet return arcgis-pro -o back.return" in shown(browser)
    upload(browser, "give-back", files.render("return", {"receipt": laptop.receipt_for(borrow_file, web.bench.clock())}))
    assert "ArcGIS Pro on laptop is given back; its seat is free" in followed(browser)


def test_a_wrong_file_is_named_and_changes_nothing(web: Web, ada: Actor, browser: Browser) -> None:
    laptop, bea = workstation("laptop"), web.bench.member("bea")
    borrow_file = issued_to(web.bench, ada, laptop, days=9).file
    other = workstation("other")
    hers = issued_to(web.bench, bea, other, days=9).file
    request = request_file(web, workstation("third"), member="bea")
    before = contents(web.bench.authority.database)
    for where, data, words in (
        ("take-offline", borrow_file, "a file of the kind borrow"),
        ("take-offline", b"", "The file is empty"),
        ("take-offline", request, "not-allowed"),
        ("give-back", borrow_file, "this is a borrow file"),
        ("give-back", files.render("return", {"receipt": other.receipt_for(hers, web.bench.clock())}), "bea"),
    ):
        assert words in upload(browser, where, data), words
        assert ('id="file-error"' in browser.last.text) == (data != request and words != "bea"), words
    agreed(browser, request)
    assert browser.last.status_code == 403
    for where in ("take-offline", "give-back"):
        assert browser.send_form(f"{MINE}/{where}").status_code == 400
        assert "No file was chosen" in shown(browser)
        assert 'id="file-error"' in browser.last.text
    assert contents(web.bench.authority.database) == before


def test_the_permission_to_download_is_asked_for(web: Web, browser: Browser) -> None:
    browser.get(MINE)
    assert "no vendor access" in shown(browser)
    member_changes.change(Unit(web.bench.authority, CONSOLE), "ada", Change(vendor_access=True))
    browser.send_form(f"{MINE}/download-permission")
    assert "requested" in followed(browser)


def test_sign_ins_are_listed_and_ended_one_or_all(web: Web, ada: Actor, browser: Browser) -> None:
    others = [Browser(web), Browser(web), Browser(web)]
    for other in others:
        other.sign_in("ada", PASSWORD, headers={"User-Agent": "Lynx"})
    browser.get(f"{MINE}/sign-ins")
    assert shown(browser).count("Lynx") == 3
    assert shown(browser).count("this one") == 1
    row = browser.last.text.partition(">Lynx<")[2]
    browser.send_form(f"{MINE}/sign-ins/end", {"id": row.split('name="id" value="')[1].split('"')[0]})
    assert "1 sign-in ended" in followed(browser)
    browser.send_form(f"{MINE}/sign-ins/end", {"keep_current": "true"})
    assert "2 sign-ins ended" in followed(browser)
    assert [other.get(MINE).status_code for other in others] == [303, 303, 303]
    browser.send_form(f"{MINE}/sign-ins/end")
    assert browser.last.location == "/console/sign-in"
    assert browser.get(MINE).status_code == 303


def test_a_new_password_needs_the_one_of_now_and_is_typed_twice(web: Web, browser: Browser) -> None:
    other = Browser(web)
    other.sign_in("ada", PASSWORD)
    for fields, status, words in (
        ({"old_password": "wrong wrong wrong", "new_password": OTHER, "new_password_again": OTHER}, 403, "is another one"),
        ({"old_password": PASSWORD, "new_password": OTHER, "new_password_again": "else"}, 400, "typed in two ways"),
        ({"old_password": PASSWORD, "new_password": "short", "new_password_again": "short"}, 400, "10 to 256"),
    ):
        assert browser.send_form(f"{MINE}/password", fields).status_code == status
        assert words in shown(browser)
        assert "invalid-feedback" in browser.last.text, words
        assert OTHER not in browser.last.text
    browser.send_form(f"{MINE}/password", {"old_password": PASSWORD, "new_password": OTHER, "new_password_again": OTHER})
    assert "Your password is changed, and 1 other sign-in ended" in followed(browser)
    assert other.get(MINE).status_code == 303
