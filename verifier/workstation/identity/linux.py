"""Linux: /etc/machine-id and the real uid, where no user namespace makes them up."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from verifier.errors import IdentityInDoubt, Malformed, NoMachineId
from verifier.workstation.disk import read_with_mode
from verifier.workstation.identity import MachineMark, OsUser, board, hashed, places, posix
from verifier.workstation.identity.places import Place

SOURCE = "linux-machine-id"
MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
PRODUCT_UUID_FILE = Path("/sys/class/dmi/id/product_uuid")
USER_MAP = Path("/proc/self/uid_map")
KERNEL_FILE = Path("/proc/sys/kernel/osrelease")
NAMESPACES = Path("/proc/self/ns")
CONTAINER_MARKS = (Path("/.dockerenv"), Path("/run/.containerenv"), Path("/run/systemd/container"))
MACHINE_ID = re.compile(rb"\A[0-9a-f]{32}\n?\Z")
MISSING = "is not there"
# Taken from the environment, which is the user's: so it makes a machine of its own, and is named in the request.
SETTING, ACCEPT = "CARNET_CONTAINER", "accept"


class SystemFile(NamedTuple):
    """A file of the system: its bytes, and what hinders reading it ("" when nothing does)."""

    name: str
    data: bytes
    fault: str


def machine() -> MachineMark:
    """The machine by its machine-id(5); the board's UUID, where this user may read it, is the second mark.

    Raises NoMachineId, and IdentityInDoubt in a user namespace that CARNET_CONTAINER does not accept.
    """
    return mark([_read(path) for path in MACHINE_ID_FILES], _read(PRODUCT_UUID_FILE).data, _place())


def user() -> OsUser:
    """The real uid and its name. Raises IdentityInDoubt in a user namespace that CARNET_CONTAINER does not accept."""
    _place()
    return posix.user()


def mark(ids: Sequence[SystemFile], product_uuid: bytes, where: Place = Place.MACHINE) -> MachineMark:
    """The machine by the first of these files that is there. Raises NoMachineId.

    In a user namespace, where anybody can put another file there, it is a machine of its own and never the one around it.
    """
    faults = []
    for file in ids:
        fault = file.fault or _fault(file.data)
        if not fault:
            raw = file.data.decode("ascii").strip()
            within = f"{where} {raw}" if where == Place.USER_NAMESPACE else raw
            second = board.mark(product_uuid.decode("ascii", "replace"))
            return MachineMark(hashed(within), f"{SOURCE}, {where}" if where else SOURCE, second)
        faults.append(f"{file.name} {fault}")
        if fault != MISSING:
            # An image whose id was emptied, so that each copy gets its own, often has an old one left in the file of D-Bus.
            break
    raise NoMachineId(f"this machine has no machine id: {', '.join(faults)}", files=len(ids))


def accepted(where: Place, uid_map: bytes, environment: Mapping[str, str]) -> Place:
    """The place, when a license can be bound to it. Raises IdentityInDoubt for a user namespace that nobody accepted."""
    if where == Place.USER_NAMESPACE and environment.get(SETTING) != ACCEPT:
        users = " ".join(uid_map.decode("ascii", "replace").split())
        raise IdentityInDoubt(
            f"this process is in a user namespace, which makes up who its user is and what is in the machine's files "
            f"(uid_map: {users or 'not readable'})",
            uid_map=users,
        )
    return where


def _place() -> Place:
    uid_map = _read(USER_MAP)
    # A kernel that knows no user namespaces has no such file; a /proc that is not there is no answer.
    text = b"0 0 4294967295" if uid_map.fault == MISSING and USER_MAP.with_name("stat").exists() else uid_map.data
    marked = any(path.exists() for path in CONTAINER_MARKS)
    return accepted(places.place(text, _namespaces(), _read(KERNEL_FILE).data, is_marked=marked), text, os.environ)


def _namespaces() -> dict[str, int]:
    """The numbers of this process's namespaces, as far as this system shows them."""
    numbers = {}
    for name in places.FIRST_NAMESPACES:
        try:
            numbers[name] = (NAMESPACES / name).stat().st_ino
        except OSError:
            continue
    return numbers


def _fault(raw: bytes) -> str:
    """What is wrong with the text of a machine id, "" when nothing is."""
    text = raw.strip()
    if not text:
        return "is empty"
    if not text.isascii():
        return "is no text"
    if not MACHINE_ID.match(raw):
        return "has no id of 32 digits 0-9 and a-f" if text != b"uninitialized" else 'says "uninitialized"'
    digits = text.decode("ascii")
    if board.ONE_DIGIT.match(digits):
        return f"is nothing but {digits[0]}"
    return "" if board.is_of_one_machine(digits) else "is an id that many machines have"


def _read(path: Path) -> SystemFile:
    """The bytes of a regular file of the system, or why it cannot be read."""
    try:
        return SystemFile(str(path), read_with_mode(path, follow=True)[0], "")
    except FileNotFoundError:
        return SystemFile(str(path), b"", MISSING)
    except Malformed:
        return SystemFile(str(path), b"", "is not a regular file")
    except OSError as error:
        return SystemFile(str(path), b"", f"cannot be read ({error.strerror})")
