"""What no borrow can do without, each by itself: signatures and the disk."""

from __future__ import annotations

import os
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bench.timing import per_call_microseconds

# What one borrow adds to SQLite's log of changes, roughly: four pages.
PAGES = b"x" * 4 * 4096
SYNCS = 100


def print_floor(folder: Path) -> None:
    """Prints the floor of a borrow: two verifications, one signature, a wait for the disk that those who queue share."""
    private = Ed25519PrivateKey.generate()
    public, data = private.public_key(), b"x" * 900
    proof = private.sign(data)
    verification, signature = per_call_microseconds([lambda: public.verify(proof, data), lambda: private.sign(data)])
    print("\nthe floor of a borrow")
    print(f"  two Ed25519 verifications  {2 * verification / 1e3:6.3f} ms of processor time")
    print(f"  one Ed25519 signature      {signature / 1e3:6.3f} ms of processor time")
    waited, processor = _sync_milliseconds(folder / "synced")
    print(f"  one wait for the disk      {waited:6.3f} ms, {processor:.3f} ms of processor time; borrows that queue share one")


def _sync_milliseconds(path: Path) -> tuple[float, float]:
    """What appending some pages durably takes: milliseconds, and those of processor time."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        began, began_processor = time.perf_counter(), time.process_time()
        for _ in range(SYNCS):
            os.write(descriptor, PAGES)
            os.fsync(descriptor)
        return (time.perf_counter() - began) / SYNCS * 1e3, (time.process_time() - began_processor) / SYNCS * 1e3
    finally:
        os.close(descriptor)
