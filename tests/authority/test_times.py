"""Times of tokens become times at one door, and what lies beyond the calendar stays outside."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authority.domain.members import CONSOLE
from authority.domain.refusals import AuthorizationUnusable
from authority.services import authorizations
from authority.services.unit import Unit
from tests.support.authorities import Bench, authorization_text
from tests.support.vendors import authorization_file
from verifier.core import jose, keys
from verifier.core.claims import AUTHORIZATION_TYP
from verifier.core.times import instant
from verifier.errors import Malformed

LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 3, 2, 9, tzinfo=UTC), LAST])
def test_seconds_are_an_aware_time(at: datetime) -> None:
    assert instant(round((at - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1))) == at


@pytest.mark.parametrize("seconds", [-1, 253_402_300_800, 1_772_442_000_000, 2**53 - 1, 2**80])
def test_what_lies_beyond_the_calendar_is_no_time(seconds: int) -> None:
    with pytest.raises(Malformed, match="beyond the calendar"):
        instant(seconds)


def end_in_milliseconds(members: dict[str, Any]) -> None:
    members["exp"] *= 1000


def key_in_milliseconds(members: dict[str, Any]) -> None:
    for key in members["keys"]:
        key["exp"] *= 1000


def product_in_milliseconds(members: dict[str, Any]) -> None:
    members["products"][0]["until"] = members["exp"] * 1000


@pytest.mark.parametrize("change", [end_in_milliseconds, key_in_milliseconds, product_in_milliseconds])
def test_an_authorization_with_times_in_milliseconds_is_refused_at_the_door(
    sqlite_bench: Bench, change: Callable[[dict[str, Any]], None]
) -> None:
    bench = sqlite_bench
    members = jose.strict_object(
        keys.decode(authorization_text(bench.authority, bench.root, bench.clock(), seq=2).split(".")[1])
    )
    change(members)
    header = {"alg": "EdDSA", "typ": AUTHORIZATION_TYP, "kid": bench.root.public.kid}
    text = jose.compact(header, jose.payload(members), bench.root.sign)
    with pytest.raises(AuthorizationUnusable) as caught:
        authorizations.install(Unit(bench.authority, CONSOLE), authorization_file(text))
    assert caught.value.cause == "malformed"
    with bench.authority.database.read() as connection:
        assert bench.authority.terms(connection).authorization.seq == 1
