"""`carnet-authority`: setting up, people, borrows and what is exported."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from authority.cli.main import cli
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.borrowing import claims_of, workstation
from tests.support.console import Console, contents_of
from verifier import verify
from verifier.core.trust import TrustStore
from verifier.workstation import carry

COLUMNS = "at,event,mode,handle,product,feature,member,group,machine,alias,os_user,quantity,until,reason,source,line"


def test_init_prints_exactly_what_was_made(empty: Console) -> None:
    made = empty.good("init", "--org", "Field Survey", "--admin", "chief")
    assert made.keys() == {"home", "organization", "trust_file", "root_thumbprint", "admin"}
    assert made["admin"].keys() == {"username", "password", "api_key"}
    assert (made["home"], made["organization"], made["admin"]["username"]) == (str(empty.home), "field-survey", "chief")
    trust = TrustStore.read(Path(made["trust_file"]).read_bytes())
    assert ", ".join(trust.roots) == made["root_thumbprint"]


def test_init_makes_a_home_for_its_owner_alone(console: Console) -> None:
    assert console.home.stat().st_mode & 0o077 == 0
    private = [path for path in console.home.rglob("*") if path.suffix == ".pem" or path.name.startswith("authority.db")]
    assert len(private) >= 4
    for path in private:
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_init_makes_the_sample_organization(console: Console) -> None:
    authorization = console.good("authorization", "show")
    assert authorization["members"] == {"current": 2, "maximum": 50, "types": {}}
    assert authorization["user_types"].keys() == {"Viewer", "Creator", "GIS Professional"}
    assert authorization["user_types"]["Viewer"] == {"includes": {}, "may_hold": []}
    assert [product["id"] for product in authorization["products"]] == ["arcgis-pro", "arcgis-allsource", "arcgis-desktop"]
    assert authorization["products"][2]["seats"]["Advanced"] == {"licensed": 10, "used": 0, "available": 10}
    assert authorization["products"][0]["seats"]["Advanced"]["used"] == 1
    assert authorization["max_borrow_days"] == 365


def test_init_twice_is_refused_and_changes_nothing(console: Console) -> None:
    before = {path: path.read_bytes() for path in console.home.rglob("*.pem")}
    console.refused("already-exists", 1, "init", "--org", "Other")
    assert {path: path.read_bytes() for path in console.home.rglob("*.pem")} == before
    assert len(console.good("member", "list")) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("--org", "..."), id="no letters"),
        pytest.param(("--org", ""), id="empty"),
        pytest.param(("--org", "a\nb"), id="line break"),
        pytest.param(("--org", "x" * 200), id="long"),
        pytest.param(("--org", "Field", "--admin", "=cmd"), id="formula"),
    ],
)
def test_init_with_a_bad_name_makes_nothing(empty: Console, arguments: tuple[str, ...]) -> None:
    empty.refused("invalid-input", 1, "init", *arguments)
    assert not empty.home.exists()


WRONG_USAGE = [
    (),
    ("nonsense",),
    ("init",),
    ("borrow",),
    ("borrow", "issue"),
    ("borrow", "release", "--reason", "x"),
    ("borrow", "revoke", "A" * 22),
    ("borrow", "list", "--state", "gone"),
    ("borrow", "list", "--limit", "0"),
    ("member", "add", "x", "--role", "king"),
    ("log", "export", "--format", "xml"),
    ("key", "list", "--public"),
    ("serve", "--port", "70000"),
    ("init", "--org", "x", "--trust", "x"),
]


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=lambda value: " ".join(value) or "nothing")
def test_wrong_usage_exits_with_2_and_prints_nothing_on_stdout(console: Console, arguments: tuple[str, ...]) -> None:
    ended = console.run(*arguments)
    assert ended.status == 2
    assert ended.err
    if arguments not in {(), ("borrow",)}:
        assert ended.out == ""


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=lambda value: " ".join(value) or "nothing")
@pytest.mark.parametrize("place", ["first", "last"])
def test_wrong_usage_is_an_object_for_programs(console: Console, arguments: tuple[str, ...], place: str) -> None:
    ended = console.run(*(("--json", *arguments) if place == "first" else (*arguments, "--json")))
    assert (ended.status, ended.err) == (2, "")
    assert ended.json.keys() == {"ok", "code", "message", "hint", "evidence"}
    assert (ended.json["ok"], ended.json["code"]) == (False, "wrong-usage")
    assert ended.json["message"]
    assert "--help" in ended.json["hint"]


def test_a_home_that_is_none_exits_with_3(empty: Console) -> None:
    for arguments in (("borrow", "list"), ("doctor",), ("serve",), ("log", "export"), ("status-list", "export", "-o", "x")):
        empty.refused("not-set-up", 3, *arguments)
    assert not empty.home.exists()


def test_help_and_version_of_every_command_exit_with_0(empty: Console) -> None:
    def walk(command: click.Command, path: tuple[str, ...]) -> None:
        ended = empty.bare(*path, "--help")
        assert ended.status == 0
        assert "--json" in ended.out
        for name, child in getattr(command, "commands", {}).items():
            walk(child, (*path, name))

    walk(cli, ())
    assert empty.bare("--version").out.startswith("carnet-authority")
    assert "examples:" in empty.bare("--help").out


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """Arguments are seen by every user of the machine."""

    def names(command: click.Command) -> list[str]:
        options = [option for item in command.params for option in item.opts]
        return options + [name for child in getattr(command, "commands", {}).values() for name in names(child)]

    secret = {name for name in names(cli) if "pass" in name or "secret" in name or "token" in name}
    assert secret == {"--password-file", "--passphrase-file"}


def test_members_are_added_with_a_password_from_a_file(console: Console, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("correct horse battery\nsecond line\n")
    added = console.good(
        "member", "add", "eve", "--name", "Eve", "--email", "eve@example.org", "--password-file", str(tmp_path / "password")
    )
    assert added.keys() == {
        *("id", "username", "full_name", "email", "user_type", "role", "groups", "disabled"),
        *("vendor_access", "download_permission", "last_used_at", "created_at", "version"),
    }
    assert (added["user_type"], added["role"]) == ("Creator", "member")
    (tmp_path / "password").write_text("short\n")
    console.refused("invalid-input", 1, "member", "add", "bob", "--password-file", str(tmp_path / "password"))
    console.refused("already-exists", 1, "member", "add", "EVE")
    assert console.run("member", "add", "bob", "--password-file", str(tmp_path / "none")).status == 2
    assert [item["username"] for item in console.good("member", "list")] == ["ada", "admin", "eve"]
    # Who has no address is left out by notices to members: the table shows whose there is.
    heads, *lines = console.run("member", "list").out.splitlines()
    assert "email" in heads.split()
    assert [("eve@example.org" in line) for line in lines[:3]] == [False, False, True]


def test_licenses_are_assigned(console: Console) -> None:
    assignment = console.good("license", "assign", "ada", "arcgis-allsource", "--level", "Basic", "--extension", "3DAnalyst")
    expected = {"member": "ada", "product": "arcgis-allsource", "level": "Basic", "extensions": ["3DAnalyst"]}
    assert assignment.pop("version")
    assert assignment == expected | {"ok": True, "taken": [], "given": ["3DAnalyst", "Basic"]}
    console.refused("no-such-product", 1, "license", "assign", "ada", "arcgis-nothing", "--level", "Basic")
    console.refused("not-found", 1, "license", "assign", "nobody", "arcgis-pro", "--level", "Basic")


def test_an_api_key_is_shown_once(console: Console) -> None:
    key = console.good("api-key", "create", "ada", "--name", "script")
    assert key.keys() == {
        *("id", "name", "member", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at", "api_key"),
    }
    assert key["api_key"].startswith("carnet_key_")
    console.refused("not-found", 1, "api-key", "create", "nobody", "--name", "script")


def test_a_borrow_from_request_file_to_check_in(console: Console, tmp_path: Path) -> None:
    laptop = workstation("laptop")
    borrow = console.borrow(laptop, "ada", days=3)
    file = (tmp_path / "machine-laptop.borrow").read_bytes()
    authority = open_authority(load({}, str(console.home)))
    trust, now = (console.home / "organization.trust").read_bytes(), authority.now()
    authority.database.close()
    assert verify(file, trust=trust, workstation=laptop.identity, now=now).member == "ada"
    assert claims_of(file)["bid"] == borrow["id"]
    assert [item["id"] for item in console.good("borrow", "list", "--state", "active", "--member", "ada")] == [borrow["id"]]
    assert console.good("borrow", "show", borrow["id"]) == borrow
    ended = console.good("borrow", "check-in", console.receipt(laptop))
    assert (ended["state"], ended["copy_may_run_until"]) == ("checked-in", None)
    assert console.good("borrow", "list", "--state", "active") == []


def test_the_receipt_of_a_found_machine_is_taken_and_the_release_settled(console: Console) -> None:
    laptop = workstation("laptop")
    lost = console.borrow(laptop, "ada", days=3)
    console.good("borrow", "release", lost["id"], "--reason", "lost", "--accept-overlap")
    assert console.good("borrow", "show", lost["id"])["copy_may_run_until"] == lost["expires_at"]
    receipt = console.receipt(laptop)
    for ended in (console.run("borrow", "check-in", receipt), console.run("borrow", "check-in", receipt)):
        assert (ended.status, ended.err) == (0, "")
        assert "it ended in another way (released) at " in ended.out
        assert "no copy of it runs any more" in ended.out
    settled = console.good("borrow", "show", lost["id"])
    assert (settled["state"], settled["reason"], settled["copy_may_run_until"]) == ("released", "lost", None)


def test_the_same_request_file_gets_the_same_borrow_file(console: Console, tmp_path: Path) -> None:
    laptop = workstation("laptop")
    request = console.request(laptop)
    answers = [console.good("borrow", "issue", request, "--member", "ada", "-o", str(tmp_path / name)) for name in "ab"]
    assert [answer["is_new"] for answer in answers] == [True, False]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_borrow_that_cannot_be_written_down_is_not_made(console: Console, tmp_path: Path) -> None:
    request = console.request(workstation("laptop"))
    for output in (tmp_path, tmp_path / "none" / "x.borrow"):
        assert console.run("borrow", "issue", request, "--member", "ada", "-o", str(output)).status == 2
    assert console.good("borrow", "list") == []


def test_release_wants_the_overlap_accepted_and_is_shown_first(console: Console) -> None:
    borrow = console.borrow(workstation("laptop"), "ada")
    release = ("borrow", "release", borrow["id"], "--reason", "lost")
    for dry_run in ([], ["--dry-run"]):
        error = console.refused("overlap-not-accepted", 1, *release, *dry_run)
        assert "until" in error["evidence"]
    assert console.good(*release, "--accept-overlap", "--dry-run") == [borrow]
    ended = console.good(*release, "--accept-overlap")
    assert (ended["state"], ended["copy_may_run_until"]) == ("released", borrow["expires_at"])
    console.refused("borrow-already-ended", 1, "borrow", "release", borrow["id"], "--reason", "lost", "--accept-overlap")
    console.refused("not-found", 1, "borrow", "show", "A" * 22)


def test_revoke_says_that_the_seat_stays_taken(console: Console) -> None:
    borrow = console.borrow(workstation("laptop"), "ada")
    ended = console.good("borrow", "revoke", borrow["id"], "--reason", "audit")
    assert (ended["state"], ended["seat_free_at"], ended["reason"]) == ("revoked", borrow["expires_at"], "audit")


def test_status_list_trust_and_public_keys_are_written(console: Console, tmp_path: Path) -> None:
    for name, kind in (("status-list", "status"), ("trust", "trust")):
        console.good(name, "export", "-o", str(tmp_path / kind))
        assert json.loads((tmp_path / kind).read_bytes())["carnet"] == kind
        assert console.run(name, "export", "-o", str(tmp_path / "no" / "x")).status == 2
    shown = console.good("key", "list", "--public", "-o", str(tmp_path / "keys"))
    written = json.loads((tmp_path / "keys").read_bytes())
    assert {**written, "file": str(tmp_path / "keys")} == shown
    assert [item["use"] for item in written["keys"]] == ["borrow", "status"]
    assert all(item.keys() == {"use", "kid", "kty", "crv", "x"} for item in written["keys"])
    assert [item["signs_now"] for item in console.good("key", "list")] == [True, True]


def test_doctor_finds_nothing_wrong_in_a_new_home(console: Console) -> None:
    rows = console.good("doctor")
    last = ["status list", "what went out", "nodes", "trust file", "seal", "backup", "notices", "address", "python"]
    assert [item["subject"] for item in rows][-len(last) :] == last
    assert all(item["ok"] for item in rows)


def test_doctor_tells_what_is_wrong(console: Console) -> None:
    for path in (console.home / "keys").glob("status-*.pem"):
        path.unlink()
    ended = console.run("doctor", "--json")
    assert ended.status == 3
    assert [item["subject"] for item in ended.json if not item["ok"]] == ["keys"]


def test_migrate_says_from_where_to_where(console: Console) -> None:
    revisions = console.good("migrate")
    assert revisions["before"] == revisions["after"] != ""


def test_the_log_is_exported_as_json_lines(console: Console) -> None:
    borrow = console.borrow(workstation("laptop"), "ada", days=3)
    (line,) = console.run("log", "export").out.splitlines()
    row = json.loads(line)
    assert list(row) == COLUMNS.split(",")
    assert (row["event"], row["handle"], row["source"], row["group"]) == ("checkout", borrow["id"], "authority", "survey")
    assert row["at"].endswith("Z")
    assert len(row["at"]) == len("2026-03-02T09:00:00.000000Z")


STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20"]


def test_the_log_is_exported_as_csv_with_formulas_defused(console: Console, tmp_path: Path) -> None:
    aliases = ["=1+1", "+1", "-1", "@SUM(A1)", "\uff1d1", "\uff0b1", "\uff0d1", "\uff201", 'a"b,c', "plain"]
    for alias in aliases:
        path = tmp_path / "x.request"
        path.write_bytes(aliased(alias))
        console.good("borrow", "issue", str(path), "--member", "ada", "-o", str(tmp_path / "x.borrow"))
    assert console.run("log", "export", "--format", "csv", "-o", str(tmp_path / "log.csv")).status == 0
    text = (tmp_path / "log.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == COLUMNS
    rows = list(csv.DictReader(io.StringIO(text)))
    shown = [row["alias"] for row in rows]
    assert shown == [f"'{alias}" if alias[0] in "".join(STARTS) else alias for alias in aliases]
    assert all(not cell.startswith(tuple(STARTS)) for row in rows for cell in row.values())


def aliased(alias: str) -> bytes:
    """A request file of a machine with this alias, for a concurrent product."""
    laptop = workstation("x")
    laptop.alias = alias
    return laptop.request_file(carry.Wish("arcgis-desktop", days=1), datetime.now(UTC))


def test_every_command_with_json_prints_json(console: Console, tmp_path: Path) -> None:
    commands = [
        ("member", "list"),
        ("borrow", "list"),
        ("authorization", "show"),
        ("key", "list"),
        ("doctor",),
        ("migrate",),
        ("status-list", "export", "-o", str(tmp_path / "s")),
        ("trust", "export", "-o", str(tmp_path / "t")),
        ("log", "export", "-o", str(tmp_path / "l")),
    ]
    for arguments in commands:
        ended = console.run(*arguments, "--json")
        assert ended.status == 0, arguments
        assert ended.json is not None
    assert len(contents_of(console)["organization"]) == 1


def test_the_version_waits_for_no_database_and_no_server() -> None:
    """The modules of the commands are imported by the commands alone."""
    program = "import sys; from authority.command import main\ntry: main()\nexcept SystemExit as end: assert not end.code\nprint(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", program, "--version"], capture_output=True, text=True, check=True)
    version, modules = process.stdout.splitlines()
    assert version.startswith("carnet-authority, version ")
    assert "authority.cli.main" in modules.split()
    heavy = {"sqlalchemy", "alembic", "granian", "flask", "pydantic", "rich", "cryptography", "verifier", "authority.services"}
    assert not heavy & set(modules.split())


@pytest.mark.parametrize("missing", ["click", "sqlalchemy", "granian"])
def test_what_an_extra_brings_is_named_where_it_is_missing(missing: str) -> None:
    """A missing extra is named by the command alone whose module needs it, too."""
    program = f"import sys; sys.modules[{missing!r}] = None; from authority.command import main; main()"
    process = subprocess.run([sys.executable, "-c", program, "doctor"], capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout) == (3, "")
    assert f"needs {missing}" in process.stderr
    assert "pip install 'carnet[authority]'" in process.stderr


def test_every_name_in_the_tables_is_the_name_of_its_command() -> None:
    def walk(group: click.Group) -> None:
        for name, command in group.commands.items():
            assert command.name == name
            if isinstance(command, click.Group):
                walk(command)

    walk(cli)
