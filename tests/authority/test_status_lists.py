"""Status lists: what ended is on them, as workstations read them; each is numbered, chained and signed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from authority.domain.members import CONSOLE
from authority.domain.refusals import StorageUnavailable
from authority.services import borrow, endings, sessions, status_lists
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.signing import issuing
from authority.signing.encoding import digest_of
from authority.storage import status_lists as stored
from authority.storage.db.tables import tokens as tokens_table
from authority.storage.sessions import Filter as SessionFilter
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import at_once, claims_of, issued_to, seats_held, with_random, workstation
from tests.support.connecting import started, used
from tests.support.database_contents import contents, log_rows, row_counts
from verifier import NotGood, TrustStore, verify
from verifier.core import opening, status
from verifier.core.jose import strict_object
from verifier.core.keys import decode
from verifier.core.status import StatusList
from verifier.workstation.carry import Wish


def read(bench: Bench, data: bytes | None = None) -> StatusList:
    """The exported list as a workstation reads it."""
    exported = status_lists.export(Unit(bench.authority, CONSOLE)) if data is None else data
    return opening.open_status(exported, TrustStore.read(bench.trust_file)).status_list


def claims(data: bytes) -> dict[str, Any]:
    return strict_object(decode(json.loads(data)["status_list"].split(".")[1]))


def place(borrow_file: bytes) -> int:
    index: int = claims_of(borrow_file)["status"]["status_list"]["idx"]
    return index


def end(bench: Bench, kind: str, borrow_file: bytes, receipt: str) -> None:
    borrow_id = claims_of(borrow_file)["bid"]
    if kind == "check in":
        endings.check_in(Unit(bench.authority, CONSOLE), receipt)
    elif kind == "revoke":
        endings.revoke(Unit(bench.authority, CONSOLE), borrow_id, "lost")
    else:
        endings.release(Unit(bench.authority, CONSOLE), borrow_id, "lost", accept_overlap=True)


def test_after_a_moment_with_the_clock_ahead_a_new_list_is_published(bench: Bench) -> None:
    """theupdateframework/specification #71, #150: recovery from a fast-forward."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    bench.clock.turn(days=40)
    of_the_future = read(bench)
    bench.clock.turn(days=-40)
    assert (read(bench).seq, read(bench).iat) == (of_the_future.seq + 1, int(bench.clock().timestamp()))
    assert claims(issued_to(bench, ada, laptop).file)["seq"] == of_the_future.seq + 1


def test_the_first_borrow_after_such_a_moment_carries_a_new_list(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    bench.clock.turn(days=40)
    of_the_future = read(bench)
    bench.clock.turn(days=-40)
    carried = claims(issued_to(bench, ada, laptop).file)
    assert (carried["seq"], carried["iat"]) == (of_the_future.seq + 1, int(bench.clock().timestamp()))


def test_sessions_of_such_a_moment_end_with_it_and_free_their_seats(bench: Bench) -> None:
    """They would be active, and count among the computers of their member, for so much longer."""
    ada, eve = bench.member("ada"), bench.member("eve")
    now = started(bench, eve, workstation("eves-laptop"), "arcgis-desktop").session
    bench.clock.turn(days=40)
    read(bench)
    ahead = [started(bench, ada, workstation(f"w{number}"), "arcgis-desktop").session for number in range(3)]
    session = used(bench, ada, ahead[0].id).session
    bench.clock.turn(days=-40)
    assert used(bench, ada, session.id).session.active_until < bench.clock() + timedelta(days=1)
    read(bench)
    active = sessions.listed(Unit(bench.authority, CONSOLE), SessionFilter())[0]
    assert {item.id for item in active} == {now.id, session.id}
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 2
    sessions.log_ended_by_time(Unit(bench.authority, CONSOLE))
    ended = [row for row in log_rows(bench.authority.database, "end") if row["handle"] in {item.id for item in ahead[1:]}]
    assert [(row["actor"], row["at"]) for row in ended] == [("time", bench.clock())] * 2


@ON_SQLITE
def test_the_clocks_of_two_servers_may_differ_a_little(bench: Bench) -> None:
    bench.clock.turn(minutes=5)
    published = read(bench)
    bench.clock.turn(minutes=-5)
    assert read(bench).seq == published.seq
    bench.clock.turn(seconds=-1)
    assert read(bench).seq == published.seq + 1


@pytest.mark.parametrize("kind", ["check in", "revoke", "release"])
def test_every_token_of_a_borrow_that_was_ended_is_on_the_list_and_no_other(bench: Bench, kind: str) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = issued_to(bench, ada, laptop, days=2)
    renewal = issued_to(bench, ada, laptop, days=9)
    other = issued_to(bench, bench.member("eve"), workstation("tower"))
    before = read(bench)
    assert {before.status_of(place(item.file)) for item in (first, renewal, other)} == {status.VALID}
    end(bench, kind, renewal.file, laptop.receipt_for(renewal.file, bench.clock()))
    after = read(bench)
    assert after.status_of(place(first.file)) == after.status_of(place(renewal.file)) == status.ENDED
    assert after.status_of(place(other.file)) == status.VALID
    assert sum(byte.bit_count() for byte in after.statuses) == 2


@ON_SQLITE
@pytest.mark.parametrize("kind", ["check in", "revoke", "release"])
def test_a_workstation_with_the_newer_list_refuses_what_ended(bench: Bench, kind: str) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop)
    assert verify(issued.file, trust=bench.trust_file, workstation=laptop.identity, now=bench.clock()).member == "ada"
    end(bench, kind, issued.file, laptop.receipt_for(issued.file, bench.clock()))
    newer = status_lists.export(Unit(bench.authority, CONSOLE))
    with pytest.raises(NotGood) as caught:
        verify(issued.file, trust=bench.trust_file, workstation=laptop.identity, now=bench.clock(), status_list=newer)
    assert caught.value.code == "revoked"


