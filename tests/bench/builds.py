"""Servers of one build of the authority, this one or the build of a commit, each in processes of its own with its own code."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
STOPPING_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Build:
    """A tree of the product's code, and the folder where Python keeps what it compiled of it."""

    name: str
    tree: Path
    compiled: Path

    @property
    def folder(self) -> str:
        """Its name as a word, for a path."""
        return self.name.replace(" ", "-")

    def environment(self, **settings: str) -> dict[str, str]:
        """The environment in which this tree comes before all that is installed, with the settings and no others of an authority."""
        usual = {name: value for name, value in os.environ.items() if not name.startswith("CARNET_")}
        own = {"PYTHONPATH": str(self.tree), "PYTHONPYCACHEPREFIX": str(self.compiled), "PYTHONDONTWRITEBYTECODE": ""}
        return usual | own | settings

    def run(self, *arguments: str, **settings: str) -> str:
        """What `carnet-authority` of this build prints. Raises CalledProcessError."""
        command = [sys.executable, "-m", "authority.cli.main", *arguments]
        return subprocess.run(
            command, cwd=self.tree, env=self.environment(**settings), check=True, stdout=subprocess.PIPE, text=True, timeout=120
        ).stdout

    def check_served(self) -> None:
        """Raises AssertionError unless a server imported the routes of this very tree: nothing else compiles them."""
        web = self.compiled / self.tree.resolve().relative_to("/") / "authority" / "web"
        assert list(web.glob("application.*.pyc")), f"the server of {self.name} did not run the code in {self.tree}"


def tree_of(commit: str, folder: Path) -> Path:
    """The tree of a commit of this repository, unpacked. Raises CalledProcessError when the commit is not there."""
    archive = subprocess.run(
        ["git", "archive", "--format=tar", commit, "authority", "verifier"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    tree = folder / f"tree-{commit}"
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(tree, filter="data")
    return tree


@dataclass(frozen=True, slots=True)
class Servers:
    """Servers that answer, by their ports and the processes that were started."""

    ports: Sequence[int]
    started: Sequence[int]

    def processor_seconds(self) -> float:
        """The processor time so far of all processes of these servers."""
        return sum(processor_seconds(pid) for pid in self.started)


def processor_seconds(pid: int) -> float:
    """The processor time so far of a process and of all that it started, those that ended included."""
    top = psutil.Process(pid)
    return sum(sum(process.cpu_times()[:4]) for process in (top, *top.children(recursive=True)))


@contextmanager
def serving(commands: Sequence[Sequence[str]], cwd: Path, environment: dict[str, str]) -> Iterator[Servers]:
    """One server for each command, each ready; all their processes are ended at the end."""
    with ExitStack() as stack:
        started = [stack.enter_context(_started(command, cwd, environment)) for command in commands]
        yield Servers([_port(process) for process in started], [process.pid for process in started])


@contextmanager
def _started(command: Sequence[str], cwd: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, *command], cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            _end(process)


def _port(process: subprocess.Popen[str]) -> int:
    """The port in the line that a server prints when it is ready."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"a server did not start: {process.args!r}"
    return int(line.rsplit(":", 1)[1])


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a server and what it started: asks it first, and then does not ask."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOPPING_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def administrator_key(printed: str) -> str:
    """The API key of the first administrator, from what `init --json` printed."""
    key: str = json.loads(printed)["admin"]["api_key"]
    return key
