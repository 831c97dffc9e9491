"""Sessions started, used and ended at the same time: the limits hold exactly, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from authority.domain.members import CONSOLE, Actor
from authority.services import borrow, sessions
from authority.services.sessions import Started
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.borrowing import at_once, codes, issued_to, seats_held, workstation
from tests.support.connecting import asked, started
from tests.support.database_contents import log_rows
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish

SEATS = 10


def starting(bench: Bench, actor: Actor, laptop: SimulatedWorkstation, product: str = "arcgis-pro") -> Callable[[], object]:
    ask = asked(laptop, product)
    return lambda: sessions.start(Unit(bench.authority, actor), ask)


def borrowing(bench: Bench, actor: Actor, laptop: SimulatedWorkstation, product: str) -> Callable[[], object]:
    request = laptop.request(Wish(product, days=3), bench.clock())
    return lambda: borrow.issue(Unit(bench.authority, actor), request)


def test_ten_computers_at_once_are_exactly_three_sessions(bench: Bench) -> None:
    ada = bench.member("ada")
    answers = at_once([starting(bench, ada, workstation(f"w{number}")) for number in range(10)])
    assert codes(answers) == {"done": 3, "session-limit": 7}
    assert seats_held(bench, "arcgis-pro", "Advanced") == 3
    assert len(log_rows(bench.authority.database, "checkout")) == 3
    assert len(log_rows(bench.authority.database, "denial")) == 7


def test_the_limit_holds_over_several_products(bench: Bench) -> None:
    """The products have locks of their own; the member's lock is what keeps the limit."""
    ada = bench.member("ada")
    answers = at_once(
        [starting(bench, ada, workstation(f"w{number}"), ("arcgis-pro", "arcgis-desktop")[number % 2]) for number in range(10)]
    )
    assert codes(answers) == {"done": 3, "session-limit": 7}


def test_one_computer_that_starts_ten_times_at_once_has_one_session(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    answers = at_once([starting(bench, ada, laptop, "arcgis-desktop") for _ in range(10)])
    assert len({item.session.id for item in answers if isinstance(item, Started)}) == 1
    assert codes(answers) == {"done": 10}
    assert [item.is_new for item in answers if isinstance(item, Started)].count(True) == 1
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 1


def test_the_last_seat_goes_to_a_session_or_to_a_borrow(bench: Bench) -> None:
    for number in range(SEATS - 1):
        issued_to(bench, bench.member(f"early{number}"), workstation(f"e{number}"), product="arcgis-desktop")
    actors = [bench.member(f"m{number}") for number in range(20)]
    calls = [
        (starting if number % 2 else borrowing)(bench, actor, workstation(f"w{number}"), "arcgis-desktop")
        for number, actor in enumerate(actors)
    ]
    assert codes(at_once(calls)) == {"done": 1, "pool-exhausted": 19}
    assert seats_held(bench, "arcgis-desktop", "Advanced") == SEATS


def test_forty_sessions_and_borrows_get_exactly_ten_seats(bench: Bench) -> None:
    actors = [bench.member(f"m{number}") for number in range(40)]
    calls = [
        (starting if number % 2 else borrowing)(bench, actor, workstation(f"w{number}"), "arcgis-desktop")
        for number, actor in enumerate(actors)
    ]
    assert codes(at_once(calls)) == {"done": SEATS, "pool-exhausted": 30}
    assert seats_held(bench, "arcgis-desktop", "Advanced") == SEATS


def test_a_session_ended_while_it_is_used_stays_ended(bench: Bench) -> None:
    for number in range(10):
        ada, laptop = bench.member(f"m{number}"), workstation(f"w{number}")
        session_id = started(bench, ada, laptop, "arcgis-desktop").session.id
        request = asked(laptop, "arcgis-desktop")
        using, using_too = (partial(sessions.renew, Unit(bench.authority, ada), session_id, request) for _ in range(2))
        ending = partial(sessions.end, Unit(bench.authority, CONSOLE), session_id)
        answers = at_once([using, starting(bench, ada, laptop), ending, using_too])
        assert set(codes(answers)) <= {"done", "session-ended"}
        assert sessions.show(Unit(bench.authority, CONSOLE), session_id).state(bench.clock()) == "ended"
    # The last grant of each goes on; a session that was started anew on the machine has taken its seat over.
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 10
    assert len(log_rows(bench.authority.database, "end")) == 10


def test_a_session_ended_twice_at_once_is_ended_once(bench: Bench) -> None:
    ada = bench.member("ada")
    session = started(bench, ada, workstation("laptop")).session
    answers = at_once([lambda: sessions.end(Unit(bench.authority, CONSOLE), session.id)] * 8)
    assert codes(answers) == {"done": 1, "session-ended": 7}
    assert len(log_rows(bench.authority.database, "end")) == 1


def test_ends_by_time_are_logged_once_by_however_many(bench: Bench) -> None:
    actors = [bench.member(f"m{number}") for number in range(8)]
    machines = [workstation(f"w{number}") for number in range(8)]
    for actor, laptop in zip(actors, machines, strict=True):
        started(bench, actor, laptop)
    bench.clock.turn(minutes=30)
    calls: list[Callable[[], object]] = [lambda: sessions.log_ended_by_time(Unit(bench.authority, CONSOLE))] * 4
    calls += [starting(bench, actor, laptop) for actor, laptop in zip(actors, machines, strict=True)]
    assert codes(at_once(calls)) == {"done": 12}
    sessions.log_ended_by_time(Unit(bench.authority, CONSOLE))
    rows = log_rows(bench.authority.database, "end")
    assert len(rows) == len({row["handle"] for row in rows}) == 8
