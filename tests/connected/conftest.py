"""An authority over real HTTP, and this machine as a workstation with a line to it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wsgi import ClosingIterator

from authority.domain.members import CONSOLE, Actor
from authority.services import members
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.web.application import create_app
from authority.web.oidc import ProviderClient
from tests.support.authorities import Bench, TestClock, make_bench
from verifier import online
from verifier.cli.main import main
from verifier.workstation import sign_ins

PASSWORD = "correct horse battery staple"


class MachineClock(TestClock):
    """The clock of this machine, on which the command relies, turned by so much for the authority."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self.turned = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.turned

    def turn(self, **forward: float) -> datetime:
        self.turned += timedelta(**forward)
        return self()


@dataclass
class RunningServer:
    """The authority and where it is."""

    bench: Bench
    url: str
    # What came, as method and path; and how many answers are to be lost on the way.
    requests: list[str] = field(default_factory=list)
    to_lose: int = 0
    # Closed while answers are to wait.
    gate: threading.Event = field(default_factory=threading.Event)

    def member(self, username: str, **more: Any) -> Actor:
        added = members.add(
            Unit(self.bench.authority, CONSOLE), NewMember(username, user_type="GIS Professional", password=PASSWORD, **more)
        )
        return Actor(added.id, added.username, added.role)

    @property
    def root(self) -> str:
        """The thumbprint of the vendor's root key, as the administrator says it."""
        return self.bench.root.public.kid


class Quiet(WSGIRequestHandler):
    """Says nothing of what it answers."""

    def log(self, *_: Any) -> None:
        pass


def serve(folder: Path, providers: Callable[[str], Sequence[ProviderClient]] = lambda _: ()) -> Iterator[RunningServer]:
    """A server until the test ends, with the providers by which members of the one at that address sign in."""
    folder.mkdir()
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home", clock=MachineClock())
    server = RunningServer(bench, "")
    server.gate.set()

    def losing(environ: dict[str, Any], start_response: Any) -> Any:
        """The application; of an answer that is to be lost nothing comes but the end of the line."""
        server.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        assert server.gate.wait(30)
        # An answer that is a file is closed as one.
        with contextlib.closing(ClosingIterator(application(environ, start_response))) as parts:
            answer = b"".join(parts)
        if server.to_lose:
            server.to_lose -= 1
            raise ConnectionError
        return [answer]

    listener = make_server("127.0.0.1", 0, losing, threaded=True, request_handler=Quiet)
    server.url = f"http://127.0.0.1:{listener.port}"
    application = create_app(bench.authority, (), providers(server.url))
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    listener.shutdown()
    thread.join()
    bench.authority.database.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    yield from serve(tmp_path_factory.mktemp("authority") / "one")


@dataclass
class Laptop:
    """The command of this machine with a home of its own."""

    home: Path
    capture: pytest.CaptureFixture[str]

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit status, and what it printed."""
        self.capture.readouterr()
        status = main(["--home", str(self.home), *arguments])
        out, err = self.capture.readouterr()
        assert "mistake in the program" not in err, err
        return status, out, err

    def answer(self, *arguments: str, status: int = 0) -> Any:
        """The object that a command prints."""
        ended, out, err = self.run(*arguments, "--json")
        assert (ended, err) == (status, ""), (ended, out, err)
        return json.loads(out)

    def signed_in(self, server: RunningServer, name: str = "ada") -> None:
        """At this authority, as a member who is there already."""
        self.answer("authority", server.url, "--accept-trust", server.root)
        password = self.home.parent / "password"
        password.write_text(f"{PASSWORD}\n", encoding="utf-8")
        assert self.answer("sign-in", name, "--password-file", str(password))["username"] == name


@pytest.fixture
def laptop(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Laptop:
    monkeypatch.setattr(online, "PAUSE_SECONDS", 0.0)
    monkeypatch.delenv("CARNET_ROOTS", raising=False)
    # The keyring of whoever runs the tests is theirs.
    monkeypatch.setattr(sign_ins, "_keyring", lambda: None)
    return Laptop(tmp_path / "laptop", capsys)