def test_a_list_that_did_not_change_is_the_same_bytes(bench: Bench) -> None:
    first = status_lists.export(Unit(bench.authority, CONSOLE))
    bench.clock.turn(minutes=59)
    issued_to(bench, bench.member("ada"), workstation("laptop"))
    assert status_lists.export(Unit(bench.authority, CONSOLE)) == first
    assert row_counts(bench.authority.database)["status_lists"] == 1


def test_lists_are_numbered_without_a_gap_and_each_names_the_one_before(bench: Bench) -> None:
    ada = bench.member("ada")
    lists = [status_lists.export(Unit(bench.authority, CONSOLE))]
    for number in range(4):
        issued = issued_to(bench, ada, workstation(f"w{number}"))
        endings.release(Unit(bench.authority, CONSOLE), issued.borrow.id, "lost", accept_overlap=True)
        lists.append(status_lists.export(Unit(bench.authority, CONSOLE)))
    assert [claims(item)["seq"] for item in lists] == [1, 2, 3, 4, 5]
    assert claims(lists[0])["prev"] is None
    for before, after in itertools.pairwise(lists):
        assert claims(after)["prev"] == digest_of(json.loads(before)["status_list"])
        assert status.newest(read(bench, before), read(bench, after)).seq == claims(after)["seq"]


@ON_SQLITE
def test_a_list_has_exactly_the_claims_that_are_documented(bench: Bench) -> None:
    members = claims(status_lists.export(Unit(bench.authority, CONSOLE)))
    assert members.keys() == {"iss", "sub", "iat", "exp", "ttl", "ver", "seq", "prev", "status_list"}
    assert members["status_list"].keys() == {"bits", "lst"}
    issued = issued_to(bench, bench.member("ada"), workstation("laptop"))
    assert claims_of(issued.file)["status"]["status_list"]["uri"] == members["sub"]
    assert (members["iss"], members["status_list"]["bits"]) == ("field-survey", 2)


@ON_SQLITE
def test_a_list_says_how_long_before_the_end_to_warn(bench: Bench) -> None:
    authority = replace(bench.authority, warn_before=timedelta(days=3))
    members = claims(status_lists.export(Unit(authority, CONSOLE)))
    assert members["warn_before"] == 3 * 86_400


def test_an_old_list_is_published_anew_although_nothing_changed(bench: Bench) -> None:
    first = status_lists.export(Unit(bench.authority, CONSOLE))
    bench.clock.turn(hours=1)
    second = status_lists.export(Unit(bench.authority, CONSOLE))
    assert claims(second)["seq"] == claims(first)["seq"] + 1
    assert claims(second)["status_list"] == claims(first)["status_list"]
    assert claims(second)["iat"] == int(bench.clock().timestamp())


def test_many_exports_at_once_publish_one_list(bench: Bench) -> None:
    issued = issued_to(bench, bench.member("ada"), workstation("laptop"))
    endings.revoke(Unit(bench.authority, CONSOLE), issued.borrow.id, "lost")
    before = row_counts(bench.authority.database)["status_lists"]
    files = at_once([lambda: status_lists.export(Unit(bench.authority, CONSOLE))] * 20)
    assert len(set(files)) == 1
    assert row_counts(bench.authority.database)["status_lists"] == before + 1


