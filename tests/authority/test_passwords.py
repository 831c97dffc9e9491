"""Passwords: what an authority in earnest hashes them with; the tests themselves take the least cost."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = "from authority.services.passwords import hash_password; print(hash_password('a long password'))"


def test_a_password_is_hashed_by_argon2id_at_a_cost_that_guessing_feels() -> None:
    """RFC 9106, second recommended option: 64 MiB, three passes."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
