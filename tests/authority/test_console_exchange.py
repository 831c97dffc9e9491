"""The page Exchange: what each file is, requests answered and receipts taken in, clocks, and files to take along."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from html import unescape

import pytest
import zxingcpp
from PIL import Image
from werkzeug.test import TestResponse

from authority.domain.members import CONSOLE, Actor, Role
from authority.services import borrow, overview
from authority.services.unit import Unit
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, shown
from tests.support.database_contents import contents
from tests.support.html_pages import ConsolePage
from tests.support.web import Web
from tests.support.workstations import SimulatedWorkstation
from verifier.core import files
from verifier.core.clock_reset import code_of, open_reset
from verifier.core.trust import TrustStore
from verifier.workstation.carry import Wish

EXCHANGE = "/console/exchange"


@pytest.fixture
def ada(web: Web) -> Actor:
    return web.bench.member("ada")


@pytest.fixture
def chief(web: Web) -> Browser:
    return Browser(web).be(Role.ADMINISTRATOR)


def request_file(web: Web, laptop: SimulatedWorkstation, **wish: object) -> bytes:
    wanted = Wish("arcgis-pro", **{"days": 9, "member": "ada", **wish})  # type: ignore[arg-type]
    return laptop.request_file(wanted, web.bench.clock())


def receipt_file(web: Web, laptop: SimulatedWorkstation, borrow_file: bytes) -> bytes:
    return files.render("return", {"receipt": laptop.receipt_for(borrow_file, web.bench.clock())})


def give_in(browser: Browser, *carried: bytes, **fields: str) -> str:
    """The text of the page that says what these files are; names are no help."""
    uploads = [(io.BytesIO(data), f"file {number}.bin") for number, data in enumerate(carried)]
    browser.send_form(EXCHANGE, {"files": uploads, **fields}, content_type="multipart/form-data")
    return shown(browser)


def compact(data: bytes) -> str:
    value = json.loads(data)
    return str(value.get("request") or value["receipt"])


def do(browser: Browser, requests: Sequence[bytes] = (), receipts: Sequence[bytes] = (), **fields: str) -> TestResponse:
    signed = {"requests": [compact(data) for data in requests], "receipts": [compact(data) for data in receipts]}
    return browser.send_form(f"{EXCHANGE}/done", {**signed, **fields})


def test_a_request_says_who_where_what_how_long_and_what_the_rules_say_then_it_is_issued(
    web: Web, ada: Actor, chief: Browser
) -> None:
    data, before = request_file(web, workstation("laptop")), contents(web.bench.authority.database)
    text = give_in(chief, data)
    for part in ("A request", "ada", "laptop", "ArcGIS Pro", "9 days", "yes", "until 2026-03-11 09:00 UTC", "allowed by"):
        assert part in text, part
    assert contents(web.bench.authority.database) == before
    assert do(chief, [data]).status_code == 200
    assert "1 borrow issued" in shown(chief)
    [address] = [link for link in ConsolePage(chief.last.text).links if link.endswith("/file")]
    answer = chief.get(address)
    [row] = web.get("/borrows").get_json()["items"]
    assert answer.data == borrow.newest_file(Unit(web.bench.authority, CONSOLE), row["id"])
    assert "answered before" in give_in(chief, data)


def test_a_refusal_of_the_rules_is_told_before_and_cannot_be_ticked(web: Web, ada: Actor, chief: Browser) -> None:
    text = give_in(chief, request_file(web, workstation("laptop"), days=99))
    assert "duration-too-long" in text
    assert 'name="requests"' not in chief.last.text


def test_a_request_that_names_nobody_is_for_whom_the_form_says(web: Web, ada: Actor, chief: Browser) -> None:
    data = request_file(web, workstation("laptop"), member=None)
    # It is not judged for the administrator, and asked for without another look at the stick.
    assert "The request names nobody" in give_in(chief, data)
    assert 'name="requests"' not in chief.last.text
    chief.send_form(EXCHANGE, {**chief.fields(EXCHANGE), "member": "ada"})
    assert "for ada" in shown(chief)
    assert "for ada" in give_in(chief, data, member="ada")
    do(chief, [data], member="ada")
    assert [row["member"] for row in web.get("/borrows").get_json()["items"]] == ["ada"]


def test_a_receipt_is_told_and_checked_in(web: Web, ada: Actor, chief: Browser) -> None:
    laptop = workstation("laptop")
    data = receipt_file(web, laptop, issued_to(web.bench, ada, laptop, days=9).file)
    text = give_in(chief, data)
    assert "A receipt" in text
    assert "ada" in text
    do(chief, receipts=[data])
    assert "1 license given back" in shown(chief)
    assert web.get("/borrows").get_json()["items"][0]["state"] == "checked-in"
    assert "checked in already" in give_in(chief, data)
    assert 'name="receipts"' not in chief.last.text
    assert "Do what is ticked" not in chief.last.text


def test_looking_again_for_whom_keeps_the_other_files_that_can_be_done(
    web: Web, ada: Actor, chief: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bea", "cyd"):
        web.bench.member(name)
    laptop = workstation("laptop")
    receipt = receipt_file(web, laptop, issued_to(web.bench, ada, laptop, days=9).file)
    requests = [request_file(web, workstation(name), member=member) for name, member in (("second", "cyd"), ("third", None))]
    give_in(chief, receipt, *requests)
    again = {
        name: [unescape(value) for value in re.findall(rf'name="{name}" value="([^"]*)"', chief.last.text)]
        for name in ("pasted", "others", "names")
    }
    assert again["names"] == ["file 0.bin", "file 1.bin"]
    assert "Do what is ticked first" not in shown(chief)
    with monkeypatch.context() as patched:
        patched.setattr("authority.web.console.exchange.MOST_CARRIED", 100)
        assert "Do what is ticked first" in give_in(chief, receipt, *requests)
        assert 'name="others"' not in chief.last.text
    chief.send_form(EXCHANGE, {**again, "member": "bea"})
    text = shown(chief)
    for words in ("file 0.bin", "Check it in", "file 1.bin", "for cyd", "for bea"):
        assert words in text, (words, text)
    assert chief.last.text.count('name="requests"') == 2


def test_several_at_once_each_with_its_outcome(web: Web, ada: Actor, chief: Browser) -> None:
    web.bench.member("bea")
    first, second = request_file(web, workstation("one")), request_file(web, workstation("two"), member="bea")
    third = request_file(web, workstation("three"))
    assert give_in(chief, first, second, third, b"{}").count("A request") == 3
    # Of two for the same only one can be issued, and what is no file of ours has nothing to tick.
    assert re.findall(r'name="requests" value="([^"]+)"( checked)?', chief.last.text) == [
        (compact(first), " checked"),
        (compact(second), " checked"),
        (compact(third), ""),
    ]
    do(chief, [first, second, third])
    text = shown(chief)
    assert "2 borrows issued" in text
    assert "borrowed-elsewhere" in text or "already-borrowed" in text


def test_anything_else_is_named_and_where_it_goes_and_changes_nothing(web: Web, ada: Actor, chief: Browser) -> None:
    laptop = workstation("laptop")
    borrow_file = issued_to(web.bench, ada, laptop, days=9).file
    trust = overview.trust_file(Unit(web.bench.authority, CONSOLE))
    text = json.loads(borrow_file)["authorization"]
    authorization = files.render("authorization", {"authorization": text})
    foreign = workstation("elsewhere").receipt("A" * 22, "B" * 22, web.bench.clock())
    damaged = request_file(web, laptop).replace(b"ey", b"eX", 1)
    before = contents(web.bench.authority.database)
    for data, words in (
        (borrow_file, "A borrow file, by what it says: ada, ArcGIS Pro Advanced on laptop"),
        (trust, "kind trust. One that the vendor sent is installed together with the authorization"),
        (authorization, "It is authorization 1, which is the number of the one in force"),
        (b"username,role\nada,member\n", "no file of Carnet"),
        (web.get("/status-list").data, "kind status. It is for a workstation"),
        (files.render("return", {"receipt": foreign}), "this authority does not have"),
        (damaged, "not understood"),
        (b"", "The file is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not understood"),
        (b'{"carnet": "request", "version": 9, "request": "x"}', "of version 9"),
        ("{}".encode("utf-16"), "UTF-16"),
        (b"x" * 400_000, "not understood"),
    ):
        assert words in give_in(chief, data), words
        assert "Do what is ticked" not in chief.last.text, words
    assert contents(web.bench.authority.database) == before


def test_what_was_scanned_can_be_pasted(web: Web, ada: Actor, chief: Browser) -> None:
    data = request_file(web, workstation("laptop"))
    chief.send_form(EXCHANGE, {"pasted": data.decode()})
    assert "A request" in shown(chief)


def test_without_a_file_or_a_tick_the_page_says_so(web: Web, chief: Browser) -> None:
    assert chief.send_form(EXCHANGE, {"member": "ada"}).status_code == 400
    assert "No file was chosen" in shown(chief)
    assert do(chief).status_code == 400
    assert "No file was ticked" in shown(chief)


def test_a_code_typed_or_in_a_file_makes_the_clock_file_of_its_machine(web: Web, ada: Actor, chief: Browser) -> None:
    laptop = workstation("laptop")
    issued_to(web.bench, ada, laptop, days=9)
    code = code_of(laptop.key.public.kid, 3)
    printed = f"the clock says    2027-03-02T09:00:00Z\ncode for a reset  {code}\n".encode()
    assert f"{code}, on the machine of ada" in give_in(chief, printed)
    answer = chief.send_form(f"{EXCHANGE}/clock", {"code": code.lower().replace("-", " "), "reason": "new battery"})
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ada-laptop.clock"'
    assert open_reset(answer.data, TrustStore.read(web.bench.trust_file)).code == code
    late = code_of(laptop.key.public.kid, 300)
    assert chief.send_form(f"{EXCHANGE}/clock", {"code": late, "reason": "often"}).status_code == 400
    assert f'value="{late}"' in chief.last.text
    with_member = {"code": late, "reason": "often", "clock_member": "ada"}
    assert chief.send_form(f"{EXCHANGE}/clock", with_member).status_code == 200
    assert chief.send_form(f"{EXCHANGE}/clock", {"code": code}).status_code == 400
    assert "reason is printable text" in shown(chief)


def test_the_trust_file_is_a_file_and_a_code_and_the_status_list_has_what_ended(web: Web, ada: Actor, chief: Browser) -> None:
    trust = overview.trust_file(Unit(web.bench.authority, CONSOLE))
    assert chief.get(f"{EXCHANGE}/trust").data == trust
    with Image.open(io.BytesIO(chief.get(f"{EXCHANGE}/trust.png").data)) as picture:
        [code] = zxingcpp.read_barcodes(picture)
    assert json.loads(code.bytes) == json.loads(trust)
    answer = chief.get(f"{EXCHANGE}/trust.svg")
    assert (answer.content_type, b"<svg" in answer.data) == ("image/svg+xml", True)
    answer = chief.send_form(f"{EXCHANGE}/status")
    assert files.parse(answer.data)[0] == "status"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="Field-Survey.status"'
