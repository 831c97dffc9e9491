"""What goes wrong as one value, with the one table from code to status; and as the one error body (RFC 9457)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import BadRequest, HTTPException, MethodNotAllowed, RequestTimeout

from authority.domain.disk import refusal_of
from authority.domain.refusals import Refusal, StorageUnavailable, TooManyRequests
from authority.web import noting, server_log

STATUS = {
    "pool-exhausted": 409,
    "not-assigned": 409,
    "level-not-assigned": 409,
    "extension-not-assigned": 409,
    "product-overallocated": 409,
    "product-expired": 409,
    "offline-not-allowed": 409,
    "container-not-allowed": 409,
    "duration-too-long": 409,
    "already-borrowed": 409,
    "type-not-compatible": 409,
    "member-disabled": 409,
    "session-limit": 409,
    "session-ended": 409,
    "organization-over-limit": 403,
    "no-such-product": 404,
    "member-limit-reached": 409,
    "request-replayed": 409,
    "request-invalid": 400,
    "invalid-input": 400,
    "not-authenticated": 401,
    "too-many-requests": 429,
    "provider-unavailable": 503,
    "not-allowed": 403,
    "not-found": 404,
    "already-exists": 409,
    "member-has-borrow": 409,
    "last-administrator": 409,
    "last-key": 409,
    "key-reused": 422,
    "request-under-way": 409,
    "answer-not-kept": 409,
    "changed-meanwhile": 412,
    "borrow-already-ended": 409,
    "overlap-not-accepted": 409,
    "authorization-unusable": 409,
    "specification-invalid": 400,
    "key-unusable": 503,
    "clock-in-doubt": 503,
    "not-set-up": 503,
    "settings-invalid": 503,
    "demonstration-only": 503,
    "signing-failed": 503,
    "checkpoint-unusable": 400,
    "log-not-intact": 409,
    "backup-unusable": 409,
    "storage-unavailable": 503,
    "database-lost": 503,
    "database-behind": 503,
    "no-home": 503,
    "disk-full": 503,
    "not-permitted": 503,
    "no-locks": 503,
    "disk-failed": 503,
    "output-not-written": 503,
}
# What may have passed when the same is sent again, after so many seconds; all else of 503 needs somebody to mend it.
PASSING = ("signing-failed", "storage-unavailable", "too-many-requests", "request-under-way", "provider-unavailable")
RETRY_AFTER_SECONDS = 2
# What HTTP itself refuses, before any service is asked.
HTTP_CODES = {
    400: ("invalid-input", "Send a JSON body as the documentation of the route says."),
    404: ("not-found", "Check the path; /openapi.json lists all of them."),
    405: ("method-not-allowed", "Check the method; /openapi.json lists all of them."),
    408: ("request-timeout", "Send the whole body within 20 seconds."),
    413: ("too-large", "Send at most 256 KiB."),
    415: ("unsupported-media-type", "Send Content-Type: application/json."),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, before it is an answer: a stable `code`, a sentence, what to do next, and what it is about."""

    status: int
    code: str
    detail: str
    hint: str
    errors: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] | None = None


def json_of(problem: Problem) -> Response:
    """The response for a program: `application/problem+json`, with the hint in the words of HTTP."""
    body = {
        "type": f"urn:carnet:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "hint": hint_over_http(problem.code, problem.hint),
        "errors": problem.errors,
        "request_id": g.get("request_id", ""),
    }
    response = Response(json.dumps(body, default=str), problem.status, content_type="application/problem+json")
    if problem.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="carnet"'
    response.headers.update(problem.headers or {})
    return response


