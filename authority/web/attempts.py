"""The header Idempotency-Key: what a request with it is known by, and its answer as bytes and back."""

from __future__ import annotations

import contextlib
import json
import re
from http import HTTPStatus

from flask import Flask, Response, current_app, g, request

from authority.domain.refusals import InvalidInput, Refusal
from authority.services import attempts
from authority.services.attempts import Attempt, Repeated
from authority.services.unit import Unit
from authority.signing.encoding import digest_of

HEADER, REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
# The header in the environ of a request.
IN_ENVIRON = "HTTP_IDEMPOTENCY_KEY"
# A string as structured fields have it (RFC 9651), or the same without quotation marks.
KEY = re.compile(r'\A(?:"([ -!#-\[\]-~]{1,255})"|([!#-\[\]-~]{1,255}))\Z')


def attach(unit: Unit, secret: str) -> None:
    """Lets a unit of work take the key of this request, a POST that has one, with what it does. Raises InvalidInput."""
    match = KEY.match(request.headers[HEADER])
    if match is None:
        raise InvalidInput(f"{HEADER} is 1 to 255 printable characters", hint="Send a new UUID for each request.")
    parts = (request.method.encode(), request.full_path.encode("utf-8", "surrogatepass"), request.get_data())
    digest = digest_of(b"\n".join(digest_of(part).encode() for part in parts))
    g.attempt = unit.attempt = Attempt(match[1] or match[2], digest, secret)


def register(app: Flask) -> None:
    """Gives the answers of requests with a key again."""

    @app.errorhandler(Repeated)
    def repeated(error: Repeated) -> Response:
        head, _, body = error.answer.partition(b"\n")
        values = json.loads(head)
        g.pop("attempt", None)
        return Response(body, values["status"], content_type=values["content_type"], headers={REPLAYED: "true"})


def keep(response: Response) -> None:
    """Keeps the answer of a request with a key, when something was done; the application calls it after each such request."""
    attempt: Attempt = g.attempt
    if attempt.row is None or response.status_code >= HTTPStatus.BAD_REQUEST:
        return
    head = {"status": response.status_code, "content_type": response.content_type}
    answer = json.dumps(head).encode() + b"\n" + response.get_data()
    # It is done, and the answer goes out: a database that cannot keep it is no reason to say otherwise.
    with contextlib.suppress(Refusal):
        attempts.keep_answer(current_app.extensions["carnet"], attempt, answer)
