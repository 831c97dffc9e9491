"""The only module that opens a socket: one request to the authority and its whole answer, within a time and a size.

A server may be slow, lie, or break in the middle. Every read and write has what is left of one deadline for the whole exchange;
no more is read than the largest file that is carried; no redirect is followed; TLS is verified against the system's own store.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import io
import json
import math
import socket
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from verifier.addresses import Address, is_this_machine, without_secret
from verifier.core.files import LARGEST_STATUS_FILE
from verifier.errors import AnswerUnusable, AuthorityUnreachable, CertificateRefused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# For one try: connection, TLS, request and the whole answer. After a try that broke the very same bytes are sent again.
PATIENCE_SECONDS = 20.0
TRIES = 3
PAUSE_SECONDS = 0.5
# The largest file that is carried, in JSON, with all headers.
LARGEST_ANSWER = LARGEST_STATUS_FILE + 256 * 1024
PIECE = 64 * 1024
JSON, PROBLEM = "application/json", "application/problem+json"
# What a proxy or a balancer says while the authority behind it cannot be reached.
PASSING = frozenset({502, 503, 504})


class Answer(NamedTuple):
    """What the authority answered: the status, and the members of its JSON object (none where there is no body)."""

    status: int
    members: dict[str, Any]


def exchange(
    place: Address,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    token: str | None = None,
    tries: int = TRIES,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Answer:
    """The answer to one request under /api/v1. The same bytes are sent again when the line broke, `tries` times in all.

    Every request that is sent more than once must be one that may be. A refusal is an answer too.
    Raises AuthorityUnreachable, CertificateRefused, AnswerUnusable.
    """
    data = b"" if body is None else json.dumps(body).encode()
    headers = {"Accept": f"{JSON}, {PROBLEM}", "Connection": "close", "User-Agent": "carnet"}
    if method != "GET":
        headers["Content-Length"] = str(len(data))
    if data:
        headers["Content-Type"] = JSON
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    last: AuthorityUnreachable | None = None
    for number in range(tries):
        if number:
            time.sleep(PAUSE_SECONDS)
        try:
            return _one_try(place, method, f"{place.path}/api/v1{path}", data, headers, _Deadline(patience_seconds))
        except AuthorityUnreachable as error:
            last = error
    raise last or AuthorityUnreachable(f"{place.text} was not asked", url=place.text)


class _Deadline:
    """The end of one try, by a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left. Raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("it took too long")
        return left


class _TooLarge(Exception):
    """More came than any answer may have."""


