"""What each kind of token must say: every member present, of its type, within its bounds, and none that is unknown."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.chains import make_chain, receipt_claims, refused, request_claims
from verifier.core import carried, claims
from verifier.core.jose import strict_object
from verifier.core.trust import authorization
from verifier.errors import CarnetError

CHAIN = make_chain()
CHAIN.status_list["warn_before"] = 3 * 86_400
CHAIN.authorization["keys"][0] |= {"revoked": True, "known": ["K" * 22]}
Path = tuple[str | int, ...]
Parse = Callable[[Mapping[str, Any]], object]
KINDS: dict[str, tuple[dict[str, Any], Parse]] = {
    "borrow": (CHAIN.borrow, claims.borrow),
    "authorization": (CHAIN.authorization, authorization),
    "status list": (CHAIN.status_list, claims.status_list),
    "request": (request_claims(), carried.request),
    "receipt": (receipt_claims(), carried.receipt),
}
# Objects whose member names are data, and members that need not be there.
MAPPINGS = {"types", "user_types", "includes", "seats", "extensions"}
OPTIONAL = {"revoked", "known", "days", "warn_before"}
NULLABLE = {
    "borrow": {"machine.alias", "pol.status_max_age"},
    "authorization": {"members.total", "members.types.Creator", "products.0.until", "products.1.until"},
    "status list": {"prev"},
    "request": {"organization", "level", "extensions", "member", "prev", "machine.secondary", "machine.alias"},
    "receipt": set[str](),
}
WRONG: dict[type, list[Any]] = {
    int: [True, False, 1.0, 1.5, float("nan"), float("inf"), "1", "١", "", [1], {}, -1, -(2**60)],
    str: [1, 0, True, 1.5, ["text"], {}, {"text": 1}, "", "\0", "a\nb", "a\x1b[31mb", "a\u202eb", "\ud800", "x" * 257],
    list: ["text", "", 1, True, {}, {"0": 1}, [1], [None], [["text"]], [{}], ["\0"]],
    dict: ["text", "", 1, True, [], [[]], [{}]],
    bool: ["true", 1, 0, None, [], {}],
}


def paths(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every place in a JSON value with what stands there, the whole left out."""
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        yield (*path, key), item
        yield from paths(item, (*path, key))


def name_of(path: Path) -> str:
    return ".".join(str(part) for part in path)


def place(value: Any, path: Path) -> Any:
    """The object or array that holds the last part of a path."""
    for part in path[:-1]:
        value = value[part]
    return value


def changed(kind: str, path: Path, new: Any) -> dict[str, Any]:
    """The claims of a kind with another value at one place."""
    members = copy.deepcopy(KINDS[kind][0])
    place(members, path)[path[-1]] = new
    return members


def is_data(path: Path) -> bool:
    """True when the last part of a path is data and no member name of ours."""
    return isinstance(path[-1], int) or (len(path) > 1 and path[-2] in MAPPINGS)


EVERY = [(kind, path, value) for kind, (base, _) in KINDS.items() for path, value in paths(base)]
MEMBERS = [(kind, path) for kind, path, _ in EVERY if not is_data(path) and path[-1] not in OPTIONAL]
OBJECTS = [(kind, path) for kind, path, value in EVERY if isinstance(value, dict) and path[-1] not in MAPPINGS]
PLACES = [(kind, path, value) for kind, path, value in EVERY if value is not None]


def wrong_values(kind: str, path: Path, value: Any) -> list[Any]:
    """What may not stand at a place: values of another type, and null where the contract has none."""
    values = [*WRONG[type(value)], *([] if name_of(path) in NULLABLE[kind] else [None])]
    if path[-1] == "lst":  # Any text may be there; unpacking it comes later.
        values = [wrong for wrong in values if not isinstance(wrong, str)]
    return [wrong for wrong in values if wrong != {} or path[-1] not in MAPPINGS]


@pytest.mark.parametrize("kind", KINDS)
def test_the_claims_as_they_should_be_are_read(kind: str) -> None:
    base, parse = KINDS[kind]
    assert parse(base) == parse(strict_object(json.dumps(base).encode()))


