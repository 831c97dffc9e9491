"""Rules about the seats of concurrent products, as borrows and sessions meet them, on both databases, by command and REST."""

from __future__ import annotations

from typing import Any

import pytest

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.pools import PoolRule
from authority.domain.refusals import PoolExhausted
from authority.services import borrow, endings, pools
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.borrowing import at_once, codes, issued_to, seats_held, workstation
from tests.support.connecting import own_seats, started, used
from tests.support.console import Console
from tests.support.database_contents import log_rows, row_counts
from tests.support.web import Web, problem
from verifier.workstation.carry import Wish

DESKTOP = "arcgis-desktop"


def rule(bench: Bench, feature: str = "Advanced", group: str = "", **values: Any) -> None:
    pools.change(Unit(bench.authority, CONSOLE), PoolRule(DESKTOP, feature, group, **values))


def members(bench: Bench, count: int, group: str | None = None, prefix: str = "m") -> list[Actor]:
    groups = () if group is None else (group,)
    return [bench.member(f"{prefix}{number}", groups=groups) for number in range(count)]


def test_low_water_keeps_seats_for_sessions(bench: Bench) -> None:
    rule(bench, low_water=8)
    people = members(bench, 4)
    for actor in people[:2]:
        issued_to(bench, actor, workstation(actor.username), DESKTOP)
    with pytest.raises(PoolExhausted) as caught:
        issued_to(bench, people[2], workstation("third"), DESKTOP)
    assert caught.value.evidence == {"feature": "Advanced", "seats": 10, "borrowed": 2, "most_borrowed": 2}
    assert log_rows(bench.authority.database, "denial")[0]["reason"] == "pool-exhausted"
    assert started(bench, people[2], workstation("third"), DESKTOP).is_new
    assert seats_held(bench, DESKTOP, "Advanced") == 3


def test_the_last_seat_above_the_low_water_goes_to_one_of_twenty(bench: Bench) -> None:
    rule(bench, low_water=7)
    people = members(bench, 22)
    for actor in people[:2]:
        issued_to(bench, actor, workstation(actor.username), DESKTOP)
    requests = [workstation(f"w{n}").request(Wish(DESKTOP, days=3), bench.clock()) for n in range(20)]
    calls = [
        lambda actor=actor, request=request: borrow.issue(Unit(bench.authority, actor), request)
        for actor, request in zip(people[2:], requests, strict=True)
    ]
    assert codes(at_once(calls)) == {"done": 1, "pool-exhausted": 19}
    assert seats_held(bench, DESKTOP, "Advanced") == 3