class _Wire:
    """A connected socket, of which each read and write has what is left of the deadline, and all reads together a size."""

    def __init__(self, connected: socket.socket, deadline: _Deadline) -> None:
        self.socket, self._deadline, self._room = connected, deadline, LARGEST_ANSWER

    def sendall(self, data: bytes) -> None:
        """Sends all of it. Raises OSError."""
        self.socket.settimeout(self._deadline.left())
        self.socket.sendall(data)

    def receive_into(self, buffer: WriteableBuffer) -> int:
        """How many bytes came, 0 at the end. Raises OSError, _TooLarge."""
        self.socket.settimeout(self._deadline.left())
        count = self.socket.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise _TooLarge
        return count

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """What http.client reads from."""
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Called by http.client when it has read the headers; the socket is closed by whoever opened it."""


class _Incoming(io.RawIOBase):
    def __init__(self, wire: _Wire) -> None:
        self._wire = wire

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._wire.receive_into(buffer)


def _one_try(place: Address, method: str, path: str, data: bytes, headers: dict[str, str], deadline: _Deadline) -> Answer:
    try:
        with contextlib.closing(_connected(place, deadline)) as connected:
            connection = http.client.HTTPConnection(place.host, place.port)
            connection.sock = cast("socket.socket", _Wire(connected, deadline))
            connection.request(method, path, data or None, headers)
            response = connection.getresponse()
            return _answer(place, response, _read(response))
    except ssl.SSLCertVerificationError as error:
        raise CertificateRefused(
            f"{place.text} cannot prove that it is {place.host}: {error.verify_message}", url=place.text
        ) from error
    except _TooLarge as error:
        raise _unusable(place, f"sends more than {LARGEST_ANSWER} bytes") from error
    except (OSError, http.client.HTTPException, ValueError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise AuthorityUnreachable(f"{place.text} cannot be reached, or broke off: {_short(reason)}", url=place.text) from error


def _read(response: http.client.HTTPResponse) -> bytes:
    """The body, piece by piece: what a length or a chunk claims to be is never asked for at once."""
    parts = []
    while part := response.read(PIECE):
        parts.append(part)
    if response.length:
        raise EOFError(f"{response.length} bytes of the answer are missing")
    return b"".join(parts)


def _answer(place: Address, response: http.client.HTTPResponse, data: bytes) -> Answer:
    """The answer, when it is one. Raises AnswerUnusable, and AuthorityUnreachable for what passes."""
    status, kind = response.status, response.headers.get_content_type()
    if status == http.client.NO_CONTENT:
        return Answer(status, {})
    if status in PASSING and kind != PROBLEM:
        raise AuthorityUnreachable(f"{place.text} answers with {status} {_short(response.reason)}", url=place.text)
    if 300 <= status < 400:  # noqa: PLR2004 - RFC 9110, 15.4
        elsewhere = _short(response.headers.get("Location", "nowhere"))
        raise _unusable(place, f"answers with a redirect to {elsewhere}, which is not followed")
    if kind != (PROBLEM if status >= http.client.BAD_REQUEST else JSON):
        raise _unusable(place, f"answers with {status} and {_short(kind)}, which is no answer of an authority")
    try:
        members = json.loads(
            data.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_no_number, parse_float=_finite
        )
    except (ValueError, RecursionError) as error:
        raise _unusable(place, f"answers with what is no JSON: {_short(str(error))}") from error
    if not isinstance(members, dict):
        raise _unusable(place, "answers with JSON that is no object")
    return Answer(status, members)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice in an object")
    return members


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def _unusable(place: Address, what: str) -> AnswerUnusable:
    return AnswerUnusable(f"{place.text} {what}", url=place.text)


def _short(text: str) -> str:
    """What a server says, no longer than a line."""
    return text if len(text) <= 200 else f"{text[:200]}..."  # noqa: PLR2004


def _connected(place: Address, deadline: _Deadline) -> socket.socket:
    """A socket to the authority, through the system's proxy where there is one, and encrypted. Raises OSError, ValueError."""
    proxy = None if is_this_machine(place.host) else _proxy_of(place)
    connected = _dialed(place.host, place.port, deadline) if proxy is None else _through(proxy, place, deadline)
    if place.scheme != "https":
        return connected
    with _closed_on_failure(connected):
        # The store of the system: OpenSSL's files, or those of Windows; SSL_CERT_FILE and SSL_CERT_DIR name others.
        context = ssl.create_default_context()
        connected.settimeout(deadline.left())
        return context.wrap_socket(connected, server_hostname=place.host)


def _dialed(host: str, port: int, deadline: _Deadline) -> socket.socket:
    """A socket that is connected to the first address of the host that answers. Raises OSError.

    Each address has its share of the time that is left: one that says nothing leaves the others theirs.
    """
    last: OSError | None = None
    places = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for number, (family, kind, protocol, _, where) in enumerate(places):
        connected = None
        try:
            connected = socket.socket(family, kind, protocol)
            # The last share is for what comes after connecting.
            connected.settimeout(deadline.left() / (len(places) - number + 1))
            connected.connect(where)
        except OSError as error:
            if connected is not None:
                connected.close()
            last = error
        else:
            return connected
    raise last or OSError(f"{host} has no address")


@contextlib.contextmanager
def _closed_on_failure(connected: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connected.close()
        raise


def _proxy_of(place: Address) -> urllib.parse.SplitResult | None:
    """The proxy that the system names for https: by its settings, or https_proxy and no_proxy. Raises ValueError."""
    text = None if urllib.request.proxy_bypass(place.host) else urllib.request.getproxies().get("https")
    if not text:
        return None
    proxy = urllib.parse.urlsplit(text if "//" in text else f"http://{text}")
    try:
        is_usable = proxy.scheme == "http" and bool(proxy.hostname) and proxy.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ValueError(f"the system's proxy {without_secret(text)} is none that can be used: it must be http://HOST:PORT")
    return proxy


def _through(proxy: urllib.parse.SplitResult, place: Address, deadline: _Deadline) -> socket.socket:
    """A socket to the authority through a proxy, which sees where it goes and nothing else. Raises OSError, HTTPException."""
    host = f"[{place.host}]" if ":" in place.host else place.host
    lines = [f"CONNECT {host}:{place.port} HTTP/1.1", f"Host: {host}:{place.port}"]
    if proxy.username is not None:
        name, password = (urllib.parse.unquote(item or "") for item in (proxy.username, proxy.password))
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}")
    connected = _dialed(str(proxy.hostname), proxy.port or 8080, deadline)
    with _closed_on_failure(connected):
        wire = _Wire(connected, deadline)
        wire.sendall("\r\n".join([*lines, "", ""]).encode("ascii"))
        response = http.client.HTTPResponse(cast("socket.socket", wire), method="CONNECT")
        response.begin()
        if response.status != http.client.OK:
            raise OSError(f"the proxy {proxy.hostname} answers with {response.status} {_short(response.reason)}")
    return connected
