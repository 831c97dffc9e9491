"""From granian to the WSGI application: a request has come whole before it takes one of the threads that answer.

granian's own WSGI interface gives a request a thread at once, and the thread waits for the body for as long as the client likes.
"""

from __future__ import annotations

import asyncio
import atexit
import io
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from granian._granian import RSGIHTTPProtocol, RSGIProtocolClosed, RSGIProtocolError
from granian.rsgi import Scope

from authority.web import server_log
from authority.web.strictness import UNREADABLE

# How long a client may take for its headers, for its body, and to take an answer.
PATIENCE_SECONDS = 20
LARGEST_BODY = 256 * 1024
# A body that is too large is taken and dropped up to this size: who sends all of it before they read still gets the answer.
LARGEST_DROPPED = 4 * LARGEST_BODY
# A table of members: some 25,000 rows. As text in JSON it grows by its quotes and line breaks.
LARGEST_SHEET = 4 * 1024 * 1024
# The largest carried file, a status file, beside others.
LARGEST_CARRIED = 2 * 1024 * 1024
_IMPORTS = ("/api/v1/members/import", "/console/members/import")
LARGEST_BY_PATH = {
    **dict.fromkeys(_IMPORTS, LARGEST_SHEET + LARGEST_BODY),
    "/console/exchange": LARGEST_CARRIED + LARGEST_BODY,
}
# Set in the environ of a request whose body did not come in time: the application refuses it.
BODY_IS_LATE = "carnet.body_is_late"

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., object]], Iterable[bytes]]

_SAME_FOR_ALL: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
}


def largest_body(path: str) -> int:
    """How many bytes the body of a request to this path may have."""
    return LARGEST_BY_PATH.get(path, LARGEST_BODY)


@dataclass(slots=True)
class _Job:
    """What a thread is to do, and where its coroutine waits for the result; None when it failed."""

    work: Callable[[], Any]
    done: asyncio.Future[Any]


class Gateway:
    """The application with so many threads of its own, for granian's RSGI interface.

    A body of more bytes than `largest_body` says is not read to its end: the application refuses it by its size. Of one that is
    larger than `LARGEST_BODY` nothing is read before `is_known` says that somebody sends it whom the authority knows: strangers
    cannot make it hold megabytes. Who is not known is refused by the application, which looks at that before it looks at a body.
    """

    def __init__(self, application: Application, threads: int, is_known: Callable[[Environ], bool] = lambda _: False) -> None:
        self._application, self._is_known = application, is_known
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        for _ in range(threads):
            threading.Thread(target=self._work, daemon=True).start()

    async def __rsgi__(self, scope: Scope, protocol: RSGIHTTPProtocol) -> None:
        """Waits for the body, and then for a thread to answer."""
        body: bytes | None = b""
        headers = scope.headers
        if "content-length" in headers or "transfer-encoding" in headers:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    length = headers.get("content-length")
                    body = await self._body(length, await self._most(scope, length), protocol)
            except TimeoutError:
                body = None
            except (RSGIProtocolClosed, RSGIProtocolError):
                return  # the client is gone
        await self._in_thread(lambda: self._respond(scope, protocol, body))

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        done = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(work, done))
        return await done

    async def _most(self, scope: Scope, length: str | None) -> int:
        """How many bytes of a body of this length, None for one that is not known, are read from whoever sends it."""
        most = largest_body(scope.path)
        if most == LARGEST_BODY or (length is not None and int(length) <= LARGEST_BODY):
            return LARGEST_BODY
        return most if await self._in_thread(lambda: self._is_known(environ_of(scope, b""))) else LARGEST_BODY

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """Ends the worker, when every request is answered: what was registered for the end is done, and the process is gone.

        Threads of granian may be about to enter Python by then; one that does while Python shuts down takes the process with it.
        """
        atexit._run_exitfuncs()  # noqa: SLF001
        sys.stderr.flush()
        os._exit(0)

    @staticmethod
    async def _body(length: str | None, most: int, protocol: RSGIHTTPProtocol) -> bytes:
        if length is not None and int(length) <= most:
            return await protocol()
        if length is not None:
            if int(length) <= LARGEST_DROPPED:
                async for _ in protocol:
                    pass
            return b""
        body = bytearray()
        async for part in protocol:
            body += part
            if len(body) > most:
                break
        return bytes(body)

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            try:
                result = job.work()
            except BaseException as error:  # noqa: BLE001 - a thread that ended would be missing from then on
                server_log.write("a request", error)
                result = None
            job.done.get_loop().call_soon_threadsafe(_set, job.done, result)

    def _respond(self, scope: Scope, protocol: RSGIHTTPProtocol, body: bytes | None) -> None:
        """Answers a request whose body is None when it did not come in time."""
        try:
            status, headers, data = self._answer(scope, body)
        except BaseException as error:  # noqa: BLE001 - whoever asks is to have an answer
            server_log.write("a request", error)
            status, headers, data = HTTPStatus.INTERNAL_SERVER_ERROR, [], b""
        protocol.response_bytes(status, headers, data)

    def _answer(self, scope: Scope, body: bytes | None) -> tuple[int, list[tuple[str, str]], bytes]:
        """The whole answer: who takes it slowly holds neither a thread nor a transaction."""
        started: list[tuple[int, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
            started.append((int(status[:3]), headers))

        parts = self._application(environ_of(scope, body), start_response)
        try:
            data = b"".join(parts)
        finally:
            if (close := getattr(parts, "close", None)) is not None:
                close()
        return *started[-1], data


def _set(done: asyncio.Future[Any], result: Any) -> None:
    """Gives a coroutine its result, unless it waited too long for it."""
    if not done.done():
        done.set_result(result)


def environ_of(scope: Scope, body: bytes | None) -> Environ:
    """What WSGI (PEP 3333) asks to be told of a request.

    Headers with an underscore in their name are left out. The names of those whose value is no ASCII, which granian does not give,
    stand in `headers.UNREADABLE`.
    """
    host, _, port = scope.server.rpartition(":")
    environ = {
        **_SAME_FOR_ALL,
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": scope.path.encode().decode("latin-1") or "/",
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": _host(scope.client),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body or b""),
    }
    if body is None:
        environ[BODY_IS_LATE] = True
    names = set()
    for name, value in scope.headers.items():
        names.add(name)
        if name == "content-length":
            environ["CONTENT_LENGTH"] = value
        elif name == "content-type":
            environ["CONTENT_TYPE"] = value
        elif name == "transfer-encoding":
            # It came in parts and is whole by now: a body like any other, with a size.
            environ["CONTENT_LENGTH"] = str(len(body or b""))
        elif "_" not in name:
            key = f"HTTP_{name.replace('-', '_').upper()}"
            environ[key] = f"{environ[key]},{value}" if key in environ else value
    if unreadable := names.symmetric_difference(scope.headers.keys()):
        environ[UNREADABLE] = unreadable
    return environ


def _host(address: str) -> str:
    """The host of `host:port` without brackets; an IPv4 address as which a socket for both writes it is IPv4."""
    host = address.rpartition(":")[0].strip("[]")
    return host.removeprefix("::ffff:") if "." in host else host
