"""The page API keys: who has which, the secret shown once, and revoking one and many."""

from __future__ import annotations

import csv
import re
from typing import Any

from authority.domain.members import Role
from tests.support.browsing import Browser, shown
from tests.support.database_contents import contents
from tests.support.web import API, Web

KEYS = "/console/api-keys"


def keys(web: Web) -> dict[str, dict[str, Any]]:
    """The keys by what they are for, without those that the tests themselves have."""
    return {item["name"]: item for item in web.get("/api-keys").get_json()["items"] if item["name"] != "test"}


def test_a_key_is_made_with_its_secret_shown_once(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    fields = {"name": "nightly report", "member": "ANALYST", "scopes": ["log", "read"], "last_day": "2026-03-31"}
    chief.send_form(f"{KEYS}/create", fields)
    match = re.search(r'id="secret" value="([^"]+)" readonly', chief.last.text)
    assert match is not None
    assert "until" in shown(chief).lower()
    assert web.client.get(f"{API}/events", headers={"Authorization": f"Bearer {match[1]}"}).status_code == 200
    made = keys(web)["nightly report"]
    assert (made["member"], made["scopes"], made["expires_at"]) == ("analyst", ["read", "log"], "2026-04-01T00:00:00Z")
    chief.get(KEYS)
    assert "nightly report" in shown(chief)
    assert match[1] not in chief.last.text
    rows = list(csv.DictReader(chief.get(f"{KEYS}.csv").text.splitlines()))
    assert match[1] not in chief.last.text
    assert [row["member"] for row in rows if row["name"] == "nightly report"] == ["analyst"]


def test_what_is_wrong_with_a_new_key_is_said_and_what_was_typed_stays(web: Web) -> None:
    chief, before = Browser(web).be(Role.ADMINISTRATOR), contents(web.bench.authority.database)
    good = {"name": "report", "member": "analyst"}
    for wrong, status, words in (
        ({"name": ""}, 400, "What it is for: It has to be filled in"),
        ({"member": "nobody"}, 404, 'There is no member "nobody"'),
        ({"scopes": "world"}, 400, "What of the member's role it is for: It should be"),
        ({"last_day": "2026-03-01"}, 400, "would have ended already"),
        ({"last_day": "soon"}, 400, "Last day (UTC): It should be a day"),
    ):
        chief.send_form(f"{KEYS}/create", {**good, **wrong})
        assert (chief.last.status_code, words in shown(chief)) == (status, True), wrong
        assert "-error" in chief.last.text, wrong
    assert 'value="report"' in chief.last.text
    # All that is wrong is told, each at its field.
    chief.send_form(f"{KEYS}/create", {"name": "x", "member": "nobody", "last_day": "2026-03-01"})
    assert [f'id="{name}-error"' in chief.last.text for name in ("name", "member", "last_day")] == [False, True, True]
    assert "would have ended already" in shown(chief)
    assert 'The member that it acts as: there is no member "nobody"' in shown(chief)
    chief.get(f"{KEYS}?cursor={'x' * 22}")
    assert (chief.last.status_code, "Begin again" in shown(chief)) == (400, True)
    chief.send_form(f"{KEYS}/revoke")
    assert (chief.last.status_code, "Tick at least one key" in shown(chief)) == (400, True)
    assert contents(web.bench.authority.database) == before


def test_one_and_many_are_revoked_after_what_follows_was_seen(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    for name in ("first", "second", "third"):
        chief.send_form(f"{KEYS}/create", {"name": name, "member": "member"})
    ids = {name: item["id"] for name, item in keys(web).items()}
    chief.send_form(f"{KEYS}/revoke", {"ids": ids["first"]})
    assert "is refused from its next request on" in shown(chief)
    assert keys(web)["first"]["revoked_at"] is None
    assert chief.agree(f"{KEYS}/revoke", {"ids": ids["first"]}).status_code == 303
    chief.get(chief.last.location)
    assert "The key first of member is revoked." in shown(chief)
    chief.agree(f"{KEYS}/revoke", {"ids": [ids["second"], ids["third"], "x" * 22]})
    assert "2 of 3 API keys revoked" in shown(chief)
    assert all(keys(web)[name]["revoked_at"] for name in ("first", "second", "third"))
