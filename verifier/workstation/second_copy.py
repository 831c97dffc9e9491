"""The second copy of the state, away from the folder of the state: who puts an old folder back has not put this back.

On Windows it is a value in the user's part of the registry, elsewhere a file in the user's own folder for states. It is signed like
the first one, and named after the machine key. Where there is no place for it, or none that can be written, there is one copy.
The environment may name another place from one day to the next, so that the state remembers where the copy was seen.
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

    def places() -> list[str]:
        """Where copies of this user may be."""
        return [KEY]

    def place(_known_at: str | None) -> str | None:
        """Where copies are written now; None where that is not possible."""
        return KEY

    def _read(machine_key: str, at: str) -> bytes | None:
        if at != KEY:
            return None
        with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_CURRENT_USER, KEY) as key:
            value, kind = winreg.QueryValueEx(key, machine_key)
            if kind == winreg.REG_SZ and isinstance(value, str) and len(value) <= LARGEST_VALUE:
                return value.encode()
        return None

    def write(machine_key: str, data: bytes, at: str | None) -> bool:
        """Keeps the copy at what `place` says. False where that is not possible."""
        if at != KEY:
            return False
        with contextlib.suppress(OSError), winreg.CreateKey(winreg.HKEY_CURRENT_USER, KEY) as key:
            winreg.SetValueEx(key, machine_key, 0, winreg.REG_SZ, data.decode())
            return True
        return False

else:
    import os
    import pwd

    from verifier.workstation.disk import read_with_mode, write_atomically

    FOLDER = Path("Library", "Preferences") if sys.platform == "darwin" else Path(".local", "state")

    def places() -> list[str]:
        """Where copies of this user may be: in XDG_STATE_HOME, and in the home that the system knows."""
        named = os.environ.get("XDG_STATE_HOME", "")
        folders = [os.path.join(named, NAME)] if os.path.isabs(named) else []
        with contextlib.suppress(KeyError):
            home = Path(pwd.getpwuid(os.getuid()).pw_dir)
            # A home that is not there is not made: it may be on a disk that comes later.
            if home.is_dir():
                folders.append(str(home / FOLDER / NAME))
        return folders

    def place(known_at: str | None) -> str | None:
        """Where copies are written now: at `known_at`, where one was written before, as long as that can be; None where nothing can.

        A variable that is set for one command leads no return away from the copy that an older folder will be held against.
        """
        if known_at is not None and os.path.isdir(known_at) and os.access(known_at, os.W_OK):
            return known_at
        for folder in places():
            with contextlib.suppress(OSError):
                Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
                if os.access(folder, os.W_OK):
                    return folder
        return None

    def _read(machine_key: str, at: str) -> bytes | None:
        with contextlib.suppress(OSError, ValueError, Malformed):
            return read_with_mode(Path(at, f"{machine_key}.json"))[0]
        return None

    def write(machine_key: str, data: bytes, at: str | None) -> bool:
        """Keeps the copy at what `place` says. False where that is not possible."""
        if at is not None:
            with contextlib.suppress(OSError):
                write_atomically(Path(at, f"{machine_key}.json"), data)
                return True
        return False


def copies(machine_key: str, known_at: str | None) -> list[bytes]:
    """The copies that the machine key with this thumbprint signed, as far as they can be read: where they may be, and at `known_at`."""
    at = dict.fromkeys([*places(), *([] if known_at is None else [known_at])])
    return [text for place in at if (text := _read(machine_key, place)) is not None]
