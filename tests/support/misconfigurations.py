"""Misconfigurations of an authority, each made for real: what `doctor` has to find, and what it has to advise."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.catalogue import KeyUse
from authority.signing import keyring
from authority.signing.vendor import authorizing
from authority.storage.db.database import DatabaseFile
from tests.support.borrowing import workstation
from tests.support.console import Console
from tests.support.vendors import sample_toml
from verifier.core import files

PASSPHRASE = "a-passphrase-of-many-random-characters"


@dataclass
class Place:
    """A home that was set up, and what a misconfiguration is made with."""

    console: Console
    beside: Path
    patch: pytest.MonkeyPatch

    @property
    def home(self) -> Path:
        return self.console.home

    def authorize(self, **changes: Any) -> None:
        """A new authorization of the home's own root, installed."""
        specification, keys, output = (str(self.beside / name) for name in ("spec.toml", "keys.json", "new.authorization"))
        Path(specification).write_bytes(sample_toml(**changes))
        self.console.good("key", "list", "--public", "-o", keys)
        root = str(self.home / "root")
        self.console.good("root", "authorize", root, "--spec", specification, "--keys", keys, "-o", output)
        self.console.good("authorization", "install", output)

    def turn_clock(self, **forward: float) -> None:
        now = datetime.now(UTC) + timedelta(**forward)
        self.patch.setattr("authority.wiring.app.system_clock", lambda: now)

    def set(self, name: str, value: str) -> None:
        self.patch.setenv(f"CARNET_AUTHORITY_{name}", value)


