"""What an administrator looks at first: who is offline and what looks stuck, the figures, the log, keys, and a file from a stick."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from authority.domain.catalogue import KeyUse
from authority.domain.members import CONSOLE, Role
from authority.domain.seats_by_day import DAY, peaks
from authority.domain.stuck import SILENT_FOR, Cause, Trace
from authority.services import borrow, endings, log
from authority.services.unit import Unit
from authority.storage.db.tables import borrows
from tests.support.authorities import ON_SQLITE, START, Bench
from tests.support.borrowing import disable, issued_to, workstation
from tests.support.connecting import started
from tests.support.console import Console
from tests.support.web import Web, make_web, problem
from verifier.workstation.carry import Wish


@pytest.fixture
def web(bench: Bench) -> Web:
    return make_web(bench)


def test_what_looks_stuck_says_why_and_is_found(web: Web) -> None:
    bench = web.bench
    ada, bob = bench.member("ada"), bench.member("bob")
    laptop = workstation("laptop")
    first = issued_to(bench, ada, laptop, days=20).borrow
    second = issued_to(bench, bob, workstation("tower"), days=30).borrow
    rows = web.get("/offline").get_json()["items"]
    assert [(row["id"], row["stuck"]) for row in rows] == [(first.id, []), (second.id, [])]
    bench.clock.turn(days=1)
    # The laptop is set up anew: another key under its id.
    started(bench, ada, workstation("laptop"), "arcgis-desktop")
    disable(bench, "bob")
    (anew, disabled) = web.get("/offline?stuck=true").get_json()["items"]
    assert [sign["cause"] for sign in anew["stuck"]] == ["machine-set-up-anew"]
    assert [sign["cause"] for sign in disabled["stuck"]] == ["member-disabled"]
    assert anew["last_sign_at"] == first.issued_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert [row["id"] for row in web.get("/offline?due_within=20").get_json()["items"]] == [first.id]
    assert [row["id"] for row in web.get("/offline?member=BOB&limit=1").get_json()["items"]] == [second.id]
    sheet = list(csv.DictReader(io.StringIO(web.get("/offline?format=csv").get_data(as_text=True), newline="")))
    assert sheet[1]["stuck_because"] == "its member is disabled"
    page = web.get("/offline?limit=1").get_json()
    assert [row["id"] for row in web.get(f"/offline?cursor={page['next']}").get_json()["items"]] == [second.id]


def test_a_machine_that_is_silent_for_long_is_told_only_while_it_has_long_to_go() -> None:
    now = START
    trace = Trace("b", now + timedelta(days=90), now - SILENT_FOR, False, None, None, None)
    assert [sign.cause for sign in trace.signs(now)] == [Cause.SILENT]
    assert trace.signs(now - timedelta(seconds=1)) == ()
    assert trace.signs(trace.expires_at - timedelta(days=13)) == ()


def test_the_figures_are_those_of_the_lists(web: Web) -> None:
    bench = web.bench
    ada = bench.member("ada")
    issued_to(bench, ada, workstation("laptop"), days=3)
    started(bench, ada, workstation("tower"), "arcgis-desktop")
    problem(
        web.post("/borrows", {"request": workstation("other").request(Wish("arcgis-pro"), bench.clock()), "member": "ada"}),
        409,
        "already-borrowed",
    )
    bench.clock.turn(hours=2)
    shown = web.get("/overview").get_json()
    assert (shown["offline"], shown["due_today"], shown["due_this_week"], shown["stuck"], shown["not_returned"]) == (
        1,
        0,
        1,
        0,
        0,
    )
    assert shown["members"] == {"current": 6, "maximum": 50}
    assert shown["denials"] == [{"code": "already-borrowed", "count": 1}]
    assert shown["ends_by_day"] == [{"day": "2026-03-05", "count": 1}]
    pro = next(product for product in shown["products"] if product["product"] == "arcgis-pro")
    (advanced,) = [row for row in pro["features"] if row["feature"] == "Advanced"]
    assert (advanced["used"], advanced["borrowed"], advanced["free"]) == (5, 1, advanced["licensed"] - 5)
    assert (len(shown["days"]), shown["days"][-1], pro["in_use_by_day"][-2:]) == (30, "2026-03-02", [0, 1])
    bench.clock.turn(days=4)
    later = web.get("/overview").get_json()
    assert (later["offline"], later["not_returned"], later["denials"]) == (0, 1, [])
    assert web.get("/overview", Role.LICENSE_MANAGER).get_json()["denials"] is None


def test_seats_of_a_day_are_the_most_at_once_at_any_moment() -> None:
    hour = DAY // 24
    noon, now = 10 * DAY + 12 * hour, 12 * DAY + hour
    uses = [
        ("p", noon - 300 * hour, noon + 300 * hour),
        ("p", noon, noon + 1),
        ("p", noon, noon + 5),
        # From the moment at which another is freed, and for no time at all.
        ("p", noon + 5, noon + 6),
        ("p", noon + 3, noon + 3),
        ("p", noon + DAY, now),
        ("p", now + 1, now + 2),
        ("q", 12 * DAY, now + DAY),
    ]
    assert peaks(uses, 10, now) == {"p": [3, 2, 2], "q": [0, 0, 1]}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.just("p"), st.integers(0, 3 * DAY), st.integers(0, DAY)), max_size=8))
def test_seats_of_a_day_are_those_of_counting_each_moment(drawn: list[tuple[str, int, int]]) -> None:
    uses = [(product, taken, taken + length) for product, taken, length in drawn]
    now = 3 * DAY - 1
    moments = {at for _, taken, _ in uses for at in (taken,)} | {day * DAY for day in range(3)}
    counts = [0, 0, 0]
    for at in moments - {at for at in moments if at > now}:
        in_use = sum(taken <= at < freed for _, taken, freed in uses)
        counts[at // DAY] = max(counts[at // DAY], in_use)
    assert peaks(uses, 0, now).get("p", [0, 0, 0]) == counts


@ON_SQLITE
def test_the_log_is_found_by_who_what_and_when_and_read_from_its_end(web: Web) -> None:
    bench = web.bench
    ada = bench.member("ada")
    bench.clock.turn(days=1)
    issued = issued_to(bench, ada, workstation("laptop"), days=3).borrow

    def kinds(query: str) -> list[str]:
        return [item["kind"] for item in web.get(f"/events?{query}").get_json()["items"]]

    assert kinds("member=ADA") == ["member-added", "license-assigned", "checkout"]
    assert (
        kinds("member=ada&newest=true&limit=1")
        == kinds(f"handle={issued.id}")
        == kinds("since=2026-03-03T00:00:00Z")
        == ["checkout"]
    )
    assert kinds("actor=ada&until=2026-03-03T00:00:00Z") == []
    page = web.get("/events?newest=true&limit=2").get_json()
    following = web.get(f"/events?newest=true&limit=2&before={page['next']}").get_json()
    assert [item["id"] for item in page["items"] + following["items"]] == list(
        range(page["items"][0]["id"], page["items"][0]["id"] - 4, -1)
    )
    (row,) = web.get(f"/events?handle={issued.id}").get_json()["items"]
    assert web.get(f"/events/{row['id']}").get_json() == row
    problem(web.get("/events?kind=nothing"), 400, "invalid-input")
    lines = web.get("/checkout-log").get_data(as_text=True).splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["checkout"]
    assert web.get("/checkout-log?format=csv").get_data(as_text=True).splitlines()[0] == ",".join(log.COLUMNS)
    assert web.get(f"/checkout-log?after={row['id']}").get_data() == b""
    assert web.get("/checkout-log?format=parquet").get_data()[:4] == b"PAR1"


@ON_SQLITE
def test_keys_say_what_they_sign_and_what_still_needs_them(web: Web) -> None:
    bench = web.bench
    issued_to(bench, bench.member("ada"), workstation("laptop"), days=3)
    made = web.post("/keys", {"uses": ["borrow"]}).get_json()["items"]
    assert [(key["use"], key["authorized"], key["signs_now"]) for key in made] == [("borrow", False, False)]
    shown = web.get("/keys").get_json()
    assert shown["roots"] == [bench.root.public.kid]
    signing = next(key for key in shown["items"] if key["use"] == "borrow" and key["signs_now"])
    assert (signing["borrows_out"], signing["authorized"], signing["begins_at"] is not None) == (1, True, True)
    problem(web.post(f"/keys/{signing['kid']}/retire", {}), 409, "last-key")
    assert web.post(f"/keys/{signing['kid']}/retire", {"stolen": True, "dry_run": True}).get_json()["stolen"]
    assert bench.authority.ring.retired == {}
    assert {key["use"] for key in web.get("/keys/public").get_json()["keys"]} == set(KeyUse)


@ON_SQLITE
def test_a_file_from_a_stick_is_looked_at_and_a_request_is_tried(web: Web) -> None:
    bench, laptop = web.bench, workstation("laptop")
    ada = bench.member("ada")
    request = laptop.request(Wish("arcgis-pro", days=9), bench.clock())
    file = {"carnet": "request", "version": 1, "request": request}
    seen = web.post("/carried-files", {"file": file}).get_json()
    assert (seen["kind"], seen["request"]["days"], seen["request"]["machine"]["alias"], seen["borrow"]) == (
        "request",
        9,
        "laptop",
        None,
    )
    events_before = len(web.get("/events").get_json()["items"])
    tried = web.post("/borrows", {"request": request, "member": "ada", "dry_run": True})
    assert (tried.status_code, tried.get_json()["file"], tried.get_json()["borrow"]["days_left"]) == (200, None, 9)
    assert (web.get("/offline").get_json()["items"], len(web.get("/events").get_json()["items"])) == ([], events_before)
    issued = borrow.issue(Unit(bench.authority, ada), request)
    assert web.post("/carried-files", {"file": file}).get_json()["borrow"]["id"] == issued.borrow.id
    receipt = {"carnet": "return", "version": 1, "receipt": laptop.receipt_for(issued.file, bench.clock())}
    assert web.post("/carried-files", {"file": receipt}).get_json()["borrow"]["id"] == issued.borrow.id
    # Somebody else's member learns nothing of it.
    assert web.post("/carried-files", {"file": receipt}, Role.MEMBER).get_json()["borrow"] is None
    other = web.post("/carried-files", {"file": json.loads(issued.file)}).get_json()
    assert (other["kind"], other["next_step"]) == ("borrow", "It is for a workstation: carnet install FILE.")
    problem(web.post("/carried-files", {"file": {"carnet": "cake"}}), 400, "request-invalid")


@ON_SQLITE
def test_a_dry_run_of_an_ending_shows_what_is_and_changes_nothing(web: Web) -> None:
    bench = web.bench
    ids = [issued_to(bench, bench.member(name), workstation(name), days=3).borrow.id for name in ("ada", "bob")]
    body = {"reason": "lost", "dry_run": True}
    accepted = body | {"accept_overlap": True}
    for path, sent in ((f"/borrows/{ids[0]}/revoke", body), (f"/borrows/{ids[0]}/release", accepted)):
        shown = web.post(path, sent).get_json()
        assert (shown["dry_run"], shown["borrow"]["state"]) == (True, "active")
    assert [item["borrow"]["state"] for item in web.post("/borrows/release", accepted | {"ids": ids}).get_json()["items"]] == [
        "active"
    ] * 2
    problem(web.post("/borrows/release", {"ids": ids, "reason": "lost"}), 409, "overlap-not-accepted")
    assert len(web.get("/offline").get_json()["items"]) == 2
    revoked = web.post("/borrows/revoke", {"ids": [*ids, "A" * 22], "reason": "audit", "one_by_one": True}).get_json()
    assert [item["ok"] for item in revoked["items"]] == [True, True, False]
    assert endings.release(Unit(bench.authority, CONSOLE), ids[0], "lost", accept_overlap=True).id == ids[0]


def test_the_commands_show_the_same(console: Console) -> None:
    made = console.borrow(workstation("laptop"), "ada", "arcgis-pro", days=3)
    assert [row["id"] for row in console.good("borrow", "offline")] == [made["id"]]
    assert console.good("borrow", "offline", "--stuck") == []
    assert console.good("overview")["offline"] == 1
    assert "looks stuck     0" in console.run("overview").out
    assert console.good("log", "list", "--handle", made["id"])[0]["kind"] == "checkout"
    number = console.good("log", "list", "--limit", "1")[0]["id"]
    assert console.good("log", "show", str(number))["id"] == number
    assert console.good("trust", "show")["roots"]
    assert [row["username"] for row in console.good("member", "list", "--offline")] == ["ada"]


def test_the_time_of_a_borrow_counts_not_its_row(web: Web) -> None:
    """A borrow that time has ended is in no list of who is offline, though its row says nothing of it."""
    bench = web.bench
    issued = issued_to(bench, bench.member("ada"), workstation("laptop"), days=3).borrow
    with bench.authority.database.write() as connection:
        connection.execute(update(borrows).values(seat_free_at=bench.clock() + timedelta(days=99)))
    bench.clock.at = issued.expires_at
    assert web.get("/offline").get_json()["items"] == []
    assert web.get("/members?offline=true").get_json()["items"] == []
