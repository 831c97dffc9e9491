"""What one operating system has and another has not, as marks for tests; the reason stands in the summary of a run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ON_POSIX = pytest.mark.skipif(
    sys.platform == "win32", reason="pipes, file modes, any byte in a name, and time zones by TZ are of POSIX"
)
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="asks Linux itself")
ON_WINDOWS = pytest.mark.skipif(sys.platform != "win32", reason="asks Windows itself: make test-windows")

# Of tests that change one byte after another and check each time, Windows does every seventh byte: a check there takes much
# longer under Wine, and how bytes are judged does not depend on the system.
BYTE_STEP = 7 if sys.platform == "win32" else 1


def make_link(link: Path, target: Path) -> None:
    """Makes a symbolic link. Skips the test where this user or this system makes none: Windows asks for a right, Wine 8 only says yes."""
    try:
        link.symlink_to(target)
    except OSError as error:
        pytest.skip(f"this user may make no symbolic links here: {error}")
    if not link.is_symlink():
        pytest.skip("this system makes no symbolic links")
