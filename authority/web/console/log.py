"""Log: what happened, found by who, what and when, one event in full, and all of it as a file."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from typing import Annotated, Any

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.domain.events import EventKind, UseMode
from authority.domain.refusals import InvalidInput
from authority.presentation import event_words, parquet, sheets
from authority.presentation.log import Events, EventShown, event_of, with_texts
from authority.presentation.log_seal import SealShown, VerificationShown
from authority.services import log, log_verification, seals
from authority.services.pages import Place
from authority.storage.events import Filter
from authority.web.answers import JSON, sheet
from authority.web.console.forms import Form, Id, Text, as_typed, read
from authority.web.console.frame import address_of, here, page, shown_again
from authority.web.console.visiting import unit, visitor

pages = Blueprint("log", __name__)

ON_A_PAGE = 100
# So many rows are verified within a second or two.
ROWS_AT_ONCE = 20_000
# Filters that are folded until one is used.
NARROWING = ("actor", "machine", "handle", "reason", "hours", "since", "until", "oldest")
FORMATS = {"csv": "CSV", "jsonl": "JSON lines", "parquet": "Parquet"}
COLUMNS = tuple(EventShown.model_fields)
ALWAYS_THERE = ("id", "at", "kind", "actor", "quantity")
LARGEST_NUMBER = 2**63 - 1
# Days that have one before and after them.
Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(9998, 12, 31))]


class Filters(Form):
    kind: EventKind | None = None
    member: Text | None = None
    actor: Text | None = None
    product: Text | None = None
    machine: Text | None = None
    handle: Id | None = None
    reason: Text | None = None
    hours: int | None = Field(None, ge=1, le=876_000)
    since: Day | None = None
    until: Day | None = None
    oldest: bool = False
    # The number of the last event of the page before.
    cursor: str | None = None

    def wanted(self, now: datetime) -> Filter:
        """The events that are wanted, so many on a page; days are whole ones, in UTC."""
        last = None if self.cursor is None else _number(self.cursor)
        return Filter(
            kinds=None if self.kind is None else (self.kind,),
            actor=self.actor,
            product=self.product,
            machine=self.machine,
            handle=self.handle,
            reason=self.reason,
            since=self._since(now),
            until=None if self.until is None else _midnight(self.until + timedelta(days=1)),
            after=last if self.oldest else None,
            before=None if self.oldest else last,
            newest=not self.oldest,
            limit=ON_A_PAGE,
        )

    def _since(self, now: datetime) -> datetime | None:
        """The later of the day and the hours."""
        day = None if self.since is None else _midnight(self.since)
        # The hour began just after that moment, as the figures of the first page have it.
        hour = None if self.hours is None else now - timedelta(hours=self.hours, microseconds=-1)
        return max((at for at in (day, hour) if at is not None), default=None)


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len(str(LARGEST_NUMBER)) or int(text) > LARGEST_NUMBER:
        raise InvalidInput("this is the cursor of no page of this list", hint="Begin again without a cursor.")
    return int(text)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _list(events: Events | None, place: Place | None = None) -> Response:
    """The list; without events, where something is wrong with the filters, the form alone."""
    typed = as_typed(Filters, request.args)
    return page(
        "log.html",
        events=events,
        place=place,
        wanted=typed,
        is_filtered=any(typed[name] for name in typed if name not in ("oldest", "cursor")),
        is_narrowed=any(typed[name] for name in NARROWING),
        kinds=sorted(((str(kind), event_words.what(kind)) for kind in EventKind), key=itemgetter(1)),
        products=list(visitor().products.items()),
        files=[(text, here({}, url_for("console.log.listed_as", ending=ending))) for ending, text in FORMATS.items()],
        checkouts=[(text, url_for("console.log.checkouts_as", ending=ending)) for ending, text in FORMATS.items()],
    )


def _form_alone() -> Response:
    return _list(None)


@pages.get("/log")
@shown_again(_form_alone)
def index() -> Response:
    """A page of the events that fit the filters, the newest first unless the oldest are wanted."""
    filters, work = read(Filters, request.args), unit()
    wanted = filters.wanted(visitor().now)
    events = Events.of(log.listed(work, wanted, filters.member), ON_A_PAGE)
    return _list(events, log.place(work, wanted, filters.member))


class Part(Form):
    # Whether to verify now, and which part: the one that ends at this row, or else the newest.
    verify: bool = False
    up_to: Annotated[int, Field(ge=1, le=LARGEST_NUMBER)] | None = None


@pages.get("/log/seal")
def seal() -> Response:
    """How far the log is sealed, and when asked whether a part of it is what was sealed; changes nothing."""
    part, work = read(Part, request.args), unit()
    verification = log_verification.verify_part(work, ROWS_AT_ONCE, part.up_to) if part.verify else None
    return page(
        "log_seal.html",
        state=SealShown.of(seals.state(work)),
        verification=None if verification is None else VerificationShown.of(verification),
        rows_at_once=ROWS_AT_ONCE,
    )


@pages.get("/log/seal/newest.checkpoint")
def checkpoint() -> Response:
    """The newest signed checkpoint, to be kept elsewhere."""
    newest, data = seals.checkpoint_file(unit())
    return _attached(data, JSON, f"log-{newest.number}.checkpoint")


@pages.get(f"/log/<int(max={LARGEST_NUMBER}):event_id>")
def show(event_id: int) -> Response:
    """One event with all that is kept of it."""
    event = event_of(log.show(unit(), event_id))
    is_borrow = event.mode == UseMode.BORROW and event.handle is not None and address_of("offline")
    return page(
        "log_one.html",
        event=event,
        borrow=url_for("console.offline.show", borrow_id=event.handle) if is_borrow else "",
        may_be_code=event.kind == EventKind.DENIAL,
    )


@pages.get("/log/listed.<any(csv,jsonl,parquet):ending>")
def listed_as(ending: str) -> Response:
    """All events that fit the filters, with all their columns, in one of the formats."""
    filters = read(Filters, request.args)
    rows = log.every(unit(), filters.wanted(visitor().now), filters.member)
    return _file(ending, "log", rows, COLUMNS, ALWAYS_THERE)


@pages.get("/log/checkouts.<any(csv,jsonl,parquet):ending>")
def checkouts_as(ending: str) -> Response:
    """The checkout log that analysts load, whole, in one of the formats."""
    return _file(ending, "checkout-log", log.checkout_log(unit()), log.COLUMNS, parquet.ALWAYS_THERE)


def _file(
    ending: str, name: str, rows: Iterator[dict[str, Any]], columns: Sequence[str], always_there: Sequence[str]
) -> Response:
    if ending == "parquet":
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "log.parquet")
            parquet.write(path, rows, columns, always_there)
            return _attached(path.read_bytes(), "application/vnd.apache.parquet", f"{name}.parquet")
    # The first is read by now, so that who may not read them is refused before an answer has begun.
    texts = map(with_texts, chain(list(islice(rows, 1)), rows))
    if ending == "csv":
        return sheet(sheets.lines(columns, texts), f"{name}.csv")
    lines = (json.dumps({column: row[column] for column in columns}, ensure_ascii=False) + "\n" for row in texts)
    return _attached(lines, "application/jsonl", f"{name}.jsonl")


def _attached(data: bytes | Iterable[str], content_type: str, name: str) -> Response:
    return Response(data, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})
