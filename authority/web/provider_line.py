"""The line to a provider of OpenID Connect: what one sign-in asks has one deadline in all, and each answer a largest size.

A time-out of single reads is none for who sends a byte now and then: when the deadline is over the sockets are shut.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import Any, Self

from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

SILENCE_SECONDS = 4.0
LARGEST_ANSWER = 512 * 1024


class Deadline:
    """A time by which everything has to be done that is asked over its connections; a context that ends them.

    A search for the name of a host is the system's, and has its time-out.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._lines: list[socket.socket] = []
        self._watchdog = threading.Timer(seconds, self._shut)
        self._watchdog.daemon = True

    def __enter__(self) -> Self:
        self._watchdog.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._watchdog.cancel()
        for line in self._lines:
            line.close()

    def left(self) -> float:
        """How many seconds one step may take. Raises TimeoutError when the time is over."""
        seconds = self._end - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the answer takes too long")
        return min(seconds, SILENCE_SECONDS)

    def connected(self, host: str, port: int) -> socket.socket:
        """A socket to the first address of the host that answers. Raises OSError."""
        problem = OSError("the host has no address")
        for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                return socket.create_connection((str(address[0]), int(address[1])), timeout=self.left())
            except OSError as error:
                problem = error
        raise problem

    def watch(self, line: socket.socket | None) -> None:
        """Shuts a socket when the time is over, whoever reads from it then. Raises TimeoutError when it is over already."""
        if line is not None:
            self._lines.append(line)
        self.left()

    def _shut(self) -> None:
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)


def _pools(deadline: Deadline) -> dict[str, type[HTTPConnectionPool]]:
    """Pools of connections that end with the deadline, by the scheme of an address."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return deadline.connected(self._dns_host, self.port)

        def connect(self) -> None:
            super().connect()
            deadline.watch(self.sock)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return deadline.connected(self._dns_host, self.port)

        def connect(self) -> None:
            # To agree on a cipher has the time-out of the socket as a whole, not for each read.
            super().connect()
            deadline.watch(self.sock)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


class Bounded(HTTPAdapter):
    """A connection by the system's trust store, whose whole answer comes within the deadline and the largest size."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """With the system's certificates beside those of the package."""
        super().init_poolmanager(*arguments, ssl_context=ssl.create_default_context(), **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._deadline)

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        """The answer, read to its end. Raises RequestException, TimeoutError."""
        response = super().send(request, **(options | {"stream": True, "timeout": self._deadline.left()}))
        data = bytearray()
        for part in response.iter_content(16 * 1024):
            data += part
            if len(data) > LARGEST_ANSWER:
                raise RequestException("the answer is too large")
        # A line that was shut looks like the end of an answer.
        self._deadline.left()
        response._content = bytes(data)  # noqa: SLF001 - where requests itself keeps what it read
        return response
