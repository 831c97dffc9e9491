"""What `doctor` says of files and folders: who else can read or change what the authority lives on."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

from sqlalchemy.engine import make_url

from authority.domain.disk import explained
from authority.domain.plurals import are, counted
from authority.domain.refusals import Refusal
from authority.services.examination import Finding, finding, not_looked_at, refused
from authority.signing import floors, issued_log, keyring
from authority.storage.db.database import sqlite_file
from authority.wiring import contradictions, file_systems
from authority.wiring.settings import Settings

# Root's own, where the home is a file system.
LOST_AND_FOUND = "lost+found"
MEBIBYTE = 1 << 20
# Room for the database of a large organization to grow for a while.
LEAST_FREE = 1024 * MEBIBYTE
LEAST_FILES = 1000
# A worker has a connection open for each that asks, and files besides.
LEAST_OPEN = 1024
# So many paths are named of those that are wrong.
MOST_NAMED = 3
# Networks of one's own are smaller than this, but for the private ones.
IPV4, WIDEST_4, WIDEST_6 = 4, 16, 32
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "127.0.0.0/8", "fc00::/7", "fe80::/10")
OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_CHANGE = stat.S_IWGRP | stat.S_IWOTH


def examine(settings: Settings) -> list[Finding]:
    """One finding each for the home, its settings, the database's files, the passphrase, the disk and the network.

    Raises nothing for what is wrong.
    """
    return [
        finding("home", lambda: _home(settings)),
        finding("settings", lambda: _settings_file(settings)),
        finding("database", lambda: _database(settings)),
        finding("passphrase", lambda: _passphrase(settings)),
        finding("disk", lambda: _disk(settings)),
        finding("network", lambda: _network(settings)),
    ]


def without_settings(error: Refusal) -> list[Finding]:
    """The findings of all that `examine` looks at, where the settings themselves are wrong."""
    (home,), rest = (
        not_looked_at(["home"], "settings"),
        not_looked_at(["database", "passphrase", "disk", "network"], "settings"),
    )
    return [home, refused("settings", error), *rest]


def _closed(what: str, forbidden: Mapping[Path, int], mode: int) -> None:
    """Raises Refusal with every one of the paths whose permissions have a bit that is forbidden, and the command that mends them."""
    wrong = [path for path, bits in forbidden.items() if _mode(path) & bits]
    if wrong:
        sentences = [f"{what}{path} is open to other users (mode {_mode(path):o})" for path in wrong]
        raise Refusal("; ".join(sentences), hint=f"Run: chmod {mode:o} {' '.join(map(str, wrong))}")


def _mode(path: Path) -> int:
    """The permissions of a file or folder; 0, which is open to nobody, where there is none, and on Windows."""
    try:
        return 0 if sys.platform == "win32" else stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return 0


def _home(settings: Settings) -> str:
    folders = {settings.home: OTHERS_CHANGE, settings.key_folder: OTHERS, settings.root_folder: OTHERS}
    _closed("the folder ", folders, 0o700)
    _of_one_owner(settings)
    _closed("", dict.fromkeys([settings.home / floors.FILE, *settings.home.glob("*.backup")], OTHERS), 0o600)
    _closed("the folder ", {settings.home / issued_log.FOLDER: OTHERS}, 0o700)
    for folder in (settings.home, settings.home / issued_log.FOLDER):
        if os.path.lexists(folder):
            file_systems.check_writable(folder)
    text = f"nobody else changes {settings.home} or sees its keys"
    if any(settings.root_folder.glob("root-*.pem")):
        text += "; the root key is still here: move the folder root to a medium that is not on this machine"
    return text


def _of_one_owner(settings: Settings) -> None:
    """Raises Refusal for what of the home is another user's: a command that ran as root leaves files that the server cannot use."""
    if sys.platform == "win32":
        return
    import pwd

    folders = (settings.home, settings.key_folder, settings.home / "issued")
    paths = [path for folder in folders for path in folder.glob("*") if path.name != LOST_AND_FOUND]
    owner = _owner(settings.home)
    # What is gone by now has none.
    others = [path for path in paths if _owner(path) not in (owner, None)]
    if others and owner is not None:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = str(owner)
        rest = f", and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
        raise Refusal(
            f"the home is of the user {name}, and these are not: {', '.join(map(str, others[:MOST_NAMED]))}{rest}",
            hint=f"Run: chown -R {name} {settings.home}; and run commands as that user: sudo -u {name} carnet-authority ...",
        )


