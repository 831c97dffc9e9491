"""Who and where am I: one file for each operating system behind one protocol, chosen here and nowhere else."""

import hashlib
import hmac
import sys
from typing import NamedTuple, Protocol

from verifier.core.keys import encode
from verifier.errors import NoMachineId

# Our application id. The system's own id is confidential (machine-id(5)): only a keyed hash of it leaves the machine.
APPLICATION_ID = bytes.fromhex("6b1f3c5de0c94d0fa3f2a7c1d2847c11")


class MachineMark(NamedTuple):
    """A machine: hashed id, where it came from, and a second hashed mark where the system has one."""

    id: str
    source: str
    secondary: str | None


class OsUser(NamedTuple):
    """The OS user of this process: `uid:N` or `sid:S-1-...`, and the name for display."""

    id: str
    name: str


class System(Protocol):
    """What each operating system says of itself; a module of this folder for each."""

    def machine(self) -> MachineMark:
        """The machine this process runs on. Raises NoMachineId when the system does not say."""

    def user(self) -> OsUser:
        """The user this process runs as, from the system and never from the environment, which the user can set."""


def system() -> System:
    """The system this process runs on. Raises NoMachineId for one that Carnet does not know."""
    if sys.platform.startswith("linux"):
        from verifier.workstation.identity import linux

        return linux
    if sys.platform == "win32":
        from verifier.workstation.identity import windows

        return windows
    if sys.platform == "darwin":
        from verifier.workstation.identity import macos

        return macos
    raise NoMachineId(f"{sys.platform} has no machine id that Carnet knows", hint="Use Carnet on Windows, Linux or macOS.")


def notes(machine: MachineMark) -> tuple[str, ...]:
    """What people are told of where this machine is: nothing, or that it is a container or the like, which its source names."""
    from verifier.workstation.identity import places

    note = places.note(machine.source)
    return () if note is None else (note,)


def hashed(raw: str) -> str:
    """HMAC-SHA256 of a system id keyed with our application id, the first 128 bits as 22 characters of base64url."""
    return encode(hmac.digest(APPLICATION_ID, raw.strip().lower().encode(), hashlib.sha256)[:16])
