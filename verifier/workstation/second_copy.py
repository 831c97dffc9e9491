"""The second copy of the state, away from the folder of the state: who puts an old folder back has not put this back.

On Windows it is a value in the user's part of the registry, elsewhere a file in the user's own folder for states. It is signed like
the first one, and named after the machine key. Where there is no place for it, or none that can be written, there is one copy.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from verifier.errors import Malformed

NAME = "carnet"

if sys.platform == "win32":
    import winreg

    KEY = rf"Software\{NAME}\state"
    LARGEST_VALUE = 1024 * 1024

    def read(machine_key: str) -> bytes | None:
        """The copy that the machine key with this thumbprint signed; None where there is none that can be read."""
        with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, KEY) as key:
            value, kind = winreg.QueryValueEx(key, machine_key)
            if kind == winreg.REG_SZ and isinstance(value, str) and len(value) <= LARGEST_VALUE:
                return value.encode()
        return None

    def write(machine_key: str, data: bytes) -> None:
        """Keeps the copy, where that is possible."""
        with contextlib.suppress(OSError), winreg.CreateKey(winreg.HKEY_CURRENT_USER, KEY) as key:
            winreg.SetValueEx(key, machine_key, 0, winreg.REG_SZ, data.decode())

else:
    import os
    import pwd

    from verifier.workstation.disk import read_bytes, write_atomically

    FOLDER = Path("Library", "Preferences") if sys.platform == "darwin" else Path(".local", "state")

    def read(machine_key: str) -> bytes | None:
        """The copy that the machine key with this thumbprint signed; None where there is none that can be read."""
        folder = _folder()
        if folder is not None:
            with contextlib.suppress(OSError, Malformed):
                return read_bytes(folder / f"{machine_key}.json")
        return None

    def write(machine_key: str, data: bytes) -> None:
        """Keeps the copy, where that is possible."""
        folder = _folder()
        if folder is not None:
            with contextlib.suppress(OSError):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_atomically(folder / f"{machine_key}.json", data)

    def _folder() -> Path | None:
        """The folder of the copies: in XDG_STATE_HOME, else in the home that the system knows; None for a user without one."""
        named = os.environ.get("XDG_STATE_HOME", "")
        if os.path.isabs(named):
            return Path(named, NAME)
        try:
            home = Path(pwd.getpwuid(os.getuid()).pw_dir)
        except KeyError:
            return None
        # A home that is not there is not made: it may be on a disk that comes later.
        return home / FOLDER / NAME if home.is_dir() else None
