"""python -m tests.fuzz [--seconds N] [PARSER...]: looks for input that brings a parser to an error that is not ours."""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.parsers import PARSERS

ROOT = Path(__file__).parents[2]
# What was worth keeping of earlier runs, a folder for each parser; and the input that broke something.
CORPUS = ROOT / "var" / "fuzz"
SECONDS = 600
WITHOUT = (
    "NOT LED BY COVERAGE: atheris is not installed here. It has wheels for Linux on x86-64, and for no other system.\n"
    "In its place good input is changed by chance, as in the tests, for as long."
)


def main() -> int:
    """Returns 0 when nothing was found, 1 when something was; what was found stands in var/fuzz."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="for all parsers together; default: %(default)s")
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=f"default: all of {', '.join(PARSERS)}")
    arguments = parser.parse_args()
    names = arguments.parsers or list(PARSERS)
    if unknown := [name for name in names if name not in PARSERS]:
        parser.error(f"no such parser: {', '.join(unknown)}")
    led = importlib.util.find_spec("atheris") is not None
    print("led by the coverage of the code, by atheris" if led else WITHOUT, flush=True)
    at_once = min(len(names), os.cpu_count() or 1)
    seconds = max(1, arguments.seconds * at_once // len(names))
    module = "tests.fuzz.led" if led else "tests.fuzz.by_chance"
    with ThreadPoolExecutor(at_once) as pool:
        broken = [
            name
            for name, good in zip(names, pool.map(lambda name: _run(module, name, seconds), names), strict=True)
            if not good
        ]
    print(f"{len(names)} parsers, {seconds} s each: " + (f"BROKEN: {', '.join(broken)}" if broken else "no error but ours"))
    return 1 if broken else 0


def _run(module: str, name: str, seconds: int) -> bool:
    """Whether the parser held; what a process said that found something is shown whole."""
    folder = CORPUS / name.replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", module, name, str(seconds), str(folder)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = (process.stdout + process.stderr).splitlines()
    shown = [line for line in lines if line.startswith("Done ")] if process.returncode == 0 else lines
    print("\n".join(f"{name}: {line}" for line in shown), flush=True)
    return process.returncode == 0


if __name__ == "__main__":
    raise SystemExit(main())
