"""macOS: IOPlatformUUID and the real uid."""

from __future__ import annotations

import re
import subprocess

from verifier.errors import NoMachineId
from verifier.workstation.identity import MachineMark, board, hashed
from verifier.workstation.identity.posix import user

__all__ = ["machine", "mark", "user"]

COMMAND = ("/usr/sbin/ioreg", "-r", "-d", "1", "-c", "IOPlatformExpertDevice")
PLATFORM_UUID = re.compile(rb'^[\s|]*"IOPlatformUUID" = "([0-9A-Fa-f-]{36})"\s*$', re.MULTILINE)
HINT = "Look whether this command shows an IOPlatformUUID: ioreg -rd1 -c IOPlatformExpertDevice"
SECONDS = 10


def machine() -> MachineMark:
    """The machine by the UUID that macOS has of it. Raises NoMachineId."""
    try:
        process = subprocess.run(COMMAND, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoMachineId(f"this Mac does not say which one it is: {error}", hint=HINT) from error
    return mark(process.stdout)


def mark(output: bytes) -> MachineMark:
    """The machine in the output of `ioreg`. Raises NoMachineId. There is no second mark: the UUID is the board's own already."""
    match = PLATFORM_UUID.search(output)
    if match is None:
        raise NoMachineId("this Mac does not say which one it is: ioreg shows no IOPlatformUUID", hint=HINT)
    raw = match[1].decode("ascii").lower()
    if not board.is_of_one_machine(raw):
        raise NoMachineId(f"this Mac does not say which one it is: its IOPlatformUUID is {raw}", hint=HINT)
    return MachineMark(hashed(raw), "macos-platform-uuid", None)
