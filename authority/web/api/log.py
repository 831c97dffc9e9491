"""/events and /checkout-log: what happened, for administrators and analysts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from authority.presentation import parquet, sheets
from authority.presentation.log import Events, EventShown, event_of, with_texts
from authority.presentation.log_seal import SealShown, VerificationShown
from authority.services import log, log_verification, seals
from authority.storage.events import Filter
from authority.web.access import unit
from authority.web.answers import conditional, digest, json_of, sheet
from authority.web.api.forms import Id, Moment, Name, PageQuery, Problem, Query, Text

api = APIBlueprint("log", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem})

Number = Annotated[int, Field(ge=0, le=2**63 - 1)]
MOST_ROWS = 100_000
# What takes a second or so.
MOST_VERIFIED = 10_000
BINARY = "application/vnd.apache.parquet"
LINES = "application/jsonl"
CHECKOUT_LOG: dict[str, Any] = {
    "description": "rows of the checkout log (docs/analytics.md), in the form that was asked for",
    "content": {
        LINES: {"schema": {"type": "string"}},
        "text/csv": {"schema": {"type": "string"}},
        BINARY: {"schema": {"type": "string", "format": "binary"}},
    },
}


class EventQuery(PageQuery):
    after: Number | None = Field(None, description="number of the last event known: those that follow")
    before: Number | None = Field(None, description="number of an event: those before it")
    newest: bool = Field(False, description="true: the newest first, and `next` goes with before")
    kind: Text | None = Field(None, max_length=32)
    member: Name | None = Field(None, description="about this member")
    actor: Name | None = Field(None, description="done by this member; console and time are no members")
    product: Text | None = Field(None, max_length=64)
    machine: Text | None = Field(None, max_length=256, description="machine id or alias")
    handle: Id | None = Field(None, description="of this borrow or session")
    reason: Text | None = Field(None, max_length=256, description="what is said about it, as the code of a refusal; the whole")
    since: Moment | None = Field(None, description="RFC 3339; at that time or later")
    until: Moment | None = Field(None, description="RFC 3339; before that time")


class VerificationQuery(Query):
    rows: int = Field(2000, ge=1, le=MOST_VERIFIED, description="about so many rows")
    up_to: Number | None = Field(None, description="number of the last row of the part; default: the newest")


class EventPath(BaseModel):
    event_id: Number


class CheckoutLogQuery(Query):
    format: Literal["jsonl", "csv", "parquet"] = "jsonl"
    after: Number = Field(0, description="`line` of the last row known: those that follow")
    limit: int = Field(MOST_ROWS, ge=1, le=MOST_ROWS, description="fewer rows than that: there are no more yet")


@api.get("/events", summary="The log", responses={200: Events, 404: Problem})
def events(query: EventQuery) -> Response:
    """Oldest first unless `newest`; `next` is the number to go on with, null when there is nothing more yet."""
    wanted = Filter(
        kinds=None if query.kind is None else (query.kind,),
        limit=query.limit,
        **query.model_dump(
            include={"actor", "product", "machine", "handle", "reason", "since", "until", "after", "before", "newest"}
        ),
    )
    return json_of(Events.of(log.listed(unit(), wanted, query.member), query.limit))


@api.get("/events/checkpoint", summary="The newest checkpoint of the log's seal", responses={200: SealShown, 304: None})
def checkpoint() -> Response:
    """How far the log is sealed, and the signed checkpoint as a file: kept elsewhere, it shows later what was cut off.

    The entity tag is that of the checkpoint: with If-None-Match 304 says that there is no newer one.
    """
    state = seals.state(unit())
    response = json_of(SealShown.of(state))
    tag = digest(b"" if state.newest is None else state.newest.compact.encode())
    response.set_etag(tag, weak=True)
    return conditional(response, tag)


@api.get("/events/verification", summary="Whether the log is what was sealed", responses={200: VerificationShown})
def verification(query: VerificationQuery) -> Response:
    """A part of the log, by its seal: 200 whatever comes of it, and `ok` says whether anything is wrong.

    The newest rows, or those up to `up_to`; to go on before them ask for `up_to` = `after` of the answer, until `after` is 0 or does not
    change. A part begins and ends with a checkpoint.
    """
    part = log_verification.verify_part(unit(), query.rows, query.up_to)
    return json_of(VerificationShown.of(part))


@api.get("/events/<event_id>", summary="One event", responses={200: EventShown, 404: Problem})
def event(path: EventPath) -> Response:
    """With all its columns."""
    return json_of(event_of(log.show(unit(), path.event_id)))


@api.get("/checkout-log", summary="The checkout log, for analysts", responses={200: CHECKOUT_LOG, 503: Problem})
def checkout_log(query: CheckoutLogQuery) -> Response:
    """One row for each level and extension of each event, oldest first, as JSON lines, CSV or Parquet."""
    rows = islice(log.checkout_log(unit(), query.after), query.limit)
    if query.format == "parquet":
        return Response(
            _parquet(rows), content_type=BINARY, headers={"Content-Disposition": 'attachment; filename="log.parquet"'}
        )
    first = next(rows, None)
    texts = map(with_texts, () if first is None else _chained(first, rows))
    if query.format == "csv":
        return sheet(sheets.lines(log.COLUMNS, texts), "log.csv")
    return Response((json.dumps(row, ensure_ascii=False) + "\n" for row in texts), content_type=LINES)


def _chained(first: dict[str, Any], rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All rows; the first is read by now, so that who may not read them is refused before an answer has begun."""
    yield first
    yield from rows


def _parquet(rows: Iterable[dict[str, Any]]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log.parquet")
        parquet.write(path, rows)
        return path.read_bytes()
