"""The published sample: the same bytes each time, good to look at, and of no use in earnest."""

from __future__ import annotations

from pathlib import Path

import pytest

from authority.domain.refusals import DemonstrationOnly
from authority.signing import keyring
from authority.signing.sample_keys import NAMES, SAMPLE_KIDS
from authority.signing.vendor.sample import sample_files
from authority.wiring import installation
from authority.wiring.app import open_authority
from authority.wiring.settings import Settings, load
from tools.documentation import DOCS
from verifier.cli.main import main

EXAMPLE = DOCS.parent / "keys.example"


def settings_in(home: Path, *, demonstration: bool) -> Settings:
    return load({"CARNET_AUTHORITY_DEMONSTRATION": str(demonstration).lower()}, str(home))


def test_the_sample_files_are_made_again_byte_for_byte() -> None:
    files = {path.name: path.read_bytes() for path in EXAMPLE.iterdir() if path.name != "README.md"}
    assert sample_files() == files


def test_every_sample_key_is_known_as_one() -> None:
    kids = {keyring.load(path, None, demonstration=True).public.kid for path in EXAMPLE.glob("*.pem")}
    assert kids == SAMPLE_KIDS
    assert len(kids) == len(NAMES)


def test_the_sample_borrow_is_good_as_its_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    page = (EXAMPLE / "README.md").read_text(encoding="utf-8")
    files = [str(EXAMPLE / f"sample.{kind}") for kind in ("borrow", "trust", "status")]
    arguments = ["verify", files[0], "--trust", files[1], "--status", files[2]]
    assert main([*arguments, "--machine", "sample-machine", "--user", "uid:1000", "--at", "2026-01-15T00:00:00Z"]) == 0
    assert capsys.readouterr().out.strip() in page


@pytest.mark.parametrize("name", ["root", "borrow", "status"])
def test_a_sample_key_is_refused_in_earnest(name: str) -> None:
    path = next(EXAMPLE.glob(f"{name}-*.pem"))
    with pytest.raises(DemonstrationOnly):
        keyring.load(path, None)


def vendor() -> installation.Vendor:
    return installation.Vendor(
        (EXAMPLE / "sample.authorization").read_bytes(), (EXAMPLE / "sample.trust").read_bytes(), EXAMPLE
    )


def test_the_sample_keys_set_up_a_demonstration_that_does_not_open_in_earnest(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = installation.install(settings_in(home, demonstration=True), "Sample Organization", "admin", vendor())
    assert made.organization == "sample"
    open_authority(settings_in(home, demonstration=True)).database.close()
    with pytest.raises(DemonstrationOnly):
        open_authority(settings_in(home, demonstration=False))


def test_the_sample_keys_set_up_nothing_in_earnest(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with pytest.raises(DemonstrationOnly):
        installation.install(settings_in(home, demonstration=False), "Sample Organization", "admin", vendor())
    assert not home.exists()
    installation.install(settings_in(home, demonstration=False), "Own Organization", "admin", None)
