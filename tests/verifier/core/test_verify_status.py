"""The status list: what it says, how old it may be, and that no older or other one takes its place."""

from __future__ import annotations

import time
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest

from tests.support.chains import DAY, HOUR, INDEX, LIST_BYTES, START, URI, Chain, make_chain, pack, refused
from verifier.core import keys, opening, status, steps
from verifier.core.state import KnownList, State
from verifier.core.status import LARGEST_UNPACKED, StatusList
from verifier.core.times import rfc3339_of
from verifier.errors import Expired, Malformed


@pytest.fixture
def chain() -> Chain:
    return make_chain()


def test_the_entry_of_the_borrow_decides_and_no_other(chain: Chain) -> None:
    others = {index: 1 for index in range(LIST_BYTES * 4) if index != INDEX}
    chain.status_list["status_list"]["lst"] = pack(others)
    assert chain.verify().warnings == ()


@pytest.mark.parametrize(("value", "code"), [(1, "revoked"), (2, "suspended"), (3, "revoked")])
def test_an_ended_suspended_or_reserved_entry_refuses(chain: Chain, value: int, code: str) -> None:
    chain.set_status(value, seq=1)
    with refused(code):
        chain.verify()


def test_a_list_beside_the_file_counts_when_it_is_newer(chain: Chain) -> None:
    data = chain.borrow_file()
    chain.set_status(1, seq=2)
    later = chain.status_file()
    chain.set_status(0, seq=1)
    assert chain.borrow_file() == data
    with refused("revoked"):
        chain.verify(status_list=later)
    chain.set_status(0, seq=3)
    assert chain.verify(with_list=False, status_list=chain.status_file()).warnings == ()


@pytest.mark.parametrize("index", [LIST_BYTES * 4, LIST_BYTES * 4 + 1, 2**53 - 1])
def test_an_index_outside_the_list_is_unusable(chain: Chain, index: int) -> None:
    chain.borrow["status"]["status_list"]["idx"] = index
    with refused("status-list-unusable"):
        chain.verify()


def test_the_first_and_the_last_index_are_in_the_list(chain: Chain) -> None:
    for index in (0, LIST_BYTES * 4 - 1):
        chain.borrow["status"]["status_list"]["idx"] = index
        chain.set_status(0, seq=1)
        assert chain.verify().member == "ada"
        chain.set_status(1, seq=1)
        with refused("revoked"):
            chain.verify()


def test_a_list_is_fresh_enough_to_the_exact_second(chain: Chain) -> None:
    chain.borrow["pol"]["status_max_age"] = HOUR
    assert chain.verify(START + HOUR).warnings == ()
    with refused("status-list-stale"):
        chain.verify(START + HOUR + 1)


def test_a_list_of_age_zero_may_be_demanded(chain: Chain) -> None:
    chain.borrow["pol"]["status_max_age"] = 0
    assert chain.verify(START).warnings == ()
    with refused("status-list-stale"):
        chain.verify(START + 1)


def test_an_ended_borrow_is_refused_as_revoked_however_old_the_list_is(chain: Chain) -> None:
    chain.borrow["pol"]["status_max_age"] = HOUR
    chain.set_status(1, seq=1)
    with refused("revoked"):
        chain.verify(START + 5 * DAY)


def test_an_expired_borrow_is_expired_whatever_its_status(chain: Chain) -> None:
    chain.set_status(1, seq=1)
    with refused("expired"):
        chain.verify(START + 7 * DAY)


def test_without_a_list_the_license_is_good_with_a_warning_unless_it_demands_one(chain: Chain) -> None:
    (warning,) = chain.verify(with_list=False).warnings
    assert warning == "no status list: a return or revocation since the borrow was made is not known here"
    chain.borrow["pol"]["status_max_age"] = HOUR
    with refused("status-list-missing"):
        chain.verify(with_list=False)


def test_a_list_past_its_end_is_warned_of_from_the_exact_second(chain: Chain) -> None:
    chain.status_list["exp"] = START + DAY
    assert chain.verify(START + DAY - 1).warnings == ()
    (warning,) = chain.verify(START + DAY).warnings
    assert "2026-03-02T09:00:00Z" in warning


