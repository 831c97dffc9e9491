"""Wrong passwords are slowed, stopped and logged, for an account and for an address, and the one whose account it is gets in."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from authority.domain.members import ANYBODY, CONSOLE
from authority.domain.refusals import NotAuthenticated, Refusal, TooManyRequests
from authority.domain.sign_ins import (
    FREE_TRIES,
    LONGEST_WAIT,
    NO_ADDRESS,
    Budget,
    Origin,
    Tries,
    address_of,
    agent_of,
    check_wait,
    deserves_row,
    wait_after,
)
from authority.services import access, me, passwords
from authority.services.unit import Secret, Unit
from authority.storage import sign_in_tries
from authority.storage.db.database import Database
from tests.support.authorities import ON_SQLITE, START, Bench
from tests.support.connecting import overfill
from tests.support.database_contents import log_rows, row_counts, unchanged
from tests.support.web import make_web, problem

PASSWORD = "correct horse battery staple"
WRONG = "wrong"
HOME, ELSEWHERE = Origin("192.0.2.7"), Origin("198.51.100.1")
SLOWED = "sign-in-slowed"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Counts how often a password is compared, and spares the work of most."""
    compared: list[str] = []
    original = passwords.is_right

    def is_right(password: str, password_hash: str | None) -> bool:
        compared.append(password)
        return password == PASSWORD and original(password, password_hash)

    monkeypatch.setattr(passwords, "is_right", is_right)
    return compared


def outcome(bench: Bench, username: str = "ada", password: str = WRONG, origin: Origin = ELSEWHERE) -> str | None:
    """The code of the refusal, None for a sign-in."""
    try:
        access.sign_in(Unit(bench.authority, ANYBODY), username, password, origin=origin)
    except Refusal as error:
        return error.code
    return None


def outcomes(bench: Bench, number: int, username: str = "ada", origin: Origin = ELSEWHERE) -> list[str | None]:
    return [outcome(bench, username, origin=origin) for _ in range(number)]


def address(number: int) -> Origin:
    return Origin(f"203.0.{number // 256}.{number % 256}")


def test_t34_forty_wrong_passwords_in_a_row_are_slowed_stopped_and_seen_in_the_log(bench: Bench, quick: list[str]) -> None:
    bench.member("ada", password=PASSWORD)
    assert outcomes(bench, 40) == ["not-authenticated"] * 5 + ["too-many-requests"] * 35
    assert len(quick) == 5
    (row,) = log_rows(bench.authority.database, SLOWED)
    assert (row["actor"], row["member"]) == ("anybody", "ada")
    assert row["reason"] == "5 wrong passwords, the last from 198.51.100.1: the next try waits 5 seconds"


@ON_SQLITE
def test_who_waits_each_time_waits_twice_as_long_and_a_quarter_of_an_hour_at_last(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    outcomes(bench, 5)
    seconds = []
    for _ in range(11):
        with pytest.raises(TooManyRequests) as caught:
            access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD, origin=ELSEWHERE)
        seconds.append(caught.value.seconds)
        bench.clock.turn(seconds=caught.value.seconds)
        assert outcome(bench) == "not-authenticated"
    assert seconds == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900]
    reasons = [row["reason"].split(": ")[1] for row in log_rows(bench.authority.database, SLOWED) if row["member"]]
    assert reasons == ["the next try waits 5 seconds", "the next try waits 900 seconds"]


