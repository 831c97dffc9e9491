"""What `doctor` says of files and folders: who else can read or change what the authority lives on."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import make_url

from authority.domain.refusals import Refusal
from authority.services.examination import Finding, finding, not_looked_at, refused
from authority.signing import keyring
from authority.storage.db.database import sqlite_file
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


def without_settings(error: Refusal) -> list[Finding]:
    """The findings of all that `examine` looks at, where the settings themselves are wrong."""
    (home,), rest = not_looked_at(["home"], "settings"), not_looked_at(["database", "passphrase"], "settings")
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
    return f"nobody else changes {settings.home} or sees its keys"


def _settings_file(settings: Settings) -> str:
    path = settings.home / "authority.toml"
    has_password = make_url(settings.database_url).password is not None and "database_url" in _text(path)
    _closed("", {path: OTHERS if has_password else OTHERS_CHANGE}, 0o600)
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
    return f"nobody else reads {file}"


def _passphrase(settings: Settings) -> str:
    keyring.read_passphrase(settings.key_passphrase_file)
    if settings.key_passphrase_file is None:
        return "there is none: the permissions of the key files protect them"
    return f"the passphrase of the keys is in {settings.key_passphrase_file}"
