"""A browser that nobody sees: the system's Chromium, installed by apt where this user may, in the hands of Playwright."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator

from playwright.sync_api import Browser, sync_playwright

from tools import apt

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium",)


@contextlib.contextmanager
def browser() -> Iterator[Browser]:
    """The browser, while the block lasts. Raises NotHere."""
    program = _program()
    if program is None:
        apt.install("Chromium", PACKAGES)
        program = _program()
    if program is None:
        raise apt.NotHere(f"there is none of {', '.join(NAMES)} here")
    # Chromium has no sandbox for root, who runs containers and CI.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=arguments)
        try:
            yield launched
        finally:
            launched.close()


def _program() -> str | None:
    return next((path for name in NAMES if (path := shutil.which(name))), None)
