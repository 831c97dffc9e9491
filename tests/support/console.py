"""`carnet-authority` within this process: what it prints and how it exits."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from authority.cli.main import main
from authority.web.application import create_app
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.database_contents import Contents, contents
from tests.support.web import API
from tests.support.workstations import SimulatedWorkstation
from verifier.core.files import render
from verifier.workstation.carry import Wish


@dataclass
class Ended:
    """One command that ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


@dataclass
class Console:
    """Runs commands for one home."""

    home: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> Ended:
        """One command with --home."""
        return self.bare("--home", str(self.home), *arguments)

    def bare(self, *arguments: str) -> Ended:
        """One command with exactly these arguments."""
        self.capture.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        out, err = self.capture.readouterr()
        assert "Traceback" not in out + err
        assert "mistake in the program" not in err, err
        return Ended(caught.value.code if isinstance(caught.value.code, int) else 0, out, err)

    def good(self, *arguments: str) -> Any:
        """The JSON of a command that has to succeed."""
        ended = self.run("--json", *arguments)
        assert ended.status == 0, ended
        return ended.json

    def refused(self, code: str, status: int, *arguments: str) -> Any:
        """The error object of a command that has to be refused; people are told the same on stderr."""
        ended = self.run("--json", *arguments)
        assert ended.status == status, ended
        assert ended.json.keys() == {"ok", "code", "message", "hint", "evidence"}
        assert (ended.json["ok"], ended.json["code"]) == (False, code)
        assert ended.json["hint"]
        printed = self.run(*arguments)
        assert (printed.status, printed.out) == (status, "")
        assert f"[{code}]" in printed.err
        assert "what to do" in printed.err
        return ended.json

    def request(self, laptop: SimulatedWorkstation, product: str = "arcgis-pro", **wish: Any) -> str:
        """A request file of this machine."""
        path = self.home.parent / f"{laptop.machine.id}.request"
        path.write_bytes(render("request", {"request": laptop.request(Wish(product, **wish), datetime.now(UTC))}))
        return str(path)

    def borrow(self, laptop: SimulatedWorkstation, member: str, product: str = "arcgis-pro", **wish: Any) -> Any:
        """A borrow, issued from a request file; its file lies beside the home."""
        output = self.home.parent / f"{laptop.machine.id}.borrow"
        request = self.request(laptop, product, **wish)
        return self.good("borrow", "issue", request, "--member", member, "-o", str(output))["borrow"]

    def receipt(self, laptop: SimulatedWorkstation) -> str:
        """The return file for the borrow file of this machine."""
        data = (self.home.parent / f"{laptop.machine.id}.borrow").read_bytes()
        path = self.home.parent / f"{laptop.machine.id}.return"
        path.write_bytes(render("return", {"receipt": laptop.receipt_for(data, datetime.now(UTC))}))
        return str(path)


def clean_environment(monkeypatch: pytest.MonkeyPatch, names: Callable[[], list[str]]) -> None:
    """Takes the settings of an authority out of the environment, and how wide a table is."""
    for name in names():
        if re.match(r"CARNET_(AUTHORITY_|HOME)|COLUMNS\Z", name):
            monkeypatch.delenv(name)


def contents_of(console: Console) -> Contents:
    """Every row of every table of the home of a console."""
    authority = open_authority(load({}, str(console.home)))
    rows = contents(authority.database)
    authority.database.close()
    return rows


@contextlib.contextmanager
def over_http(console: Console) -> Iterator[Callable[[str], Any]]:
    """What a GET by the administrator of this home answers."""
    secret = console.good("api-key", "create", "admin", "--name", "over HTTP")["api_key"]
    authority = open_authority(load({}, str(console.home)))
    client = create_app(authority).test_client()
    yield lambda path: client.get(API + path, headers={"Authorization": f"Bearer {secret}"}).get_json()
    authority.database.close()
