"""`carnet-authority` as people run it: a command in a process of its own, and HTTP to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "authority.cli.main"]
STOPPING_SECONDS = 30.0


def environment(**more: str) -> dict[str, str]:
    """The environment of this process without settings of an authority, and with those given."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CARNET_")} | more


def command(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """One command, run to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env=environment(**settings),
        timeout=60,
    )


@dataclass
class Server:
    """A server in a session of its own, and the line that it printed."""

    process: subprocess.Popen[str]
    line: str

    @property
    def port(self) -> int:
        """The port in the line."""
        return int(self.line.strip().rsplit(":", 1)[1])

    def group(self) -> list[int]:
        """The processes of the session that live."""
        processes = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                except (OSError, IndexError):
                    continue
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    processes.append(int(folder.name))
        return processes

    def kill(self) -> None:
        """Ends every process of the group at once, as a power cut does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(STOPPING_SECONDS)
        # The others were killed too, but a busy machine may take a while to end them.
        self.wait_until_gone(STOPPING_SECONDS)

    def wait_until_gone(self, seconds: float) -> None:
        """Comes back when no process of the session lives, or after so many seconds."""
        deadline = time.monotonic() + seconds
        while self.group() and time.monotonic() < deadline:
            time.sleep(0.02)

    def request(
        self, connection: http.client.HTTPConnection, method: str, path: str, secret: str, body: Any = None
    ) -> tuple[int, Any]:
        """Status and JSON of one answer. Raises OSError or HTTPException when the server is gone."""
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if data else None


@contextmanager
def running_server(home: Path, *arguments: str, port: int | str = 0, **settings: str) -> Iterator[Server]:
    """A server of this home, on a free port unless one is named, ready; whatever of it is left at the end is killed."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--home", str(home), "--port", str(port), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(**settings),
        start_new_session=True,
    )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                assert process.stderr is not None
                raise AssertionError(f"the server did not start: {process.stderr.read()}")
            yield Server(process, line)
        finally:
            for pid in Server(process, "").group():
                os.kill(pid, signal.SIGKILL)