@pytest.mark.parametrize(("kind", "path"), MEMBERS, ids=[f"{kind}: {name_of(path)}" for kind, path in MEMBERS])
def test_a_missing_member_is_malformed(kind: str, path: Path) -> None:
    members = copy.deepcopy(KINDS[kind][0])
    del place(members, path)[path[-1]]
    with refused("malformed"):
        KINDS[kind][1](members)


@pytest.mark.parametrize(
    ("kind", "path"),
    [*((kind, ()) for kind in KINDS), *OBJECTS],
    ids=[*KINDS, *(f"{kind}: {name_of(path)}" for kind, path in OBJECTS)],
)
@pytest.mark.parametrize("name", ["x", "", "crit", "__proto__", "Exp", "exp ", "\ud800"], ids=repr)
def test_an_unknown_member_is_malformed(kind: str, path: Path, name: str) -> None:
    members = copy.deepcopy(KINDS[kind][0])
    place(members, (*path, name))[name] = 1
    with refused("malformed"):
        KINDS[kind][1](members)


@pytest.mark.parametrize(("kind", "path", "value"), PLACES, ids=[f"{kind}: {name_of(path)}" for kind, path, _ in PLACES])
def test_a_value_of_another_type_is_malformed(kind: str, path: Path, value: Any) -> None:
    wrong_ones = wrong_values(kind, path, value)
    assert len(wrong_ones) >= 5
    for wrong in wrong_ones:
        with refused("malformed"):
            pytest.fail(f"{wrong!r} was read as {KINDS[kind][1](changed(kind, path, wrong))}")


@pytest.mark.parametrize("kind", NULLABLE)
def test_null_is_read_where_the_contract_allows_it(kind: str) -> None:
    base, parse = KINDS[kind]
    places = [path for path, _ in paths(base) if name_of(path) in NULLABLE[kind]]
    assert len(places) == len(NULLABLE[kind])
    for path in places:
        assert parse(changed(kind, path, None)) is not None


@pytest.mark.parametrize("version", [0, 2, 3, 2**53 - 1])
@pytest.mark.parametrize("kind", KINDS)
def test_another_version_asks_for_an_update(kind: str, version: int) -> None:
    with refused("unsupported-version"):
        KINDS[kind][1](changed(kind, ("ver",), version))


