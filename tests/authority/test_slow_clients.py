"""Clients that are slow, on purpose or not, beside one that works: a real server, and real sockets."""

from __future__ import annotations

import contextlib
import http.client
import json
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from authority.cli.serving import THREADS_PER_WORKER
from authority.web.gateway import LARGEST_BODY, PATIENCE_SECONDS
from tests.support.console import Console
from tests.support.servers import STOPPING_SECONDS, Server, running_server

# Of each kind, more than twice as many as a worker has threads: one kind that held a thread for each would hold up everybody.
CLIENTS = 40
# A working client waits for this at most, on a machine that others keep busy too; a thread that a slow one holds it waits for longer.
LONGEST_ANSWER_SECONDS = 8.0
SIGN_IN = b"POST /api/v1/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
BODY = b'{"username": "admin", "password": "wrong"}'


def connect(server: Server, receive_buffer: int | None = None) -> socket.socket:
    client = socket.socket()
    if receive_buffer is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    client.connect(("127.0.0.1", server.port))
    return client


@dataclass
class Slow:
    """Clients that each sent something and now send no more than a byte now and then."""

    clients: list[socket.socket]
    trickle: bytes
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    answers: dict[socket.socket, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for client in self.clients:
            client.setblocking(False)
            self.selector.register(client, selectors.EVENT_READ)
            self.answers[client] = b""

    @property
    def connected(self) -> int:
        return len(self.selector.get_map())

    def go_on(self) -> None:
        """Sends a byte on each connection, and takes what came."""
        for key in list(self.selector.get_map().values()):
            if self.trickle:
                with contextlib.suppress(OSError):
                    key.fileobj.send(self.trickle)  # type: ignore[union-attr]
        for key, _ in self.selector.select(0):
            client = key.fileobj
            assert isinstance(client, socket.socket)
            try:
                data = client.recv(65536)
            except OSError:
                data = b""
            self.answers[client] += data
            if not data:
                self.selector.unregister(client)


@contextlib.contextmanager
def slow_clients(server: Server, sent: bytes, trickle: bytes) -> Iterator[Slow]:
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(connect(server))) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(sent)
        yield Slow(clients, trickle)


