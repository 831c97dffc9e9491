"""One server for each port, and no worker without its server."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess

import pytest

from authority.cli.serving import listen
from authority.domain.refusals import SettingsInvalid
from tests.support.console import Console
from tests.support.servers import COMMAND, ROOT, STOPPING_SECONDS, command, environment, running_server


def test_a_port_that_is_taken_is_told(console: Console) -> None:
    with running_server(console.home) as server:
        ended = command("serve", "--home", str(console.home), "--port", str(server.port), "--json")
    assert ended.returncode == 3
    assert json.loads(ended.stdout)["code"] == "settings-invalid"


def test_of_servers_that_start_at_once_on_one_port_one_serves_and_the_others_are_refused(console: Console) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    processes = [
        subprocess.Popen(
            [*COMMAND, "serve", "--home", str(console.home), "--port", str(port), "--workers", "2"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=environment(),
            start_new_session=True,
        )
        for _ in range(3)
    ]
    try:
        for _ in range(2):
            ended = _first_to_end(processes)
            out, err = ended.communicate()
            assert (ended.returncode, out) == (3, "")
            assert "[settings-invalid]" in err
            processes.remove(ended)
        (serving,) = processes
        assert serving.stdout is not None
        assert serving.stdout.readline() == f"Carnet authority at http://127.0.0.1:{port}\n"
    finally:
        for process in processes:
            process.terminate()
            process.communicate(timeout=30)


def _first_to_end(processes: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    while True:
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.05)
                return process


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="no sharing of ports here")
def test_a_program_that_would_share_the_port_gets_none_of_it() -> None:
    with listen("127.0.0.1", 0) as listener, socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(listener.getsockname())


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost", "::1", "::"])  # noqa: S104
def test_an_address_is_listened_on_once(host: str) -> None:
    with listen(host, 0) as listener:
        with pytest.raises(SettingsInvalid, match="cannot be served"):
            listen(host, listener.getsockname()[1])
        socket.create_connection(listener.getsockname()[:2]).close()


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_an_address_that_is_not_this_machines_is_refused(host: str) -> None:
    with pytest.raises(SettingsInvalid, match=host):
        listen(host, 0)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_end_by_themselves_when_their_server_is_killed(console: Console, workers: int) -> None:
    with running_server(console.home, "--workers", str(workers)) as server:
        port = server.port
        # A request that never ends keeps no worker alive.
        with contextlib.closing(socket.create_connection(("127.0.0.1", port))) as slow:
            slow.sendall(
                b"POST /api/v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
            )
            assert len(server.group()) > workers
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait(STOPPING_SECONDS)
            server.wait_until_gone(STOPPING_SECONDS)
            assert server.group() == []
        with running_server(console.home, port=port) as successor:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            assert successor.request(connection, "GET", "/healthz", "")[0] == 200
            connection.close()
