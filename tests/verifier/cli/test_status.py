"""`carnet status` as its reader sees it (seed S3), and the warnings before the end."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import DAY, HOUR, make_chain
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier import sentences
from verifier.cli.main import main
from verifier.core.times import lasting, rfc3339_of
from verifier.errors import Malformed, StatusListUnusable

LINES = """\
authority    Field Survey (field-survey)
root key     ROOT
workstation  Field laptop 7

ArcGIS Pro (arcgis-pro), borrowed by ada
  level     Basic                no
  level     Standard             yes
  level     Advanced             no
  extension 3DAnalyst            yes
  extension SpatialAnalyst       no
  until      END, 7 days left
  alias      laptop
  status     list 1 of BEGIN, 1 hour old
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealWorkstation:
    """A workstation of an hour ago, and a bit."""
    monkeypatch.setenv("CARNET_HOME", str(tmp_path / "home"))
    return make_workstation(tmp_path / "home", int(time.time()) - HOUR - 60)


@pytest.fixture
def here_near_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealWorkstation:
    """A workstation without a license yet; that of its chain has passed more than half of its time, and the list wants it warned of."""
    monkeypatch.setenv("CARNET_HOME", str(tmp_path / "home"))
    workstation = make_workstation(tmp_path / "home", int(time.time()) - HOUR - 60, installed=False)
    workstation.chain.borrow["exp"] = workstation.chain.borrow["iat"] + 100 * 60
    workstation.chain.status_list["warn_before"] = 30 * DAY
    return workstation


def status(capsys: pytest.CaptureFixture[str], *more: str, expected: int = 0) -> str:
    assert main(["status", *more]) == expected
    return capsys.readouterr().out


def test_status_shows_everything_of_s3(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["alias", "Field laptop 7"]) == 0
    capsys.readouterr()
    begin, end = (rfc3339_of(here.chain.borrow[name]) for name in ("iat", "exp"))
    wanted = LINES.replace("ROOT", here.chain.root.kid).replace("END", end).replace("BEGIN", begin)
    assert status(capsys) == wanted


