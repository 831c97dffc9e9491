"""The install kit, as who has no index and no network gets it: its wheels, its one line, its one file."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.support.chains import HOUR, make_chain
from tools.kit import build
from tools.kit.targets import TARGETS, Target
from verifier.core.grant import Workstation

ROOT = build.ROOT
TEXT = Path(build.__file__).with_name("README.txt").read_text(encoding="utf-8")
HERE = Target(f"linux-{platform.machine()}", f"{sys.version_info[0]}.{sys.version_info[1]}")
# No network at all, where this user may have that.
APART = ["unshare", "--net"] if os.geteuid() == 0 and shutil.which("unshare") else []


def test_the_kit_has_what_a_workstation_needs_and_nothing_of_the_authority() -> None:
    names = build.names()
    assert names >= {"cryptography", "cffi", "pycparser", "pyjwt", "platformdirs", "segno"}
    assert names.isdisjoint({"flask", "sqlalchemy", "click", "granian", "pandas"})
    assert len(build.requirements().splitlines()) == len(names)
    assert {target.python for target in TARGETS} == {"3.11", "3.12", "3.13", "3.14"}


def test_the_documentation_has_the_lines_of_the_kit() -> None:
    page = (ROOT / "docs" / "workstation.md").read_text(encoding="utf-8")
    lines = re.findall(r"^   (?:PowerShell|sh) +(\S.*pip.*)$", TEXT, re.MULTILINE)
    assert len(lines) == 2
    assert all(line in page for line in lines)


def test_a_python_that_the_file_is_not_for_is_told(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    build.zipapp(tmp_path / "carnet.pyz", tmp_path / "wheels", {"plan9-mips-3.11": []})
    process = subprocess.run(
        [sys.executable, "-I", "-S", tmp_path / "carnet.pyz"], capture_output=True, text=True, check=False, timeout=60
    )
    assert process.returncode == 1
    assert process.stderr == f"carnet: this file has nothing for {HERE.name}; it is for plan9-mips-3.11\n"


def make_small(folder: Path) -> Path:
    """A file for this Python with one wheel, whose `carnet` says hello and where it stands."""
    (folder / "wheels").mkdir()
    with zipfile.ZipFile(folder / "wheels" / "small.whl", "w") as wheel:
        wheel.writestr("verifier/command.py", "def main():\n    print('hello', __file__)\n")
    build.zipapp(folder / "carnet.pyz", folder / "wheels", {HERE.name: ["small.whl"]})
    return folder / "carnet.pyz"


def start(file: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", str(file), *arguments]
    return subprocess.run(
        command, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False, timeout=60
    )


def test_the_file_runs_where_its_cache_cannot_be_written_and_leaves_nothing(tmp_path: Path) -> None:
    file, temporary = make_small(tmp_path), tmp_path / "temporary"
    temporary.mkdir()
    in_place = tmp_path / "in place"
    in_place.touch()
    for cache in ("/proc", str(in_place), "/dev/full"):
        process = start(file, XDG_CACHE_HOME=cache, TMPDIR=str(temporary))
        assert (process.returncode, process.stdout.startswith(f"hello {temporary}")) == (0, True), process.stderr
        assert list(temporary.iterdir()) == []
    assert start(file, XDG_CACHE_HOME=str(tmp_path / "cache")).stdout.startswith(f"hello {tmp_path / 'cache'}")


def test_a_file_that_can_be_unpacked_nowhere_says_so_as_the_command_would(tmp_path: Path) -> None:
    file = make_small(tmp_path)
    # Without room for a file of any size there is no place at all.
    shell = f'ulimit -f 0; exec "$@" 2>{tmp_path}/error'
    process = subprocess.run(
        ["sh", "-c", shell, "sh", sys.executable, "-I", "-S", file, "check", "--json"],
        env={"XDG_CACHE_HOME": "/proc", "TMPDIR": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert process.returncode == 3, process.stdout
    value = json.loads(process.stdout)
    assert (value["ok"], value["code"]) == (False, "not-permitted")
    assert str(tmp_path) not in value["hint"]


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The kit for this very machine."""
    return build.build(tmp_path_factory.mktemp("kit") / "kit", [HERE])


def run(kit: Path, *command: str | Path, status: int = 0) -> str:
    """What a command prints in the folder of the kit, on a machine with nothing set and without a network."""
    environment = {"HOME": str(kit.parent), "PATH": "/usr/bin:/bin"}
    process = subprocess.run(
        [*APART, *command], cwd=kit, env=environment, capture_output=True, text=True, check=False, timeout=280
    )
    assert process.returncode == status, f"{command}\n{process.stdout}\n{process.stderr}"
    return process.stdout + process.stderr


def base_python() -> str:
    """A Python that knows nothing of this environment."""
    return str(Path(sys.base_prefix) / "bin" / "python3")


@pytest.mark.slow
def test_the_digests_are_those_of_the_files(kit: Path) -> None:
    run(kit, "sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS")
    sums = (kit / "SHA256SUMS").read_text().splitlines()
    files = {path.relative_to(kit).as_posix() for path in kit.rglob("*") if path.is_file()}
    assert {line.split("  ")[1] for line in sums} == files - {"SHA256SUMS"}


@pytest.mark.slow
def test_the_line_of_the_kit_installs_without_index_and_network_and_a_borrow_is_checked(kit: Path) -> None:
    (line,) = re.findall(r"^   sh +(\S.*)$", TEXT, re.MULTILINE)
    run(kit, "sh", "-c", line.replace("python3 ", f"{base_python()} ", 1))
    carnet = kit.parent / ".local" / "lib" / "carnet" / "bin" / "carnet"
    who = json.loads(run(kit, carnet, "identity", "--json"))
    chain = make_chain(int(time.time()) - HOUR, Workstation(who["machine"]["id"], who["user"]["id"], who["machine_key"]))
    stick = kit.parent / "stick"
    stick.mkdir()
    (stick / "a.trust").write_bytes(chain.trust_file())
    (stick / "a.borrow").write_bytes(chain.borrow_file())
    assert "installed: " in run(kit, carnet, "install", stick)
    assert run(kit, carnet, "check", "arcgis-pro", "--root", chain.root.kid).startswith("good: ")
    # The one file says the same, of the same state, with no package installed.
    alone = (base_python(), "-I", "-S", kit / "carnet.pyz")
    assert run(kit, *alone, "status") == run(kit, carnet, "status")
    assert run(kit, *alone, "check", "arcgis-pro", "--level", "Advanced", status=1)
    run(kit, *alone, "request", "arcgis-pro", "--qr-image", "code.png")


@pytest.mark.slow
def test_a_wheel_that_was_changed_on_its_way_is_not_installed(kit: Path, tmp_path: Path) -> None:
    shutil.copytree(kit, tmp_path / "kit")
    (wheel,) = (tmp_path / "kit" / "wheels").glob("pyjwt-*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    words = ["install", "--no-index", "--find-links", "wheels", "--require-hashes", "-r", "requirements.txt"]
    output = run(tmp_path / "kit", base_python(), "-m", "pip", *words, "--target", tmp_path / "there", status=1)
    assert "DO NOT MATCH THE HASHES" in output
    assert not (tmp_path / "there").exists()


@pytest.mark.slow
def test_the_same_sources_give_the_same_kit(kit: Path, tmp_path: Path) -> None:
    again = build.build(tmp_path / "kit", [HERE])
    for name in ("SHA256SUMS", "carnet.pyz"):
        assert hashlib.sha256((again / name).read_bytes()).digest() == hashlib.sha256((kit / name).read_bytes()).digest()