@ON_SQLITE
def test_t34_a_name_that_nobody_has_waits_alike_and_is_not_written_into_the_log(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    assert outcomes(bench, 9, "nobody", address(1)) == outcomes(bench, 9, "ada", address(2))
    unknown, known = log_rows(bench.authority.database, SLOWED)
    assert (unknown["member"], known["member"]) == (None, "ada")
    assert "for a name that nobody has" in unknown["reason"]
    assert "nobody" not in unknown["reason"].replace("nobody has", "")


@ON_SQLITE
def test_a_waiting_try_is_not_looked_at_writes_nothing_and_makes_the_wait_no_longer(bench: Bench, quick: list[str]) -> None:
    bench.member("ada", password=PASSWORD)
    outcomes(bench, 5)
    with unchanged(bench.authority.database):
        assert outcome(bench, password=PASSWORD) == "too-many-requests"
        outcomes(bench, 20)
    assert PASSWORD not in quick
    bench.clock.turn(seconds=5)
    assert outcome(bench, password=PASSWORD) is None


def test_t34_a_stranger_locks_nobody_out_where_they_signed_in_before(bench: Bench) -> None:
    """By address, also after signing out; and by the sign-in that a device kept, wherever it is."""
    bench.member("ada", password=PASSWORD)
    secret, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD, origin=HOME)
    access.sign_out(Unit(bench.authority, ANYBODY), secret)
    for number in range(40):
        outcome(bench, origin=address(number))
    assert outcome(bench, password=PASSWORD, origin=address(99)) == "too-many-requests"
    assert outcome(bench, password=PASSWORD, origin=HOME) is None
    assert outcome(bench, password=PASSWORD, origin=Origin(address(98).address, device=secret)) is None
    for other in ("carnet_si_unknown", access.create_api_key(Unit(bench.authority, CONSOLE), "ada", "x")[0]):
        assert outcome(bench, password=PASSWORD, origin=Origin(address(97).address, device=other)) == "too-many-requests"


@ON_SQLITE
def test_a_known_place_has_a_budget_of_its_own_that_is_bounded_too(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD, origin=HOME)
    free = FREE_TRIES[Budget.KNOWN]
    assert outcomes(bench, free + 3, origin=HOME) == ["not-authenticated"] * free + ["too-many-requests"] * 3
    bench.clock.turn(seconds=5)
    assert outcome(bench, password=PASSWORD, origin=HOME) is None
    assert outcomes(bench, free + 1, origin=HOME)[-1] == "too-many-requests"
    # Another's sign-in from there makes the place known for nobody else.
    bench.member("bob", password=PASSWORD)
    assert outcomes(bench, 6, "bob", HOME) == ["not-authenticated"] * 5 + ["too-many-requests"]


@ON_SQLITE
def test_an_address_that_tries_many_names_is_stopped_and_its_own_account_does_not_free_it(bench: Bench) -> None:
    bench.member("mallory", password=PASSWORD)
    free = FREE_TRIES[Budget.ADDRESS]
    codes = []
    for number in range(free + 5):
        codes.append(outcome(bench, f"name{number}", origin=ELSEWHERE))
        if number == free // 2:
            assert outcome(bench, "mallory", PASSWORD, ELSEWHERE) is None
    assert codes == ["not-authenticated"] * free + ["too-many-requests"] * 5
    (row,) = log_rows(bench.authority.database, SLOWED)
    assert (row["member"], row["reason"]) == (None, "20 wrong passwords, from 198.51.100.1: the next try waits 5 seconds")
    assert outcome(bench, "name99", origin=address(1)) == "not-authenticated"