def products(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A change of the product arcgis-pro in a specification."""

    def changed(members: dict[str, Any]) -> None:
        change(next(product for product in members["products"] if product["id"] == "arcgis-pro"))

    return changed


def key_ends_soon(place: Place) -> None:
    """The vendor lets the key of status lists end long before the authorization."""
    (root,) = [keyring.load(path, None) for path in (place.home / "root").glob("root-*.pem")]
    now = datetime.now(UTC).replace(microsecond=0)
    records = []
    for use, lasts_days in ((KeyUse.BORROW, 400), (KeyUse.STATUS, 20)):
        own = [keyring.load(path, None).public for path in (place.home / "keys").glob(f"{use}-*.pem")]
        records += authorizing.key_records({use: own}, now, now + timedelta(days=lasts_days))
    specification = authorizing.sample_specification("field-survey", "Field Survey", "maker")
    until = now + timedelta(days=400)
    compact = authorizing.authorize(root, specification, records, seq=2, now=now, begins_at=now, ends_at=until)
    path = place.beside / "early.authorization"
    path.write_bytes(files.render("authorization", {"authorization": compact}))
    place.console.good("authorization", "install", str(path))


def too_many_members(place: Place) -> None:
    place.console.good("member", "add", "bea")
    place.authorize(members={"total": 2})


def too_many_licenses(place: Place) -> None:
    place.console.good("license", "assign", "ada", "arcgis-pro", "--level", "Advanced")
    place.authorize(change=products(lambda product: product["seats"].update(Advanced=0)))


def product_ended(place: Place) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=40)
    place.authorize(change=products(lambda product: product.update(until=soon)))
    place.turn_clock(days=41)


def product_ends_soon(place: Place) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
    place.authorize(change=products(lambda product: product.update(until=soon)))


def authorization_ended(place: Place) -> None:
    place.turn_clock(days=4 * 365)


def authorization_ends_soon(place: Place) -> None:
    place.turn_clock(days=3 * 365 - 10)
    place.console.good("log", "seal")


def clock_before_all(place: Place) -> None:
    place.turn_clock(days=-20_000)


def record_damaged(place: Place) -> None:
    (place.home / "floors.json").write_bytes(b"{}")


def tokens_lost(place: Place) -> None:
    """The log of tokens has one that the database does not have, as after an older copy was put back."""
    place.console.borrow(workstation("one"), "ada")
    with closing(sqlite3.connect(place.home / "authority.db")) as connection, connection:
        connection.execute("DELETE FROM tokens")


def clock_behind(place: Place) -> None:
    place.turn_clock(hours=-1)


def passphrase_missing(place: Place) -> None:
    place.set("KEY_PASSPHRASE_FILE", str(place.beside / "nowhere"))


def passphrase_open(place: Place) -> None:
    path = place.beside / "passphrase"
    path.write_text(PASSPHRASE)
    path.chmod(0o644)
    place.set("KEY_PASSPHRASE_FILE", str(path))


def keys_missing(place: Place) -> None:
    for path in (place.home / "keys").iterdir():
        path.unlink()


def key_folder_missing(place: Place) -> None:
    keys_missing(place)
    (place.home / "keys").rmdir()


def key_open(place: Place) -> None:
    next((place.home / "keys").glob("status-*.pem")).chmod(0o644)


def database_gone(place: Place) -> None:
    for path in place.home.glob("authority.db*"):
        path.unlink()


def keys_open(place: Place) -> None:
    for path in (place.home / "keys").glob("*.pem"):
        path.chmod(0o644)


def folders_open(place: Place) -> None:
    for name in ("keys", "root"):
        (place.home / name).chmod(0o755)


def keys_of_others(place: Place) -> None:
    keys_missing(place)
    for use in KeyUse:
        keyring.create(place.home / "keys", use, None)


def nobody_seals(place: Place) -> None:
    place.turn_clock(days=2)


def row_changed(place: Place) -> None:
    place.console.good("log", "seal")
    with contextlib.closing(sqlite3.connect(place.home / "authority.db", isolation_level=None)) as connection:
        connection.execute("UPDATE events SET member = 'eve' WHERE id = 2")


def disk_nearly_full(place: Place) -> None:
    usage = type(shutil.disk_usage("/"))(100 << 30, (100 << 30) - (200 << 20), 200 << 20)
    place.patch.setattr("authority.wiring.surroundings.shutil.disk_usage", lambda _: usage)


def anybody_is_a_proxy(place: Place) -> None:
    place.set("TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0")


def anybody_is_a_scraper(place: Place) -> None:
    place.set("METRICS_NETWORKS", "2000::/3")


def of_another_user(place: Place) -> None:
    """What a command leaves that ran as another user. Only root can make that; for others the system is made to say so."""
    path = place.home / "authority.db"
    if os.geteuid() == 0:
        os.chown(path, 1, -1)
    else:
        lstat = Path.lstat
        other = os.stat_result((0o100600, 0, 0, 1, os.geteuid() + 1, 0, 0, 0, 0, 0))
        place.patch.setattr(Path, "lstat", lambda self: other if self == path else lstat(self))


def mode(name: str, number: int) -> Callable[[Place], None]:
    def change(place: Place) -> None:
        (place.home / name).chmod(number)

    return change


def home_is_no_place_to_write(place: Place) -> None:
    """What a server writes into each time: here a file stands where it makes a folder."""
    path = place.home / "issued"
    path.touch(0o600)


def database_is_read_only(place: Place) -> None:
    """The file says so itself: a version for writing that SQLite does not know (https://sqlite.org/fileformat.html, 1.3.3)."""
    with (place.home / "authority.db").open("r+b") as stream:
        stream.seek(18)
        stream.write(b"\x03")


def on_a_share_without_memory(place: Place) -> None:
    """SQLite on files that cannot be mapped by several, as those of a share: it keeps another kind of journal and says nothing."""
    with closing(sqlite3.connect(place.home / "authority.db")) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    usual = DatabaseFile.open_only_what_is_there

    def open_there(self: DatabaseFile, dialect: Any, record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        usual(self, dialect, record, arguments, options)
        arguments[0] += "&vfs=unix-dotfile"

    place.patch.setattr(DatabaseFile, "open_only_what_is_there", open_there)


def mounted(kind: str) -> Callable[[Place], None]:
    """The home is a file system of this type, by what the system says is mounted."""

    def make(place: Place) -> None:
        path = str(place.home).replace(" ", "\\040")
        lines = f"21 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 21 0:40 /x {path} rw,relatime shared:1 - {kind} box:/x rw\nnonsense\n"
        (place.beside / "mountinfo").write_text(lines)
        place.patch.setattr("authority.wiring.file_systems.MOUNTS", place.beside / "mountinfo")

    return make


def tables_of(revision: str) -> Callable[[Place], None]:
    def make(place: Place) -> None:
        with closing(sqlite3.connect(place.home / "authority.db")) as connection, connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))

    return make


def list_nearly_full(place: Place) -> None:
    place.console.borrow(workstation("one"), "ada")
    with closing(sqlite3.connect(place.home / "authority.db")) as connection, connection:
        connection.execute("UPDATE organization SET status_size = 1")


def key_of_another_node(place: Place) -> None:
    """Another node has a key of its own, which the vendor authorized too, and signed with it; this home never saw it."""
    place.console.good("key", "rotate", "--use", "borrow")
    place.authorize()
    place.console.borrow(workstation("one"), "ada")
    with closing(sqlite3.connect(place.home / "authority.db")) as connection:
        (kid,) = connection.execute("SELECT kid FROM tokens").fetchone()
    (place.home / "keys" / f"borrow-{kid}.pem").unlink()


def another_trust_file(place: Place) -> None:
    path = place.home / "organization.trust"
    path.write_text(path.read_text().replace('"x": "', '"x": "A'))


def trust_file_of_others(place: Place) -> None:
    path = place.home / "organization.trust"
    path.write_text(path.read_text().replace('"organization": "field-survey"', '"organization": "acme"'))


def table_missing(place: Place) -> None:
    with closing(sqlite3.connect(place.home / "authority.db")) as connection, connection:
        connection.execute("DROP TABLE delivery_notices")
        connection.execute("ALTER TABLE checkpoints DROP COLUMN issued_at")


def pages_damaged(place: Place) -> None:
    """What a disk does that loses blocks: every page but the first is nonsense."""
    path = place.home / "authority.db"
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))