@contextlib.contextmanager
def who_take_no_answers(server: Server) -> Iterator[list[socket.socket]]:
    """Each asks for more than it has room for, and reads nothing."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(connect(server, 4096))) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield clients


def answered_within(server: Server, secret: str) -> float:
    """Seconds that a client waited for two answers, one of them to a request with a body."""
    began = time.monotonic()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        assert server.request(connection, "GET", "/api/v1/borrows", secret)[0] == 200
        assert server.request(connection, "POST", "/api/v1/borrows", secret, {"request": "x"})[0] == 400
    return time.monotonic() - began


SLOW: dict[str, tuple[bytes, bytes, bytes]] = {
    "no body": (SIGN_IN + b"Content-Length: 900\r\n\r\n", b"", b"HTTP/1.1 408 "),
    "one byte of a body": (SIGN_IN + b"Content-Length: 900\r\n\r\n{", b"", b"HTTP/1.1 408 "),
    "a body byte by byte": (SIGN_IN + b"Content-Length: 900\r\n\r\n{", b" ", b"HTTP/1.1 408 "),
    "a chunk byte by byte": (SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{", b" ", b"HTTP/1.1 408 "),
    "half a line": (b"GET /heal", b"", b""),
    "nothing": (b"", b"", b""),
    "headers byte by byte": (b"GET /healthz HTTP/1.1\r\nX: ", b"x", b""),
    "nothing more after an answer": (b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", b"", b"HTTP/1.1 200 "),
}


@pytest.mark.slow
def test_slow_clients_of_every_kind_hold_up_nobody_and_are_cut_off(empty: Console) -> None:
    """All kinds wait beside each other: one after the other each would take the patience of the server anew."""
    assert CLIENTS > 2 * THREADS_PER_WORKER
    secret = empty.good("init", "--org", "Field Survey")["admin"]["api_key"]
    with running_server(empty.home) as server, contextlib.ExitStack() as stack:
        deaf = stack.enter_context(who_take_no_answers(server))
        kinds = {case: stack.enter_context(slow_clients(server, *SLOW[case][:2])) for case in SLOW}
        began = time.monotonic()
        longest, rounds = 0.0, 0
        while (now := time.monotonic() - began) < PATIENCE_SECONDS + 10 or (
            any(slow.connected for slow in kinds.values()) and now < PATIENCE_SECONDS + 30
        ):
            for slow in kinds.values():
                slow.go_on()
            longest = max(longest, answered_within(server, secret))
            rounds += 1
            time.sleep(0.2)
        assert {case: slow.connected for case, slow in kinds.items()} == dict.fromkeys(SLOW, 0), "who was never cut off"
        assert longest < LONGEST_ANSWER_SECONDS
        assert rounds > 5
        for case, slow in kinds.items():
            check_answers(case, slow)
        # The system gave them up without a word: they find out when they go on reading.
        for client in deaf:
            client.settimeout(20)
            with pytest.raises(ConnectionResetError):
                read_to_end(client)


def check_answers(case: str, slow: Slow) -> None:
    answer = SLOW[case][2]
    assert all(data.startswith(answer) for data in slow.answers.values()), case
    if answer == b"HTTP/1.1 408 ":
        problem = json.loads(next(iter(slow.answers.values())).split(b"\r\n\r\n", 1)[1])
        assert (problem["status"], problem["code"]) == (408, "request-timeout"), case


def read_to_end(client: socket.socket) -> None:
    while client.recv(65536):
        pass


def test_a_server_stops_beside_slow_clients(empty: Console) -> None:
    empty.good("init", "--org", "Field Survey")
    with running_server(empty.home) as server, slow_clients(server, *SLOW["one byte of a body"][:2]):
        server.process.terminate()
        assert server.process.wait(STOPPING_SECONDS) == 0
        server.wait_until_gone(STOPPING_SECONDS)
        assert server.group() == []


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


def sized(body: bytes) -> bytes:
    return SIGN_IN + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(body: bytes) -> bytes:
    parts = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces(body, 1000))
    return SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n"


@pytest.mark.parametrize("form", [sized, chunked], ids=lambda form: form.__name__)
def test_a_body_that_comes_in_parts_is_one_body_and_one_that_is_too_large_is_told(
    empty: Console, form: Callable[[bytes], bytes]
) -> None:
    empty.good("init", "--org", "Field Survey")
    padded = BODY + b" " * (LARGEST_BODY - len(BODY))
    with running_server(empty.home) as server:
        for body, status, code in (
            (BODY, 401, "not-authenticated"),
            (padded, 401, "not-authenticated"),
            (padded + b" ", 413, "too-large"),
            (b"", 400, "invalid-input"),
            (b"\xff\xfe", 400, "invalid-input"),
        ):
            with contextlib.closing(connect(server)) as client:
                for piece in pieces(form(body), 100_000):
                    client.sendall(piece)
                with contextlib.closing(http.client.HTTPResponse(client)) as answer:
                    answer.begin()
                    assert (answer.status, json.loads(answer.read())["code"]) == (status, code), body[:80]


def test_a_client_that_leaves_in_the_middle_of_a_body_is_no_fault(empty: Console) -> None:
    empty.good("init", "--org", "Field Survey")
    with running_server(empty.home) as server:
        for sent in (SIGN_IN + b"Content-Length: 900\r\n\r\n{", SIGN_IN + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{"):
            connect(server).close()
            with contextlib.closing(connect(server)) as client:
                client.sendall(sent)
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
            assert server.request(connection, "GET", "/healthz", "")[0] == 200
        server.process.terminate()
        _, err = server.process.communicate(timeout=30)
        assert err == ""
