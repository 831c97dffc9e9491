"""The page Authorization: what is licensed and used, another one with what follows first, and the way out of a smaller one."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

from authority.domain.members import Role
from tests.support.authorities import authorization_text
from tests.support.browsing import Browser, shown
from tests.support.database_contents import contents
from tests.support.vendors import RealVendor, sample_toml
from tests.support.web import Web

AUTHORIZATION, INSTALL = "/console/authorization", "/console/authorization/install"


def file(web: Web, seq: int = 2, **limits: Any) -> bytes:
    """An authorization with other limits of members, or other seats of the first product."""

    def change(specification: dict[str, Any]) -> None:
        specification["members"].update(limits.get("members", {}))
        specification["products"][0]["seats"].update(limits.get("seats", {}))

    bench = web.bench
    text = authorization_text(bench.authority, bench.root, bench.clock(), seq=seq, change=change)
    return f'{{"carnet": "authorization", "version": 1, "authorization": "{text}"}}\r\n'.encode()


def hidden(browser: Browser) -> dict[str, str]:
    """The hidden fields of the last page, as a browser would send them."""
    parts = [part.partition('"')[0] for part in browser.last.text.split('<input type="hidden" name="')[1:]]
    values = [part.partition('value="')[2].partition('"')[0] for part in browser.last.text.split('<input type="hidden" ')[1:]]
    return dict(zip(parts, values, strict=True)) | {"form_token": ""}


def upload(browser: Browser, data: bytes, **fields: Any) -> None:
    browser.send_form(INSTALL, {"authorization_file": (BytesIO(data), "new.authorization"), **fields})


def agree(browser: Browser) -> None:
    """Presses the button of the page that asks, and opens where it leads."""
    fields = hidden(browser)
    fields.pop("form_token")
    assert browser.send_form(INSTALL, fields).status_code == 303, browser.last.text
    browser.get(browser.last.location)


def test_a_smaller_one_is_put_into_force_with_what_follows_first_and_the_way_out_after(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    chief.get(AUTHORIZATION)
    text = shown(chief)
    assert "5 of 50" in text
    assert "More in use than authorized" not in text
    before = contents(web.bench.authority.database)
    upload(chief, file(web, members={"total": 3, "types": {"GIS Professional": 2}}, seats={"Advanced": 1}))
    text = shown(chief)
    for words in (
        "Put authorization 2 into force?",
        "Change: members: 50 -> 3 (-47)",
        '"arcgis-pro" Advanced: 4 assigned, 1 licensed',
    ):
        assert words in text
    assert contents(web.bench.authority.database) == before
    agree(chief)
    text = shown(chief)
    assert "Authorization 2 is in force until" in text
    for words in (
        "2 members too many: 5 of 3. Only administrators can sign in until it is mended. Remove members.",
        "2 members of the type GIS Professional too many: 4 of 2.",
        "arcgis-pro Advanced: 4 assigned, 1 licensed; nobody can start or borrow it. Unassign some.",
    ):
        assert words in text
    # The way out: an authorization for more.
    upload(chief, file(web, seq=3))
    assert "What is in use stays covered." in shown(chief)
    agree(chief)
    assert "More in use than authorized" not in shown(chief)
    upload(chief, file(web, seq=3))
    assert web.get("/authorization").get_json()["seq"] == 3


def test_what_cannot_be_installed_says_why_and_the_file_stays_in_the_form(web: Web) -> None:
    chief, before = Browser(web).be(Role.ADMINISTRATOR), contents(web.bench.authority.database)
    for fields, status, words in (
        ({}, 400, "No authorization file was chosen"),
        ({"authorization": "%"}, 400, "The file did not come whole"),
        ({"authorization_file": (BytesIO(b"{}"), "x")}, 409, "authorization-unusable"),
        ({"authorization_file": (BytesIO(file(web, seq=1, members={"total": 9})), "x")}, 409, "above 1"),
    ):
        chief.send_form(INSTALL, fields)
        assert (chief.last.status_code, words in shown(chief)) == (status, True), fields
        assert 'id="authorization_file-error"' in chief.last.text, fields
    upload(chief, file(web), accept_root="x" * 43)
    assert (chief.last.status_code, "A thumbprint goes with a trust file" in shown(chief)) == (400, True)
    assert 'id="trust_file-error"' in chief.last.text
    compact = hidden(chief)["authorization"]
    chief.send_form(INSTALL, {"authorization": compact})
    assert "Put authorization 2 into force?" in shown(chief)
    assert contents(web.bench.authority.database) == before


def test_another_vendor_needs_its_trust_file_and_the_thumbprint(web: Web, tmp_path: Path) -> None:
    maker = RealVendor.make(tmp_path / "maker")
    made = maker.authorize(web.bench.authority, sample_toml())
    chief = Browser(web).be(Role.ADMINISTRATOR)
    upload(chief, made.file)
    assert (chief.last.status_code, "the trust file and the thumbprint" in shown(chief)) == (409, True)
    upload(chief, made.file, trust_file=(BytesIO(made.trust_file), "new.trust"))
    assert (chief.last.status_code, f"has the root key {maker.thumbprint}" in shown(chief)) == (409, True)
    fields = hidden(chief)
    chief.send_form(INSTALL, {name: fields[name] for name in ("authorization", "trust")} | {"accept_root": maker.thumbprint})
    assert f"Change: root key: {web.bench.root.public.kid} -> {maker.thumbprint}" in shown(chief)
    agree(chief)
    assert "Carry the new trust file to the workstations" in shown(chief)
    assert web.get("/trust").get_json() == json.loads(made.trust_file)


def test_a_license_manager_sees_it_and_installs_nothing(web: Web) -> None:
    manager = Browser(web).be(Role.LICENSE_MANAGER)
    manager.get(AUTHORIZATION)
    assert "See what changes" not in shown(manager)
    upload(manager, file(web))
    assert manager.last.status_code == 403