def few_files(place: Place) -> None:
    place.patch.setattr("resource.getrlimit", lambda _: (64, 64))


def open_secrets(place: Place) -> None:
    place.console.borrow(workstation("one"), "ada")
    (place.home / "floors.json").chmod(0o644)


def open_backup(place: Place) -> None:
    output = place.home / "old.backup"
    output.write_bytes(b"")
    output.chmod(0o640)


def password_for_others(place: Place) -> None:
    path = place.home / "authority.toml"
    path.write_text('database_url = "postgresql://carnet:secret@127.0.0.1:9/carnet"\n')
    path.chmod(0o644)


def backup_beside(place: Place) -> None:
    place.console.good("backup", "-o", str(place.home / "night.backup"))


def channel(place: Place) -> None:
    path = place.beside / "url"
    path.write_text("https://hooks.example.org/x\n")
    place.console.good("channel", "add", "Desk", "--type", "webhook", "--url-file", str(path))


def backup_on_the_same_disk(place: Place) -> None:
    place.console.good("backup", "-o", str(place.beside / "night.backup"))


def nobody_notifies(place: Place) -> None:
    channel(place)
    place.turn_clock(hours=3)


def notices_without_apprise(place: Place) -> None:
    channel(place)
    with closing(sqlite3.connect(place.home / "authority.db")) as connection, connection:
        connection.execute("UPDATE channels SET type = 'apprise'")
    place.patch.setattr("authority.sending.by_apprise.importlib.util.find_spec", lambda _: None)


def seal_cut_off(place: Place) -> None:
    place.console.good("log", "seal")
    place.turn_clock(days=2)
    place.console.good("member", "add", "bea")
    place.turn_clock(days=4)


def settings(**values: str) -> Callable[[Place], None]:
    def make(place: Place) -> None:
        for name, value in values.items():
            place.set(name, value)

    return make


