"""The demonstration that `make demo` runs."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODES = (
    "untrusted-root",
    "wrong-machine",
    "wrong-user",
    "bad-signature",
    "expired",
    "given-up",
    "revoked",
    "status-list-rolled-back",
)


@pytest.mark.slow
def test_the_demonstration_ends_well_and_fits_on_a_screen() -> None:
    command = [sys.executable, "-m", "authority.cli.main", "demo"]
    process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert process.returncode == 0, process.stderr
    assert len(process.stdout.splitlines()) <= 40
    assert all(f" {code} " in process.stdout for code in CODES)
    assert process.stdout.rstrip().endswith("ALL AS IT SHOULD BE")
