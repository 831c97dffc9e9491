"""demo: one borrow on this very machine, from request to refusal, in front of the user's eyes."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from textwrap import shorten
from typing import Any

import click

from authority.cli.frame import Command
from authority.cli.output import REFUSED
from authority.domain.plurals import counted

# Runs `carnet` in a process in which every use of a socket fails, whoever tries it.
WITHOUT_NETWORK = """
import sys
def forbid(event, _):
    if event.startswith("socket."):
        raise RuntimeError("the network was touched: " + event)
sys.addaudithook(forbid)
from verifier.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@click.command(cls=Command)
def demo() -> int:
    """Borrow, check without a network, return and revoke, on this machine and in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="carnet-demo-") as folder:
        play = Play(Path(folder))
        play.run()
    click.echo("ALL AS IT SHOULD BE" if play.is_right else "SOMETHING WAS NOT AS IT SHOULD BE")
    return 0 if play.is_right else REFUSED


@dataclass
class Play:
    """The demonstration: its folder, the authority's URL, key and root key, and whether all went as it should."""

    folder: Path
    url: str = ""
    api_key: str = field(default="", repr=False)
    root: str = ""
    is_right: bool = True

    def run(self) -> None:
        """All scenes in order."""
        with self._authority():
            self._borrow()
            self._refusals()
            self._return()
            self._revocation()

    @contextlib.contextmanager
    def _authority(self) -> Iterator[None]:
        home = self._administer("init", "--org", "Demonstration")
        self.api_key, self.root = home["admin"]["api_key"], home["root_thumbprint"]
        self._administer("member", "add", "ada", "--type", "GIS Professional")
        command = [sys.executable, "-m", "authority.cli.main", "serve", "--port", "0", "--home", str(self.folder / "authority")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                self.url = (server.stdout.readline() if server.stdout else "").split()[-1]
                self._say(
                    "THE AUTHORITY", f"serves {home['organization']} at {self.url}, root key {home['root_thumbprint'][:12]}…"
                )
                self._carnet("trust", home["trust_file"])
                yield
            finally:
                server.terminate()

    def _borrow(self) -> None:
        self._say("THE WORKSTATION", "trusts that root key, and asks for ArcGIS Pro for 14 days")
        identity = self._carnet("identity")
        self._say("", f"machine {identity['machine']['id']}, user {identity['user']['id']}, asked with its own machine key")
        self._carnet("alias", "field-laptop")
        answer = self._ask("first")
        borrow = answer["borrow"]
        self._say("THE AUTHORITY", f"answers over HTTP: {borrow['product']} {borrow['level']} until {borrow['expires_at']}")
        self._install(answer["file"], "first.borrow")
        self._say("THE WORKSTATION", "checks it, with every network call blocked, for applications that name whom they trust:")
        self._expect("here and now", "good", self._check())
        self._expect(
            "for another vendor's", "untrusted-root", self._carnet("check", "arcgis-pro", "--root", "A" * len(self.root))
        )

    def _refusals(self) -> None:
        trust, file = str(self.folder / "authority" / "organization.trust"), str(self.folder / "first.borrow")
        changed = json.loads(Path(file).read_text())
        middle = len(changed["borrow"]) // 2
        other = "A" if changed["borrow"][middle] != "A" else "B"
        changed["borrow"] = changed["borrow"][:middle] + other + changed["borrow"][middle + 1 :]
        self._write("changed.borrow", changed)
        end = datetime.fromisoformat(self._carnet("status")["licenses"][0]["expires_at"])
        day_after = (end + timedelta(days=1)).isoformat()
        for name, code, arguments in (
            ("on another machine", "wrong-machine", [file, "--machine", "another-machine"]),
            ("for another OS user", "wrong-user", [file, "--user", "uid:4711"]),
            ("one byte changed", "bad-signature", [str(self.folder / "changed.borrow")]),
            ("a day after its end", "expired", [file, "--at", day_after]),
        ):
            self._expect(name, code, self._carnet("verify", *arguments, "--trust", trust))

    def _return(self) -> None:
        receipt = self.folder / "first.return"
        self._carnet("return", "arcgis-pro", "-o", str(receipt))
        self._say("THE WORKSTATION", "gives the license back and writes a receipt")
        self._expect("after the return", "given-up", self._check())
        ended = self._post("/check-ins", {"receipt": json.loads(receipt.read_text())["receipt"]})["borrow"]
        self._say("THE AUTHORITY", f"takes the receipt: {ended['state']}, the seat is free")

    def _revocation(self) -> None:
        answer = self._ask("second")
        self._install(answer["file"], "second.borrow")
        self._install(self._get("/status-list"), "before.status")
        self._say("THE WORKSTATION", "borrows again")
        self._expect("before it is revoked", "good", self._check())
        self._post(f"/borrows/{answer['borrow']['id']}/revoke", {"reason": "demonstration"})
        self._say("THE AUTHORITY", "revokes it; its new status list is carried to the workstation")
        self._install(self._get("/status-list"), "after.status")
        self._expect("after the revocation", "revoked", self._check())
        older = self._carnet("install", str(self.folder / "before.status"))
        self._expect("with the older list", "status-list-rolled-back", older)

    def _check(self) -> dict[str, Any]:
        """What an application asks that trusts this authority's root key alone."""
        return self._carnet("check", "arcgis-pro", "--root", self.root)

    def _ask(self, name: str) -> dict[str, Any]:
        path = self.folder / f"{name}.request"
        self._carnet("request", "arcgis-pro", "--days", "14", "-o", str(path))
        return self._post("/borrows", {"request": json.loads(path.read_text())["request"], "member": "ada"})

    def _install(self, file: dict[str, Any], name: str) -> None:
        self._write(name, file)
        self._expect_ok(self._carnet("install", str(self.folder / name)))

    def _write(self, name: str, file: dict[str, Any]) -> None:
        (self.folder / name).write_text(json.dumps(file), encoding="utf-8")

    def _expect(self, name: str, code: str, answer: dict[str, Any]) -> None:
        outcome = "good" if answer["ok"] else answer["code"]
        self.is_right = self.is_right and outcome == code
        sentence = f"{counted(answer['grant']['days_left'], 'day')} left" if answer["ok"] else answer["message"]
        click.echo(f"    {'✓' if outcome == code else '✗'} {name:<22} {outcome:<24} {shorten(sentence, 76, placeholder=' …')}")

    def _expect_ok(self, answer: dict[str, Any]) -> None:
        self.is_right = self.is_right and answer["ok"]

    @staticmethod
    def _say(who: str, what: str) -> None:
        click.echo(f"{who:<16} {what}")

    def _carnet(self, *arguments: str) -> dict[str, Any]:
        """One command of the workstation, without a network."""
        home = str(self.folder / "workstation")
        command = [sys.executable, "-c", WITHOUT_NETWORK, *arguments, "--json", "--home", home]
        return _json_of(subprocess.run(command, capture_output=True, text=True, check=False))

    def _administer(self, *arguments: str) -> dict[str, Any]:
        home = str(self.folder / "authority")
        command = [sys.executable, "-m", "authority.cli.main", *arguments, "--json", "--home", home]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CARNET_")}
        return _json_of(subprocess.run(command, capture_output=True, text=True, check=False, env=environment))

    def _get(self, path: str) -> dict[str, Any]:
        # As somebody who is known: what a stranger gets of the status list may be a minute old.
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return self._http(urllib.request.Request(f"{self.url}/api/v1{path}", None, headers))  # noqa: S310 - our own loopback address

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.api_key}", "Content-Type": "application/json"}
        data = json.dumps(body).encode()
        return self._http(urllib.request.Request(f"{self.url}/api/v1{path}", data, headers))  # noqa: S310

    @staticmethod
    def _http(request: urllib.request.Request) -> dict[str, Any]:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            answer: dict[str, Any] = json.load(response)
        return answer


def _json_of(process: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """What a command printed. Raises ClickException with its own words when it printed no object."""
    try:
        answer: dict[str, Any] = json.loads(process.stdout)
    except json.JSONDecodeError as error:
        raise click.ClickException(process.stderr.strip() or f"exit status {process.returncode}") from error
    return answer
