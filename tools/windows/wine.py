"""Wine: found, or installed where apt may do it, and the folder that is its Windows."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools import apt
from tools.apt import NotHere

# Debian and Ubuntu keep it out of the path; others have it there.
LOADERS = ("wine64", "/usr/lib/wine/wine64", "wine")
PACKAGES = ("wine", "wine64", "binutils")
# What Wine 8 lacks and cryptography imports. Its one function is advapi32's by another name, so a table of exports is enough.
RANDOM = "bcryptprimitives"
EXPORTS = f"LIBRARY {RANDOM}.dll\nEXPORTS\nProcessPrng = advapi32.SystemFunction036\n"


class SetUpFailed(Exception):
    """A part could not be set up although it should; the sentence says which."""


@dataclass(frozen=True)
class Wine:
    """A Wine and the folder with its Windows."""

    loader: str
    prefix: Path

    def environment(self) -> dict[str, str]:
        """This process's environment with what Wine needs: its Windows, no messages of its own, no offer of .NET or a browser."""
        return os.environ | {"WINEPREFIX": str(self.prefix), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}

    def run(self, program: str, *arguments: str, write: Callable[[bytes], object] | None = None, **environment: str) -> int:
        """Runs a Windows program and returns its exit status; what it prints is given to `write` as it comes.

        Its streams are pipes: with a file in the place of one, Python does not begin under Wine.
        """
        with subprocess.Popen(
            [self.loader, program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment() | environment,
        ) as process:
            assert process.stdout is not None  # noqa: S101 - it was asked for two lines above
            while data := os.read(process.stdout.fileno(), 65_536):
                if write is not None:
                    write(data)
        return process.returncode

    def make_prefix(self) -> None:
        """Makes the folder with its Windows, whole or not at all. Raises SetUpFailed."""
        if self.prefix.exists():
            return
        fresh = Wine(self.loader, self.prefix.with_name(f"{self.prefix.name}.{os.getpid()}.new"))
        output: list[bytes] = []
        status = fresh.run("wineboot", "--init", write=output.append)
        _server(self.loader, "--wait", fresh.environment())
        if status or not (fresh.prefix / "system.reg").exists():
            shutil.rmtree(fresh.prefix, ignore_errors=True)
            raise SetUpFailed(f"Wine made no Windows (exit status {status}): {b''.join(output).decode(errors='replace')}")
        fresh.prefix.rename(self.prefix)

    def needs_random(self) -> bool:
        """Whether this Wine lacks the library with ProcessPrng."""
        return not (self.prefix / "drive_c/windows/system32" / f"{RANDOM}.dll").exists()


def _server(loader: str, option: str, environment: dict[str, str]) -> None:
    beside = Path(loader).parent / "wineserver64"
    server = str(beside) if beside.exists() else shutil.which("wineserver")
    if server is not None:
        subprocess.run([server, option], env=environment, check=False, timeout=120)


def find() -> str:
    """The loader of Windows programs, installed by apt when this is root and it is missing. Raises NotHere."""
    loader = _loader()
    if loader is None:
        apt.install("Wine", PACKAGES)
        loader = _loader()
    if loader is None:
        raise NotHere("apt installed Wine, but there is no wine64")
    return loader


def _loader() -> str | None:
    return next((path for path in map(shutil.which, LOADERS) if path), None)


def link_random(path: Path) -> None:
    """Writes the library with ProcessPrng. Raises SetUpFailed."""
    definition = path.with_suffix(".def")
    definition.write_text(EXPORTS, encoding="ascii")
    linker = shutil.which("ld")
    if linker is None:
        raise SetUpFailed("there is no ld here: install binutils")
    process = subprocess.run(
        [linker, "-m", "i386pep", "-shared", "-o", path, definition], capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise SetUpFailed(f"{path.name} could not be linked: {process.stderr.strip()}")