def test_a_renewal_needs_no_seat_however_the_rule_changed(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = issued_to(bench, ada, laptop, DESKTOP, days=3)
    rule(bench, most_borrowed=0)
    renewed = issued_to(bench, ada, laptop, DESKTOP, days=9)
    assert renewed.borrow.id == first.borrow.id
    assert renewed.borrow.expires_at > first.borrow.expires_at


def test_reserved_seats_wait_for_their_group(bench: Bench) -> None:
    rule(bench, group="crew", reserved=9)
    office, crew = members(bench, 2, "office", "o"), members(bench, 9, "crew", "c")
    issued_to(bench, office[0], workstation("o0"), DESKTOP)
    with pytest.raises(PoolExhausted) as caught:
        started(bench, office[1], workstation("o1"), DESKTOP)
    assert caught.value.evidence["reserved"] == {"crew": 9}
    for number, actor in enumerate(crew):
        (started if number % 2 else issued_to)(bench, actor, workstation(actor.username), DESKTOP)
    assert seats_held(bench, DESKTOP, "Advanced") == 10


def test_a_group_reaches_its_maximum_by_sessions_and_borrows_together(bench: Bench) -> None:
    rule(bench, group="crew", maximum=2)
    crew = members(bench, 3, "crew")
    issued_to(bench, crew[0], workstation("c0"), DESKTOP)
    started(bench, crew[1], workstation("c1"), DESKTOP)
    for attempt in (started, issued_to):
        with pytest.raises(PoolExhausted) as caught:
            attempt(bench, crew[2], workstation("c2"), DESKTOP)
        assert caught.value.evidence == {"feature": "Advanced", "group": "crew", "in_use": 2, "maximum": 2}
    assert started(bench, bench.member("eve"), workstation("eve"), DESKTOP).is_new


def test_a_level_without_seats_is_served_from_a_higher_one_and_says_so(bench: Bench) -> None:
    ada, eve = members(bench, 2)
    laptop, desk = workstation("laptop"), workstation("desk")
    with pytest.raises(PoolExhausted):
        issued_to(bench, ada, laptop, DESKTOP, level="Basic")
    rule(bench, "Basic", from_higher=True)
    first = issued_to(bench, ada, laptop, DESKTOP, level="Basic").borrow
    assert (first.level, seats_held(bench, DESKTOP, "Advanced")) == ("Advanced", 1)
    assert log_rows(bench.authority.database, "checkout")[0]["feature"] == "Advanced"
    again = issued_to(bench, ada, laptop, DESKTOP, level="Basic", days=20).borrow
    assert (again.id, again.level) == (first.id, "Advanced")
    session = started(bench, eve, desk, DESKTOP, level="Basic").session
    assert session.level == "Advanced"
    assert started(bench, eve, desk, DESKTOP, level="Basic").session.id == session.id
    assert seats_held(bench, DESKTOP, "Advanced") == 2


def test_a_borrow_takes_over_the_seat_of_the_session_on_its_machine(bench: Bench) -> None:
    """Even with all other seats in use: the member has that seat already."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    session = started(bench, ada, laptop, DESKTOP).session
    for actor in members(bench, 9):
        issued_to(bench, actor, workstation(actor.username), DESKTOP)
    assert issued_to(bench, ada, laptop, DESKTOP).is_new
    assert seats_held(bench, DESKTOP, "Advanced") == 10
    assert own_seats(bench, session) == []
    assert used(bench, ada, session.id).session.id == session.id
    assert seats_held(bench, DESKTOP, "Advanced") == 10


def test_a_refused_borrow_leaves_the_session_its_seat(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    session = started(bench, ada, laptop, DESKTOP).session
    rule(bench, most_borrowed=0)
    with pytest.raises(PoolExhausted):
        issued_to(bench, ada, laptop, DESKTOP)
    assert own_seats(bench, session) == ["Advanced"]


def test_a_session_on_another_machine_keeps_its_own_seat(bench: Bench) -> None:
    ada = bench.member("ada")
    session = started(bench, ada, workstation("desk"), DESKTOP).session
    issued_to(bench, ada, workstation("laptop"), DESKTOP)
    assert own_seats(bench, session) == ["Advanced"]
    assert seats_held(bench, DESKTOP, "Advanced") == 2


def test_the_seat_of_a_named_license_is_one_for_session_and_borrow(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    session = started(bench, ada, laptop).session
    offline = issued_to(bench, ada, laptop).borrow
    assert (own_seats(bench, session), seats_held(bench, "arcgis-pro", "Advanced")) == ([], 1)
    endings.release(Unit(bench.authority, CONSOLE), offline.id, "lost", accept_overlap=True)
    used(bench, ada, session.id)
    assert own_seats(bench, session) == ["Advanced"]


def test_pools_are_shown_with_use_and_rules(bench: Bench) -> None:
    rule(bench, low_water=2)
    rule(bench, group="crew", reserved=3, maximum=5)
    issued_to(bench, members(bench, 1, "crew")[0], workstation("c0"), DESKTOP)
    started(bench, bench.member("eve"), workstation("eve"), DESKTOP)
    states = {item.rule.feature: item for item in pools.states(Unit(bench.authority, CONSOLE), DESKTOP)}
    advanced = states["Advanced"]
    assert (advanced.licensed, advanced.in_use, advanced.borrowed, advanced.borrowable) == (10, 2, 1, 8)
    assert [(item.group, item.reserved, item.maximum, item.in_use) for item in advanced.groups] == [("crew", 3, 5, 1)]
    assert states["Basic"].groups == ()
    assert {item.rule.product for item in pools.states(Unit(bench.authority, CONSOLE))} == {DESKTOP}


def test_a_rule_replaces_the_one_before_and_is_logged(bench: Bench) -> None:
    rule(bench, low_water=2)
    rule(bench, most_borrowed=5)
    assert pools.states(Unit(bench.authority, CONSOLE), DESKTOP)[2].rule == PoolRule(DESKTOP, "Advanced", most_borrowed=5)
    pools.remove(Unit(bench.authority, CONSOLE), DESKTOP, "Advanced", "")
    assert row_counts(bench.authority.database)["pool_rules"] == 0
    reasons = [row["reason"] for row in log_rows(bench.authority.database, "pool-rule-changed")]
    assert reasons == ["2 never borrowed", "5 borrowed at most", "removed"]


def test_pools_by_command(console: Console) -> None:
    console.good("pool", "set", DESKTOP, "Advanced", "--low-water", "2")
    row = console.good("pool", "set", DESKTOP, "Advanced", "--group", "crew", "--reserved", "3", "--maximum", "6")
    assert (row["group"], row["reserved"], row["maximum"]) == ("crew", 3, 6)
    advanced = console.good("pool", "show", "--product", DESKTOP)[2]
    assert (advanced["feature"], advanced["borrowable"], advanced["groups"][0]["group"]) == ("Advanced", 8, "crew")
    assert "crew: 0 in use of at most 6, 3 reserved" in " ".join(console.run("pool", "show").out.split())
    console.good("pool", "remove", DESKTOP, "Advanced", "--group", "crew")
    assert console.good("pool", "show")[2]["groups"] == []


BAD_COMMANDS = {
    "no such product": ("no-such-product", ("set", "nothing", "Advanced", "--low-water", "1")),
    "no such feature": ("no-such-product", ("set", DESKTOP, "Ultimate", "--low-water", "1")),
    "named product": ("invalid-input", ("set", "arcgis-pro", "Advanced", "--low-water", "1")),
    "nothing set": ("invalid-input", ("set", DESKTOP, "Advanced")),
    "below zero": ("invalid-input", ("set", DESKTOP, "Advanced", "--low-water=-1")),
    "above the seats": ("invalid-input", ("set", DESKTOP, "Advanced", "--low-water", "11")),
    "huge": ("invalid-input", ("set", DESKTOP, "Advanced", "--low-water", "9" * 30)),
    "reserved without a group": ("invalid-input", ("set", DESKTOP, "Advanced", "--reserved", "1")),
    "group with control characters": ("invalid-input", ("set", DESKTOP, "Advanced", "--group", "a\x1bb", "--reserved", "1")),
    "group too long": ("invalid-input", ("set", DESKTOP, "Advanced", "--group", "g" * 129, "--reserved", "1")),
    "nothing to remove": ("not-found", ("remove", DESKTOP, "Advanced")),
    "unknown product to show": ("no-such-product", ("show", "--product", "nothing")),
}


@pytest.mark.parametrize(("code", "arguments"), BAD_COMMANDS.values(), ids=BAD_COMMANDS)
def test_a_wrong_pool_command_is_told_and_changes_nothing(console: Console, code: str, arguments: tuple[str, ...]) -> None:
    console.refused(code, 1, "pool", *arguments)
    assert all(row["low_water"] == 0 and not row["groups"] for row in console.good("pool", "show"))


def test_pools_over_http(web: Web) -> None:
    body = {"product": DESKTOP, "feature": "Advanced", "group": "crew", "reserved": 3}
    answer = web.send("PUT", "/api/v1/pools", json=body)
    assert (answer.status_code, answer.get_json()["reserved"]) == (200, 3)
    shown = web.get(f"/pools?product={DESKTOP}", Role.LICENSE_MANAGER).get_json()
    (crew,) = shown["items"][2]["groups"]
    assert crew.pop("version") == answer.get_json()["version"]
    assert crew == {"group": "crew", "reserved": 3, "maximum": None, "in_use": 0}
    removed = web.send("DELETE", f"/api/v1/pools?product={DESKTOP}&feature=Advanced&group=crew")
    assert removed.get_json()["reserved"] == 3
    problem(web.send("DELETE", f"/api/v1/pools?product={DESKTOP}&feature=Advanced&group=crew"), 404, "not-found")


def test_a_refusal_by_a_rule_says_what_to_do_over_http(web: Web) -> None:
    pools.change(Unit(web.bench.authority, CONSOLE), PoolRule(DESKTOP, "Advanced", low_water=10))
    laptop = workstation("laptop")
    body = {"request": laptop.request(Wish(DESKTOP), web.bench.clock())}
    refusal = problem(web.post("/borrows", body, Role.MEMBER), 409, "pool-exhausted")
    assert "10 never borrowed" in refusal["detail"]
    assert "session" in refusal["hint"]
