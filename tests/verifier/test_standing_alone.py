"""The base install is the verifier: a clean environment with the wheel, no extras, checks a borrow without any network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import HOUR, make_chain
from tests.support.no_sockets import NO_SOCKETS
from verifier.core.grant import Workstation

ROOT = Path(__file__).resolve().parents[2]
NOT_NEEDED = ["flask", "sqlalchemy", "pandas", "click", "pydantic", "alembic", "granian", "rich", "psycopg", "argon2"]

SCRIPT = (
    NO_SOCKETS
    + """
import importlib.metadata
import json

import verifier
from verifier.cli.main import main

assert main(["install", *sys.argv[1:]]) == 0
grant = verifier.check("arcgis-pro", "Standard", ["3DAnalyst"])
try:
    verifier.check("arcgis-pro", "Advanced")
except verifier.NotGood as error:
    refused = error.code
print(json.dumps({
    "member": grant.member,
    "refused": refused,
    "from": verifier.__file__,
    "modules": sorted({name.partition(".")[0] for name in sys.modules}),
    "installed": sorted(found.metadata["Name"].lower() for found in importlib.metadata.distributions()),
}))
"""
)


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What a command prints; fails with all that it said when it does not end well."""
    inherited = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    process = subprocess.run(
        command, cwd=cwd, env=inherited | environment, capture_output=True, text=True, check=False, timeout=280
    )
    assert process.returncode == 0, f"{command}\n{process.stdout}\n{process.stderr}"
    return process.stdout


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a new environment in which the wheel is installed without extras."""
    folder = tmp_path_factory.mktemp("alone")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("carnet-*.whl")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    commands = folder / "venv" / "bin"
    run(commands / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=folder)
    return commands


@pytest.fixture(scope="module")
def said(clean: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the script in the clean environment reports after it installed and checked a borrow made for this machine."""
    folder = tmp_path_factory.mktemp("workstation")
    home = str(folder / "home")
    who = json.loads(run(clean / "carnet", "identity", "--json", cwd=folder, CARNET_HOME=home))
    bound = Workstation(who["machine"]["id"], who["user"]["id"], who["machine_key"])
    chain = make_chain(int(time.time()) - HOUR, bound)
    (folder / "a.trust").write_bytes(chain.trust_file())
    (folder / "a.borrow").write_bytes(chain.borrow_file())
    printed = run(clean / "python", "-c", SCRIPT, "a.trust", "a.borrow", cwd=folder, CARNET_HOME=home)
    answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return answer


@pytest.mark.slow
def test_the_base_install_checks_a_borrow_with_the_network_blocked(said: dict[str, Any]) -> None:
    assert (said["member"], said["refused"]) == ("ada", "level-not-granted")
    assert not Path(said["from"]).is_relative_to(ROOT / "verifier")


@pytest.mark.slow
def test_the_base_install_brings_nothing_of_the_authority_or_the_analyst(said: dict[str, Any]) -> None:
    installed = {name.replace("_", "-") for name in said["installed"]}
    assert installed & set(NOT_NEEDED) == set()
    assert installed >= {"carnet", "cryptography", "pyjwt", "platformdirs"}
    assert installed - {"pip", "setuptools", "wheel"} == {
        "carnet",
        "cryptography",
        "pyjwt",
        "platformdirs",
        "cffi",
        "pycparser",
    }


@pytest.mark.slow
def test_a_check_loads_nothing_of_the_authority_or_the_analyst(said: dict[str, Any]) -> None:
    assert set(said["modules"]) & {*NOT_NEEDED, "authority", "checkout_log", "numpy", "requests"} == set()


@pytest.mark.slow
def test_the_authority_says_what_it_lacks_where_only_the_verifier_is_installed(clean: Path, tmp_path: Path) -> None:
    """The command is there, because there is one wheel; it must not answer with a traceback."""
    process = subprocess.run(
        [clean / "carnet-authority", "--help"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60
    )
    assert process.returncode != 0
    assert "Traceback" not in process.stderr
    assert "carnet[authority]" in process.stderr
