"""A client that costs little: requests are bytes made before the clock starts, on connections that stay open, in one process."""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

HOST = "127.0.0.1"
MOST_AT_ONCE = 1 << 16
# A server that does not answer for so long is broken; nothing here may wait for ever.
LONGEST_SILENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: which request it answers, status, body, and milliseconds from the first byte sent to the last received."""

    request: int
    status: int
    body: bytes
    milliseconds: float

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Load:
    """All answers of one run, its seconds, and the processor time that the client itself took."""

    answers: list[Answer]
    seconds: float
    client_seconds: float

    @property
    def latencies(self) -> list[float]:
        """Milliseconds of each answer."""
        return [answer.milliseconds for answer in self.answers]


def quantile(latencies: Sequence[float], percent: int) -> float:
    """The value that so many percent do not exceed."""
    return statistics.quantiles(latencies, n=100, method="inclusive")[percent - 1]


def post(path: str, body: Any, secret: str = "") -> bytes:
    """The bytes of one POST with a JSON body, for a connection that stays open."""
    data = json.dumps(body, separators=(",", ":")).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
        f"Authorization: Bearer {secret}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def drive(ports: Sequence[int], requests: Sequence[bytes], clients: int, seconds: float) -> Load:
    """Sends the requests over so many connections, each with one under way, until all are answered or the time is over.

    The connections are dealt evenly to the ports. What is under way at the end is waited for.
    Raises ConnectionError when a server closes a connection or falls silent.
    """
    with selectors.DefaultSelector() as selector:
        connections = [_Connection(ports[number % len(ports)]) for number in range(clients)]
        try:
            return _driven(selector, connections, requests, seconds)
        finally:
            for connection in connections:
                connection.socket.close()


def _driven(
    selector: selectors.BaseSelector, connections: Sequence[_Connection], requests: Sequence[bytes], seconds: float
) -> Load:
    answers: list[Answer] = []
    queue: Iterator[tuple[int, bytes]] = iter(enumerate(requests))
    busy = 0
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    began, began_processor = time.perf_counter(), time.process_time()
    for connection, request in zip(connections, queue, strict=False):
        connection.send(*request)
        busy += 1
    while busy:
        ready = selector.select(LONGEST_SILENCE_SECONDS)
        if not ready:
            raise ConnectionError(f"no answer for {LONGEST_SILENCE_SECONDS:.0f} seconds")
        for key, _ in ready:
            answer = key.data.receive()
            if answer is None:
                continue
            answers.append(answer)
            following = next(queue, None) if time.perf_counter() - began < seconds else None
            if following is None:
                busy -= 1
            else:
                key.data.send(*following)
    return Load(answers, time.perf_counter() - began, time.process_time() - began_processor)


@dataclass(slots=True)
class _Connection:
    """A connection that sends one request and then takes its answer."""

    port: int
    socket: socket.socket = field(init=False)
    _request: int = -1
    _began: float = 0.0
    _data: bytearray = field(default_factory=bytearray)
    _size: int | None = None

    def __post_init__(self) -> None:
        self.socket = socket.create_connection((HOST, self.port), timeout=LONGEST_SILENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, number: int, request: bytes) -> None:
        """Sends a request, which fits into what the system holds for a connection."""
        self._request, self._size = number, None
        self._data.clear()
        self._began = time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> Answer | None:
        """The answer, when what came now completes it. Raises ConnectionError when the server closed."""
        piece = self.socket.recv(MOST_AT_ONCE)
        if not piece:
            raise ConnectionError("the server closed a connection")
        self._data += piece
        if self._size is None:
            head = self._data.find(b"\r\n\r\n")
            if head < 0:
                return None
            self._size = head + 4 + _content_length(bytes(self._data[:head]))
        if len(self._data) < self._size:
            return None
        milliseconds = (time.perf_counter() - self._began) * 1e3
        data = bytes(self._data)
        return Answer(self._request, int(data[9:12]), data[data.index(b"\r\n\r\n") + 4 :], milliseconds)


def _content_length(head: bytes) -> int:
    """The number in the header of that name. Raises ConnectionError when there is none."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ConnectionError("an answer without Content-Length")
