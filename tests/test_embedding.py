"""The programs of docs/embedding.md, in other languages than ours: each gets every kind of answer, as it stands on the page."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.chains import HOUR
from tests.support.real_workstation import RealWorkstation, make_workstation
from tools.documentation import DOCS

CARNET = str(Path(sys.executable).with_name("carnet"))
PROGRAM = re.compile(r"^<!-- file: (may-i-run\.\w+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INTERPRETERS = {"may-i-run.sh": "sh", "may-i-run.pl": "perl", "may-i-run.js": "node"}
MISSING = "do not run: Carnet is missing, or was called wrongly"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> RealWorkstation:
    return make_workstation(tmp_path_factory.mktemp("embedding") / "home", int(time.time()) - HOUR)


def test_the_page_has_a_program_for_each_language_that_is_tried() -> None:
    assert [name for name, _ in programs()] == list(INTERPRETERS)


@pytest.mark.parametrize("name", INTERPRETERS)
def test_a_program_says_what_each_answer_means(name: str, here: RealWorkstation, tmp_path: Path) -> None:
    interpreter = shutil.which(INTERPRETERS[name])
    if interpreter is None:
        pytest.skip(f"there is no {INTERPRETERS[name]} here")
    path = tmp_path / name
    path.write_text(dict(programs())[name], encoding="utf-8")

    def says(carnet: str, root: str, home: Path) -> str:
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "CARNET_HOME": str(home)}
        command = [interpreter, str(path), carnet, root]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
        return done.stdout.strip()

    root = here.chain.root.kid
    assert says(CARNET, root, here.home) in ("run", "run: Standard, 7 days left")
    assert re.match(r"do not run: .*root key", says(CARNET, "A" * 43, here.home), re.DOTALL)
    assert re.match(r"try again: .*no trust file is installed", says(CARNET, root, tmp_path / "new"), re.DOTALL)
    assert says(CARNET, "no thumbprint", here.home) == MISSING
    assert says(str(tmp_path / "no-carnet"), root, here.home) == MISSING


def programs() -> list[tuple[str, str]]:
    return PROGRAM.findall((DOCS / "embedding.md").read_text(encoding="utf-8"))
