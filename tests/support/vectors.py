"""The vectors that others made, as a fixture for the conftest of a room."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vectors() -> Callable[[str], bytes]:
    """Reads a file of the vectors that others made, found through CARNET_VECTORS."""
    folder = os.environ.get("CARNET_VECTORS")
    if not folder:
        pytest.skip("CARNET_VECTORS is not set: the vectors that others made are not here")

    def read(name: str) -> bytes:
        return (Path(folder) / name).read_bytes()

    return read
