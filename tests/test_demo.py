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
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) <= 40
    assert all(f" {code} " in done.stdout for code in CODES)
    assert done.stdout.rstrip().endswith("ALL AS IT SHOULD BE")
