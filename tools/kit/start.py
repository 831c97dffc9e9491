"""Begins `carnet.pyz`: unpacks the packages for this Python once into the user's cache, then runs `carnet`. Becomes `__main__.py` there."""

import atexit
import errno
import json
import os
import platform
import shutil
import sys
import sysconfig
import tempfile
import zipfile
from typing import Any, NoReturn

SYSTEMS = {"win32": "windows", "linux": "linux", "darwin": "macos"}
PROCESSORS = {"amd64": "x86_64", "arm64": "aarch64"}


def main() -> None:
    """Runs `carnet` with the words of the command line; ends with a sentence where this Python is not among those of the file."""
    with zipfile.ZipFile(os.path.dirname(os.path.abspath(__file__))) as archive:
        contents = json.loads(archive.read("contents.json"))
        # A Python for x86-64 on a Windows of ARM is what it was built for, not what the machine is.
        processor = sysconfig.get_platform()[4:] if sys.platform == "win32" else platform.machine().lower()
        target = "{}-{}-{}.{}".format(
            SYSTEMS.get(sys.platform, sys.platform), PROCESSORS.get(processor, processor), *sys.version_info[:2]
        )
        if target not in contents["targets"]:
            sys.exit(
                "carnet: this file has nothing for {}; it is for {}".format(target, ", ".join(sorted(contents["targets"])))
            )
        try:
            folder = _unpacked(archive, contents, target)
        except OSError as error:
            _end(error)
    sys.path.insert(0, folder)
    from verifier.command import main as run

    run()


def _unpacked(archive: zipfile.ZipFile, contents: "dict[str, Any]", target: str) -> str:
    """The folder with the packages for this Python: in the user's cache, else a temporary one that goes when this ends."""
    wheels = contents["targets"][target]
    folder = os.path.join(_cache(), "{}-{}".format(contents["digest"][:16], target))
    try:
        if not os.path.isdir(folder):
            _unpack(archive, wheels, folder)
    except OSError:
        temporary = tempfile.mkdtemp(prefix="carnet-")
        atexit.register(shutil.rmtree, temporary, ignore_errors=True)
        folder = os.path.join(temporary, "packages")
        _unpack(archive, wheels, folder)
    return folder


def _end(error: OSError) -> NoReturn:
    """Says that the license could not be checked, as the command itself would: there is no room for it to begin."""
    code = "disk-full" if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)) else "not-permitted"
    message = f"carnet.pyz cannot be unpacked, neither into {_cache()} nor into a temporary folder: {error.strerror or error}"
    hint = "Make room there, or set TMPDIR (on Windows TEMP) to a folder that can be written."
    if "--json" in sys.argv:
        print(json.dumps({"ok": False, "code": code, "message": message, "hint": hint, "evidence": {}}))
    else:
        print(f"carnet: {message} [{code}]. {hint}", file=sys.stderr)
    sys.exit(3)


def _cache() -> str:
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(os.path.expanduser("~"), "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(os.path.expanduser("~"), "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "carnet", "pyz")


def _unpack(archive: zipfile.ZipFile, wheels: "list[str]", folder: str) -> None:
    """Makes the folder whole or not at all, whoever else does so at the same time."""
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    fresh = tempfile.mkdtemp(prefix="new-", dir=os.path.dirname(folder))
    try:
        for name in wheels:
            with archive.open(name) as stream, zipfile.ZipFile(stream) as wheel:
                wheel.extractall(fresh)
        os.rename(fresh, folder)
    except OSError:
        if not os.path.isdir(folder):
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


if __name__ == "__main__":
    main()
