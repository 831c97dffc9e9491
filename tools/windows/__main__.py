"""`python -m tools.windows set-up | test [ARGUMENTS] | python ARGUMENTS`: the Windows Python, and the verifier's tests on it."""

from __future__ import annotations

import argparse
import fcntl
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path, PureWindowsPath

from tools.apt import NotHere
from tools.windows import parts, wine
from tools.windows.wine import SetUpFailed, Wine

# A hundred processes, each of which takes seconds to begin under Wine: the borrow below takes the same way.
TOO_SLOW = "tests/verifier/cli/test_stories.py"
TESTS = ("tests/verifier", f"--ignore={TOO_SLOW}")
BORROW = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_windows_borrow.py")
# Set while the borrow may ask Windows; a run of all tests does not set Wine up in passing.
RUN_BORROW = "CARNET_ON_WINDOWS"
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--numprocesses=2", "--dist=loadfile", "--confcutdir=tests/verifier")


def main() -> int:
    """Does what the command line says and returns the exit status: that of what ran on Windows, 1 where nothing could be set up."""
    parser = argparse.ArgumentParser(prog="python -m tools.windows", description=__doc__)
    parser.add_argument("what", choices=["set-up", "test", "python"])
    parser.add_argument(
        "--where-possible", action="store_true", help="a machine that cannot have Wine is no failure; it is said"
    )
    arguments, rest = parser.parse_known_args()
    began = time.monotonic()
    try:
        python = set_up()
    except NotHere as reason:
        print(f"THE TESTS ON WINDOWS WERE NOT RUN: {reason}")
        return 0 if arguments.where_possible else 1
    except SetUpFailed as reason:
        print(f"the Windows Python could not be set up: {reason}")
        return 1
    if arguments.what != "python":
        print(f"the Windows Python stands in {parts.cache()} ({time.monotonic() - began:.0f} s)", flush=True)
    if arguments.what == "set-up":
        return 0
    if arguments.what == "python":
        return python.run(*rest)
    return run_tests(python, rest) if rest else all_tests(python)


def run_tests(python: WindowsPython, tests: Sequence[str]) -> int:
    """Runs tests on Windows and returns their exit status."""
    # What a run before this one left, no process of this one may stumble upon.
    with tempfile.TemporaryDirectory(prefix="carnet-windows-") as folder:
        return python.run(*PYTEST, f"--basetemp={windows(Path(folder) / 'tests')}", *tests)


def all_tests(python: WindowsPython) -> int:
    """The verifier's tests on Windows, and beside them a borrow; returns the exit status of the first that failed, or 0.

    The borrow goes between an authority here and `carnet` there. It waits most of the time for a process to begin, and what it prints
    comes after the rest.
    """
    with tempfile.TemporaryFile() as output:
        environment = os.environ | {RUN_BORROW: "1"}
        with subprocess.Popen(BORROW, cwd=parts.ROOT, env=environment, stdout=output, stderr=output) as borrow:
            status = run_tests(python, TESTS)
        print(f"NOT RUN UNDER WINE: {TOO_SLOW}: it starts a hundred processes; windows-latest runs it", flush=True)
        output.seek(0)
        _show(output.read())
    return status or borrow.returncode


class WindowsPython:
    """A Windows Python with the verifier of this checkout."""

    def __init__(self, wine: Wine, program: Path) -> None:
        self.wine = wine
        self.program = program

    def run(self, *arguments: str) -> int:
        """Runs it in this checkout, shows what it prints and returns its exit status."""
        return self.wine.run(windows(self.program), *arguments, write=_show, **self.environment())

    def answer(self, *arguments: str) -> tuple[int, str]:
        """Runs it in this checkout; returns its exit status and what it printed."""
        output: list[bytes] = []
        status = self.wine.run(windows(self.program), *arguments, write=output.append, **self.environment())
        return status, b"".join(output).decode("utf-8", "replace")

    def environment(self) -> dict[str, str]:
        """What it finds the checkout by, and where it keeps what it makes, apart from this system's Python."""
        beside = parts.cache() / "made"
        return {
            "PYTHONPATH": f"{windows(parts.ROOT)};{windows(_metadata(beside))}",
            "PYTHONPYCACHEPREFIX": windows(beside / "bytecode"),
            "HYPOTHESIS_STORAGE_DIRECTORY": windows(beside / "hypothesis"),
        }


def set_up() -> WindowsPython:
    """Everything that is not there yet, once at a time on this machine. Raises NotHere and SetUpFailed."""
    folder = parts.cache()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wines = Wine(wine.find(), folder / "prefix")
        wines.make_prefix()
        program = parts.python(folder)
        random = program.with_name(f"{wine.RANDOM}.dll")
        if wines.needs_random() and not random.exists():
            wine.link_random(random)
    return WindowsPython(wines, program)


def windows(path: Path) -> str:
    """What Windows programs under Wine call a path of this system."""
    return str(PureWindowsPath("Z:/", path.resolve()))


def _metadata(folder: Path) -> Path:
    """A folder with the metadata of this checkout, which is installed for this system's Python only."""
    place = folder / "metadata" / "carnet-0.dist-info"
    place.mkdir(parents=True, exist_ok=True)
    (place / "METADATA").write_text(distribution("carnet").read_text("METADATA") or "", encoding="utf-8")
    return place.parent


def _show(line: bytes) -> None:
    sys.stdout.buffer.write(line.replace(b"\r\n", b"\n"))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    raise SystemExit(main())
