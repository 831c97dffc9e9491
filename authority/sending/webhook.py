"""A signed request to a server of one's own, as in the Standard Webhooks specification (version 1, symmetric signatures).

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

from authority.domain.notices import Message
from authority.domain.refusals import InvalidInput
from authority.sending.failure import NotSent

OWN_MACHINE = ("127.0.0.1", "::1", "localhost")
LONGEST_ADDRESS = 2048
SECRET_PREFIX = "whsec_"  # noqa: S105 - how the specification marks a secret
SECRET_BYTES = 32
# Of the whole try, and of each wait in it: who is still at work after half of it may keep the message all the same, and would get it
# again. The specification recommends 15 to 30 seconds.
DEADLINE_SECONDS = 20.0


def check(address: str) -> str:
    """The address, if a request can go there safely: https, or http on this very machine. Raises InvalidInput, which does not repeat it."""
    text = address.strip()
    hint = "Write it like https://alerts.example.org/carnet; http is for this machine alone."
    if not text or len(text) > LONGEST_ADDRESS or not text.isascii() or not text.isprintable() or " " in text:
        raise InvalidInput("this is no address of a webhook", hint=hint)
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidInput("this is no address of a webhook", hint=hint) from error
    if not host or parts.username or parts.password or parts.fragment:
        raise InvalidInput("the address of a webhook has a host, and no user, password or fragment", hint=hint)
    if parts.scheme != "https" and not (parts.scheme == "http" and host in OWN_MACHINE):
        raise InvalidInput("the address of a webhook begins with https://", hint=hint)
    return text


def new_secret(random: bytes) -> str:
    """The secret that these random bytes are, as the specification writes it."""
    return SECRET_PREFIX + base64.b64encode(random).decode()


def shown(address: str) -> str:
    """Where it goes, without path and query, which may be secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/…"


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The signature of a body, with its version: `v1,` and HMAC-SHA256 in base64 over id, timestamp and body."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def body_of(message: Message, at: datetime) -> bytes:
    """What is sent: the type, when the message is of, and its data."""
    kinds = {notice["kind"] for notice in message.data["notices"]}
    name = "test" if not kinds else next(iter(kinds)) if len(message.data["notices"]) == 1 else "digest"
    return json.dumps({"type": f"notice.{name}", "timestamp": at.isoformat(), "data": dict(message.data)}).encode()


def send(address: str, secret: str, message: Message, at: datetime) -> None:
    """Sends the message once. A status of 2xx says that the receiver has it; a redirect is none, and is not followed.

    Raises NotSent.
    """
    timestamp, body = int(at.timestamp()), body_of(message, at)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "carnet-authority",
        "Connection": "close",
        "webhook-id": message.id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature(secret, message.id, timestamp, body),
    }
    parts = urlsplit(address)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        with _connection(address) as connection:
            connection.request("POST", target, body, headers)
            # Nothing of an answer matters but its status: what comes after it may hang or break off, and the receiver has the message.
            status = connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        raise NotSent(f"its certificate is not to be believed: {error.verify_message}") from error
    except socket.gaierror as error:
        raise NotSent("its name is not known here") from error
    except TimeoutError as error:
        raise NotSent("it took too long to answer") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotSent(_reason(error)) from error
    if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, 15.3
        raise NotSent(f"it answered {status}{', a redirect, which is not followed' if 300 <= status < 400 else ''}")  # noqa: PLR2004


def _reason(error: Exception) -> str:
    """What the system says of a connection that failed; never what a server wrote."""
    words = error.strerror if isinstance(error, OSError) and error.errno is not None else None
    return (
        f"it did not answer as a web server does: {words}" if words else "it broke off, or does not answer as a web server does"
    )


@contextlib.contextmanager
def _connection(address: str) -> Iterator[http.client.HTTPConnection]:
    """A connection that is cut off at the deadline, however slowly something comes; TLS is verified by the system's own store."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    connection = (
        http.client.HTTPSConnection(host, parts.port, timeout=DEADLINE_SECONDS, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, parts.port, timeout=DEADLINE_SECONDS)
    )
    is_over = threading.Event()

    def cut_off() -> None:
        is_over.set()
        if connection.sock is not None:
            with contextlib.suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(DEADLINE_SECONDS, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield connection
    except Exception as error:
        if is_over.is_set():
            raise TimeoutError from error
        raise
    finally:
        timer.cancel()
        connection.close()
    if is_over.is_set():
        raise TimeoutError
