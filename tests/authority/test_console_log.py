"""The page Log: events by who, what and when, one in full, and all that fits as a file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest

from authority.domain.members import CONSOLE, Role
from authority.services import endings, log
from authority.services.unit import Unit
from authority.signing import checkpoints
from authority.storage.events import Filter
from tests.support.authorities import Bench, make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.browsing import Browser, shown
from tests.support.connecting import started
from tests.support.sealed_logs import changed, end_cut_off, sealed_log, value_changed
from tests.support.statements import statements
from tests.support.web import Web, make_web

LOG = "/console/log"


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """Ada went offline, and her license was revoked a day later; bea is at work."""
    folder = tmp_path_factory.mktemp("log")
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    made = make_web(bench)
    ada, bea = bench.member("ada"), bench.member("bea")
    borrow = issued_to(bench, ada, workstation("field"), days=9).borrow
    bench.clock.turn(days=1)
    endings.revoke(Unit(bench.authority, CONSOLE), borrow.id, "=left the company")
    started(bench, bea, workstation("tower"))
    yield made
    bench.authority.database.close()


def kinds(text: str) -> list[str]:
    return [row["kind"] for row in csv.DictReader(text.splitlines())]


def test_filters_are_in_the_address_and_every_file_has_the_same(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    # So that a file takes several pages.
    monkeypatch.setattr(log, "PAGE", 2)
    analyst = Browser(web).be(Role.ANALYST)
    for query, expected in (
        ("member=ADA&oldest=true", ["member-added", "license-assigned", "checkout", "revocation"]),
        ("member=ada", ["revocation", "checkout", "license-assigned", "member-added"]),
        ("kind=revocation", ["revocation"]),
        ("machine=tower", ["checkout"]),
        ("since=2026-03-03&member=ada", ["revocation"]),
        ("until=2026-03-02&member=ada", ["checkout", "license-assigned", "member-added"]),
        ("actor=ada", ["checkout"]),
        ("kind=clock-reset", []),
    ):
        analyst.get(f"{LOG}?{query}")
        text = shown(analyst)
        assert ("Nothing fits these filters" in text) is (expected == []), query
        assert kinds(analyst.get(f"{LOG}/listed.csv?{query}").text) == expected, query
        lines = analyst.get(f"{LOG}/listed.jsonl?{query}").text.splitlines()
        assert [json.loads(line)["kind"] for line in lines] == expected, query
        table = pq.read_table(io.BytesIO(analyst.get(f"{LOG}/listed.parquet?{query}").data))
        assert table["kind"].to_pylist() == expected, query
    assert analyst.last.headers["Content-Disposition"] == 'attachment; filename="log.parquet"'
    assert len(kinds(analyst.get(f"{LOG}/listed.csv").text)) == len(web.get("/events?limit=1000").get_json()["items"])
    assert "'=left the company" in analyst.get(f"{LOG}/listed.csv?kind=revocation").text


def test_the_checkout_log_for_analysts_is_there_in_each_format(web: Web) -> None:
    analyst = Browser(web).be(Role.ANALYST)
    expected = [row["event"] for row in map(json.loads, web.get("/checkout-log").text.splitlines())]
    rows = csv.DictReader(analyst.get(f"{LOG}/checkouts.csv").text.splitlines())
    assert [row["event"] for row in rows] == expected != []
    assert [json.loads(line)["event"] for line in analyst.get(f"{LOG}/checkouts.jsonl").text.splitlines()] == expected
    table = pq.read_table(io.BytesIO(analyst.get(f"{LOG}/checkouts.parquet").data))
    assert table["event"].to_pylist() == expected


def test_one_event_is_shown_in_full_and_leads_to_its_borrow(web: Web) -> None:
    chief = Browser(web).be(Role.ADMINISTRATOR)
    (event,) = web.get("/events?kind=revocation").get_json()["items"]
    chief.get(f"{LOG}/{event['id']}")
    text = shown(chief)
    for words in ("revocation", "ada", "field", "=left the company", "2026-03-11 09:00 UTC", event["machine"]):
        assert words in text
    assert f'href="/console/offline/{event["handle"]}"' in chief.last.text
    assert "/console/offline/" not in Browser(web).be(Role.ANALYST).get(f"{LOG}/{event['id']}").text
    for number, status in ((10**6, 404), (2**63 - 1, 404), (2**63, 404)):
        assert chief.get(f"{LOG}/{number}").status_code == status


def test_what_is_wrong_with_a_filter_is_said_beside_the_form(web: Web) -> None:
    analyst = Browser(web).be(Role.ANALYST)
    for query, status, words in (
        ("member=nobody", 404, 'There is no member "nobody"'),
        ("since=yesterday", 400, "It should be a day as"),
        ("until=9999-12-31", 400, "It should be less than"),
        ("kind=party", 400, "It should be "),
        ("cursor=x", 400, "Begin again"),
        (f"cursor={2**63}", 400, "Begin again"),
    ):
        analyst.get(f"{LOG}?{query}")
        assert (analyst.last.status_code, words in shown(analyst)) == (status, True), query
    assert analyst.get(f"{LOG}/listed.csv?member=nobody").status_code == 404
    assert Browser(web).be(Role.LICENSE_MANAGER).get(f"{LOG}/checkouts.csv").status_code == 403


def test_the_log_of_a_member_is_found_by_an_index(sqlite_bench: Bench) -> None:
    sqlite_bench.member("ada")
    wanted = Filter(newest=True, limit=100)
    queries = statements(sqlite_bench, lambda: log.listed(Unit(sqlite_bench.authority, CONSOLE), wanted, "ADA"))
    query, parameters = next(item for item in queries if "LIMIT" in item[0] and "events" in item[0])
    with sqlite_bench.authority.database.read() as connection:
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)]
    assert plan[0].startswith("SEARCH events USING INDEX ix_events_member (member=?")


def test_the_seal_is_verified_in_parts_and_says_what_is_wrong(sqlite_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    web, numbers = make_web(sqlite_bench), sealed_log(sqlite_bench, (4, 5, 6))
    analyst = Browser(web).be(Role.ANALYST)
    monkeypatch.setattr("authority.web.console.log.ROWS_AT_ONCE", 6)
    assert "Up to row" in shown_at(analyst, f"{LOG}/seal")
    for address in (LOG, f"{LOG}/seal"):
        assert "log export --format sealed" in shown_at(analyst, address)
    text = shown_at(analyst, f"{LOG}/seal?verify=true")
    assert "intact" in text
    assert f"rows {numbers[-6]} to {numbers[-1]} (6 of them)" in text
    assert "kept elsewhere" in text
    earlier = numbers[-7]
    assert f"Verify earlier rows, up to {earlier}" in text
    changed_row = value_changed(numbers[-8], "actor")
    with changed(sqlite_bench, changed_row):
        assert "not intact" not in shown_at(analyst, f"{LOG}/seal?verify=true")
        text = shown_at(analyst, f"{LOG}/seal?verify=true&up_to={earlier}")
        assert "not intact" in text
        assert f"row {numbers[-8]}: not what was sealed" in text
    with changed(sqlite_bench, end_cut_off(numbers[-6], checkpoints_too=True)):
        assert "cut off" in shown_at(analyst, f"{LOG}/seal?verify=true")
    data = analyst.get(f"{LOG}/seal/newest.checkpoint").data
    assert checkpoints.stated(checkpoints.compact_of(data)).end.last == numbers[-1]


def shown_at(browser: Browser, address: str) -> str:
    browser.get(address)
    return shown(browser)
