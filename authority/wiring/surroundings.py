"""What `doctor` says of files and folders: who else can read or change what the authority lives on."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from sqlalchemy.engine import make_url

from authority.domain.refusals import Refusal
from authority.services.examination import Finding, finding
from authority.signing import keyring
from authority.storage.db.database import Database
from authority.wiring.settings import Settings

OTHERS = stat.S_IRWXG | stat.S_IRWXO
OTHERS_CHANGE = stat.S_IWGRP | stat.S_IWOTH


def examine(settings: Settings) -> list[Finding]:
    """One finding each for the home, its settings, the database's files and the passphrase. Raises nothing for what is wrong."""
    return [
        finding("home", lambda: _home(settings)),
        finding("settings", lambda: _settings_file(settings)),
        finding("database", lambda: _database(settings)),
        finding("passphrase", lambda: _passphrase(settings)),
    ]


def _mode(path: Path) -> int:
    """The permissions of a file or folder; 0, which is open to nobody, where there is none, and on Windows."""
    try:
        return 0 if sys.platform == "win32" else stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        return 0


def _home(settings: Settings) -> str:
    folders = [(settings.home, OTHERS_CHANGE), (settings.key_folder, OTHERS), (settings.root_folder, OTHERS)]
    for folder, forbidden in folders:
        if _mode(folder) & forbidden:
            raise Refusal(
                f"the folder {folder} is open to other users (mode {_mode(folder):o})", hint=f"Run: chmod 700 {folder}"
            )
    return f"nobody else changes {settings.home} or sees its keys"


def _settings_file(settings: Settings) -> str:
    path = settings.home / "authority.toml"
    mode = _mode(path)
    has_password = make_url(settings.database_url).password is not None and "database_url" in _text(path)
    if mode & OTHERS_CHANGE or (has_password and mode & OTHERS):
        raise Refusal(f"{path} is open to other users (mode {mode:o})", hint=f"Run: chmod 600 {path}")
    return f"{path} is as it should be" if path.exists() else "there is no authority.toml, all settings are as they come"


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _database(settings: Settings) -> str:
    database = Database(settings.database_url)
    database.close()
    if not database.is_sqlite:
        return "the database is on a server, which says who reads it"
    file = str(database.url.database)
    for path in (Path(file), Path(f"{file}-wal"), Path(f"{file}-shm")):
        if _mode(path) & OTHERS:
            raise Refusal(f"{path} is open to other users (mode {_mode(path):o})", hint=f"Run: chmod 600 {path}")
    return f"nobody else reads {file}"


def _passphrase(settings: Settings) -> str:
    keyring.read_passphrase(settings.key_passphrase_file)
    if settings.key_passphrase_file is None:
        return "there is none: the permissions of the key files protect them"
    return f"the passphrase of the keys is in {settings.key_passphrase_file}"