# What a hint for the terminal says, and where the same is found over HTTP.
OVER_HTTP = {
    "carnet-authority authorization show lists": "GET /api/v1/authorization shows",
    "carnet-authority borrow show ID tells": "GET /api/v1/borrows/ID tells",
    "carnet-authority borrow check-in FILE": "POST /api/v1/check-ins",
    "carnet-authority session end ID": "POST /api/v1/sessions/ID/end",
    "carnet-authority channel list shows": "GET /api/v1/channels shows",
    "Let carnet-authority notify run every few minutes, or serve with --notify; carnet-authority channel test NAME tries a channel.": (
        "Whoever runs this server lets notices be looked for every few minutes; POST /api/v1/channels/ID/test tries a channel."
    ),
    "carnet-authority api-key list shows": "GET /api/v1/api-keys shows",
    "carnet-authority sign-in list NAME shows": "GET /api/v1/members/NAME/sign-ins, or GET /api/v1/me/sign-ins, shows",
    "carnet-authority license availability shows": "GET /api/v1/availability shows",
    "carnet-authority pool show lists": "GET /api/v1/pools lists",
    "carnet-authority key list --public -o KEYS.json": "GET /api/v1/keys/public",
    "authorizes them with carnet-authority root authorize; then carnet-authority authorization install FILE": (
        "authorizes them; then POST /api/v1/authorization"
    ),
    "carnet-authority key rotate": "POST /api/v1/keys",
    "carnet-authority member set NAME --role administrator": 'PATCH /api/v1/members/NAME {"role": "administrator"}',
    "carnet-authority member set NAME --password-file FILE": 'PATCH /api/v1/members/NAME {"password": "..."} sets one.',
    "carnet-authority member remove NAME": "DELETE /api/v1/members/NAME",
    "Seal it: carnet-authority log seal": "Ask whoever runs the server to seal it.",
    "say --release to": "say ?release=true to",
    "say so: --accept-overlap": 'say so: "accept_overlap": true',
    "--member NAME": '"member": "NAME"',
    "--trust FILE --accept-root THUMBPRINT": '"trust_file" and "accept_root"',
    "--accept-root THUMBPRINT": '"accept_root": ["THUMBPRINT"]',
    "Is the server of the database running, and is the setting database_url right?": "Try again in a moment.",
}
# What only whoever runs the server can mend: commands and settings are told to nobody else.
FOR_THE_OPERATOR = (
    "key-unusable",
    "clock-in-doubt",
    "not-set-up",
    "settings-invalid",
    "demonstration-only",
    "no-home",
    "no-locks",
    "database-lost",
    "database-behind",
    "log-not-intact",
)
TELL_THE_OPERATOR = "Tell whoever runs this server: carnet-authority doctor says there what is wrong."


def hint_over_http(code: str, hint: str) -> str:
    """The hint in the words of HTTP: routes and members of bodies in place of commands and options."""
    return hint_in(OVER_HTTP, code, hint)


def hint_in(words: Mapping[str, str], code: str, hint: str) -> str:
    """The hint with other words for those of the terminal; what only whoever runs the server can mend is for them to be told."""
    for of_terminal, others in words.items():
        hint = hint.replace(of_terminal, others)
    # Where a setting may be wrong it is for the operator too, whatever the code.
    return TELL_THE_OPERATOR if code in FOR_THE_OPERATOR or "database_url" in hint else hint


# What is wrong with a value, by the kind of the mistake, where pydantic's own words are those of programs.
MISSING = "It has to be filled in"
SENTENCES = {
    "missing": MISSING,
    "extra_forbidden": "There is nothing of this name",
    "string_type": "It should be a text",
    "int_type": "It should be a whole number",
    "float_type": "It should be a number",
    "float_parsing": "It should be a number",
    "bool_type": "It should be true or false",
    "list_type": "It should be a list",
    "tuple_type": "It should be a list",
    "dict_type": "It should be an object",
    "mapping_type": "It should be an object",
    "model_type": "It should be an object",
    "model_attributes_type": "It should be an object",
    "dataclass_type": "It should be an object",
    "string_pattern_mismatch": "It has another form than /openapi.json describes for it",
    "int_parsing": "It should be a whole number",
    "int_from_float": "It should be a whole number",
    "int_parsing_size": "It should be a smaller number",
    "bool_parsing": "It should be true or false",
    "date_from_datetime_parsing": "It should be a day as 2026-12-31",
    "date_parsing": "It should be a day as 2026-12-31",
}