def test_status_as_an_object(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    value: dict[str, Any] = json.loads(status(capsys, "--json"))
    names = {"organization": "field-survey", "name": "Field Survey", "roots": [here.chain.root.kid]}
    assert value["authority"] == names | {"url": None, "username": None}
    (license_,) = value["licenses"]
    assert (license_["level"], license_["levels"]["Standard"], license_["levels"]["Basic"]) == ("Standard", True, False)
    assert license_["extensions"] == {"3DAnalyst": True, "SpatialAnalyst": False}
    assert HOUR <= license_["status_list"].pop("age_seconds") < 2 * HOUR
    issued_at = rfc3339_of(here.chain.status_list["iat"])
    assert license_["status_list"] == {"seq": 1, "issued_at": issued_at, "good_until": None}


def test_status_says_before_when_a_license_asks_for_a_newer_list(
    here: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    here.next_borrow("C")
    here.chain.borrow["pol"]["status_max_age"] = 2 * DAY
    here.install(here.chain.borrow_file(), here.chain.borrow["iat"])
    good_until = rfc3339_of(here.chain.status_list["iat"] + 2 * DAY)
    assert f"install a newer one before {good_until}" in " ".join(status(capsys).split())
    assert json.loads(status(capsys, "--json"))["licenses"][0]["status_list"]["good_until"] == good_until


def test_a_license_that_was_given_back_is_shown_and_is_no_failure(
    here: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    here.give_up(int(time.time()))
    printed = status(capsys)
    assert "given back" in printed
    assert "NOT GOOD" not in printed
    (license_,) = json.loads(status(capsys, "--json"))["licenses"]
    assert (license_["ok"], license_["error"]["code"]) == (False, "given-up")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (7200, "2 hours"),
        (10_906, "3 hours 1 minute"),
        (7201, "2 hours 1 second"),
        (DAY, "1 day"),
    ],
)
def test_a_length_of_time_is_said_in_its_two_largest_units(seconds: int, words: str) -> None:
    assert lasting(seconds) == words


def test_no_line_is_longer_than_a_terminal(here_near_the_end: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    """The longest names that a token may have, and a refusal with its advice."""
    here, chain = here_near_the_end, here_near_the_end.chain
    level, extension = "L" * 64, "E" * 64
    chain.authorization["products"][0] |= {
        "name": "N" * 256,
        "levels": [level],
        "seats": {level: 5},
        "extensions": {extension: 5},
    }
    chain.authorization["seq"] = 2
    for user_type in chain.authorization["user_types"].values():
        user_type["includes"] = {}
    chain.borrow |= {"member": "m " * 127 + "m", "lic": {"level": level, "levels": [level], "extensions": [extension]}}
    chain.borrow["machine"]["alias"] = "a" * 256
    here.install(chain.borrow_file(), int(time.time()))
    good = status(capsys)
    assert "carnet request arcgis-pro -o FILE" in " ".join(good.split())
    chain.set_status(1, seq=2)
    here.install(chain.status_file(), int(time.time()))
    refused = status(capsys, expected=1)
    assert "NOT GOOD" in refused
    assert re.search(rf"^  borrowed +{level},\n +{extension}$", refused, re.MULTILINE)
    assert not re.search(r" (yes|no)$", refused, re.MULTILINE)
    assert max(map(len, [*good.splitlines(), *refused.splitlines()])) <= 80


def test_the_end_is_warned_of_as_long_before_as_the_authority_says(
    here: RealWorkstation,
) -> None:
    chain, begins, ends = here.chain, here.chain.borrow["iat"], here.chain.borrow["exp"]
    assert here.check(ends - 1).warnings == ()
    chain.status_list |= {"seq": 2, "warn_before": 3 * DAY}
    here.install(chain.status_file(), begins + HOUR)
    assert here.check(ends - 3 * DAY - 1).warnings == ()
    (warning,) = here.check(ends - 3 * DAY).warnings
    assert warning.startswith(f"the license ends at {rfc3339_of(ends)}, 3 days left; to renew it")
    words = {
        DAY + 1: "2 days",
        DAY: "1 day",
        DAY - 1: "23 hours",
        2 * HOUR: "2 hours",
        HOUR - 1: "59 minutes",
        1: "less than a minute",
    }
    for left, text in words.items():
        assert f", {text} left; to renew it," in here.check(ends - left).warnings[0]
    chain.status_list |= {"seq": 3, "warn_before": 0}
    here.install(chain.status_file(), begins + HOUR)
    assert here.check(ends - 1).warnings == ()


def test_check_warns_of_the_end_and_says_how_to_renew(
    here_near_the_end: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    here_near_the_end.install(here_near_the_end.chain.borrow_file(), int(time.time()))
    assert main(["check", "arcgis-pro"]) == 0
    printed = capsys.readouterr().err
    assert "(carnet borrow arcgis-pro)" in printed
    assert "carnet request arcgis-pro -o FILE" in printed


def test_the_end_is_warned_of_for_at_most_half_of_the_time(tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home", installed=False)
    here.chain.status_list["warn_before"] = 30 * DAY
    here.install(here.chain.borrow_file())
    half = here.chain.borrow["exp"] - 7 * DAY // 2
    assert (here.check(half - 1).warnings, len(here.check(half).warnings)) == ((), 1)


def test_without_a_list_nobody_is_warned_of_the_end() -> None:
    chain = make_chain()
    chain.status_list["warn_before"] = 3 * DAY
    last = chain.borrow["exp"] - 1
    assert any("the license ends at" in warning for warning in chain.verify(last).warnings)
    assert not any("the license ends at" in warning for warning in chain.verify(last, with_list=False).warnings)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "less than an hour old"), (HOUR, "1 hour old"), (2 * DAY - 1, "47 hours old"), (2 * DAY, "2 days old")],
)
def test_an_age_is_said_as_people_say_it(seconds: int, words: str) -> None:
    assert sentences.age(seconds) == words


@pytest.mark.parametrize("value", [-1, "3", None, True])
def test_a_list_with_a_warning_time_of_another_form_cannot_be_used(value: object, here: RealWorkstation) -> None:
    here.chain.status_list |= {"seq": 2, "warn_before": value}
    with pytest.raises(StatusListUnusable, match="warn_before"):
        here.install(here.chain.status_file(), here.chain.borrow["iat"])


def test_a_borrow_says_nothing_of_warnings(tmp_path: Path) -> None:
    """Its members are exactly those of the contract: a strict reader takes no other."""
    here = make_workstation(tmp_path / "home", installed=False)
    here.chain.borrow["pol"]["warn_before"] = 3 * DAY
    with pytest.raises(Malformed, match=r"unknown \['warn_before'\]"):
        here.install(here.chain.borrow_file())
