"""A clock reset: signed by the authority, for one machine key, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import verifier
from tests.support.chains import DAY, HOUR, ORGANIZATION, START, refused
from tests.support.machine_clock import MachineClock
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier.cli.main import main
from verifier.core import files
from verifier.core.clock_reset import CLOCK_RESET_TYP, code_of
from verifier.workstation import install
from verifier.workstation.installed import ClockResetInstalled

# Nine days with a clock that is a year ahead: then nothing short of a reset helps within a year.
AHEAD = 365 * DAY


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    return MachineClock(monkeypatch, START)


@pytest.fixture
def here(tmp_path: Path, clock: MachineClock) -> RealWorkstation:
    here = make_workstation(tmp_path / "home", installed=False)
    here.chain.borrow["exp"] = START + 28 * DAY
    for key in here.chain.authorization["keys"]:
        key["nbf"] = START - 20 * DAY
    install.install(here.store, here.chain.borrow_file())
    clock.restart(0)
    clock.set(START + AHEAD)
    for _ in range(18):
        with refused("expired"):
            check(here)
        clock.run(12 * HOUR)
    clock.set(START + 9 * DAY)
    with refused("clock-turned-back"):
        check(here)
    return here


def check(here: RealWorkstation) -> object:
    return verifier.check("arcgis-pro", home=here.home)


def code(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> str:
    """The code that the command shows."""
    assert main(["clock", "--json", "--home", str(here.home)]) == 0
    shown: str = json.loads(capsys.readouterr().out)["code"]
    return shown


def reset_file(here: RealWorkstation, code: str, signer: str = "borrow_key", **changes: Any) -> bytes:
    claims = {
        "iss": ORGANIZATION,
        "jti": "K" * 22,
        "iat": START + 9 * DAY,
        "ver": 1,
        "cnf": {"jkt": here.chain.workstation.machine_key},
        "code": code,
    }
    compact = getattr(here.chain, signer).token(CLOCK_RESET_TYP, claims | changes)
    return files.render("clock-reset", {"authorization": here.chain.authorization_token(), "reset": compact})


def test_t7_a_reset_brings_the_license_back_and_works_once(
    here: RealWorkstation, clock: MachineClock, capsys: pytest.CaptureFixture[str]
) -> None:
    data = reset_file(here, code(here, capsys))
    assert install.install(here.store, data) == ClockResetInstalled(START + 9 * DAY)
    assert check(here)
    with refused("clock-reset-used"):
        install.install(here.store, data)
    assert code(here, capsys) != json.loads(data)["reset"]
    # The older copy of the state does not bring the wrong clock back.
    here.forget(first=False)
    clock.run(2 * HOUR)
    assert check(here)
    # From its time on a clock turned back is noticed as before.
    clock.set(START + 7 * DAY)
    with refused("clock-turned-back"):
        check(here)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "of days ahead": ({"iat": START + 10 * DAY + 1}, "clock-in-doubt"),
    "of long ago": ({"iat": START - 21 * DAY}, "key-not-valid"),
    "older than two weeks": ({"iat": START - 5 * DAY - 1}, "clock-in-doubt"),
    "for another machine key": ({"cnf": {"jkt": "A" * 43}}, "wrong-machine-key"),
    "for another code": ({"code": code_of("A" * 43, 0)}, "clock-reset-used"),
    "of another organization": ({"iss": "another"}, "not-authorized"),
    "with a member more": ({"more": 1}, "malformed"),
    "of a later version": ({"ver": 2}, "unsupported-version"),
    "signed by the status key": ({"signer": "status_key"}, "key-not-valid"),
    "signed by the machine itself": ({"signer": "machine_key"}, "unknown-key"),
}


def test_t7_a_reset_that_is_not_the_authoritys_for_this_machine_changes_nothing(
    here: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, before = code(here, capsys), here.snapshot()
    for changes, expected in REFUSED.values():
        with refused(expected):
            install.install(here.store, reset_file(here, **({"code": shown} | changes)))
    assert here.snapshot() == before


def test_t7_a_reset_does_not_undo_what_was_signed(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest signature here stays a floor under the clock: of that only the authority's next list says otherwise."""
    install.install(here.store, reset_file(here, code(here, capsys), iat=START + 9 * DAY))
    here.give_up()
    with refused("given-up"):
        check(here)


def test_where_nothing_was_signed_yet_nothing_is_in_doubt(
    tmp_path: Path, clock: MachineClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["clock", "--home", str(tmp_path / "new")]) == 0
    said = capsys.readouterr().out
    assert "nothing is known yet" in said
    assert "in doubt" not in said