def test_t34_what_is_counted_is_there_after_a_restart_and_on_another_node(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    outcomes(bench, 5)
    other = Database(bench.authority.database.url.render_as_string(hide_password=False))
    try:
        assert outcome(replace(bench, authority=replace(bench.authority, database=other))) == "too-many-requests"
    finally:
        other.close()


def test_a_quiet_day_forgets_and_its_rows_go(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    outcomes(bench, 6)
    bench.clock.turn(hours=24, seconds=1)
    assert outcomes(bench, 6)[:5] == ["not-authenticated"] * 5
    bench.clock.turn(days=2)
    outcome(bench, "another", origin=address(1))
    assert row_counts(bench.authority.database)["sign_in_tries"] == 2


def test_t34_of_many_at_once_no_more_are_compared_than_there_are_tries(bench: Bench, quick: list[str]) -> None:
    bench.member("ada", password=PASSWORD)
    start = threading.Barrier(12, timeout=60)

    def ask(number: int) -> str | None:
        start.wait()
        return outcome(bench, origin=address(number))

    with ThreadPoolExecutor(12) as threads:
        codes = list(threads.map(ask, range(12)))
    assert len(quick) == codes.count("not-authenticated") <= 5
    assert codes.count("too-many-requests") == 12 - len(quick)


def test_a_full_queue_is_told_at_once_and_leaves_who_is_known_a_way() -> None:
    lane = passwords.Lane()
    inside, done = threading.Semaphore(0), threading.Event()

    def stay() -> None:
        inside.release()
        with lane.place():
            done.wait(60)

    with ThreadPoolExecutor(passwords.AT_ONCE + passwords.WAITING) as threads:
        for _ in range(passwords.AT_ONCE + passwords.WAITING):
            threads.submit(stay)
            inside.acquire(timeout=60)
        while lane._places.acquire(blocking=False):
            lane._places.release()
        with pytest.raises(TooManyRequests, match="in 1 second") as caught, lane.place():
            pytest.fail("a place beyond the last")
        assert caught.value.seconds == 1
        with passwords.KNOWN.place():
            done.set()
    with lane.place():
        pass


def test_rows_are_bounded_whatever_names_and_addresses_come() -> None:
    keys = {sign_in_tries.key(Budget.ACCOUNT, f"name{number}") for number in range(1000)}
    numbers = {int(key.partition(":")[2], 16) for key in keys}
    assert max(numbers) < sign_in_tries.ROWS_OF_BUDGET
    assert len(numbers) > 950
    assert sign_in_tries.key(Budget.ACCOUNT, "\ud800") != sign_in_tries.key(Budget.ADDRESS, "\ud800")


@ON_SQLITE
def test_the_right_password_over_the_limit_is_no_wrong_one(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    overfill(bench)
    assert [outcome(bench, password=PASSWORD) for _ in range(7)] == ["organization-over-limit"] * 7


@ON_SQLITE
def test_ones_own_password_of_now_is_guessed_no_faster_with_a_stolen_token(bench: Bench) -> None:
    bench.member("ada", password=PASSWORD)
    secret, _ = access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD, origin=HOME)
    codes = []
    for _ in range(12):
        with pytest.raises(Refusal) as caught:
            me.change_password(Unit(bench.authority, Secret(secret)), "wrong", "x" * 12, Origin(device=secret))
        codes.append(caught.value.code)
    assert codes == ["not-allowed"] * 10 + ["too-many-requests"] * 2


@ON_SQLITE
def test_over_http_the_wait_stands_in_the_header_and_the_address_is_the_peers_own(bench: Bench) -> None:
    web = make_web(bench)
    body = {"username": "ada", "password": "wrong"}

    def send(peer: str, forwarded: str = "") -> int:
        headers = {"X-Forwarded-For": forwarded} if forwarded else {}
        answer = web.post("/sign-in", body, None, headers=headers, environ_overrides={"REMOTE_ADDR": peer})
        if answer.status_code == 429:
            refused = problem(answer, 429, "too-many-requests")
            assert answer.headers["Retry-After"] == "5"
            assert refused["detail"] == "too many wrong passwords: the next try is in 5 seconds"
        return answer.status_code

    assert [send("192.0.2.9", f"10.0.0.{number}") for number in range(6)] == [401] * 5 + [429]
    with bench.authority.database.read() as connection:
        rows = sign_in_tries.read(connection, {sign_in_tries.key(Budget.ADDRESS, "192.0.2.9"): Budget.ADDRESS})
    assert [row.wrong for row in rows.values()] == [5]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("[2001:db8:1:2::9]", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unix:", NO_ADDRESS),
        ("192.0.2.7, 10.0.0.1", NO_ADDRESS),
        ("", NO_ADDRESS),
        (None, NO_ADDRESS),
    ],
)
def test_an_address_is_counted_by_what_one_household_has(text: str | None, address: str) -> None:
    assert address_of(text) == address


def test_what_a_program_calls_itself_is_kept_short_and_printable() -> None:
    assert agent_of("Mozilla/5.0 (X11)\x1b[2J\u202e" + "x" * 500) == ("Mozilla/5.0 (X11)[2J" + "x" * 500)[:120]
    assert (agent_of(None), agent_of(" \n")) == (None, None)


@pytest.mark.parametrize("budget", FREE_TRIES)
def test_the_rule_of_waits(budget: Budget) -> None:
    free = FREE_TRIES[budget]
    waits = [wait_after(budget, wrong).total_seconds() for wrong in range(free + 40)]
    assert waits[:free] == [0] * free
    assert waits[free : free + 9] == [5, 10, 20, 40, 80, 160, 320, 640, 900]
    assert set(waits[free + 9 :]) == {LONGEST_WAIT.total_seconds()}
    assert [wrong for wrong in range(free + 40) if deserves_row(budget, wrong)] == [free, free + 8]


def test_a_clock_that_was_turned_back_lets_nobody_wait_longer() -> None:
    tries = Tries(Budget.ACCOUNT, 5, START + timedelta(days=400))
    with pytest.raises(TooManyRequests) as caught:
        check_wait([tries], START)
    assert caught.value.seconds == 5


def test_a_try_is_counted_for_each_of_two_nodes_at_once(bench: Bench) -> None:
    """Rows are made, locked and counted in one transaction: nothing that is counted is lost."""
    rows = {sign_in_tries.key(Budget.ACCOUNT, "ada"): Budget.ACCOUNT, sign_in_tries.key(Budget.ADDRESS, "x"): Budget.ADDRESS}

    def count(_: int) -> None:
        with bench.authority.database.write() as connection:
            sign_in_tries.count(connection, sign_in_tries.lock_rows(connection, rows, START), START)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(20)))
    with bench.authority.database.read() as connection:
        assert {tried.wrong for tried in sign_in_tries.read(connection, rows).values()} == {20}


