"""Linux: /etc/machine-id and the real uid."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path

from verifier.errors import StateDamaged
from verifier.workstation.identity import MachineMark, OsUser, hashed

MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
PRODUCT_UUID_FILE = Path("/sys/class/dmi/id/product_uuid")
MACHINE_ID = re.compile(r"\A[0-9a-f]{32}\n?\Z")


def machine() -> MachineMark:
    """The machine by its machine-id(5); the board's UUID, where this user may read it, is the second mark."""
    for path in MACHINE_ID_FILES:
        raw = _text(path)
        if MACHINE_ID.match(raw):
            board = _text(PRODUCT_UUID_FILE)
            return MachineMark(hashed(raw), "linux-machine-id", hashed(board) if board else None)
    raise StateDamaged(
        "this machine has no machine id in /etc/machine-id",
        hint="As root, run: systemd-machine-id-setup",
        files=len(MACHINE_ID_FILES),
    )


def user() -> OsUser:
    """The real uid; the name is the password database's, or the number again where it has none."""
    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return OsUser(f"uid:{uid}", name)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""
