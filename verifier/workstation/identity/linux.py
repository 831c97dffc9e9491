"""Linux: /etc/machine-id and the real uid."""

from __future__ import annotations

import re
from pathlib import Path

from verifier.errors import NoMachineId
from verifier.workstation.identity import MachineMark, board, hashed
from verifier.workstation.identity.posix import user

__all__ = ["machine", "user"]

MACHINE_ID_FILES = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
PRODUCT_UUID_FILE = Path("/sys/class/dmi/id/product_uuid")
MACHINE_ID = re.compile(r"\A[0-9a-f]{32}\n?\Z")
# One digit 32 times is no id: machine-id(5) says so of zeros, and images are filled with others. Many machines would be one.
ONE_DIGIT = re.compile(r"\A([0-9a-f])\1{31}\n?\Z")
MISSING = "is not there"


def machine() -> MachineMark:
    """The machine by its machine-id(5); the board's UUID, where this user may read it, is the second mark. Raises NoMachineId."""
    faults = []
    for path in MACHINE_ID_FILES:
        raw, fault = _text(path)
        if not fault and (fault := _fault(raw)) == "":
            return MachineMark(hashed(raw), "linux-machine-id", board.mark(_text(PRODUCT_UUID_FILE)[0]))
        faults.append(f"{path} {fault}")
        if fault != MISSING:
            # An image whose id was emptied, so that each copy gets its own, often has an old one left in the file of D-Bus.
            break
    raise NoMachineId(f"this machine has no machine id: {', '.join(faults)}", files=len(MACHINE_ID_FILES))


def _fault(raw: str) -> str:
    """What is wrong with the text of a machine id, "" when nothing is."""
    if not raw.strip():
        return "is empty"
    if not MACHINE_ID.match(raw):
        return "has no id of 32 digits 0-9 and a-f" if raw.strip() != "uninitialized" else 'says "uninitialized"'
    return f"is nothing but {raw[0]}" if ONE_DIGIT.match(raw) else ""


def _text(path: Path) -> tuple[str, str]:
    """The text of a file, or "" and why it cannot be read."""
    try:
        return path.read_text(encoding="ascii"), ""
    except FileNotFoundError:
        return "", MISSING
    except OSError as error:
        return "", f"cannot be read ({error.strerror})"
    except ValueError:
        return "", "is no text"