@ON_SQLITE
def test_t34_who_signs_in_again_and_again_has_no_more_passwords_compared_than_others_can_wait_for(
    bench: Bench, quick: list[str]
) -> None:
    for name in ("flood", "victim"):
        bench.member(name, password=PASSWORD)
        assert outcome(bench, name, PASSWORD, HOME) is None
    bench.clock.turn(minutes=1)
    quick.clear()
    assert [outcome(bench, "flood", PASSWORD, HOME) for _ in range(30)] == [None] * 20 + ["too-many-requests"] * 10
    assert len(quick) == 20
    assert outcome(bench, "victim", PASSWORD, HOME) is None
    bench.clock.turn(seconds=59)
    with pytest.raises(TooManyRequests, match="the next try is in 1 second") as caught:
        access.sign_in(Unit(bench.authority, ANYBODY), "flood", PASSWORD, origin=HOME)
    assert caught.value.seconds == 1
    bench.clock.turn(seconds=1)
    assert outcome(bench, "flood", PASSWORD, HOME) is None
    # What others try on the account uses nothing of it up, and a clock that was turned back holds nobody.
    outcomes(bench, 4, "flood")
    bench.clock.turn(minutes=-30)
    assert [outcome(bench, "flood", PASSWORD, HOME) for _ in range(20)] == [None] * 20


@ON_SQLITE
def test_of_more_sign_ins_than_may_be_good_at_a_time_the_oldest_ends(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "MOST_SIGN_INS", 3)
    bench.member("ada", password=PASSWORD)
    secrets = []
    for _ in range(5):
        bench.clock.turn(seconds=1)
        secrets.append(access.sign_in(Unit(bench.authority, ANYBODY), "ada", PASSWORD, remember=True)[0])
    good, _ = access.sign_ins_of(Unit(bench.authority, CONSOLE), "ada")
    assert [row.created_at for row in good] == [bench.clock.at - timedelta(seconds=back) for back in (0, 1, 2)]
    with pytest.raises(NotAuthenticated):
        access.sign_ins_of(Unit(bench.authority, Secret(secrets[1])))
    rows = log_rows(bench.authority.database, "signed-out")
    assert [(row["actor"], row["reason"]) for row in rows] == [("ada", "more than 3 at a time: 1 sign-in")] * 2