def _owner(path: Path) -> int | None:
    try:
        return path.lstat().st_uid
    except OSError:
        return None


def _disk(settings: Settings) -> str:
    """How much room there is where the home is; the database and what goes out are written there."""
    file = sqlite_file(settings.database_url)
    folders = [settings.home] if file is None or not file.parent.is_dir() else list(dict.fromkeys([settings.home, file.parent]))
    sentences = list(dict.fromkeys(_room(folder) for folder in folders))
    if file_systems.kind_of(settings.home) in file_systems.IN_MEMORY:
        sentences.append("the home is in memory alone, and gone when this machine starts again")
    return "; ".join(sentences)


def _room(folder: Path) -> str:
    """How much room there is on the disk of a folder. Raises Refusal where there is too little, or no more files can be made."""
    with explained(folder, "looked at"):
        usage = shutil.disk_usage(folder)
        files = None if sys.platform == "win32" else os.statvfs(folder)
    free = f"{usage.free / MEBIBYTE:,.0f} MiB are free on the disk of {folder}"
    hint = "Make room, or move the home: on a full disk nobody borrows or gives back."
    if usage.free < LEAST_FREE and usage.free < usage.total / 20:
        raise Refusal(free, hint=hint)
    # Some file systems count no files, and say 0 of 0.
    if files is not None and files.f_files and files.f_favail < LEAST_FILES:
        raise Refusal(f"{free}, and there is room for {files.f_favail} more files", hint=hint)
    return free


def _network(settings: Settings) -> str:
    """Whether addresses are believed that anybody may have."""
    of_networks = {"trusted_proxies": settings.trusted_proxies, "metrics_networks": settings.metrics_networks}
    wide = [f'"{name}" has {text}' for name, texts in of_networks.items() for text in texts if _is_wide(text)]
    if wide:
        raise Refusal(
            f"{'; '.join(wide)}: so many addresses are not those of your own machines",
            hint="Name the addresses of the proxies and scrapers alone: whoever has one of these is believed.",
        )
    _check_open_files()
    return f"{counted(len(settings.trusted_proxies), 'address', 'addresses')} of proxies {are(len(settings.trusted_proxies))} believed"


def _check_open_files() -> None:
    """Raises Refusal where this user may have so few files open that a server answers few at once."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < LEAST_OPEN:
        raise Refusal(
            f"a process of this user has at most {most} files and connections open (ulimit -Hn)",
            hint="Allow more: LimitNOFILE=8192 in the unit of the service, or the limits of the system.",
        )


def _is_wide(text: str) -> bool:
    network = ip_network(text)
    return network.prefixlen < (WIDEST_4 if network.version == IPV4 else WIDEST_6) and text not in PRIVATE


def _settings_file(settings: Settings) -> str:
    path = settings.home / "authority.toml"
    has_password = make_url(settings.database_url).password is not None and "database_url" in _text(path)
    _closed("", {path: OTHERS if has_password else OTHERS_CHANGE}, 0o600)
    contradictions.check(settings)
    return f"{path} is as it should be" if path.exists() else "there is no authority.toml, all settings are as they come"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _database(settings: Settings) -> str:
    file = sqlite_file(settings.database_url)
    if file is None:
        return "the database is on a server, which says who reads it"
    if not file.exists():
        raise Refusal(f"there is no file {file}", hint="See tables.")
    _closed("", dict.fromkeys((file, Path(f"{file}-wal"), Path(f"{file}-shm")), OTHERS), 0o600)
    kind = file_systems.kind_of(file)
    if file_systems.is_network(kind):
        raise Refusal(
            f"{file} is on a file system of another machine ({kind}): its locks and its log of changes do not hold there",
            hint="Move it to a disk of this machine; or use PostgreSQL, which several machines may use: docs/operations.md, Databases.",
        )
    return f"nobody else reads {file}"


def _passphrase(settings: Settings) -> str:
    keyring.read_passphrase(settings.key_passphrase_file)
    if settings.key_passphrase_file is None:
        return "there is none: the permissions of the key files protect them"
    return f"the passphrase of the keys is in {settings.key_passphrase_file}"