def test_what_time_refuses_anyway_leaves_the_list_after_two_days(bench: Bench) -> None:
    issued = issued_to(bench, bench.member("ada"), workstation("laptop"), days=3)
    endings.revoke(Unit(bench.authority, CONSOLE), issued.borrow.id, "lost")
    bench.clock.at = issued.borrow.expires_at + timedelta(hours=48, seconds=-1)
    assert read(bench).status_of(place(issued.file)) == status.ENDED
    bench.clock.turn(seconds=1)
    assert read(bench).status_of(place(issued.file)) == status.VALID


def test_the_list_in_a_borrow_file_is_at_most_an_hour_old(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    for hours in (0, 1, 5, 72):
        bench.clock.turn(hours=hours)
        issued = issued_to(bench, ada, laptop)
        assert bench.clock().timestamp() - claims(issued.file)["iat"] <= 3600


def drawing(indexes: Iterator[int]) -> Callable[[int], bytes]:
    """Randomness whose every draw of eight bytes, which is that of a place, is one of these."""
    counter = iter(range(1, 10**6))
    return lambda size: next(indexes).to_bytes(8) if size == 8 else next(counter).to_bytes(size)


def issue_with(authority: Authority, bench: Bench, name: str) -> int:
    request = workstation(name).request(Wish("arcgis-desktop"), bench.clock())
    return place(borrow.issue(Unit(authority, CONSOLE), request, "ada").file)


def test_a_place_is_never_given_twice_not_even_after_its_token_expired(bench: Bench) -> None:
    bench.member("ada")
    drawn = with_random(bench, drawing(iter([7, 7, 7, 2**20 + 7, 8, 8, 9])))
    assert issue_with(drawn, bench, "one") == 7
    bench.clock.turn(days=100)
    assert [issue_with(drawn, bench, "two"), issue_with(drawn, bench, "three")] == [8, 9]


def test_without_a_free_place_nothing_is_issued(bench: Bench) -> None:
    bench.member("ada")
    drawn = with_random(bench, drawing(iter([7] * 500)))
    issue_with(drawn, bench, "one")
    before = contents(bench.authority.database)
    with pytest.raises(StorageUnavailable, match="no free place"):
        issue_with(drawn, bench, "two")
    assert contents(bench.authority.database) == before


def test_places_are_drawn_over_the_whole_list(bench: Bench) -> None:
    bench.member("ada")
    for number in range(8):
        issue_with(bench.authority, bench, f"w{number}")
    with bench.authority.database.read() as connection:
        places = sorted(connection.execute(select(tokens_table.c.status_index)).scalars())
    assert len(set(places)) == 8
    assert places[-1] - places[0] > 1000
    assert places[-1] < 2**20


def test_published_lists_are_kept_as_they_were(bench: Bench) -> None:
    data = status_lists.export(Unit(bench.authority, CONSOLE))
    with bench.authority.database.read() as connection:
        last = stored.newest(connection)
    assert last is not None
    assert last.compact == json.loads(data)["status_list"]
    assert status.unpack(last.packed) == read(bench, data).statuses


def test_packing_makes_the_bytes_of_the_published_vectors(vectors: Callable[[str], bytes]) -> None:
    cases = json.loads(vectors("tsl/token_status_list_vectors.json"))["vectors"]
    assert len(cases) == 6
    for case in cases:
        statuses = {int(index): value for index, value in case["statuses"].items()}
        assert issuing.pack_statuses(statuses, case["size"], case["bits"]) == case["lst"], case["name"]


def test_a_packed_list_is_read_as_it_was_meant() -> None:
    packed = issuing.pack([0, 5, 4095], 4096)
    data = status.unpack(packed)
    assert [index for index in range(4096) if data[index // 4] >> (index % 4 * 2) & 3] == [0, 5, 4095]
    assert [data[0], data[1], data[1023]] == [1, 4, 64]
    assert issuing.pack([4095, 0, 5], 4096) == packed
    assert issuing.is_packed(packed, [4095, 0, 5], 4096)
    for other in (
        issuing.pack([0, 5], 4096),
        issuing.pack([0, 5, 4095, 7], 4096),
        issuing.pack([0, 5, 4095], 8192),
        "",
        "AAAA",
    ):
        assert not issuing.is_packed(other, [0, 5, 4095], 4096)