OUT_OF_BOUNDS: dict[str, tuple[str, Path, Any]] = {
    "audience as a list": ("borrow", ("aud",), ["arcgis-pro"]),
    "audience with a path": ("borrow", ("aud",), "../arcgis-pro"),
    "audience in upper case": ("borrow", ("aud",), "ArcGIS-Pro"),
    "product that ends in a dot": ("request", ("product",), "arcgis."),
    "begins before it was issued": ("borrow", ("nbf",), CHAIN.borrow["iat"] - 1),
    "ends as it begins": ("borrow", ("exp",), CHAIN.borrow["nbf"]),
    "ends before it begins": ("borrow", ("exp",), CHAIN.borrow["nbf"] - 1),
    "issued after it ends": ("borrow", ("iat",), CHAIN.borrow["exp"] + 1),
    "jti of 21 characters": ("borrow", ("jti",), "J" * 21),
    "jti of 23 characters": ("borrow", ("jti",), "J" * 23),
    "jti with a newline": ("borrow", ("jti",), "J" * 22 + "\n"),
    "borrow id with a slash": ("borrow", ("bid",), "/" * 22),
    "key thumbprint one short": ("borrow", ("cnf", "jkt"), "A" * 42),
    "user by name": ("borrow", ("sub",), "ada"),
    "user with a negative uid": ("borrow", ("sub",), "uid:-1"),
    "user with Arabic digits": ("borrow", ("sub",), "uid:١٠٠٠"),
    "user with a newline": ("borrow", ("sub",), "uid:1000\n"),
    "machine id with a space": ("borrow", ("machine", "id"), "machine laptop"),
    "levels twice the same": ("borrow", ("lic", "levels"), ["Basic", "Basic"]),
    "extensions twice the same": ("borrow", ("lic", "extensions"), ["A", "A"]),
    "list of one bit": ("status list", ("status_list", "bits"), 1),
    "list of eight bits": ("status list", ("status_list", "bits"), 8),
    "list without a number": ("status list", ("seq",), 0),
    "authorization without a number": ("authorization", ("seq",), 0),
    "authorization that ends as it begins": ("authorization", ("exp",), CHAIN.authorization["nbf"]),
    "longest borrow of no day": ("authorization", ("max_borrow_days",), 0),
    "key for another algorithm": ("authorization", ("keys", 0, "alg"), "Ed25519"),
    "key without algorithm": ("authorization", ("keys", 0, "alg"), "none"),
    "key for another use": ("authorization", ("keys", 0, "use"), "root"),
    "key under another's name": ("authorization", ("keys", 0, "kid"), CHAIN.status_key.kid),
    "key of low order": ("authorization", ("keys", 0, "x"), "AQ" + "A" * 41),
    "key of another curve": ("authorization", ("keys", 0, "crv"), "Ed448"),
    "key twice": ("authorization", ("keys", 1), CHAIN.authorization["keys"][0]),
    "product twice": ("authorization", ("products", 1), CHAIN.authorization["products"][0]),
    "product without levels": ("authorization", ("products", 0, "levels"), []),
    "seats of an unknown level": ("authorization", ("products", 0, "seats"), {"Gold": 1}),
    "extension named like a level": ("authorization", ("products", 0, "extensions"), {"Basic": 1}),
    "product of another mode": ("authorization", ("products", 0, "mode"), "floating"),
    "type that includes an unknown product": ("authorization", ("user_types", "Creator", "includes"), {"gold": "Basic"}),
    "type that includes an unknown level": ("authorization", ("user_types", "Creator", "includes"), {"arcgis-pro": "Gold"}),
    "type that may hold an unknown product": ("authorization", ("user_types", "Creator", "may_hold"), ["gold"]),
    "limit of an unknown type": ("authorization", ("members", "types"), {"Gold": 1}),
    "request for days and until": ("request", ("until",), 2_000_000_000),
    "request for no day": ("request", ("days",), 0),
    "request of a level that is a path": ("request", ("level",), "../Basic"),
    "receipt that counts from zero": ("receipt", ("count",), 0),
}


@pytest.mark.parametrize(("kind", "path", "wrong"), OUT_OF_BOUNDS.values(), ids=OUT_OF_BOUNDS)
def test_a_value_out_of_bounds_is_malformed(kind: str, path: Path, wrong: Any) -> None:
    with refused("malformed"):
        KINDS[kind][1](changed(kind, path, wrong))


def test_a_request_says_that_no_extensions_were_asked_for_or_that_none_are_wanted() -> None:
    """What says neither, as requests of earlier versions do, has an empty array and gets none, as it did."""
    assert carried.request(request_claims() | {"extensions": None}).extensions is None
    assert carried.request(request_claims() | {"extensions": []}).extensions == ()


def test_a_request_says_days_or_until_or_neither() -> None:
    asked = request_claims()
    assert carried.request(asked).days == 7
    del asked["days"]
    assert (carried.request(asked).days, carried.request(asked).until) == (None, None)
    assert carried.request(asked | {"until": 2_000_000_000}).until == 2_000_000_000


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
NAMES = sorted({str(path[-1]) for _, path, _ in EVERY})


@settings(deadline=None)
@given(kind=st.sampled_from(sorted(KINDS)), value=st.dictionaries(st.sampled_from(NAMES) | st.text(), JSON_VALUES))
def test_any_json_object_is_read_or_refused_with_our_error(kind: str, value: dict[str, Any]) -> None:
    with pytest.raises(CarnetError):
        KINDS[kind][1](value)


@settings(deadline=None, max_examples=600)
@given(data=st.data())
def test_good_claims_with_anything_anywhere_are_read_or_refused_with_our_error(data: st.DataObject) -> None:
    kind, path, _ = data.draw(st.sampled_from(EVERY))
    new = data.draw(JSON_VALUES)
    with contextlib.suppress(CarnetError):
        assert KINDS[kind][1](changed(kind, path, new)) is not None
