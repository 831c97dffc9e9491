"""What `carnet` tells people: no expressions, times that can be read, and advice that can be followed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.chains import START, Chain, make_chain
from tests.support.real_workstation import make_workstation
from verifier.cli.main import main
from verifier.core import reading
from verifier.core.reading import FORMS, Reader
from verifier.errors import CarnetError, Malformed


@pytest.fixture
def chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chain:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARNET_HOME", str(tmp_path / "home"))
    return make_chain()


def test_every_form_of_a_text_has_words() -> None:
    assert set(FORMS) == {value for value in vars(reading).values() if isinstance(value, re.Pattern)}


@pytest.mark.parametrize("pattern", FORMS, ids=FORMS.values())
def test_a_text_of_another_form_is_told_without_an_expression(pattern: re.Pattern[str]) -> None:
    read = Reader({"a": "!", "b": ["!"], "c": {"!": 1}}, "the file", frozenset("abc"))
    for call in (lambda: read.text("a", pattern), lambda: read.texts("b", pattern), lambda: read.mapping("c", pattern)):
        with pytest.raises(Malformed) as caught:
            call()
        assert FORMS[pattern] in caught.value.message
        assert "\\A" not in caught.value.message


def test_inspect_shows_times_to_people_and_numbers_to_programs(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.borrow").write_bytes(chain.borrow_file())
    assert main(["inspect", "a.borrow"]) == 0
    shown = capsys.readouterr().out
    assert '"iat": "2026-03-02T09:00:00Z"' in shown
    assert str(START) not in shown
    assert main(["inspect", "a.borrow", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["members"]["borrow"]["payload"]["iat"] == START


def test_a_time_beyond_the_calendar_is_shown_as_it_stands(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    chain.borrow["exp"] = 1_772_442_000_000
    Path("a.borrow").write_bytes(chain.borrow_file())
    assert main(["inspect", "a.borrow"]) == 0
    assert '"exp": 1772442000000' in capsys.readouterr().out


@pytest.mark.parametrize("command", [["return", "arcgispro", "-o", "x"], ["check", "arcgispro"]], ids=lambda words: words[0])
def test_a_misspelled_product_is_told_what_is_installed(
    command: list[str], chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_workstation(tmp_path / "home")
    assert main(["--json", *command]) == 3
    assert "Installed here: arcgis-pro." in json.loads(capsys.readouterr().out)["hint"]


@pytest.mark.parametrize(
    "name", ["organization.trust", "newest.authorization", "status/*.status", "state.json", "borrows/arcgis-pro.borrow"]
)
def test_what_a_damaged_state_says_to_do_helps(name: str, tmp_path: Path) -> None:
    here = make_workstation(tmp_path / "home")
    (path,) = here.home.glob(name)
    path.write_bytes(b"damaged")
    with pytest.raises(CarnetError) as caught:
        here.check()
    assert caught.value.hint.startswith("Move the file that is named away, then install")
    path.rename(tmp_path / "away")
    for data in (here.chain.trust_file(), here.chain.borrow_file(), here.chain.status_file()):
        here.install(data)
    assert here.check().member == "ada"
