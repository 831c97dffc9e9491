"""The OS user on Linux and macOS: the real uid."""

from __future__ import annotations

import os

from verifier.workstation.identity import OsUser


def user() -> OsUser:
    """The real uid; the name is the password database's, or the number again where it has none."""
    import pwd

    uid = os.getuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return OsUser(f"uid:{uid}", name)