def passphrase_for_plain_keys(place: Place) -> None:
    path = place.beside / "passphrase"
    path.write_text(PASSPHRASE)
    path.chmod(0o600)
    place.set("KEY_PASSPHRASE_FILE", str(path))


def relative_database(place: Place) -> None:
    place.patch.chdir(place.home)
    place.set("DATABASE_URL", "sqlite:///authority.db")


def name_that_nobody_has(place: Place) -> None:
    def nobody(*_arguments: object, **_options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    place.patch.setattr("authority.sending.own_address.socket.getaddrinfo", nobody)
    place.set("PUBLIC_URL", "https://licenses.example.org")
    place.set("TRUSTED_PROXIES", "127.0.0.1")


def no_more_files(place: Place) -> None:
    counts = os.statvfs(place.home)
    values = [*counts[:5], 1_000_000, 3, 3, *counts[8:]]
    place.patch.setattr("authority.wiring.surroundings.os.statvfs", lambda _: os.statvfs_result(values))


# What is made, the subject that is wrong, a part of what is said, and a part of what to do.
MISCONFIGURATIONS: dict[str, tuple[Callable[[Place], None], str, str, str]] = {
    "more members than allowed": (too_many_members, "members", "3 members, 2 are allowed", "Remove members"),
    "more licenses than seats": (too_many_licenses, "licenses", "is assigned, there are 0", "license unassign"),
    "a product ended": (product_ended, "licenses", '"arcgis-pro" ended at', "authorization install"),
    "the authorization ended": (authorization_ended, "authorization", "the authorization ended at", "authorization install"),
    "a clock before all that is here": (clock_before_all, "authorization", "begins at", "clock right"),
    "a clock before the keys": (clock_before_all, "keys", "is authorized from", "clock right"),
    "a damaged record": (record_damaged, "what went out", "cannot be read", "Put back a copy of it"),
    "an older copy of the database": (tokens_lost, "what went out", "1 token went out", "carnet-authority catch-up"),
    "a clock before the log": (clock_behind, "clock", "the last row of the log is of", "clock right"),
    "a clock far ahead, by the keys": (authorization_ended, "keys", "the authorization has ended", "clock right"),
    "a clock far ahead": (authorization_ended, "authorization", "the authorization ended at", "clock right"),
    "a folder that others write": (mode("", 0o777), "home", "open to other users (mode 777)", "chmod 700"),
    "a folder that a group writes": (mode("", 0o770), "home", "open to other users (mode 770)", "chmod 700"),
    "a key folder that others list": (mode("keys", 0o755), "home", "open to other users (mode 755)", "chmod 700"),
    "a root folder that others list": (mode("root", 0o750), "home", "open to other users (mode 750)", "chmod 700"),
    "a database that others read": (mode("authority.db", 0o644), "database", "open to other users (mode 644)", "chmod 600"),
    "a database that a group writes": (mode("authority.db", 0o660), "database", "open to other users (mode 660)", "chmod 600"),
    "no passphrase file": (passphrase_missing, "passphrase", "nowhere", "key_passphrase_file"),
    "an open passphrase file": (passphrase_open, "passphrase", "open to other users", "chmod 600"),
    "no keys": (keys_missing, "keys", "key can sign now", "Put the key files back"),
    "no key folder": (key_folder_missing, "keys", "key can sign now", "Put the key files back"),
    "an open key": (key_open, "keys", "open to other users", "chmod 600"),
    "two open keys": (keys_open, "keys", "; the private key", "; chmod 600"),
    "two open folders": (folders_open, "home", "; the folder", "root"),
    "keys of another authority": (keys_of_others, "keys", "the authorization names others", "key list shows them"),
    "a log that nobody seals": (nobody_seals, "seal", "the log was never sealed", "log seal"),
    "a row of the log that was changed": (row_changed, "seal", "row 2: not what was sealed", "log verify"),
    "a disk that is nearly full": (disk_nearly_full, "disk", "200 MiB are free", "Make room"),
    "a proxy that anybody may be": (anybody_is_a_proxy, "network", '"trusted_proxies" has 0.0.0.0/0', "the proxies"),
    "a scraper that anybody may be": (anybody_is_a_scraper, "network", '"metrics_networks" has 2000::/3', "scrapers alone"),
    "a file of another user": (of_another_user, "home", "these are not: ", "chown -R"),
    "a home in which nothing can be written": (home_is_no_place_to_write, "home", "issued cannot be written to", "Mend what"),
    "what went out, open to others": (open_secrets, "home", "floors.json is open to other users", "chmod 600"),
    "a backup that a group reads": (open_backup, "home", "old.backup is open to other users", "chmod 600"),
    "a password that others read": (password_for_others, "settings", "open to other users (mode 644)", "chmod 600"),
    "a database that may only be read": (database_is_read_only, "durability", "readonly", "read and write there"),
    "a database without its log of changes": (on_a_share_without_memory, "durability", "as delete", "use PostgreSQL"),
    "a database on a share": (mounted("nfs4"), "database", "another machine (nfs4)", "use PostgreSQL"),
    "a database on a share by FUSE": (mounted("fuse.sshfs"), "database", "another machine (fuse.sshfs)", "use PostgreSQL"),
    "tables of an older program": (tables_of("0003"), "tables", "revision 0003", "carnet-authority migrate"),
    "tables of a newer program": (tables_of("9999"), "tables", "of a newer program", "Update Carnet"),
    "a status list that is nearly full": (list_nearly_full, "status list", "1 of 1 places", "Longer borrows"),
    "a node with another key": (key_of_another_node, "nodes", "1 borrow by ", "Copy the folder keys"),
    "the trust file of others": (trust_file_of_others, "trust file", 'of the organization "acme"', "the right database"),
    "tables that are gone": (table_missing, "tables", "checkpoints.issued_at are missing", "restore the last backup"),
    "a damaged database": (pages_damaged, "tables", "malformed", "restore the last backup"),
    "few open files": (few_files, "network", "at most 64 files", "LimitNOFILE"),
    "another trust file": (another_trust_file, "trust file", "is not the trust file in force", "trust export -o"),
    "a backup beside the database": (backup_beside, "backup", "into the folder of what it is a backup of", "another disk"),
    "channels, and nobody who sends": (nobody_notifies, "notices", "no notice was ever looked for", "serve with --notify"),
    "channels, and no Apprise": (notices_without_apprise, "notices", "nothing goes to Desk", "pip install"),
    "a seal that is far behind": (seal_cut_off, "seal", "is sealed up to row", "log seal"),
    "a disk that has no room for files": (no_more_files, "disk", "room for 3 more files", "Make room"),
    "a passphrase for keys that have none": (passphrase_for_plain_keys, "settings", "are not encrypted", "openssl pkcs8"),
    "a demonstration with keys of its own": (settings(DEMONSTRATION="true"), "settings", "no key here is a sample", "to false"),
    "a database by the folder one is in": (relative_database, "settings", "is relative to the folder", "four slashes"),
    "an address without a proxy": (
        settings(PUBLIC_URL="https://127.0.0.1:9"),
        "settings",
        "trusted_proxies is empty",
        "Name where the proxy connects from",
    ),
    "an address of every machine": (settings(PUBLIC_URL="http://127.0.0.1:9"), "address", "to itself", "Set public_url"),
    "an address that is no name": (
        settings(PUBLIC_URL="https://licenses..example.org", TRUSTED_PROXIES="127.0.0.1"),
        "address",
        "no name of a machine",
        "Set public_url",
    ),
    "an address that nobody has": (name_that_nobody_has, "address", "no machine has that name", "Set public_url"),
    "an address without TLS": (
        settings(PUBLIC_URL="http://licenses.example.org"),
        "settings",
        "https address",
        "docs/settings.md",
    ),
    "a proxy that is no address": (settings(TRUSTED_PROXIES="proxy.local"), "settings", "no address and no network", "docs/"),
    "no database": (database_gone, "tables", "there is no database", "When the database is gone"),
}