def test_an_older_list_beside_the_file_is_rolled_back(chain: Chain) -> None:
    older = chain.status_file()
    chain.status_list["seq"] = 2
    with refused("status-list-rolled-back"):
        chain.verify(status_list=older)


def test_a_list_of_the_future_says_that_something_ended_and_nothing_else(chain: Chain) -> None:
    """It would be fresh for ever so long."""
    chain.set_status(0, seq=1, iat=START + DAY)
    assert chain.verify().warnings == ()
    chain.set_status(0, seq=1, iat=START + DAY + 1)
    with refused("clock-in-doubt"):
        chain.verify()
    chain.set_status(1, seq=1, iat=START + DAY + 1)
    with refused("revoked"):
        chain.verify()


def test_the_same_list_beside_the_file_is_good(chain: Chain) -> None:
    assert chain.verify(status_list=chain.status_file()).warnings == ()


def test_two_different_lists_of_one_number_are_rolled_back(chain: Chain) -> None:
    chain.status_list["ttl"] += 1
    other = chain.status_file()
    chain.status_list["ttl"] -= 1
    with refused("status-list-rolled-back"):
        chain.verify(status_list=other)


@pytest.mark.parametrize("uri", [URI + "2", URI.upper(), URI[:-1], URI + "/", "status/1"])
def test_a_list_of_another_uri_is_unusable(chain: Chain, uri: str) -> None:
    chain.status_list["sub"] = uri
    with refused("status-list-unusable"):
        chain.verify()
    with refused("status-list-unusable"):
        chain.verify(with_list=False, status_list=chain.status_file())


def test_a_list_of_another_uri_given_beside_the_file_is_not_passed_over_in_silence(chain: Chain) -> None:
    """Who gives a list expects it to be used; the list of another site must not look like a fresh one."""
    chain.status_list["sub"] = URI + "2"
    other = chain.status_file()
    chain.status_list["sub"] = URI
    with refused("status-list-unusable"):
        pytest.fail(f"a grant without a word: {chain.verify(status_list=other).warnings}")


def test_a_list_signed_when_its_key_was_not_in_use_is_unusable(chain: Chain) -> None:
    for begins, ends in ((START + 1, START + DAY), (START - DAY, START)):
        chain.authorization["keys"][1].update(nbf=begins, exp=ends)
        with refused("status-list-unusable"):
            chain.verify()


def test_a_list_of_another_organization_is_unusable(chain: Chain) -> None:
    chain.status_list["iss"] = "other-survey"
    with refused("status-list-unusable"):
        chain.verify()


def deflated(data: Iterator[bytes], level: int = 9) -> bytes:
    stream = zlib.compressobj(level)
    return b"".join([*(stream.compress(part) for part in data), stream.flush()])


def test_t19_a_bomb_of_one_gigabyte_is_refused_at_once_and_in_little_memory(chain: Chain) -> None:
    bomb = deflated(bytes(2**20) for _ in range(1024))
    assert len(bomb) < 2**21
    packed = keys.encode(bomb)
    tracemalloc.start()
    began = time.perf_counter()
    with pytest.raises(Malformed, match="unpacks to more"):
        status.unpack(packed)
    took, (_, peak) = time.perf_counter() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert took < 1
    assert peak < 32 * 2**20


def test_a_signed_bomb_is_unusable(chain: Chain) -> None:
    chain.status_list["status_list"]["lst"] = keys.encode(deflated(bytes(2**20) for _ in range(64)))
    with refused("status-list-unusable"):
        chain.verify()


def test_a_list_unpacks_to_exactly_the_largest_size_and_no_further() -> None:
    assert len(status.unpack(keys.encode(zlib.compress(bytes(LARGEST_UNPACKED))))) == LARGEST_UNPACKED
    with refused("malformed"):
        status.unpack(keys.encode(zlib.compress(bytes(LARGEST_UNPACKED + 1))))


