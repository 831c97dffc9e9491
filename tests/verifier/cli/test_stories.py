"""The way of one borrow with the real `carnet` command, each step in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import DAY, HOUR, Chain, make_chain
from tests.support.systems import ON_POSIX
from verifier.core import carried, claims, files, jose
from verifier.core.grant import Workstation

# On Windows the tests run where it is not installed.
INSTALLED = Path(sys.executable).with_name("carnet")
CARNET = [INSTALLED] if sys.platform != "win32" else [sys.executable, "-m", "verifier.cli.main"]


@dataclass
class Laptop:
    """A workstation used through its command alone."""

    home: Path
    medium: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*CARNET, *arguments],
            cwd=self.medium,
            env=self.environment | {"CARNET_HOME": str(self.home)},
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=60,
        )

    def run_bytes(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """What a command prints, as bytes, for a terminal of any encoding."""
        environment = self.environment | {"CARNET_HOME": str(self.home)}
        return subprocess.run([*CARNET, *arguments], env=environment, capture_output=True, check=False, timeout=60)

    def answer(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        """The object that the command prints."""
        process = self.run(*arguments, "--json")
        assert (process.returncode, process.stderr) == (status, ""), process
        answer: dict[str, Any] = json.loads(process.stdout)
        return answer

    def chain(self, begins: int | None = None) -> Chain:
        """A chain whose borrow is for this machine, user and machine key."""
        identity = self.answer("identity")
        bound = Workstation(identity["machine"]["id"], identity["user"]["id"], identity["machine_key"])
        return make_chain(int(time.time()) - HOUR if begins is None else begins, bound)

    def put(self, name: str, data: bytes) -> str:
        (self.medium / name).write_bytes(data)
        return name


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    (tmp_path / "medium").mkdir()
    return Laptop(tmp_path / "home", tmp_path / "medium", dict(os.environ))


def test_a_borrow_is_requested_installed_checked_and_returned(laptop: Laptop) -> None:
    laptop.answer("alias", "Field Laptop 7")
    laptop.answer("request", "arcgis-pro", "--level", "Standard", "--days", "7", "--member", "ada", "-o", "trip.request")
    asked = request_in(laptop.medium / "trip.request")
    assert (asked.product, asked.level, asked.days, asked.member) == ("arcgis-pro", "Standard", 7, "ada")
    assert asked.machine.alias == "Field Laptop 7"
    chain = laptop.chain()
    laptop.put("org.trust", chain.trust_file())
    laptop.put("trip.borrow", chain.borrow_file())
    assert laptop.run("check", "arcgis-pro").returncode == 3
    assert len(laptop.answer("install", "trip.borrow", "org.trust")["installed"]) == 2
    pin = ["--root", chain.root.kid]
    grant = laptop.answer("check", "arcgis-pro", "--level", "Basic", "--extension", "3DAnalyst", *pin)["grant"]
    assert (grant["member"], grant["level"], grant["days_left"], grant["warnings"]) == ("ada", "Standard", 7, [])
    assert laptop.answer("check", "arcgis-pro", "--level", "Advanced", status=1)["code"] == "level-not-granted"
    laptop.answer("return", "arcgis-pro", "-o", "trip.return")
    assert laptop.answer("check", "arcgis-pro", status=1)["code"] == "given-up"
    assert laptop.answer("install", "trip.borrow", status=1)["code"] == "given-up"
    first = (laptop.medium / "trip.return").read_bytes()
    laptop.answer("return", "arcgis-pro", "-o", "again.return")
    assert (laptop.medium / "again.return").read_bytes() == first


def test_several_lists_and_authorizations_on_one_stick_are_taken_the_oldest_first(laptop: Laptop) -> None:
    """Whatever they are called: none of them comes as one that is older than what is known."""
    chain = laptop.chain()
    laptop.put("org.trust", chain.trust_file())
    older = laptop.put("z.status", chain.status_file()), laptop.put("z.authorization", chain.authorization_file())
    chain.authorization["seq"] += 1
    chain.renew_authorization()
    chain.set_status(0, seq=chain.status_list["seq"] + 1)
    newer = laptop.put("a.status", chain.status_file()), laptop.put("a.authorization", chain.authorization_file())
    damaged = laptop.put("b.status", b'{"carnet": "status", "version": 1, "authorization": 1, "status_list": "a.b.c"}')
    assert len(laptop.answer("install", *newer, *older, "org.trust")["installed"]) == 5
    assert laptop.answer("install", damaged, *newer, status=1)["code"] == "malformed"
    assert laptop.answer("install", older[0], status=3)["code"] == "status-list-rolled-back"


@pytest.mark.parametrize(
    ("options", "extensions", "words"),
    [
        ((), None, "arcgis-pro, the level that is assigned, the extensions that are assigned, for the usual time"),
        (("--no-extensions", "--days", "3"), (), "arcgis-pro, the level that is assigned, without extensions, for 3 days"),
        (
            ("--extension", "B", "--extension", "A", "--level", "Basic"),
            ("B", "A"),
            "arcgis-pro, Basic, with B, A, for the usual time",
        ),
    ],
    ids=["none asked for", "none wanted", "some asked for"],
)
def test_a_request_says_what_it_asks_for(
    laptop: Laptop, options: tuple[str, ...], extensions: tuple[str, ...] | None, words: str
) -> None:
    said = laptop.answer("request", "arcgis-pro", *options, "-o", "trip.request")
    assert said["asks"]["extensions"] == (None if extensions is None else list(extensions))
    assert request_in(laptop.medium / "trip.request").extensions == extensions
    assert f": it asks for {words}\n" in laptop.run("request", "arcgis-pro", *options, "-o", "again.request").stdout


def request_in(path: Path) -> carried.Request:
    """The request in a file, verified with the key that it carries."""
    token = files.parse(path.read_bytes(), "request")[1]["request"]
    return carried.request(jose.open_by_jwk(token, claims.REQUEST_TYP).claims)


def test_people_are_shown_what_is_granted_and_what_is_not(laptop: Laptop) -> None:
    chain = laptop.chain()
    laptop.answer("install", laptop.put("a", chain.trust_file()), laptop.put("b", chain.borrow_file()))
    lines = [line.split() for line in laptop.run("status").stdout.splitlines()]
    for line in (["level", "Standard", "yes"], ["level", "Advanced", "no"], ["extension", "3DAnalyst", "yes"]):
        assert line in lines
    assert ["extension", "SpatialAnalyst", "no"] in lines
    (row,) = laptop.answer("status")["licenses"]
    # Seed S3: the level that is held is the one with the yes.
    assert row["levels"] == {"Basic": False, "Standard": True, "Advanced": False}
    assert (row["ok"], row["member"], row["days_left"]) == (True, "ada", 7)
    chain.set_status(1, seq=2)
    laptop.answer("install", laptop.put("c", chain.status_file()))
    process = laptop.run("status")
    assert process.returncode == 1
    assert "[revoked]" in process.stdout
    assert laptop.answer("status", status=1)["ok"] is False


def test_a_license_that_is_not_good_and_one_that_cannot_be_checked_end_differently(laptop: Laptop) -> None:
    chain = laptop.chain(int(time.time()) - 6 * DAY)
    chain.borrow["act"] += 30 * DAY
    chain.borrow["pol"]["status_max_age"] = HOUR
    laptop.answer("install", laptop.put("a", chain.trust_file()))
    borrow = laptop.put("b", chain.borrow_file())
    assert laptop.answer("install", borrow, status=3)["code"] == "status-list-stale"
    chain.set_status(1, seq=2)
    assert laptop.answer("install", laptop.put("b", chain.borrow_file()), status=1)["code"] == "revoked"


def test_verify_takes_every_input_from_the_command_line_and_leaves_no_trace(laptop: Laptop) -> None:
    chain = make_chain()
    laptop.put("org.trust", chain.trust_file())
    laptop.put("b", chain.borrow_file())
    bound = ["--machine", "machine-laptop", "--user", "uid:1000", "--machine-key", chain.machine_key.kid]
    verify = ["verify", "b", "--trust", "org.trust"]
    good = laptop.answer(*verify, *bound, "--at", "2026-03-02T09:00:00Z", "--root", chain.root.kid)
    assert good["grant"]["warnings"] == []
    assert laptop.answer(*verify, *bound, "--at", "2026-03-09T09:00:00+00:00", status=1)["code"] == "expired"
    assert laptop.answer(*verify, *bound, "--at", "2026-03-09T10:59:59+02:00")["grant"]["days_left"] == 1
    warned = laptop.run(*verify, "--at", "2026-03-02T09:00:00Z")
    assert (warned.returncode, warned.stderr.count("was not compared")) == (0, 3)
    assert laptop.answer(*verify, "--machine", "x", "--at", "2026-03-02T09:00:00Z", status=1)["code"] == "wrong-machine"
    assert not laptop.home.exists()


def test_a_borrow_of_another_machine_or_user_is_refused(laptop: Laptop) -> None:
    chain = laptop.chain()
    laptop.answer("trust", laptop.put("a", chain.trust_file()))
    chain.borrow["machine"]["id"] = "machine-another"
    assert laptop.answer("install", laptop.put("b", chain.borrow_file()), status=1)["code"] == "wrong-machine"
    chain.borrow["machine"]["id"] = chain.workstation.machine_id
    chain.borrow["sub"] = "uid:4242"
    assert laptop.answer("install", laptop.put("b", chain.borrow_file()), status=1)["code"] == "wrong-user"
    assert laptop.answer("check", "arcgis-pro", status=3)["code"] == "no-borrow"


def test_the_environment_cannot_change_who_the_user_is(laptop: Laptop) -> None:
    before = laptop.answer("identity")["user"]
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        laptop.environment[name] = "mallory"
    assert laptop.answer("identity")["user"] == before


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_names_from_everywhere_are_printed_on_every_terminal(laptop: Laptop, encoding: str) -> None:
    """A terminal that cannot show a name shows something in its place; that is no mistake of the license."""
    chain = laptop.chain()
    chain.borrow |= {"member": "Zoë 王 Ωmega", "user": {"name": "Zoë"}}
    chain.borrow["machine"]["alias"] = "Łódź"
    laptop.answer("install", laptop.put("a", chain.trust_file()), laptop.put("b", chain.borrow_file()))
    laptop.environment |= {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "LC_ALL": "C"}
    assert laptop.run_bytes("check", "arcgis-pro").returncode == 0
    assert laptop.run_bytes("status").returncode == 0
    answer = json.loads(laptop.run_bytes("check", "arcgis-pro", "--json").stdout.decode(encoding))
    assert answer["grant"]["member"] == "Zoë 王 Ωmega"


@ON_POSIX
@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["people", "json"])
def test_a_file_name_that_is_no_text_is_no_mistake_of_the_program(laptop: Laptop, flags: list[str]) -> None:
    """A carried medium may name its files in bytes of any kind."""
    name = os.fsdecode(b"org-\xff.trust")
    laptop.put(name, make_chain().trust_file())
    for command, status in (["install", name], 0), (["install", f"{name}x"], 2), (["inspect", name], 0):
        process = laptop.run(*command, *flags)
        assert (process.returncode, "please report" in process.stderr) == (status, False), process.stderr


def test_a_reader_that_goes_away_gets_no_traceback(laptop: Laptop) -> None:
    read, write = os.pipe()
    os.close(read)
    process = subprocess.run([*CARNET, "--help"], stdout=write, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(write)
    assert b"Traceback" not in process.stderr


def test_help_has_examples_and_the_version_is_told(laptop: Laptop) -> None:
    assert "examples:" in laptop.run("--help").stdout
    assert laptop.run("--version").stdout.startswith("carnet 0.")