_OF_A_KIND = re.compile(r"^(?:Input|String|List|Tuple|Set|Dictionary|Data|Value) should")
# So many wrong values are told in the sentence; `errors` has all.
MOST_SAID = 3


def sentence_of(item: ErrorDetails) -> str:
    """What is wrong with one value, without expressions and names of the program."""
    if item["type"] in SENTENCES:
        return SENTENCES[item["type"]]
    sentence = item["msg"].removeprefix("Value error, ")
    return _OF_A_KIND.sub("It should", sentence, count=1).replace(" after validation", "")


def _within(sentence: object) -> str:
    """A sentence in the middle of another."""
    text = str(sentence)
    return text[:1].lower() + text[1:] if text.startswith(("It ", "There ")) else text


def of_values(error: ValidationError) -> Problem:
    """What pydantic found; the values themselves are not repeated, they may be secrets."""
    errors = [
        {"name": ".".join(str(part) for part in item["loc"]), "message": sentence_of(item), "value": None}
        for item in error.errors()
    ]
    said = "; ".join(f"{item['name'] or 'the body'} ({_within(item['message'])})" for item in errors[:MOST_SAID])
    more = f"; and {len(errors) - MOST_SAID} more" if len(errors) > MOST_SAID else ""
    return Problem(400, "invalid-input", f"not understood: {said}{more}", "Correct the named values and try again.", errors)


class InvalidValues(BadRequest):
    """What a person sent makes no sense, or what stands in an address; `error` says of each value why."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__()
        self.error = error


def of_refusal(error: Refusal) -> Problem:
    """A refusal with its status and evidence."""
    errors = [{"name": name, "message": None, "value": value} for name, value in error.evidence.items()]
    seconds = error.seconds if isinstance(error, TooManyRequests) else RETRY_AFTER_SECONDS
    headers = {"Retry-After": str(seconds)} if error.code in PASSING else None
    return Problem(STATUS.get(error.code, 500), error.code, _without_driver(error), error.hint, errors, headers)


def _without_driver(error: Refusal) -> str:
    """The sentence without what a driver said: it names address and user of the database, and anybody may read the answer."""
    return error.message.partition(": ")[0] if error.code == StorageUnavailable.code else error.message


def of_http(error: HTTPException) -> Problem:
    """What HTTP itself refuses."""
    if isinstance(error, InvalidValues):
        return of_values(error.error)
    status = error.code or 500
    code, hint = HTTP_CODES.get(status, ("http-error", "See the status."))
    headers: dict[str, str] = {}
    if isinstance(error, RequestTimeout):
        headers["Connection"] = "close"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return Problem(status, code, f"{request.method} {request.path}: {HTTPStatus(status).phrase}", hint, headers=headers)


def invalid(error: ValidationError) -> Response:
    """What pydantic found in the request of a program, as its answer."""
    request.environ[noting.CODE] = (problem := of_values(error)).code
    return json_of(problem)


def register(app: Flask, answer: Callable[[Problem], Response]) -> None:
    """Makes every error of the application a problem, which `answer` makes a response."""

    @app.errorhandler(Refusal)
    def refused(error: Refusal) -> Response:
        if error.code == StorageUnavailable.code:
            server_log.tell(f"request {g.get('request_id', '')}", error.message)
        return answer(of_refusal(error))

    @app.errorhandler(OSError)
    def machine(error: OSError) -> Response:
        return answer(of_refusal(refusal_of(error, error.filename or "a file", "used")))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if error.response is not None:
            return error.response  # type: ignore[return-value]
        return answer(of_http(error))

    @app.errorhandler(RecursionError)
    def too_deep(_: RecursionError) -> Response:
        code, hint = HTTP_CODES[400]
        return answer(Problem(400, code, "the body is nested too deeply", hint))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        # The operator finds the cause by this id.
        server_log.write("request", error, g.get("request_id", ""))
        return answer(Problem(500, "internal-error", "something went wrong here", "Tell the administrator the request_id."))
