"""A webhook receiver and a mail server, both real, that refuse, hang, break off or lie as a test says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from aiosmtpd.smtp import Session as SmtpSession
from standardwebhooks import Webhook

# What a receiver does with a request; it takes those for which nothing is said.
REFUSE, REDIRECT, BREAK_OFF, HANG, TAKE_AND_BREAK_OFF, TAKE_AND_HANG, ANSWER_AND_HANG, ANSWER_AND_BREAK_OFF = (
    "500",
    "302",
    "break",
    "hang",
    "take, break",
    "take, hang",
    "take, answer, hang",
    "take, answer, break",
)


@dataclass
class Receiver:
    """What a webhook receiver took, each verified with the secret, by `webhook-id`; how often something came; what it is to do next."""

    secret: str = ""
    script: list[str] = field(default_factory=list)
    taken: dict[str, Any] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def notices(self) -> list[dict[str, Any]]:
        """The notices of all messages that were taken."""
        return [notice for body in self.taken.values() for notice in body["data"]["notices"]]


def _check(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """The signature is that of the specification's own library, for the time that the authority says it is."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == Webhook(secret).sign(headers["webhook-id"], at, body.decode())


@contextlib.contextmanager
def webhook_receiver() -> Iterator[Receiver]:
    """A receiver on this machine."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the base class says so
            body = self.rfile.read(int(self.headers["Content-Length"]))
            action = receiver.script.pop(0) if receiver.script else "take"
            receiver.requests.append(self.headers["webhook-id"])
            if "take" in action:
                _check(receiver.secret, dict(self.headers), body)
                receiver.taken.setdefault(self.headers["webhook-id"], json.loads(body))
            if "answer" in action:
                # The body that is promised never comes whole, and is no good when it comes.
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                self.wfile.write(b"no number\r\n" if "break" in action else b"10\r\n")
                self.wfile.flush()
            if "hang" in action:
                receiver.released.wait(30)
            if "break" not in action and "hang" not in action:
                self.send_response(int(action) if action.isdigit() else 204)
                self.send_header("Location", receiver.url)
                self.end_headers()
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Prints nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook?key=s3cretpath"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield receiver
        receiver.released.set()
        server.shutdown()
        thread.join()


@dataclass
class MailServer:
    """The mails that a server took, each with its recipients; `script` has the answers to the next ones."""

    port: int = 0
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    script: list[str] = field(default_factory=list)
    # Who has no mailbox here.
    unknown: set[str] = field(default_factory=set)

    def url(self, query: str = "to=desk@example.org") -> str:
        """The URL of Apprise for it."""
        return f"mailto://127.0.0.1:{self.port}?from=licenses@example.org&{query}"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd says so
        self, _server: object, _session: SmtpSession, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: object, _session: SmtpSession, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd says so
        answer = self.script.pop(0) if self.script else "250 taken"
        if answer.startswith("250"):
            message = message_from_bytes(cast("bytes", envelope.content), policy=policy.default)
            self.mails.append((envelope.rcpt_tos, message))
        return answer


class _OnFreePort(Controller):
    """A mail server whose port the system chooses."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = cast("asyncio.Server", self.server).sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    """A mail server on this machine."""
    server = MailServer()
    controller = _OnFreePort(server, hostname="127.0.0.1", port=0)
    controller.start()
    server.port = controller.port
    yield server
    controller.stop()
