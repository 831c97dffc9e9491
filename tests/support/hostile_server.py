"""A server that is slow, lies or breaks, as the path of a request says: one for a file of tests."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Connection = socket.socket
GOOD = b'{"token": "t"}'
JSON = b"Content-Type: application/json\r\n"


def head(status: bytes, *lines: bytes) -> bytes:
    return b"HTTP/1.1 " + status + b"\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def answer(body: bytes, status: bytes = b"200 OK", kind: bytes = b"application/json") -> bytes:
    return head(status, b"Content-Type: " + kind, b"Content-Length: %d" % len(body)) + body


def endless(first: bytes, part: bytes) -> Callable[[Connection], None]:
    """Sends a beginning, and then the same part until nobody reads any more."""

    def send(connection: Connection) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(part)

    return send


def dripping(first: bytes) -> Callable[[Connection], None]:
    """Sends a beginning, and then one byte after the other, each soon enough for a time-out of single reads."""

    def send(connection: Connection) -> None:
        connection.sendall(first)
        # The client is gone long before it has waited so often.
        for _ in range(10_000):
            connection.sendall(b" ")
            threading.Event().wait(0.02)

    return send


def sending(data: bytes) -> Callable[[Connection], None]:
    return lambda connection: connection.sendall(data)


def silent(connection: Connection) -> None:
    """Says nothing until the client goes."""
    connection.recv(1)


class Server(socketserver.ThreadingTCPServer):
    """Answers each request as its path says; `answers` is by the first part of the path, `requests` is what came."""

    allow_reuse_address, daemon_threads = True, True
    # Handlers that are still sending are nobody's to wait for.
    block_on_close = False

    def __init__(self, answers: dict[str, Callable[[Connection], None]], context: ssl.SSLContext | None = None) -> None:
        self.answers, self.context, self.requests = answers, context, list[bytes]()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            connection = self.request
            if self.server.context is not None:
                connection = self.server.context.wrap_socket(connection, server_side=True)
            data = _request(connection)
            self.server.requests.append(data)
            target = data.split(b" ", 2)[1].decode() if data.count(b" ") > 1 else ""
            if data.startswith(b"CONNECT "):
                self.server.answers["CONNECT"](connection)
            else:
                self.server.answers[target.split("/")[1]](connection)
            connection.close()

    def finish(self) -> None:
        self.request.close()


def _request(connection: Connection) -> bytes:
    """The whole request: who closes with something unread resets the line, and what was sent may be lost."""
    data = b""
    while b"\r\n\r\n" not in data and (part := connection.recv(65536)):
        data += part
    length = re.search(rb"Content-Length: ([0-9]+)", data)
    missing = 0 if length is None else int(length[1]) - len(data.partition(b"\r\n\r\n")[2])
    while missing > 0 and (part := connection.recv(missing)):
        data, missing = data + part, missing - len(part)
    return data


@contextlib.contextmanager
def serving(answers: dict[str, Callable[[Connection], None]], context: ssl.SSLContext | None = None) -> Iterator[Server]:
    with Server(answers, context) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def certificate(folder: Path, *names: str) -> Path:
    """A file with a key and a certificate that it signed itself, for these names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{names[0]}.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
