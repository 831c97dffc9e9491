"""Building the kit: what the lock says for every target, the wheel of this checkout, digests, and the zipapp with all of them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from tools import locks
from tools.kit.targets import Target

ROOT = locks.ROOT
LOCK = ROOT / ".ci" / "run.lock"
EXTRAS = ("qr",)
# The same files, whenever they are made: the first second that a zip can tell.
EPOCH = (1980, 1, 1, 0, 0, 0)
SHEBANG = b"#!/usr/bin/env python3\n"
ZIPAPP = "carnet.pyz"
REQUIREMENTS = "requirements.txt"
SUMS = "SHA256SUMS"


class BuildFailed(Exception):
    """A part of the kit could not be had; the sentence says which."""


def names() -> set[str]:
    """The distributions that a workstation needs, on whatever system: those of the base install and of the extras."""
    lines = locks.lines_of(LOCK.read_text(encoding="utf-8"))
    wanted = locks.asked_for(EXTRAS, ())
    walks = [locks.Walk(lines, environment).run(wanted) for environment in (locks.here(), *locks.elsewhere())]
    return {name for walk in walks for name, _ in walk.reached}


def requirements() -> str:
    """The lines of the lock for them, with the digests of all their files."""
    entries = LOCK.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    wanted = names()
    return "".join(f"{' '.join(entry.split())}\n" for entry in entries if entry.partition("==")[0] in wanted)


def build(folder: Path, targets: Iterable[Target]) -> Path:
    """Makes the kit for these targets in a new folder, which takes the place of an older one; returns it. Raises BuildFailed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        fresh = Path(temporary) / folder.name
        _fill(fresh, list(targets))
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    return folder


def _fill(kit: Path, targets: list[Target]) -> None:
    wheels = kit / "wheels"
    wheels.mkdir(parents=True)
    own = _own_wheel(wheels)
    locked = requirements()
    by_target = {target.name: [own.name, *_wheels_of(wheels, locked, target)] for target in targets}
    # Only what was downloaded: the lock knows many more files.
    digests = {path.name: _digest(path) for path in sorted(wheels.iterdir())}
    lines = [f"carnet=={version('carnet')} --hash=sha256:{digests[own.name]}", *_with_digests(locked, digests)]
    (kit / REQUIREMENTS).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
    zipapp(kit / ZIPAPP, wheels, by_target)
    shutil.copyfile(Path(__file__).with_name("README.txt"), kit / "README.txt")
    files = sorted(path for path in kit.rglob("*") if path.is_file())
    sums = "".join(f"{_digest(path)}  {path.relative_to(kit).as_posix()}\n" for path in files)
    (kit / SUMS).write_text(sums, encoding="utf-8", newline="\n")


def _with_digests(locked: str, digests: dict[str, str]) -> list[str]:
    """Each requirement with the digests of its files in the kit alone."""
    lines = []
    for line in locked.splitlines():
        words = line.split(" --hash=sha256:")
        known = [digest for digest in digests.values() if digest in words[1:]]
        lines.append(" ".join([words[0], *(f"--hash=sha256:{digest}" for digest in known)]))
    return lines


def _own_wheel(wheels: Path) -> Path:
    _run("-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels))
    (wheel,) = wheels.glob("carnet-*.whl")
    return wheel


def _wheels_of(wheels: Path, locked: str, target: Target) -> list[str]:
    """Puts the wheels of a target beside the others; returns their names. Raises BuildFailed."""
    try:
        return _download(wheels, locked, target)
    except BuildFailed as error:
        raise BuildFailed(f"{target.name}: {error}") from error


def _download(wheels: Path, locked: str, target: Target) -> list[str]:
    with tempfile.TemporaryDirectory() as temporary:
        lock = Path(temporary) / "kit.lock"
        lock.write_text(locked, encoding="utf-8")
        place = Path(temporary) / "wheels"
        _run(
            "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--require-hashes",
            *target.pip_options(), "--dest", str(place), "-r", str(lock),
        )  # fmt: skip
        for path in place.iterdir():
            shutil.copyfile(path, wheels / path.name)
        return sorted(path.name for path in place.iterdir())


def zipapp(path: Path, wheels: Path, by_target: dict[str, list[str]]) -> None:
    """One file that runs `carnet` on every target: the wheels as they are, and what unpacks the right ones."""
    used = sorted({name for names in by_target.values() for name in names})
    digest = hashlib.sha256("".join(_digest(wheels / name) for name in used).encode()).hexdigest()
    contents = json.dumps({"digest": digest, "targets": by_target}, indent=1, sort_keys=True)
    with path.open("wb") as stream:
        stream.write(SHEBANG)
        with zipfile.ZipFile(stream, "w") as archive:
            _add(archive, "__main__.py", Path(__file__).with_name("start.py").read_bytes())
            _add(archive, "contents.json", contents.encode())
            for name in used:
                _add(archive, name, (wheels / name).read_bytes())
    path.chmod(0o755)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    # A wheel is packed already.
    archive.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_STORED)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _run(*arguments: str) -> None:
    # hatchling dates what it packs by this, so that the same sources give the same wheel.
    environment = os.environ | {"SOURCE_DATE_EPOCH": "315532800"}
    process = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise BuildFailed(f"{' '.join(arguments[1:3])} failed: {process.stderr.strip()}")
