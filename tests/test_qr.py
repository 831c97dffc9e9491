"""What is shown as a QR code is read back by another program, and is the file; what fits none is told before anything is lost."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from tests.support.chains import START
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier.cli import qr
from verifier.cli.main import main
from verifier.core import files
from verifier.workstation import install


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealWorkstation:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARNET_HOME", str(tmp_path / "home"))
    return make_workstation(tmp_path / "home")


def scanned(picture: Image.Image) -> bytes:
    (code,) = zxingcpp.read_barcodes(picture)
    return code.bytes


def photographed(text: str) -> Image.Image:
    """The blocks of a dark terminal as a camera sees them."""
    lines = [line for line in text.splitlines() if set(line) <= set(qr.BLOCKS.values())]
    lit = {block: pair for pair, block in qr.BLOCKS.items()}
    picture = Image.new("L", (len(lines[0]), 2 * len(lines)))
    for row, line in enumerate(lines):
        for column, block in enumerate(line):
            for half in (0, 1):
                picture.putpixel((column, 2 * row + half), 0 if lit[block][half] else 255)
    return picture.resize((4 * picture.width, 4 * picture.height), Image.Resampling.NEAREST)


def test_a_request_and_a_receipt_are_read_back_from_picture_and_terminal(
    here: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    for command, kind in (["request", "arcgis-pro", "--member", "Müller"], "request"), (["return", "arcgis-pro"], "return"):
        assert main([*command, "-o", "carried", "--qr-image", "code.png", "--qr"]) == 0
        wanted = files.parse(Path("carried").read_bytes(), kind)
        with Image.open("code.png") as picture:
            assert files.parse(scanned(picture), kind) == wanted
        assert files.parse(scanned(photographed(capsys.readouterr().out)), kind) == wanted


def test_no_medium_is_needed_and_a_place_is(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["request", "arcgis-pro", "--qr"]) == 0
    assert main(["request", "arcgis-pro"]) == 2
    assert "say where it goes to" in capsys.readouterr().err
    for command in ("request", "return"):
        assert main([command, "arcgis-pro", "-o", "same", "--qr-image", "./same"]) == 2
        assert "cannot both be same" in capsys.readouterr().err
        assert not Path("same").exists()
    assert main(["request", "arcgis-pro", "--qr", "--json"]) == 2
    assert "--qr-image" in json.loads(capsys.readouterr().out)["message"]


def test_what_fits_no_code_is_told(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    extensions = [word for number in range(60) for word in ("--extension", f"Extension-with-a-long-name-{number}")]
    assert main(["request", "arcgis-pro", *extensions, "--qr-image", "code.png"]) == 2
    assert "takes at most 2953: write it with -o FILE" in capsys.readouterr().err
    assert not Path("code.png").exists()


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_terminal_that_would_break_the_code_is_told_what_it_needs(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "24")
    assert main(["return", "arcgis-pro", "--qr"]) == 2
    message = capsys.readouterr().err
    assert "columns wide and this terminal has 80" in message
    assert "is given up here already: say the same again" in message
    # The receipt is not lost: the same one comes again.
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["return", "arcgis-pro", "--qr", "-o", "again"]) == 0
    assert "make its letters smaller" in capsys.readouterr().err
    assert Path("again").read_bytes() == here.give_up(START)


def test_a_terminal_without_blocks_is_told(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Terminal, "encoding", "cp1252")
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert main(["request", "arcgis-pro", "--qr"]) == 2
    assert "(cp1252) has no blocks to draw a code with: use --qr-image" in capsys.readouterr().err


def test_without_segno_it_is_said_before_anything_is_given_up(
    here: RealWorkstation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "segno", None)
    assert main(["return", "arcgis-pro", "--qr-image", "code.png"]) == 2
    assert "pip install carnet[qr]" in capsys.readouterr().err
    assert here.store.state().given_up == {}
    assert install.give_up(here.store, "arcgis-pro")