PACKED = zlib.compress(bytes(range(64)), 9)
RAW = zlib.compressobj(9, zlib.DEFLATED, -15)
GZIP = zlib.compressobj(9, zlib.DEFLATED, 31)
DICTIONARY = zlib.compressobj(9, zlib.DEFLATED, 15, zdict=bytes(range(64)))
BAD_LISTS: dict[str, str] = {
    "empty": "",
    "not base64url": "!!!!",
    "padded": keys.encode(b"x" * 10) + "==",
    "not zlib": keys.encode(b"hello world"),
    "raw deflate": keys.encode(RAW.compress(b"x" * 64) + RAW.flush()),
    "gzip": keys.encode(GZIP.compress(b"x" * 64) + GZIP.flush()),
    "with a dictionary": keys.encode(DICTIONARY.compress(bytes(range(64))) + DICTIONARY.flush()),
    "cut short": keys.encode(PACKED[:-1]),
    "without checksum": keys.encode(PACKED[:-4]),
    "half": keys.encode(PACKED[: len(PACKED) // 2]),
    "one byte after it": keys.encode(PACKED + b"\0"),
    "twice": keys.encode(PACKED * 2),
    "wrong checksum": keys.encode(PACKED[:-1] + bytes([PACKED[-1] ^ 1])),
    "not ASCII": "é" * 12,
}


@pytest.mark.parametrize("packed", BAD_LISTS.values(), ids=BAD_LISTS)
def test_a_list_that_is_not_exactly_one_zlib_stream_is_unusable(chain: Chain, packed: str) -> None:
    with refused("malformed"):
        status.unpack(packed)
    chain.status_list["status_list"]["lst"] = packed
    with refused("status-list-unusable"):
        chain.verify()


def test_an_empty_list_has_no_place(chain: Chain) -> None:
    chain.status_list["status_list"]["lst"] = keys.encode(zlib.compress(b""))
    with refused("status-list-unusable"):
        chain.verify()


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_entries_are_read_from_the_least_significant_bit_on(bits: int) -> None:
    status_list = StatusList("org", "uri", 0, 0, 1, "kid", "", bytes([0b1110_0100, 0b0001_1011]), bits)
    whole = int.from_bytes(status_list.statuses, "little")
    expected = [whole >> (place * bits) & (1 << bits) - 1 for place in range(16 // bits)]
    assert [status_list.status_of(place) for place in range(16 // bits)] == expected
    for outside in (-1, 16 // bits):
        with refused("status-list-unusable"):
            status_list.status_of(outside)


def test_a_status_file_of_two_mebibytes_is_read(chain: Chain) -> None:
    """A list of the largest size that hardly compresses still fits into the file that carries it."""
    chain.status_list["status_list"]["lst"] = pack({}, LARGEST_UNPACKED)
    assert chain.verify(with_list=False, status_list=chain.status_file()).warnings == ()


@pytest.mark.parametrize("exp", [START, START - 1])
def test_a_list_that_ends_before_it_begins_is_unusable(chain: Chain, exp: int) -> None:
    chain.status_list["exp"] = exp
    with refused("status-list-unusable"):
        chain.verify()


def test_another_file_with_a_list_in_it_is_no_status_file(chain: Chain) -> None:
    with pytest.raises(Malformed, match="a status file is wanted, this is a borrow file"):
        opening.open_status(chain.borrow_file(), chain.trust())


def test_of_a_session_no_list_is_missed(chain: Chain) -> None:
    """Its grant ends by itself in minutes, and stands on no list."""
    chain.borrow["status"]["status_list"]["uri"] = f"urn:carnet:{chain.borrow['iss']}:sessions"
    assert chain.verify(with_list=False).warnings == ()


def test_a_list_is_ahead_of_the_clock_by_the_tolerance_of_the_license_and_no_more(chain: Chain) -> None:
    chain.borrow["pol"]["clock_tolerance"] = HOUR
    for ahead, warnings in ((HOUR, ()), (HOUR + 1, None)):
        chain.status_list["iat"] = START + ahead
        chain.status_list["exp"] = START + 30 * DAY
        if warnings is None:
            with refused("clock-in-doubt"):
                chain.verify()
        else:
            assert chain.verify().warnings == warnings


def test_the_floor_goes_back_for_a_later_list_of_an_earlier_time_alone() -> None:
    """Its number, the time it was signed at, and the floor that is left of 200 where the list known has number 5 and time 100."""

    def list_of(seq: int, iat: int) -> StatusList:
        return StatusList("org", "uri", iat, 0, seq, "kid", "", b"", 2)

    known = list_of(5, 100)
    for seq, iat, floor in ((6, 50, 50), (6, 100, 200), (6, 150, 200), (5, 50, 200), (4, 50, 200)):
        assert status.floor_after(200, known, list_of(seq, iat)) == floor, (seq, iat)
    assert status.floor_after(20, known, list_of(6, 50)) == 20
    assert status.floor_after(200, None, known) == status.floor_after(200, known, None) == 200


def test_only_an_end_by_a_step_of_more_than_a_day_asks_whether_the_clock_is_right(chain: Chain) -> None:
    """What is certain is told by the newest signed time seen here."""
    evidence = opening.open_borrow(chain.borrow_file(), chain.trust())
    end = evidence.borrow.exp
    for certain, wall, is_in_doubt in (
        (end - 2 * DAY, end, True),
        (end - DAY - 1, end, True),
        (end - DAY, end, False),
        (end, end + 2 * DAY, False),
    ):
        with pytest.raises(Expired) as caught:
            steps.judge(evidence, chain.workstation, wall, state=State(floor=certain))
        assert ("If it was set ahead" in caught.value.hint) == is_in_doubt, (certain - end, wall - end)


def test_a_list_is_judged_beside_the_newest_that_the_workstation_remembers(chain: Chain) -> None:
    evidence = opening.open_borrow(chain.borrow_file(), chain.trust())
    own = evidence.status_list
    assert own is not None
    for seq, digest, code in (
        (own.seq, own.digest, None),
        (own.seq - 1, "another", None),
        (own.seq, "another", "status-list-rolled-back"),
        (own.seq + 1, "another", "status-list-missing"),
    ):
        state = State(activated={evidence.borrow.jti: evidence.borrow.exp}, lists={URI: KnownList(seq, digest)})
        if code is None:
            steps.judge(evidence, chain.workstation, START, state=state)
        else:
            with refused(code):
                steps.judge(evidence, chain.workstation, START, state=state)


def test_a_workstation_that_remembers_nothing_yet_misses_no_authorization(chain: Chain) -> None:
    evidence = opening.open_borrow(chain.borrow_file(), chain.trust())
    grant = steps.judge(evidence, chain.workstation, START, state=State(activated={evidence.borrow.jti: evidence.borrow.exp}))
    assert grant.borrow_id == evidence.borrow.borrow_id


def test_an_end_that_is_near_is_told_in_full_with_the_way_to_renew(chain: Chain) -> None:
    """From so long before it as the list says, in time for a journey, and for half of the time at most."""

    def warning(seconds_left: int) -> str | None:
        wall = evidence.borrow.exp - seconds_left
        return next((text for text in steps.judge(evidence, chain.workstation, wall).warnings if "ends at" in text), None)

    chain.status_list["warn_before"] = 3 * DAY
    evidence = opening.open_borrow(chain.borrow_file(), chain.trust())
    for seconds, left in ((3 * DAY, "3 days"), (1, "less than a minute")):
        assert warning(seconds) == (
            f"the license ends at {rfc3339_of(evidence.borrow.exp)}, {left} left; to renew it, which needs no return, borrow it again "
            "(carnet borrow arcgis-pro), or without a line carry a new request: carnet request arcgis-pro -o FILE"
        )
    assert warning(3 * DAY + 1) is None
    chain.status_list["warn_before"] = 30 * DAY
    evidence = opening.open_borrow(chain.borrow_file(), chain.trust())
    half = (evidence.borrow.exp - evidence.borrow.iat) // 2
    assert half < 30 * DAY
    assert warning(half) is not None
    assert warning(half + 1) is None
    anyone = chain.workstation._replace(machine_id=None)
    assert "the machine was not compared" in steps.judge(evidence, anyone, evidence.borrow.exp - 1).warnings
    evidence = opening.open_borrow(chain.borrow_file(with_list=False), chain.trust())
    assert warning(1) is None


def test_a_clock_is_believed_from_the_tolerance_before_what_is_sure_of_it() -> None:
    least = steps.LEAST_TOLERANCE_SECONDS
    for tolerance, earliest in ((0, START - least), (least, START - least), (least + 1, START - least - 1)):
        assert steps.judged_at(earliest, 0, tolerance, sure=START) == START
        with refused("clock-turned-back"):
            steps.judged_at(earliest - 1, 0, tolerance, sure=START)
    assert steps.judged_at(0, 0, 0) == 0
