"""What is told: each thing once, at once or in the message of the day, to who asked for it; nothing before somebody did."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from authority.domain.denial_bursts import Burst, Watch
from authority.domain.events import Event, EventKind
from authority.domain.members import CONSOLE
from authority.domain.notices import (
    Channel,
    ChannelType,
    DeliveryState,
    Digest,
    NoticeKind,
    NoticeSettings,
    pause_after,
    stage_of,
    warned_from,
)
from authority.services import (
    access,
    backing_up,
    channels,
    endings,
    erasure,
    member_changes,
    notices,
    organization_settings,
    removal,
    seals,
)
from authority.services.channels import NewChannel
from authority.services.context import Authority
from authority.services.member_changes import Change
from authority.services.unit import Unit
from authority.storage import deliveries
from authority.storage.db.tables import borrows, events
from tests.support.authorities import ON_SQLITE, START, Bench
from tests.support.borrowing import at_once, issued_to, workstation
from tests.support.organizations import authorize, members_at_most

HOOK = "https://alerts.example.org/carnet"


@pytest.fixture
def world(bench: Bench) -> Bench:
    """An authority that warns three days before a borrow ends."""
    bench.authority = replace(bench.authority, warn_before=timedelta(days=3), public_url="https://licenses.example.org")
    return bench


def add(world: Bench, *kinds: NoticeKind, name: str = "desk", digest: Digest = Digest.NONE) -> Channel:
    return channels.add(Unit(world.authority, CONSOLE), NewChannel(name, ChannelType.WEBHOOK, HOOK, kinds, digest))


def find(authority: Authority) -> list[str]:
    return [notice.kind for notice in notices.find(Unit(authority, CONSOLE))]


def messages(world: Bench) -> list[tuple[datetime, int]]:
    """Each message that waits, by the time at which it goes: with how many notices."""
    with world.authority.database.read() as connection:
        rows = deliveries.due(connection, world.clock() + timedelta(days=400))
        return [(row.next_try_at, len(deliveries.notices_of(connection, row.id))) for row in rows]


def deny(world: Bench, count: int, product: str = "arcgis-pro") -> None:
    """Rows of so many refusals, a minute apart, each with two features."""
    row = Event(EventKind.DENIAL, "ada", product=product, member="ada", machine="m", reason="pool-exhausted")
    for _ in range(count):
        unit = Unit(world.authority, CONSOLE)
        with unit.writing():
            unit.record(replace(row, feature=feature) for feature in ("Basic", "3D"))
        world.clock.turn(minutes=1)


def test_nothing_is_told_before_somebody_asked_and_nothing_of_before(world: Bench) -> None:
    issued_to(world, world.member("ada"), workstation("laptop"), days=2)
    deny(world, 12)
    assert find(world.authority) == []
    deny(world, 12)
    add(world)
    # What is so now is told; what happened before is not.
    world.clock.turn(days=1)
    assert find(world.authority) == ["borrow-due"]


def test_the_end_of_a_borrow_is_told_once_for_each_end(world: Bench) -> None:
    add(world, NoticeKind.BORROW_DUE, NoticeKind.BORROW_OVERDUE)
    laptop, ada = workstation("laptop"), world.member("ada")
    issued_to(world, ada, laptop, days=10)
    assert find(world.authority) == []
    world.clock.turn(days=7)
    assert (find(world.authority), find(world.authority)) == (["borrow-due"], [])
    issued_to(world, ada, laptop, days=10)
    assert find(world.authority) == []
    world.clock.turn(days=8)
    assert find(world.authority) == ["borrow-due"]
    world.clock.turn(days=3)
    assert (find(world.authority), find(world.authority)) == (["borrow-overdue"], [])


def test_borrows_that_end_together_are_one_message(world: Bench) -> None:
    add(world, digest=Digest.SLOW)
    for name in ("one", "two", "three"):
        issued_to(world, world.member(name), workstation(name), days=1)
    world.clock.turn(hours=23)
    assert find(world.authority) == ["borrow-due"] * 3
    assert messages(world) == [(world.clock(), 3)]


def test_what_was_given_back_or_released_is_not_told(world: Bench) -> None:
    add(world)
    for name in ("one", "two"):
        laptop, actor = workstation(name), world.member(name)
        issued = issued_to(world, actor, laptop, days=5)
        if name == "one":
            endings.check_in(Unit(world.authority, actor), laptop.receipt_for(issued.file, world.clock()))
        else:
            endings.release(Unit(world.authority, CONSOLE), issued.borrow.id, "lost", accept_overlap=True)
    for _ in range(8):
        assert find(world.authority) == []
        world.clock.turn(days=1)


def test_a_burst_of_denials_is_told_once_and_by_product(world: Bench) -> None:
    add(world, NoticeKind.DENIALS)
    deny(world, 9)
    assert find(world.authority) == []
    deny(world, 30)
    assert find(world.authority) == ["denials"]
    deny(world, 30)
    deny(world, 10, "arcgis-allsource")
    assert find(world.authority) == ["denials"]
    world.clock.turn(hours=2)
    deny(world, 10)
    assert find(world.authority) == ["denials"]
    (shown, *_), _ = notices.listed(Unit(world.authority, CONSOLE))
    assert (shown.notice.facts["count"], shown.notice.facts["reasons"]) == (10, {"pool-exhausted": 10})


@ON_SQLITE
def test_how_many_denials_are_a_burst_can_be_set(world: Bench) -> None:
    add(world, NoticeKind.DENIALS)
    organization_settings.change(Unit(world.authority, CONSOLE), NoticeSettings, {"denials": 3, "minutes": 2})
    deny(world, 3)
    assert find(world.authority) == ["denials"]
    assert organization_settings.show(Unit(world.authority, CONSOLE), NoticeSettings) == NoticeSettings(3, 2, 6)


@settings(max_examples=30)
@given(st.lists(st.integers(0, 40), max_size=40))
def test_an_episode_is_told_when_it_begins_and_never_twice(minutes: list[int]) -> None:
    """Against a count of all that came: told exactly where the last five came within an hour, and did not one before."""
    most, within, watch, at, times, dense = 5, timedelta(hours=1), Watch(), START, list[datetime](), False
    for gap in minutes:
        at += timedelta(minutes=gap)
        times.append(at)
        watch, burst = watch.after(at, "full", most, within)
        was, dense = dense, len(times) >= most and at - times[-most] <= within
        assert (burst is not None) == (dense and not was)
        if burst is not None:
            assert burst == Burst(times[-most], at, most, {"full": most})
        assert len(watch.recent) <= most


def test_over_the_limit_the_end_of_authorization_and_keys_are_told(world: Bench) -> None:
    add(world, NoticeKind.OVER_LIMIT, NoticeKind.AUTHORIZATION_ENDING, NoticeKind.KEY_ENDING)
    for name in ("ada", "bob", "carl"):
        world.member(name)
    until = world.clock() + timedelta(days=960)
    access.create_api_key(Unit(world.authority, CONSOLE), "ada", "nightly", expires_at=until)
    assert find(world.authority) == []
    authorize(world, members_at_most(2))
    assert (find(world.authority), find(world.authority)) == (["over-limit"], [])
    world.clock.turn(days=958)
    assert find(world.authority) == ["key-ending"]
    world.clock.turn(days=13)
    counted = Counter(find(world.authority))
    assert counted == {"authorization-ending": 1, "key-ending": 2}
    world.clock.turn(days=25)
    assert Counter(find(world.authority)) == counted
    assert find(world.authority) == []


def test_a_suspected_clone_is_told_from_the_log(world: Bench) -> None:
    add(world)
    issued = issued_to(world, world.member("ada"), workstation("laptop"), days=30)
    unit = Unit(world.authority, CONSOLE)
    with unit.writing():
        row = Event(kind=EventKind.CLONE_SUSPECTED, actor="ada", member="ada", handle=issued.borrow.id, product="arcgis-pro")
        unit.record([replace(row, machine="m", reason="a number was used twice")] * 2)
    assert (find(world.authority), find(world.authority)) == (["clone-suspected"], [])


def test_many_who_look_at_once_make_each_notice_once(world: Bench) -> None:
    add(world)
    issued_to(world, world.member("ada"), workstation("laptop"), days=2)
    world.clock.turn(days=1)
    deny(world, 12)
    kinds_of_each = at_once([lambda: find(world.authority)] * 6)
    assert Counter(kind for kinds in kinds_of_each for kind in kinds) == {"borrow-due": 1, "denials": 1}  # type: ignore[attr-defined]
    assert len(messages(world)) == 2


def test_what_can_wait_goes_in_the_message_of_the_day_and_what_cannot_at_once(world: Bench) -> None:
    add(world, digest=Digest.SLOW)
    for name, days in (("ada", 6), ("bob", 7), ("carl", 1)):
        issued_to(world, world.member(name), workstation(name), days=days)
    world.clock.turn(hours=22)
    deny(world, 10)
    assert Counter(find(world.authority)) == {"borrow-due": 1, "denials": 1}
    # Carl's borrow ends before the next message of the day.
    assert messages(world) == [(world.clock(), 1)] * 2
    world.clock.turn(days=2, hours=4)
    assert Counter(find(world.authority)) == {"borrow-due": 1, "borrow-overdue": 1}
    tomorrow = world.clock().replace(hour=6, minute=0) + timedelta(days=1)
    assert messages(world)[2:] == [(tomorrow, 2)]
    # What is found later on the same day joins it.
    world.clock.turn(hours=16)
    issued_to(world, world.member("dora"), workstation("dora"), days=1)
    world.clock.turn(minutes=5)
    deny(world, 1)
    with world.authority.database.write() as connection:
        connection.execute(update(borrows).values(expires_at=world.clock() + timedelta(days=2)))
    assert set(find(world.authority)) == {"borrow-due"}
    assert [at for at, _ in messages(world)[2:]] == [tomorrow]


def test_members_hear_of_their_own_at_their_own_address(world: Bench) -> None:
    new = NewChannel("members", ChannelType.APPRISE, "mailto://mail.example.org?from=a@example.org", to_members=True)
    channel = channels.add(Unit(world.authority, CONSOLE), new)
    assert channel.kinds == (NoticeKind.BORROW_DUE, NoticeKind.BORROW_OVERDUE)
    for name, email in (("ada", "ada@example.org"), ("bob", "")):
        issued_to(world, world.member(name, email=email), workstation(name), days=10)
    world.clock.turn(days=8)
    assert find(world.authority) == ["borrow-due"] * 2
    shown, _ = notices.listed(Unit(world.authority, CONSOLE))
    assert [(item.notice.facts["member"], [sent.member for sent in item.sent]) for item in shown] == [
        (name, ["ada"] if name == "ada" else []) for name in (item.notice.facts["member"] for item in shown)
    ]
    member_changes.change(Unit(world.authority, CONSOLE), "ada", Change(email=""))


@ON_SQLITE
def test_what_is_found_is_only_said_in_a_dry_run(world: Bench) -> None:
    add(world)
    issued_to(world, world.member("ada"), workstation("laptop"), days=2)
    world.clock.turn(days=1)
    assert [notice.kind for notice in notices.find(Unit(world.authority, CONSOLE), dry_run=True)] == ["borrow-due"]
    assert messages(world) == []
    assert find(world.authority) == ["borrow-due"]


@ON_SQLITE
def test_notices_are_listed_newest_first_in_pages_and_by_state(world: Bench) -> None:
    add(world)
    for name in ("a", "b", "c"):
        issued_to(world, world.member(name), workstation(name), days=2)
        world.clock.turn(days=1)
        find(world.authority)
    unit = Unit(world.authority, CONSOLE)
    everything, _ = notices.listed(unit)
    first, cursor = notices.listed(unit, limit=2)
    rest, end = notices.listed(unit, cursor, 100)
    assert (first + rest, end) == (everything, None)
    times = [item.notice.made_at for item in everything]
    assert times == sorted(times, reverse=True)
    assert notices.listed(unit, state=DeliveryState.SENT)[0] == []
    assert {item.notice.kind for item in notices.listed(unit, kinds=[NoticeKind.BORROW_DUE])[0]} == {"borrow-due"}


def test_times_are_as_they_are_said() -> None:
    assert warned_from(START, START + timedelta(days=2), timedelta(days=3)) == START + timedelta(days=1)
    assert warned_from(START, START + timedelta(days=20), timedelta(days=3)) == START + timedelta(days=17)
    assert [stage_of(START, START - timedelta(days=days)) for days in (31, 30, 8, 7, 1, 0, -1)] == [None, 30, 30, 7, 1, 0, 0]
    assert NoticeSettings().next_digest(START) == datetime.fromisoformat("2026-03-03T06:00:00Z")
    assert NoticeSettings(digest_hour=10).next_digest(START) == datetime.fromisoformat("2026-03-02T10:00:00Z")
    pauses = [pause_after(tries, 0.0) for tries in range(1, 40)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (timedelta(minutes=1), timedelta(hours=6))
    assert pause_after(5, 0.999) > pause_after(5, 0.0) / 2


@ON_SQLITE
def test_a_changed_row_of_the_sealed_log_and_an_old_backup_are_told(world: Bench) -> None:
    add(world, NoticeKind.SEAL_BROKEN, NoticeKind.BACKUP_OLD)
    world.member("ada")
    seals.seal(Unit(world.authority, CONSOLE))
    backing_up.write(Unit(world.authority, CONSOLE), io.BytesIO())
    made = backing_up.write(Unit(world.authority, CONSOLE), io.BytesIO())
    backing_up.note(Unit(world.authority, CONSOLE), made)
    assert find(world.authority) == []
    world.clock.turn(hours=50)
    assert (find(world.authority), find(world.authority)) == (["backup-old"], [])
    with world.authority.database.write() as connection:
        connection.execute(update(events).where(events.c.member == "ada").values(actor="eve"))
    assert (find(world.authority), find(world.authority)) == (["seal-broken"], [])


@ON_SQLITE
def test_who_is_erased_is_erased_from_notices_too(world: Bench) -> None:
    add(world)
    for name in ("ada", "bob"):
        issued_to(world, world.member(name), workstation(name), days=2)
    world.clock.turn(days=1)
    assert len(find(world.authority)) == 2
    world.clock.turn(days=2)
    removal.remove(Unit(world.authority, CONSOLE), ["ada"])
    erasure.erase(Unit(world.authority, CONSOLE), "ada", "asked for")
    shown, _ = notices.listed(Unit(world.authority, CONSOLE))
    assert [item.notice.facts["member"] for item in shown] == ["bob"]
    assert [count for _, count in messages(world)] == [1]


@ON_SQLITE
def test_a_borrow_that_was_not_given_back_is_not_told_again_when_its_person_is_erased(world: Bench) -> None:
    add(world, NoticeKind.BORROW_OVERDUE)
    issued_to(world, world.member("ada"), workstation("ada"), days=2)
    world.clock.turn(days=3)
    assert find(world.authority) == ["borrow-overdue"]
    removal.remove(Unit(world.authority, CONSOLE), ["ada"])
    erasure.erase(Unit(world.authority, CONSOLE), "ada", "asked for")
    assert find(world.authority) == []
