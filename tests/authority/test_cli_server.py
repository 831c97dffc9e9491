"""`carnet-authority` as a process: serving and stopping, keys, passphrases and settings."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from authority.domain.refusals import SettingsInvalid
from authority.wiring.settings import load
from tests.support.borrowing import workstation
from tests.support.console import Console
from tests.support.servers import STOPPING_SECONDS, command, running_server

PASSPHRASE = "a-passphrase-of-many-random-characters"


def passphrase_file(folder: Path, text: str = PASSPHRASE) -> Path:
    path = folder / "passphrase"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("workers", [1, 2])
def test_serve_prints_one_line_and_stops_cleanly_on_a_signal(console: Console, number: signal.Signals, workers: int) -> None:
    with running_server(console.home, "--workers", str(workers)) as server:
        assert server.line == f"Carnet authority at http://127.0.0.1:{server.port}\n"
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
            assert server.request(connection, "GET", "/healthz", "")[0] == 200
        assert len(server.group()) >= workers
        server.process.send_signal(number)
        out, err = server.process.communicate(timeout=60)
        assert (out, err) == ("", "")
        assert server.process.returncode == 0
        server.wait_until_gone(STOPPING_SECONDS)
        assert server.group() == []


def test_serve_prints_an_object_for_programs(console: Console) -> None:
    with running_server(console.home, "--json") as server:
        ready = json.loads(server.line)
        assert ready.keys() == {"url"}
        with contextlib.closing(http.client.HTTPConnection(urlsplit(ready["url"]).netloc, timeout=60)) as connection:
            assert server.request(connection, "GET", "/healthz", "")[0] == 200


def test_a_borrow_over_http_is_seen_on_the_console(empty: Console) -> None:
    secret = empty.good("init", "--org", "Field Survey")["admin"]["api_key"]
    empty.good("member", "add", "ada", "--type", "GIS Professional")
    request = json.loads(Path(empty.request(workstation("laptop"))).read_bytes())["request"]
    with (
        running_server(empty.home) as server,
        contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port)) as connection,
    ):
        body = {"request": request, "member": "ada"}
        status, answer = server.request(connection, "POST", "/api/v1/borrows", secret, body)
        assert status == 201
        assert empty.good("borrow", "list") == [answer["borrow"]]
        released = empty.good("borrow", "release", "--reason", "lost", "--accept-overlap", "--", answer["borrow"]["id"])
        status, shown = server.request(connection, "GET", f"/api/v1/borrows/{answer['borrow']['id']}", secret)
        assert (status, shown) == (200, released)


def test_no_secret_is_in_the_arguments_of_any_process(empty: Console, tmp_path: Path) -> None:
    settings = {"CARNET_AUTHORITY_KEY_PASSPHRASE_FILE": str(passphrase_file(tmp_path))}
    made = command("init", "--org", "Field Survey", "--home", str(empty.home), "--json", **settings)
    admin = json.loads(made.stdout)["admin"]
    with running_server(empty.home, **settings) as server:
        shown = [(Path("/proc") / str(pid) / part).read_bytes() for pid in server.group() for part in ("cmdline", "environ")]
    assert shown
    for secret in (PASSPHRASE, admin["password"], admin["api_key"]):
        assert all(secret.encode() not in text for text in shown)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
@pytest.mark.parametrize("use", ["borrow", "status"])
def test_a_private_key_that_others_can_read_is_refused(console: Console, use: str, mode: int) -> None:
    (key,) = (console.home / "keys").glob(f"{use}-*.pem")
    key.chmod(mode)
    error = console.refused("key-unusable", 3, "borrow", "list")
    assert error["hint"] == f"Run: chmod 600 {key}"
    key.chmod(0o600)
    assert console.good("borrow", "list") == []


def test_key_files_that_are_no_keys_are_refused(console: Console) -> None:
    (key,) = (console.home / "keys").glob("borrow-*.pem")
    rsa = generate_private_key(65537, 2048).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for data in (b"", b"random" * 100, key.read_bytes()[:60], rsa):
        key.write_bytes(data)
        console.refused("key-unusable", 3, "serve")


def test_encrypted_keys_work_with_their_passphrase_alone(
    empty: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = passphrase_file(tmp_path)
    monkeypatch.setenv("CARNET_AUTHORITY_KEY_PASSPHRASE_FILE", str(file))
    empty.good("init", "--org", "Field Survey")
    keys = [*(empty.home / "keys").iterdir(), *(empty.home / "root").glob("*.pem")]
    assert len(keys) == 3
    assert all(b"ENCRYPTED" in key.read_bytes() for key in keys)
    empty.good("member", "add", "ada", "--type", "GIS Professional")
    assert empty.borrow(workstation("laptop"), "ada")["state"] == "active"
    passphrase_file(tmp_path, "another-passphrase-of-many-characters")
    assert PASSPHRASE not in json.dumps(empty.refused("key-unusable", 3, "borrow", "list"))
    monkeypatch.delenv("CARNET_AUTHORITY_KEY_PASSPHRASE_FILE")
    empty.refused("key-unusable", 3, "borrow", "list")


@pytest.mark.parametrize("text", ["", "short", "x" * 21])
def test_a_passphrase_that_is_too_short_is_refused_before_anything_is_made(
    empty: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("CARNET_AUTHORITY_KEY_PASSPHRASE_FILE", str(passphrase_file(tmp_path, text)))
    error = empty.refused("key-unusable", 3, "init", "--org", "Field Survey")
    assert not text or text not in error["message"]
    assert not (empty.home / "keys").exists()


@pytest.mark.parametrize("case", ["missing", "directory", "open to others"])
def test_a_passphrase_file_that_is_not_good_is_refused(
    empty: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    file = passphrase_file(tmp_path)
    if case == "open to others":
        file.chmod(0o644)
    else:
        file.unlink()
    if case == "directory":
        file.mkdir()
    monkeypatch.setenv("CARNET_AUTHORITY_KEY_PASSPHRASE_FILE", str(file))
    empty.refused("key-unusable", 3, "init", "--org", "Field Survey")


def test_every_wrong_setting_is_told_at_once(console: Console) -> None:
    (console.home / "authority.toml").write_text('colour = "red"\ndatabase_url = 7\ndemonstration = "perhaps"\n')
    error = console.refused("settings-invalid", 3, "borrow", "list")
    for name in ("colour", "database_url", "demonstration"):
        assert name in error["message"]


@pytest.mark.parametrize(
    "text", ["= =", "database_url = ", "\x00", "[database_url]\nx = 1"], ids=["no TOML", "half", "NUL", "table"]
)
def test_a_settings_file_that_is_not_good_is_told(console: Console, text: str) -> None:
    (console.home / "authority.toml").write_text(text)
    console.refused("settings-invalid", 3, "borrow", "list")


def test_a_settings_file_that_is_not_text_is_told(console: Console) -> None:
    (console.home / "authority.toml").write_bytes(b"\xff\xfe\x00")
    console.refused("settings-invalid", 3, "borrow", "list")


def test_a_setting_in_the_environment_that_does_not_exist_is_told(tmp_path: Path) -> None:
    """A misspelled name would otherwise silently leave the default in force."""
    with pytest.raises(SettingsInvalid, match="databse_url"):
        load({"CARNET_AUTHORITY_DATABSE_URL": "sqlite:///x"}, str(tmp_path))


def test_the_days_of_warning_are_a_whole_number(tmp_path: Path) -> None:
    assert load({}, str(tmp_path)).warn_days == 3
    for text, days in (("0", 0), ("365", 365)):
        assert load({"CARNET_AUTHORITY_WARN_DAYS": text}, str(tmp_path)).warn_days == days
    (tmp_path / "authority.toml").write_text("warn_days = 14\n")
    assert load({}, str(tmp_path)).warn_days == 14
    for text in ("-1", "366", "1.5", "three", "", "9" * 5000, "٣"):
        with pytest.raises(SettingsInvalid, match='"warn_days" must be a whole number from 0 to 365'):
            load({"CARNET_AUTHORITY_WARN_DAYS": text}, str(tmp_path))


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    (tmp_path / "authority.toml").write_text('database_url = "sqlite:///file.db"\n')
    assert load({}, str(tmp_path)).database_url == "sqlite:///file.db"
    environment = {"CARNET_AUTHORITY_DATABASE_URL": "sqlite:///environment.db", "CARNET_AUTHORITY_HOME": str(tmp_path)}
    assert load(environment).database_url == "sqlite:///environment.db"
    other = load(environment, str(tmp_path / "other"))
    assert other.home == tmp_path / "other"


def test_without_settings_the_database_is_a_file_in_the_home(tmp_path: Path) -> None:
    settings = load({}, str(tmp_path))
    assert settings.database_url == f"sqlite:///{tmp_path / 'authority.db'}"
    assert (settings.key_passphrase_file, settings.demonstration) == (None, False)


@pytest.mark.parametrize("url", ["mysql://host/db", "nonsense", "sqlite:////nowhere/at/all.db", "postgresql://host:port/db"])
def test_a_database_that_cannot_be_used_exits_with_3(console: Console, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CARNET_AUTHORITY_DATABASE_URL", url)
    for arguments in (("borrow", "list"), ("migrate",), ("doctor",)):
        ended = console.run(*arguments, "--json")
        assert ended.status == 3, (arguments, ended)


def test_a_process_of_its_own_exits_with_the_same_statuses(tmp_path: Path) -> None:
    home = str(tmp_path / "home")
    assert command("--help").returncode == 0
    assert command("borrow", "list", "--home", home).returncode == 3
    assert command("borrow", "nonsense", "--home", home).returncode == 2
    assert command("init", "--org", "Field Survey", "--home", home).returncode == 0
    assert command("init", "--org", "Field Survey", "--home", home).returncode == 1
    assert os.path.isdir(home)


def test_an_unknown_setting_is_told_once_and_init_names_the_home_to_serve(empty: Console) -> None:
    ended = empty.run("init", "--org", "Field Survey")
    assert ended.out.splitlines()[-1] == f"start it with: carnet-authority serve --home {empty.home}"
    (empty.home / "authority.toml").write_text("nonsense = 5\n")
    assert empty.refused("settings-invalid", 3, "member", "list")["message"] == 'there is no setting "nonsense"'
    (empty.home / "authority.toml").unlink()
    (empty.home / "authority.toml").mkdir()
    rows = empty.run("--json", "doctor")
    assert rows.status == 3
    assert {row["subject"] for row in rows.json if row["ok"] is False} == {"settings"}
