"""Programs of the system that a tool needs: installed by apt where this user may, else told what is missing."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

APT = "/usr/bin/apt-get"


class NotHere(Exception):
    """This machine lacks a program and this user cannot install it; the sentence says why."""


def install(program: str, packages: Sequence[str]) -> None:
    """Installs the packages that a program is in, when nobody else of this house is at it. Raises NotHere."""
    if not Path(APT).exists():
        raise NotHere(f"there is no {program} here, and no apt to install it with")
    if os.geteuid() != 0:
        raise NotHere(f"there is no {program} here, and only root may install it: sudo apt-get install {' '.join(packages)}")
    # apt waits for nobody: of two at once the second fails.
    with Path(APT).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _apt("update")
        process = _apt("install", "--yes", "--no-install-recommends", *packages)
    if process.returncode:
        raise NotHere(f"apt cannot install {program} here: {' '.join(process.stderr.split())}")


def _apt(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    return subprocess.run([APT, "-q", *arguments], env=environment, capture_output=True, text=True, check=False)
