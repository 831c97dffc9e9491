"""Attempts of the table in docs/security.md that no other file of this room looks at, each by its number."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.support.chains import DAY, START, Chain, make_chain, open_site, refused
from verifier.core import claims, opening
from verifier.core.times import LAST_SECOND, rfc3339_of
from verifier.errors import Malformed

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture
def chain() -> Chain:
    return make_chain()


# Texts that a reader, a font or a comparison takes for "ada", or for the number of her account.
LOOK_ALIKES = ("ADA", "ada ", "аda", "ａｄａ", "a\u0301da", "ad\u00e4", "straße", "STRASSE", "\u212aelvin")
NO_USER = (
    "uid:\u0661000",
    "uid:１０００",
    "UID:1000",
    "uid:1000 ",
    "uid:1000\n",
    "uid:-1",
    "uid:",
    "ada",
    "sid:S-1",
    "sid:s-1-5-18",
)


def test_t10_names_decide_nothing_and_only_a_number_or_a_sid_is_a_user(chain: Chain) -> None:
    """Names are for people: no spelling, case or script makes one user another."""
    for name in LOOK_ALIKES:
        chain.borrow["user"]["name"] = name
        assert chain.verify().member == "ada"
        with refused("wrong-user"):
            other = make_chain()
            other.borrow |= {"sub": "uid:1001", "user": {"name": name}}
            other.verify()
    for user in NO_USER:
        chain.borrow["sub"] = user
        with pytest.raises(Malformed):
            claims.borrow(chain.borrow)


def test_t21_one_signature_has_one_text(chain: Chain) -> None:
    """A token that could be written in two ways would be another one to a log, or to a list of what was revoked."""
    token = chain.borrow_token()
    assert opening.open_borrow(chain.borrow_file(borrow=token), chain.trust())
    others = [token[:-1] + letter for letter in LETTERS if letter != token[-1]]
    head, body, signature = token.split(".")
    others += [
        f"{token}=",
        f"{token}==",
        f"{head}=.{body}.{signature}",
        f"{head}.{body}=.{signature}",
        f" {token}",
        f"{token}\n",
    ]
    for other in others:
        with refused("malformed", "bad-signature"):
            opening.open_borrow(chain.borrow_file(borrow=other), chain.trust())


ZONES = ("UTC", "America/St_Johns", "Pacific/Kiritimati", "Australia/Lord_Howe")
# Around the end of 32 bits, a leap second, both changes of clocks of Europe, and the last second of the calendar.
SECONDS = (2**31 - 1, 2**31, 2**32, 1_483_228_799, 1_774_746_000, 1_792_890_000, LAST_SECOND - 3 * DAY)


@pytest.mark.parametrize("begins", SECONDS)
def test_t37_seconds_since_1970_know_no_zone_and_no_end_of_32_bits(begins: int, monkeypatch: pytest.MonkeyPatch) -> None:
    chain = make_chain(begins)
    chain.authorization["exp"] = min(begins + 400 * DAY, LAST_SECOND)
    chain.borrow["exp"] = begins + 2 * DAY
    chain.status_list["exp"] = begins + 2 * DAY
    for record in chain.authorization["keys"]:
        record["exp"] = begins + 2 * DAY
    grants = []
    for zone in ZONES:
        monkeypatch.setenv("TZ", zone)
        if hasattr(time, "tzset"):
            time.tzset()
        grants.append(chain.verify(begins + 1))
        with refused("expired"):
            chain.verify(chain.borrow["exp"])
    monkeypatch.undo()
    if hasattr(time, "tzset"):
        time.tzset()
    assert grants == [grants[0]] * len(ZONES)
    assert grants[0].as_json()["expires_at"] == rfc3339_of(begins + 2 * DAY)


@pytest.mark.parametrize("member", ["iat", "nbf", "exp"])
def test_t37_a_root_signed_authorization_with_times_in_milliseconds_is_refused_at_the_door(chain: Chain, member: str) -> None:
    chain.authorization[member] *= 1000
    with refused("malformed"):
        chain.trust().authorize(chain.authorization_token())
    with refused("malformed"):
        chain.verify()


def test_t41_no_borrow_lasts_longer_than_the_vendor_allows_whoever_signs_it(chain: Chain) -> None:
    """Long ones kept in a drawer until after the contract ends there, too: at the exact second."""
    longest = chain.authorization["max_borrow_days"] * DAY
    chain.borrow["exp"] = START + longest
    assert chain.verify().days_left == 30
    chain.borrow["exp"] += 1
    with refused("not-authorized"):
        chain.verify()
    chain.borrow["exp"] = START + 9 * DAY
    chain.authorization["exp"] = START + 9 * DAY
    assert chain.verify().days_left == 9
    chain.authorization["exp"] -= 1
    with refused("not-authorized"):
        chain.verify()
    chain.authorization["exp"] += DAY
    chain.authorization["products"][0]["until"] = START + 9 * DAY - 1
    with refused("not-authorized"):
        chain.verify()


def test_t43_a_list_names_nobody(chain: Chain) -> None:
    """Two bits for each place: whose a place is stands in the token alone."""
    text = json.dumps(open_site(chain.status_token()))
    own: dict[str, Any] = chain.borrow
    for secret in (own["member"], own["sub"], own["bid"], own["jti"], own["machine"]["id"], own["machine"]["alias"]):
        assert f'"{secret}"' not in text
