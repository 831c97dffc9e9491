"""A screen that nobody sees, for windows: an X server of its own, with its programs installed by apt where this user may."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageGrab

from tools import apt

PACKAGES = ("xvfb", "xdotool")
SIZE = "1024x768x24"


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """The name of the display, such as `:7`, while the block lasts. Raises NotHere."""
    if not all(map(shutil.which, ("Xvfb", "xdotool"))):
        apt.install("Xvfb", PACKAGES)
    reading, writing = os.pipe()
    # The server takes the first number that is free, and says which.
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", SIZE, "-nolisten", "tcp", "-noreset"]
    with subprocess.Popen(command, pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            os.close(writing)
            with os.fdopen(reading) as answer:
                number = answer.readline().strip()
            if not number:
                raise apt.NotHere("the X server did not begin")
            yield f":{number}"
        finally:
            server.terminate()


def press(display: str, *keys: str) -> None:
    """Keys as a person presses them, such as `Tab`, `alt+e` and `Return`; whoever has the keyboard gets them."""
    _xdotool(display, "key", *keys)


def write(display: str, text: str) -> None:
    """A text as a person types it."""
    _xdotool(display, "type", text)


def _xdotool(display: str, *words: str) -> None:
    program = shutil.which("xdotool") or "/usr/bin/xdotool"
    subprocess.run([program, *words], env=os.environ | {"DISPLAY": display}, check=True, timeout=30)


def photograph(display: str, path: Path, box: tuple[int, int, int, int]) -> None:
    """Writes a part of the screen (left, top, right, bottom) as a small PNG."""
    picture = ImageGrab.grab(xdisplay=display).crop(box)
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(path, optimize=True)
