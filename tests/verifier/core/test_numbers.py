"""Every number of every token at its extremes: a grant or an error of our own, whatever the number is."""

from __future__ import annotations

import copy
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import START, Chain
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier.core.times import LAST_SECOND
from verifier.core.trust import TrustStore
from verifier.errors import CarnetError, Malformed
from verifier.workstation.store import Store

# 1_772_442_000_000 is a time in milliseconds, as JavaScript and Java count them.
EXTREMES: tuple[int, ...] = (
    0,
    1,
    LAST_SECOND - 1,
    LAST_SECOND,
    LAST_SECOND + 1,
    1_772_442_000_000,
    10**15,
    2**53 - 1,
    2**53,
    2**63,
    -1,
)
if sys.platform == "win32":
    # What the C library of Windows treats in its own way: times before 1970, and after the year 3000.
    EXTREMES = (0, LAST_SECOND, 1_772_442_000_000, -1)
TOKENS = ("authorization", "borrow", "status_list")


def numbers(value: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where numbers stand in the claims of a token."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(item, (*at, key))
    elif type(value) is int:
        yield at


def put(claims: Any, at: tuple[str | int, ...], number: int) -> None:
    for key in at[:-1]:
        claims = claims[key]
    claims[at[-1]] = number


@pytest.mark.parametrize("token", TOKENS)
def test_a_number_at_its_extreme_ends_in_our_error_or_in_a_grant(token: str, tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home", installed=False)
    before = copy.deepcopy(getattr(here.chain, token))
    tried = 0
    for at in list(numbers(before)):
        for number in EXTREMES:
            claims = copy.deepcopy(before)
            put(claims, at, number)
            setattr(here.chain, token, claims)
            try_everything(here, tmp_path / f"{tried}")
            tried += 1
    assert tried >= 4 * len(EXTREMES)


def try_everything(here: RealWorkstation, home: Path) -> None:
    """Installs, checks and verifies what the chain makes now; raises what is no error of ours."""
    home.mkdir()
    shutil.copy(here.home / "machine-key.pem", home)
    other = RealWorkstation(Store(home), here.chain)
    calls: list[Callable[[], object]] = [partial(other.install, data) for data in files_of(here.chain)]
    calls += [other.check, other.give_up, partial(here.chain.verify, START)]
    for call in calls:
        try:
            call()
        except CarnetError as error:
            assert error.message  # noqa: PT017


def files_of(chain: Chain) -> list[bytes]:
    return [chain.trust_file(), chain.authorization_file(), chain.status_file(), chain.borrow_file()]


@pytest.mark.parametrize(
    "at", [("iat",), ("nbf",), ("exp",), ("keys", 0, "nbf"), ("keys", 0, "exp"), ("products", 0, "until")], ids=str
)
def test_an_authorization_with_a_time_in_milliseconds_is_refused_at_the_door(at: tuple[str | int, ...], tmp_path: Path) -> None:
    chain = make_workstation(tmp_path / "home").chain
    put(chain.authorization, at, 1_772_442_000_000)
    with pytest.raises(Malformed, match="milliseconds"):
        TrustStore.read(chain.trust_file()).authorize(chain.authorization_token())
