"""Requests that are sent again, changed, sent for others, or not to be believed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authority.domain.borrows import OLDEST_REQUEST
from authority.domain.clocks import FROM_OUTSIDE
from authority.domain.members import CONSOLE
from authority.domain.refusals import (
    InvalidInput,
    NoSuchProduct,
    NotAllowed,
    NotFound,
    Refusal,
    RequestInvalid,
    RequestReplayed,
)
from authority.services import borrow, licenses
from authority.services.borrow import Issued
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.borrowing import at_once, workstation
from tests.support.database_contents import Contents, contents, row_counts
from tests.support.organizations import authorize, without
from tests.support.web import make_web
from verifier.core import claims, jose, keys
from verifier.workstation.carry import Wish

JTI = "r" * 22
# RFC 8032: the encodings of small-order points, and one of no point at all.
BAD_KEYS = {
    "identity": "01" + "00" * 31,
    "order 2": "ec" + "ff" * 30 + "7f",
    "order 4": "00" * 32,
    "order 4, other sign": "00" * 31 + "80",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, other": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "identity, not canonical": "ee" + "ff" * 30 + "7f",
    "not canonical": "ff" * 32,
}


def contents_but_lists(bench: Bench) -> Contents:
    """Every row; a status list may be published whatever becomes of a request."""
    return {name: rows for name, rows in contents(bench.authority.database).items() if name != "status_lists"}


def asked(bench: Bench, **changes: Any) -> dict[str, Any]:
    """The claims of a request."""
    members = {
        "jti": JTI,
        "iat": int(bench.clock().timestamp()),
        "ver": 1,
        "organization": None,
        "product": "arcgis-pro",
        "level": None,
        "extensions": [],
        "member": None,
        "machine": {"id": "machine-laptop", "source": "simulated", "secondary": None, "alias": "laptop"},
        "user": {"id": "uid:1000", "name": "ada"},
        "prev": None,
    }
    return members | changes


def test_t23_a_hundred_replays_at_once_get_one_borrow_and_one_file(bench: Bench) -> None:
    ada = bench.member("ada")
    request = workstation("laptop").request(Wish("arcgis-pro", days=3), bench.clock())
    answers = at_once([lambda: borrow.issue(Unit(bench.authority, ada), request)] * 100)
    issued = [answer for answer in answers if isinstance(answer, Issued)]
    assert len(issued) == 100, answers
    assert len({answer.file for answer in issued}) == 1
    assert len({answer.borrow.id for answer in issued}) == 1
    counts = row_counts(bench.authority.database)
    assert [counts[name] for name in ("borrows", "holds", "tokens")] == [1, 1, 1]


def test_a_hundred_replays_for_a_concurrent_product_take_one_seat(bench: Bench) -> None:
    ada = bench.member("ada")
    request = workstation("laptop").request(Wish("arcgis-desktop", days=3), bench.clock())
    answers = at_once([lambda: borrow.issue(Unit(bench.authority, ada), request)] * 100)
    assert len({answer.file for answer in answers if isinstance(answer, Issued)}) == 1
    counts = row_counts(bench.authority.database)
    assert [counts[name] for name in ("borrows", "holds", "tokens")] == [1, 1, 1]


@pytest.mark.parametrize("product", ["arcgis-allsource", "arcgis-desktop"])
def test_the_same_request_gets_the_same_file_when_its_product_is_not_licensed_any_more(bench: Bench, product: str) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    if product == "arcgis-allsource":
        licenses.assign(Unit(bench.authority, CONSOLE), "ada", product, "Basic", ())
    request = laptop.request(Wish(product, days=3), bench.clock())
    first = borrow.issue(Unit(bench.authority, ada), request)
    authorize(bench, without(product))
    again = borrow.issue(Unit(bench.authority, ada), request)
    assert (again.file, again.is_new) == (first.file, False)
    with pytest.raises(NoSuchProduct):
        borrow.issue(Unit(bench.authority, ada), laptop.request(Wish(product, days=3), bench.clock()))


@pytest.mark.parametrize("difference", ["text", "machine", "member"])
def test_a_number_that_was_answered_is_not_answered_for_anything_else(bench: Bench, difference: str) -> None:
    ada, eve, laptop = bench.member("ada"), bench.member("eve"), workstation("laptop")
    request = laptop.request(Wish("arcgis-pro", days=3), bench.clock(), JTI)
    borrow.issue(Unit(bench.authority, ada), request)
    before = contents_but_lists(bench)
    other = {
        "text": laptop.request(Wish("arcgis-pro", days=4), bench.clock(), JTI),
        "machine": workstation("tower").request(Wish("arcgis-pro", days=3), bench.clock(), JTI),
        "member": request,
    }[difference]
    with pytest.raises(RequestReplayed) as caught:
        borrow.issue(Unit(bench.authority, eve if difference == "member" else ada), other)
    assert caught.value.evidence == {"jti": JTI}
    assert contents_but_lists(bench) == before


def test_a_refused_request_can_be_sent_again_once_the_reason_is_gone(bench: Bench) -> None:
    ada = bench.member("ada", user_type="Creator")
    request = workstation("laptop").request(Wish("arcgis-pro"), bench.clock())
    with pytest.raises(Refusal, match="no license"):
        borrow.issue(Unit(bench.authority, ada), request)

    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Basic", ())
    assert borrow.issue(Unit(bench.authority, ada), request).borrow.level == "Basic"


@pytest.mark.parametrize("named_in", ["request", "call"])
def test_a_member_does_not_act_for_another(bench: Bench, named_in: str) -> None:
    bench.member("ada")
    eve, laptop = bench.member("eve"), workstation("laptop")
    before = contents_but_lists(bench)
    for name in ("ada", "nobody"):
        request = laptop.request(Wish("arcgis-pro", member=name if named_in == "request" else None), bench.clock())
        with pytest.raises(NotAllowed):
            borrow.issue(Unit(bench.authority, eve), request, name if named_in == "call" else None)
    assert contents_but_lists(bench) == before


def test_an_administrator_acts_for_a_member_whatever_the_case_of_the_name(bench: Bench) -> None:
    bench.member("ada")
    request = workstation("laptop").request(Wish("arcgis-pro", member="Ada"), bench.clock())
    issued = borrow.issue(Unit(bench.authority, bench.administrator()), request, "ADA")
    assert issued.borrow.member == "ada"


def test_the_console_has_to_say_for_whom(sqlite_bench: Bench) -> None:
    sqlite_bench.member("ada")
    laptop = workstation("laptop")
    with pytest.raises(InvalidInput, match="names no member"):
        borrow.issue(Unit(sqlite_bench.authority, CONSOLE), laptop.request(Wish("arcgis-pro"), sqlite_bench.clock()))
    named = laptop.request(Wish("arcgis-pro", member="ada"), sqlite_bench.clock())
    with pytest.raises(InvalidInput, match="made for ada"):
        borrow.issue(Unit(sqlite_bench.authority, CONSOLE), named, "eve")
    with pytest.raises(NotFound):
        borrow.issue(Unit(sqlite_bench.authority, CONSOLE), laptop.request(Wish("arcgis-pro"), sqlite_bench.clock()), "nobody")


def test_what_was_answered_is_answered_again_however_late(sqlite_bench: Bench) -> None:
    ada = sqlite_bench.member("ada")
    request = workstation("laptop").request(Wish("arcgis-pro"), sqlite_bench.clock())
    first = borrow.issue(Unit(sqlite_bench.authority, ada), request)
    sqlite_bench.clock.turn(days=400)
    assert borrow.issue(Unit(sqlite_bench.authority, ada), request).file == first.file


SECOND = timedelta(seconds=1)


def test_who_answers_chooses_the_days_where_the_request_does_not_say(sqlite_bench: Bench) -> None:
    bench, laptop = sqlite_bench, workstation("laptop")
    web = make_web(bench)
    bench.member("ada")
    silent = laptop.request(Wish("arcgis-pro", member="ada"), bench.clock())
    body = {"request": silent, "days": 12}
    assert web.post("/borrows", {**body, "days": 99}).get_json()["code"] == "duration-too-long"
    borrow_json = web.post("/borrows", body).get_json()["borrow"]
    assert borrow_json["expires_at"] == f"{bench.clock() + timedelta(days=12):%Y-%m-%dT%H:%M:%SZ}"
    # Answered once, whatever is chosen later.
    assert web.post("/borrows", {**body, "days": 3}).get_json()["borrow"] == borrow_json
    spoken = laptop.request(Wish("arcgis-pro", days=20, member="ada"), bench.clock())
    assert web.post("/borrows", {"request": spoken, "days": 12}).get_json()["code"] == "invalid-input"
    assert web.post("/borrows", {"request": spoken}).status_code == 201


@pytest.mark.parametrize(
    ("age", "is_good"),
    [
        pytest.param(OLDEST_REQUEST, True, id="as old as it may be"),
        pytest.param(OLDEST_REQUEST + SECOND, False, id="too old"),
        pytest.param(-FROM_OUTSIDE, True, id="as far ahead as a clock may be"),
        pytest.param(-FROM_OUTSIDE - SECOND, False, id="from the future"),
    ],
)
def test_a_request_has_an_age(sqlite_bench: Bench, age: timedelta, is_good: bool) -> None:
    ada = sqlite_bench.member("ada")
    request = workstation("laptop").request(Wish("arcgis-pro"), sqlite_bench.clock() - age)
    if is_good:
        assert borrow.issue(Unit(sqlite_bench.authority, ada), request).is_new
        return
    before = contents_but_lists(sqlite_bench)
    with pytest.raises(RequestInvalid):
        borrow.issue(Unit(sqlite_bench.authority, ada), request)
    assert contents_but_lists(sqlite_bench) == before


def signed_with(raw_key: bytes) -> Callable[[dict[str, Any]], str]:
    """Signs with the constant signature that small-order keys accept for any message."""
    header = {
        "alg": "EdDSA",
        "typ": claims.REQUEST_TYP,
        "jwk": {"kty": "OKP", "crv": "Ed25519", "x": keys.encode(raw_key)},
    }
    constant = bytes.fromhex("01" + "00" * 63)
    return lambda members: jose.compact(header, jose.payload(members), lambda _: constant)


@pytest.mark.parametrize("raw", BAD_KEYS.values(), ids=BAD_KEYS)
def test_a_machine_key_that_proves_nothing_is_refused(sqlite_bench: Bench, raw: str) -> None:
    ada = sqlite_bench.member("ada")
    before = contents_but_lists(sqlite_bench)
    with pytest.raises(RequestInvalid) as caught:
        borrow.issue(Unit(sqlite_bench.authority, ada), signed_with(bytes.fromhex(raw))(asked(sqlite_bench)))
    assert caught.value.evidence == {"cause": "malformed"}
    assert contents_but_lists(sqlite_bench) == before


CHANGES: dict[str, dict[str, Any]] = {
    "another organization": {"organization": "other"},
    "machine id with a path": {"machine": {"id": "../x", "source": "s", "secondary": None, "alias": None}},
    "alias with a line break": {"machine": {"id": "m", "source": "s", "secondary": None, "alias": "a\nb"}},
    "alias with an escape": {"machine": {"id": "m", "source": "s", "secondary": None, "alias": "\x1b[31m"}},
    "alias with a direction mark": {"machine": {"id": "m", "source": "s", "secondary": None, "alias": "a\u202eb"}},
    "alias with NUL": {"machine": {"id": "m", "source": "s", "secondary": None, "alias": "a\x00b"}},
    "user with a name for an id": {"user": {"id": "ada", "name": "ada"}},
    "zero days": {"days": 0},
    "half a day": {"days": "1"},
    "true days": {"days": True},
    "days and until": {"days": 1, "until": 2**31},
    "until beyond the calendar": {"until": 2**52},
    "made beyond the calendar": {"iat": 2**52},
    "another version": {"ver": 2},
    "unknown member": {"admin": True},
    "extensions twice": {"extensions": ["3DAnalyst", "3DAnalyst"]},
    "product with a quote": {"product": "arcgis-pro'--"},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_a_signed_request_of_another_form_is_refused_and_leaves_nothing(sqlite_bench: Bench, changes: dict[str, Any]) -> None:
    ada = sqlite_bench.member("ada")
    before = contents_but_lists(sqlite_bench)
    request = workstation("laptop").key.sign(claims.REQUEST_TYP, asked(sqlite_bench, **changes))
    with pytest.raises(RequestInvalid):
        borrow.issue(Unit(sqlite_bench.authority, ada), request)
    assert contents_but_lists(sqlite_bench) == before


def test_the_form_that_the_table_starts_from_is_good(sqlite_bench: Bench) -> None:
    request = workstation("laptop").key.sign(claims.REQUEST_TYP, asked(sqlite_bench, organization="field-survey"))
    assert borrow.issue(Unit(sqlite_bench.authority, sqlite_bench.member("ada")), request).is_new


TEXTS: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "not a token": lambda _: "hello",
    "two parts": lambda good: good.rsplit(".", 1)[0],
    "padding": lambda good: good + "=",
    "other signature": lambda good: good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB"),
    "line break": lambda good: good + "\n",
    "of another kind": lambda good: good.replace(good.split(".", 1)[0], keys.encode(b'{"alg":"none","typ":"JWT"}'), 1),
    "surrogate": lambda good: good[:-1] + "\udc80",
    "nine kibibytes": lambda good: good + "A" * 9216,
}


@pytest.mark.parametrize("change", TEXTS.values(), ids=TEXTS)
def test_a_text_that_is_no_signed_request_is_refused(sqlite_bench: Bench, change: Callable[[str], str]) -> None:
    ada = sqlite_bench.member("ada")
    good = workstation("laptop").request(Wish("arcgis-pro"), sqlite_bench.clock())
    with pytest.raises(RequestInvalid):
        borrow.issue(Unit(sqlite_bench.authority, ada), change(good))


def test_a_receipt_is_no_request_and_a_request_is_no_receipt(sqlite_bench: Bench) -> None:
    from authority.services import endings

    ada, laptop = sqlite_bench.member("ada"), workstation("laptop")
    request = laptop.request(Wish("arcgis-pro"), sqlite_bench.clock())
    issued = borrow.issue(Unit(sqlite_bench.authority, ada), request)
    with pytest.raises(RequestInvalid):
        endings.check_in(Unit(sqlite_bench.authority, ada), request)
    with pytest.raises(RequestInvalid):
        borrow.issue(Unit(sqlite_bench.authority, ada), laptop.receipt_for(issued.file, sqlite_bench.clock()))
