"""The page Keys: which sign, the root to compare, another one beside them, and retiring with what it means far away."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from authority.domain.catalogue import KeyUse
from authority.domain.members import Role
from tests.support.authorities import make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, shown
from tests.support.web import Web, make_web

KEYS = "/console/keys"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    """Ada is offline."""
    bench = make_bench(f"sqlite:///{tmp_path / 'authority.db'}", tmp_path / "home")
    made = make_web(bench)
    issued_to(bench, bench.member("ada"), workstation("field"), days=9)
    yield made
    bench.authority.database.close()


def test_keys_are_shown_with_the_root_to_compare_and_the_public_ones_for_the_vendor(web: Web) -> None:
    chief, ring = Browser(web).be(Role.ADMINISTRATOR), web.bench.authority.ring
    chief.get(KEYS)
    text = shown(chief)
    assert f'value="{web.bench.root.public.kid}" readonly' in chief.last.text
    for kid in (*ring.kids(KeyUse.BORROW), *ring.kids(KeyUse.STATUS)):
        assert kid in text
    assert text.count("● signs") == 2
    assert "Not authorized yet" not in text
    public = json.loads(chief.get(f"{KEYS}/public").data)
    assert public == web.get("/keys/public").get_json()
    assert 'filename="Field-Survey-public-keys.json"' in chief.last.headers["Content-Disposition"]
    rows = list(csv.DictReader(chief.get(f"{KEYS}.csv").text.splitlines()))
    assert [row["borrows_out"] for row in rows if row["use"] == "borrow"] == ["1"]


def test_new_keys_are_made_beside_those_that_are_there_and_then_one_is_retired(web: Web) -> None:
    chief, ring = Browser(web).be(Role.ADMINISTRATOR), web.bench.authority.ring
    (old,) = ring.kids(KeyUse.BORROW)
    chief.send_form(f"{KEYS}/rotate")
    assert (chief.last.status_code, "Tick at least one use" in shown(chief)) == (400, True)
    chief.send_form(f"{KEYS}/{old}/retire")
    assert (chief.last.status_code, "last-key" in shown(chief)) == (409, True)
    assert "the page Keys, to make one" in shown(chief)
    chief.send_form(f"{KEYS}/rotate", {"uses": "borrow"})
    assert "a new key signs as soon as an authorization names it" in shown(chief)
    assert ring.kids(KeyUse.BORROW) == [old]
    assert chief.agree(f"{KEYS}/rotate", {"uses": "borrow"}).status_code == 303
    chief.get(chief.last.location)
    assert "Not authorized yet: the borrow key" in shown(chief)
    assert len(ring.kids(KeyUse.BORROW)) == 2
    # After a theft another key is enough that is not authorized yet.
    chief.send_form(f"{KEYS}/{old}/retire", {"stolen": "true"})
    text = shown(chief)
    for words in ("a machine that is away does not know", "1 out with its signature", "docs/drills/stolen-key.md"):
        assert words in text
    assert old in ring.kids(KeyUse.BORROW)
    chief.agree(f"{KEYS}/{old}/retire", {"stolen": "true"})
    chief.get(chief.last.location)
    assert "▲ stolen" in shown(chief)
    assert old not in ring.kids(KeyUse.BORROW)


def test_what_a_retired_key_signed_stays_good_and_it_says_until_when_it_is_needed(web: Web) -> None:
    chief, ring = Browser(web).be(Role.ADMINISTRATOR), web.bench.authority.ring
    kid = ring.add(KeyUse.BORROW)
    chief.send_form(f"{KEYS}/{kid}/retire")
    assert "No workstation needs to know it any more" in shown(chief)
    chief.agree(f"{KEYS}/{kid}/retire", {})
    assert web.get("/keys").get_json()["items"][-1]["stolen"] is False
    chief.send_form(f"{KEYS}/{'x' * 43}/retire")
    assert chief.last.status_code == 404
