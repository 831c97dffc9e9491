"""What Windows makes of names: devices that stand in every folder, and paths that are too long without a mark before them."""

from __future__ import annotations

import ntpath
import re

# Microsoft, "Naming Files, Paths, and Namespaces": whatever stands behind the first point, and in any case.
DEVICE = re.compile(r"\A(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:[.:].*)?\Z", re.IGNORECASE | re.DOTALL)
DEVICES_ROOT = "\\\\.\\"
EXTENDED = "\\\\?\\"
# MAX_PATH without the eight and three letters that every folder has to have room for.
LONGEST_FOLDER = 247


def is_device(name: str) -> bool:
    """Whether a path names a device: CON waits for the keyboard, NUL swallows what is written."""
    return name.startswith(DEVICES_ROOT) or DEVICE.match(ntpath.basename(name)) is not None


def extended(absolute: str, room: int) -> str:
    """An absolute path with the mark that lifts the limit of 260 characters, where it and `room` more would pass it."""
    if len(absolute) + room <= LONGEST_FOLDER or absolute.startswith((EXTENDED, DEVICES_ROOT)):
        return absolute
    if absolute.startswith("\\\\"):
        return f"{EXTENDED}UNC{absolute[1:]}"
    return f"{EXTENDED}{absolute}"
