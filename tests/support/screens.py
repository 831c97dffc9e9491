"""A screen for the tests of windows: one for a file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.apt import NotHere
from tools.screen import screen


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """The name of a display. Where there is no X server and this user may install none, the test says that it was not run."""
    try:
        with screen() as name:
            yield name
    except NotHere as reason:
        pytest.skip(str(reason))
