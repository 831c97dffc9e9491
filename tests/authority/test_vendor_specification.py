"""Specifications and files of public keys: what is read, and that all that is wrong is told at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from authority.domain.catalogue import KeyUse
from authority.domain.refusals import SpecificationInvalid
from authority.signing.keyring import FileSigner
from authority.signing.sample_keys import sample_key
from authority.signing.vendor import public_keys, specification
from authority.signing.vendor.public_keys import AuthorityKeys
from tests.support.vendors import documented_specification, sample_toml
from verifier.core import keys

NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)
MINIMAL = """
iss = "maker"
sub = "field-survey"
organization = "Field Survey"
exp = 2027-01-01
max_borrow_days = 30
products = []
[members]
[user_types.Viewer]
includes = {}
may_hold = []
"""
PRODUCT = """
[[products]]
id = "mapper"
name = "Mapper"
mode = "named"
levels = ["Basic"]
seats = { Basic = 3 }
extensions = {}
"""


def problems(data: bytes | str) -> list[str]:
    with pytest.raises(SpecificationInvalid) as caught:
        specification.read(data.encode() if isinstance(data, str) else data, NOW)
    assert caught.value.hint
    sentences: list[str] = caught.value.evidence.get("problems", [caught.value.message])
    return sentences


def test_the_sample_makes_the_claims_that_it_was_made_from() -> None:
    wish = specification.read(sample_toml(), NOW)
    assert wish.claims["products"][2]["seats"] == {"Advanced": 10}
    assert wish.claims["members"] == {"total": 50, "types": {}}
    assert (wish.seq, wish.organization) == (None, "field-survey")
    assert wish.begins_at == NOW - timedelta(days=1)


def test_the_documented_specification_is_read() -> None:
    wish = specification.read(documented_specification().encode(), NOW)
    assert wish.claims["members"] == {"total": 40, "types": {"GIS Professional": 10}}
    assert wish.claims["products"][1]["until"] == int(datetime(2098, 7, 1, 10, tzinfo=UTC).timestamp())
    assert wish.ends_at == datetime(2099, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "spelling"),
    [
        ("横山測量\u3000株式会社", "横山測量 株式会社"),
        ("Bu\u0308ro  Nord", "Büro Nord"),
        ("نقشه\u200cبرداری", "نقشه\u200cبرداری"),
    ],
)
def test_a_name_is_signed_in_its_one_spelling(written: str, spelling: str) -> None:
    assert specification.read(MINIMAL.replace("Field Survey", written).encode(), NOW).claims["organization"] == spelling


@pytest.mark.parametrize("written", ["a\\u202eb", "a\\u200bb", "\u3000"])
def test_a_name_with_what_nobody_sees_is_told(written: str) -> None:
    (problem,) = problems(MINIMAL.replace("Field Survey", written))
    assert problem.startswith('"organization" must be printable text')


LOOK_ALIKES = {
    "levels": (
        PRODUCT.replace('levels = ["Basic"]', 'levels = ["Basic", "BASIC"]'),
        '"products.mapper.levels" must be an array without repetition of names of 1 to 64 letters, digits, spaces and . _ -',
    ),
    "a level and an extension": (
        PRODUCT.replace("extensions = {}", "extensions = { basic = 1 }"),
        'the levels and extensions of "mapper" have names that look alike: Basic, basic',
    ),
    "extensions": (
        PRODUCT.replace("extensions = {}", 'extensions = { "Network Analyst" = 1, "network  analyst" = 1 }'),
        'the levels and extensions of "mapper" have names that look alike: Network Analyst, network  analyst',
    ),
    "user types": (
        PRODUCT + "[user_types.viewer]\nincludes = {}\nmay_hold = []\n",
        "the user types have names that look alike: Viewer, viewer",
    ),
}


@pytest.mark.parametrize(("product", "problem"), LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_names_that_people_take_for_one_another_are_told(product: str, problem: str) -> None:
    assert problems(MINIMAL.replace("products = []\n", "") + product) == [problem]


def test_what_is_left_out_is_no_limit() -> None:
    wish = specification.read(
        (MINIMAL + PRODUCT.replace("Mapper", "\\u00c4 Mapper")).encode().replace(b"products = []\n", b""), NOW
    )
    assert wish.claims["members"] == {"total": None, "types": {}}
    assert wish.claims["products"][0]["until"] is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2027-01-31", datetime(2027, 1, 31, tzinfo=UTC)),
        ('"2027-01-31"', datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ('"2027-01-31T12:00:00Z"', datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ('"2027-01-31t12:00:00z"', datetime(2027, 1, 31, 12, tzinfo=UTC)),
        ("2027-01-31 12:00:00+02:00", datetime(2027, 1, 31, 10, tzinfo=UTC)),
        ('"2027-01-31 12:00:00.999-09:30"', datetime(2027, 1, 31, 21, 30, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_in_every_way_that_has_a_zone(written: str, meant: datetime) -> None:
    wish = specification.read(MINIMAL.replace("exp = 2027-01-01", f"exp = {written}").encode(), NOW)
    assert wish.ends_at == meant


@pytest.mark.parametrize(
    "written",
    [
        "2027-01-31T12:00:00",
        '"2027-01-31T12:00:00"',
        "12:00:00",
        '""',
        '"tomorrow"',
        '"20270131"',
        '"2027-02-30"',
        '"2027-13-01T00:00:00Z"',
        '"2027-01-01T25:00:00Z"',
        '"2027-01-01T00:00:00+99:99"',
        '"2027-W05"',
        '"\\u0662027-01-01"',
        "1800000000",
        "true",
        "[2027-01-01]",
        "9999-12-31T23:59:59-01:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31",
    ],
)
def test_a_time_without_a_zone_or_outside_the_calendar_is_told(written: str) -> None:
    (problem,) = problems(MINIMAL.replace("exp = 2027-01-01", f"exp = {written}"))
    assert problem == '"exp" must be a date, or a time with a zone, like 2027-01-31 or 2027-01-31T12:00:00Z'


def product(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(members: dict[str, Any]) -> None:
        members["products"][0] |= changes

    return change


def user_type(**changes: Any) -> Callable[[dict[str, Any]], None]:
    def change(members: dict[str, Any]) -> None:
        members["user_types"]["Creator"] |= changes

    return change


def put(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda members: members.update(changes)


def twice(members: dict[str, Any]) -> None:
    members["products"].append(members["products"][0])


WRONG: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "vendor missing": (put(iss=None), '"iss" is missing'),
    "vendor empty": (put(iss=""), '"iss"'),
    "vendor a number": (put(iss=7), '"iss"'),
    "vendor with a line break": (put(iss="a\nb"), '"iss"'),
    "organization id with a capital": (put(sub="Field-Survey"), '"sub"'),
    "organization id too long": (put(sub="x" * 65), '"sub"'),
    "name too long": (put(organization="x" * 257), '"organization"'),
    "seq 0": (put(seq=0), '"seq"'),
    "seq true": (put(seq=True), '"seq"'),
    "seq text": (put(seq="2"), '"seq"'),
    "seq beyond JSON": (put(seq=2**53), '"seq"'),
    "end missing": (put(exp=None), '"exp"'),
    "end in the past": (put(exp="2026-03-02T09:00:00Z"), '"exp" must be in the future'),
    "end before the beginning": (put(nbf="2099-01-01"), '"exp" must be after "nbf"'),
    "no borrow": (put(max_borrow_days=0), '"max_borrow_days"'),
    "borrow too long": (put(max_borrow_days=36_501), '"max_borrow_days"'),
    "days as a float": (put(max_borrow_days=1.5), '"max_borrow_days"'),
    "unknown member": (put(colour="red"), '"colour" is not known'),
    "keys": (put(keys=[]), '"keys" is not known'),
    "version": (put(ver=1), '"ver" is not known'),
    "members missing": (put(members=None), '"members" is missing'),
    "members a number": (put(members=50), '"members" must be a table'),
    "total negative": (put(members={"total": -1}), '"members.total"'),
    "total true": (put(members={"total": True}), '"members.total"'),
    "member unknown": (put(members={"totl": 1}), '"members.totl" is not known'),
    "limit of no type": (put(members={"types": {"Wizard": 1}}), '"members.types" limits "Wizard"'),
    "limit negative": (put(members={"types": {"Creator": -1}}), '"members.types"'),
    "no user types": (put(user_types={}), "at least one user type"),
    "user types an array": (put(user_types=[]), '"user_types"'),
    "user type a text": (put(user_types={"Creator": "x"}), '"user_types"'),
    "user type with a bad name": (put(user_types={" x": {"includes": {}, "may_hold": []}}), '"user_types"'),
    "includes missing": (user_type(includes=None), '"user_types.Creator.includes" is missing'),
    "includes an unknown product": (user_type(includes={"other": "Basic"}), 'includes "other" at "Basic"'),
    "includes an unknown level": (user_type(includes={"arcgis-pro": "Best"}), 'includes "arcgis-pro" at "Best"'),
    "includes a number": (user_type(includes={"arcgis-pro": 1}), '"user_types.Creator.includes"'),
    "may hold an unknown product": (user_type(may_hold=["other"]), 'may hold "other"'),
    "may hold twice": (user_type(may_hold=["arcgis-pro", "arcgis-pro"]), '"user_types.Creator.may_hold"'),
    "user type with more": (user_type(price=3), '"user_types.Creator.price" is not known'),
    "products missing": (put(products=None), '"products" is missing'),
    "products a table": (put(products={}), '"products" must be an array of tables'),
    "product a number": (put(products=[1]), '"products" must be an array of tables'),
    "product twice": (twice, '"arcgis-pro" stands there twice'),
    "product id": (product(id="ArcGIS Pro"), '"products.ArcGIS Pro.id"'),
    "mode": (product(mode="floating"), '"products.arcgis-pro.mode" must be one of "named", "concurrent"'),
    "mode an array": (product(mode=["named"]), '"products.arcgis-pro.mode"'),
    "no levels": (product(levels=[], seats={}), "at least one level"),
    "level twice": (product(levels=["Basic", "Basic"]), '"products.arcgis-pro.levels"'),
    "level a number": (product(levels=[1]), '"products.arcgis-pro.levels"'),
    "seats missing": (product(seats=None), '"products.arcgis-pro.seats" is missing'),
    "seats of an unknown level": (product(seats={"Best": 1}), 'has seats of "Best"'),
    "seats negative": (product(seats={"Basic": -1}), '"products.arcgis-pro.seats"'),
    "seats true": (product(seats={"Basic": True}), '"products.arcgis-pro.seats"'),
    "seats a float": (product(seats={"Basic": 1.0}), '"products.arcgis-pro.seats"'),
    "seats beyond JSON": (product(seats={"Basic": 2**53}), '"products.arcgis-pro.seats"'),
    "extension like a level": (product(extensions={"Basic": 1}), 'a level and an extension "Basic"'),
    "until without a zone": (product(until="2027-01-01T00:00:00"), '"products.arcgis-pro.until"'),
    "product with more": (product(price=3), '"products.arcgis-pro.price" is not known'),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_by_its_name(change: Callable[[dict[str, Any]], None], words: str) -> None:
    assert any(words in problem for problem in problems(sample_toml(change)))


def test_everything_that_is_wrong_is_told_at_once() -> None:
    def change(members: dict[str, Any]) -> None:
        for one in (put(iss=7, colour="red"), product(mode="x", price=1), user_type(may_hold=7)):
            one(members)

    sentences = problems(sample_toml(change, seq=0, exp=None))
    assert len(sentences) == 7
    names = ("iss", "colour", "mode", "price", "may_hold", "seq", "exp")
    assert all(any(name in problem for problem in sentences) for name in names)


def test_a_flood_of_mistakes_is_cut_short() -> None:
    sentences = problems(MINIMAL + "".join(f"[x{number}]\n" for number in range(500)))
    assert len(sentences) == 41
    assert sentences[-1] == "and 460 more"


NO_TOML: dict[str, bytes] = {
    "nothing at all": b"",
    "JSON": b'{"iss": "maker"}',
    "half": b'iss = "mak',
    "NUL": b"\x00",
    "not UTF-8": b"\xff\xfe\x00",
    "UTF-16": MINIMAL.encode("utf-16"),
    "key twice": b'iss = "a"\niss = "b"',
    "lone surrogate": b'iss = "\\ud800"',
    "deep": b"a = " + b"[" * 100_000,
    "long number": b"seq = " + b"9" * 10_000,
    "impossible date": b"exp = 2027-02-30",
    "too large": b"#" * (256 * 1024 + 1),
}


@pytest.mark.parametrize("data", NO_TOML.values(), ids=NO_TOML)
def test_what_is_no_specification_is_refused(data: bytes) -> None:
    assert problems(data)


def test_a_byte_order_mark_does_no_harm() -> None:
    assert specification.read(b"\xef\xbb\xbf" + MINIMAL.encode(), NOW).organization == "field-survey"


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=5)
)
NAMES = ["iss", "sub", "seq", "exp", "nbf", "members", "user_types", "products", "id", "total", "types", "seats"]
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_any_other_content_ends_in_our_refusal(members: dict[str, Any]) -> None:
    with pytest.raises(SpecificationInvalid):
        specification.read(sample_toml(put(**members), surprise=1), NOW)


BORROW, STATUS = FileSigner.fresh().public, FileSigner.fresh().public


def entry(use: str, key: keys.PublicKey, **changes: Any) -> dict[str, Any]:
    return {"use": use, "kid": key.kid, **key.as_jwk(), **changes}


def keys_file(*entries: Any, **changes: Any) -> bytes:
    value = {"organization": "field-survey", "keys": list(entries or (entry("borrow", BORROW), entry("status", STATUS)))}
    return json.dumps(value | changes).encode()


def test_public_keys_are_read_by_use() -> None:
    by_use = {KeyUse.BORROW: [BORROW], KeyUse.STATUS: [STATUS]}
    assert public_keys.read(keys_file(), "field-survey") == AuthorityKeys(by_use)
    assert public_keys.read(keys_file(seq=7), "field-survey") == AuthorityKeys(by_use, 7)


SAMPLE = keys.from_raw(sample_key("borrow").public_key().public_bytes_raw())
LOW_ORDER = keys.encode(bytes(32))
WRONG_KEYS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "array": (b"[]", "not an object"),
    "member twice": (b'{"organization": "a", "organization": "a", "keys": []}', "JSON"),
    "deep": (b"[" * 100_000, "JSON"),
    "another organization": (keys_file(organization="other"), '"other"'),
    "organization a number": (keys_file(organization=7), '"7"'),
    "no organization": (b'{"keys": []}', '"organization"'),
    "number a text": (keys_file(seq="1"), '"seq"'),
    "number true": (keys_file(seq=True), '"seq"'),
    "number negative": (keys_file(seq=-1), '"seq"'),
    "number null": (keys_file(seq=None), '"seq"'),
    "more members": (keys_file(more=1), '"keys"'),
    "keys a table": (keys_file(keys={}), '"keys"'),
    "no keys": (keys_file(keys=[]), 'no key of the use "borrow"'),
    "no status key": (keys_file(entry("borrow", BORROW)), 'no key of the use "status"'),
    "entry a text": (keys_file("x", entry("status", STATUS)), "key 1"),
    "entry null": (keys_file(None), "key 1"),
    "another use": (keys_file(entry("root", BORROW), entry("status", STATUS)), "key 1"),
    "use an array": (keys_file(entry("borrow", BORROW) | {"use": ["borrow"]}), "key 1"),
    "no use": (keys_file(BORROW.as_jwk()), "key 1"),
    "another thumbprint": (keys_file(entry("borrow", BORROW, kid=STATUS.kid)), "thumbprint"),
    "thumbprint a number": (keys_file(entry("borrow", BORROW, kid=7)), "thumbprint"),
    "private key": (keys_file(entry("borrow", BORROW, d="x" * 43)), "members must be"),
    "another curve": (keys_file(entry("borrow", BORROW, crv="X25519")), "Ed25519"),
    "another kind": (keys_file(entry("borrow", BORROW, kty="EC")), "OKP"),
    "short key": (keys_file(entry("borrow", BORROW, x="AAAA")), "43 characters"),
    "low-order key": (keys_file(entry("borrow", BORROW, x=LOW_ORDER)), "low-order"),
    "off the curve": (keys_file(entry("borrow", BORROW, x=keys.encode(b"\x02" + bytes(31)))), "not a point"),
    "not canonical": (keys_file(entry("borrow", BORROW, x=BORROW.as_jwk()["x"][:-1] + "B")), "base64url"),
    "key twice": (keys_file(entry("borrow", BORROW), entry("borrow", BORROW), entry("status", STATUS)), "twice"),
    "one key for both": (keys_file(entry("borrow", BORROW), entry("status", BORROW)), "twice"),
    "sample key": (keys_file(entry("borrow", SAMPLE), entry("status", STATUS)), "published sample"),
}


@pytest.mark.parametrize(("data", "words"), WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_public_keys_that_are_not_good_are_refused(data: bytes, words: str) -> None:
    with pytest.raises(SpecificationInvalid, match=words.replace("[", r"\[")):
        public_keys.read(data, "field-survey")


def test_every_wrong_key_is_told_at_once() -> None:
    with pytest.raises(SpecificationInvalid) as caught:
        public_keys.read(keys_file(7, entry("borrow", BORROW, kid="x"), organization="other"), "field-survey")
    assert len(caught.value.evidence["problems"]) == 3
