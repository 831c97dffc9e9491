"""Where a sign-in is remembered until sign-out: sealed by Windows, in the keyring of the system, or in a file for its user alone."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Protocol

from verifier.errors import Malformed, StateDamaged
from verifier.workstation import sealing
from verifier.workstation.disk import explained, read_with_mode, trouble, write_atomically
from verifier.workstation.sealing import NotSealed

SERVICE = "carnet"
SIGN_IN_ANEW = "Sign in again: carnet sign-in NAME."
IN_KEYRING = "in the keyring of this system"


class Keyring(Protocol):
    """What the library keyring offers of a system's own keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        """The secret, None when there is none."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keeps the secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Takes the secret away."""


def keep(path: Path, name: str, secret: str) -> str:
    """Remembers the secret and returns where, in words: in the keyring under `name`, else in the file at `path`.

    Raises DiskFull, NotPermitted or DiskFailed.
    """
    keyring = _keyring()
    if keyring is not None:
        # A keyring that nobody opens for us is none.
        with contextlib.suppress(Exception):
            keyring.set_password(SERVICE, name, secret)
            if keyring.get_password(SERVICE, name) == secret:
                _remove(path)
                return IN_KEYRING
    with explained(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(path, _closed(secret.encode()))
    return (
        f"sealed by Windows for this user, in {path}" if sys.platform == "win32" else f"in {path}, for this user alone (0600)"
    )


def secret_of(path: Path, name: str) -> str | None:
    """The secret that is remembered; None when there is none. Raises StateDamaged, NotPermitted or DiskFailed."""
    keyring = _keyring()
    if keyring is not None:
        with contextlib.suppress(Exception):
            secret = keyring.get_password(SERVICE, name)
            if secret is not None:
                return secret
    return _in_file(path)


def forget(path: Path, name: str) -> None:
    """Takes the secret away, wherever it is; that there is none is no error. Raises NotPermitted or DiskFailed."""
    keyring = _keyring()
    if keyring is not None:
        with contextlib.suppress(Exception):
            keyring.delete_password(SERVICE, name)
    _remove(path)


def _keyring() -> Keyring | None:
    """The system's keyring, where the library is installed and finds one. Windows seals files for a user by itself."""
    if sys.platform == "win32":
        return None
    try:
        import keyring
        from keyring.backends import fail, null
    except ImportError:
        return None
    with contextlib.suppress(Exception):
        backend = keyring.get_keyring()
        return None if isinstance(backend, fail.Keyring | null.Keyring) else backend
    return None


def _closed(secret: bytes) -> bytes:
    if sys.platform == "win32":
        return sealing.seal(secret)
    return secret


def _opened(data: bytes) -> bytes:
    """The secret in the text of its file. Raises NotSealed."""
    if sys.platform == "win32":
        return sealing.unseal(data)
    return data


def _in_file(path: Path) -> str | None:
    try:
        data, mode = read_with_mode(path)
        text = _opened(data).decode("ascii")
    except FileNotFoundError:
        return None
    except (IsADirectoryError, Malformed, NotSealed, ValueError) as error:
        raise StateDamaged(f"the sign-in in {path} cannot be read", hint=SIGN_IN_ANEW, path=str(path)) from error
    except OSError as error:
        raise trouble(error, f"the sign-in in {path}", "read") from error
    if sys.platform != "win32" and mode & 0o077:
        raise StateDamaged(f"the sign-in in {path} is open to other users (mode {mode:o})", hint=SIGN_IN_ANEW, path=str(path))
    return text


def _remove(path: Path) -> None:
    with explained(path, "removed"):
        path.unlink(missing_ok=True)
