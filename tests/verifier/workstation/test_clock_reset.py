"""A clock reset: signed by the authority, for one machine key, once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import verifier
from tests.support.chains import DAY, HOUR, START, refused
from tests.support.clock_resets import reset_file, use_a_year_ahead
from tests.support.machine_clock import MachineClock
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier.cli.main import main
from verifier.core.clock_reset import code_of
from verifier.workstation import install
from verifier.workstation.installed import ClockResetInstalled


@pytest.fixture
def here(tmp_path: Path, clock: MachineClock) -> RealWorkstation:
    here = make_workstation(tmp_path / "home", installed=False)
    use_a_year_ahead(here, clock)
    return here


def check(here: RealWorkstation) -> object:
    return verifier.check("arcgis-pro", home=here.home)


def code(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> str:
    """The code that the command shows."""
    assert main(["clock", "--json", "--home", str(here.home)]) == 0
    shown: str = json.loads(capsys.readouterr().out)["code"]
    return shown


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
