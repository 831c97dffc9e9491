"""What people are told to type has no secret in it: a shell keeps its lines, and other users see the arguments of processes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.console import Console
from tests.support.servers import COMMAND, ROOT, environment, running_server

PAGES = [ROOT / "README.md", ROOT / "Makefile", ROOT / "authority" / "web" / "front.py", *sorted((ROOT / "docs").glob("*.md"))]
# A secret that is typed: echoed or printed as it stands, in the body of a request, or as the value of an option.
TYPED = re.compile(
    r"echo +[\w\'\"-]+ *\|"
    r"|-d +[\'\"]\{.*password"
    r"|--(?:password|passphrase)[ =]"
    r"|curl .*(?:-u|--user)[ =]\S+:"
    r"|-H +[\'\"]Authorization: Bearer [A-Z$]"
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_page_tells_people_to_type_a_secret(page: Path) -> None:
    assert [line for line in page.read_text().splitlines() if TYPED.search(line)] == []


@pytest.mark.parametrize(
    "line",
    [
        "echo NEW | carnet-authority member set admin --password-file -",
        'curl URL -d \'{"username": "admin", "password": "..."}\'',
        "carnet-authority member set admin --password secret",
        "curl URL -H 'Authorization: Bearer TOKEN'",
        "curl --user admin:secret URL",
    ],
)
def test_a_secret_that_is_typed_is_seen(line: str) -> None:
    assert TYPED.search(line)


def run_at_a_terminal(arguments: list[str], typed: list[str], **variables: str) -> str:
    """What a command shows on the terminal at which so many lines are typed, each when the command asks for it."""
    controller, terminal = pty.openpty()
    with contextlib.ExitStack() as stack:
        stack.callback(os.close, controller)
        process = subprocess.Popen(
            arguments,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            cwd=ROOT,
            env=environment(**variables),
            start_new_session=True,
        )
        os.close(terminal)
        shown = ""
        deadline = time.monotonic() + 60
        asked = 0
        while time.monotonic() < deadline:
            try:
                shown += os.read(controller, 4096).decode()
            except OSError:
                break  # the other side is closed: the command ended
            if asked < len(typed) and shown.lower().count(": ") > asked:
                asked += 1
                time.sleep(0.2)
                os.write(controller, f"{typed[asked - 1]}\n".encode())
        assert process.wait(30) == 0, shown
    return shown


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals there")
def test_a_password_is_asked_for_at_a_terminal_and_not_shown(console: Console) -> None:
    password = "a new one with 'quotes' and spaces"
    command = [*COMMAND, "member", "set", "ada", "--password-file", "-", "--home", str(console.home)]
    assert password not in run_at_a_terminal(command, [password, password])
    with running_server(console.home) as server:
        signed_in = page_example(f"http://127.0.0.1:{server.port}", "ada", password)
    assert signed_in.keys() == {"token", "expires_at"}


def page_example(url: str, username: str, password: str) -> dict[str, str]:
    """The answer to the example of `GET /` as it stands there, with another name; the password is typed at a terminal."""
    page = subprocess.run(["curl", "-s", f"{url}/"], capture_output=True, text=True, check=True, timeout=30).stdout
    (example,) = re.findall(r"    (python3 -c .*\|\n +curl .*)\n", page)
    program = example.replace('"admin"', f'"{username}"').replace("curl ", "curl -s ").replace("python3", sys.executable)
    shown = run_at_a_terminal(["sh", "-c", f'URL="{url}"\n{program}'], [password])
    assert password not in shown
    answer: dict[str, str] = json.loads(shown[shown.index("{") :])
    return answer
