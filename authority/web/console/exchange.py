"""Exchange: files that came on a medium, and what is answered to them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Annotated

from flask import Blueprint, Response, request
from pydantic import Field
from werkzeug.datastructures import FileStorage

from authority.domain.plurals import counted
from authority.domain.refusals import InvalidInput
from authority.presentation.borrows import BorrowShown
from authority.presentation.exchange import FileShown
from authority.presentation.qr import picture
from authority.presentation.several import rows_of
from authority.services import clock_resets, endings, exchange, overview, status_lists
from authority.services.exchange import File
from authority.web.access import publish_soon
from authority.web.answers import carried
from authority.web.console.forms import Form, Text, read
from authority.web.console.frame import page, shown_again
from authority.web.console.visiting import unit, visitor

pages = Blueprint("exchange", __name__)

MOST_FILES = 50
PICTURES = {"svg": "image/svg+xml", "png": "image/png"}
# Of the signed text of a request or receipt, as over HTTP.
Signed = Annotated[str, Field(max_length=8192)]
LONGEST_FILE = 16_384
# So many characters of other files stand in the forms of a page, which stays small.
MOST_CARRIED = 60_000


class Upload(Form):
    member: Text | None = None
    pasted: str = Field("", max_length=LONGEST_FILE)
    # What was looked at before beside a request that named nobody, each file with its name.
    others: list[Annotated[str, Field(max_length=LONGEST_FILE)]] = Field(default_factory=list, max_length=MOST_FILES)
    names: list[str] = Field(default_factory=list, max_length=MOST_FILES)


class Choice(Form):
    requests: list[Signed] = Field(default_factory=list, max_length=MOST_FILES)
    receipts: list[Signed] = Field(default_factory=list, max_length=MOST_FILES)
    member: Text | None = None


class Clock(Form):
    code: Text = ""
    clock_member: Text | None = None
    reason: str = Field("", max_length=2 * endings.LONGEST_REASON)


@pages.get("/exchange")
def index() -> Response:
    """Where files are given in, and what can be taken along."""
    return page("exchange.html")


@pages.post("/exchange")
@shown_again(index)
def look() -> Response:
    """What each of the files is, whose, and what would be done with it; nothing is changed."""
    form, work = read(Upload), unit()
    before = list(zip(form.names, (other.encode("utf-8", "surrogatepass") for other in form.others), strict=False))
    looks = exchange.look(work, [*before, *uploaded(form.pasted)], form.member, is_own=False)
    files = FileShown.of_all(looks, work.now)
    ready = [file for file in files if file.refusal is None and _can_be_done(file)]
    nobodys = _again([file for file in files if _is_nobodys(file) and not file.borrow])
    # These are judged alike for whomever the others are.
    others = _again([file for file in ready if not _is_nobodys(file)])
    if len(nobodys) * sum(len(whole) for _, whole in others) > MOST_CARRIED:
        others = []
    return page(
        "exchange_files.html",
        nobodys=nobodys,
        others=others,
        files=files,
        ready=len(ready),
        member=form.member or "",
        doubled=_doubled(ready),
    )


def _again(files: Sequence[FileShown]) -> list[tuple[str, str]]:
    """The names of the files, and what is in each, to be given in once more."""
    return [(file.name, exchange.whole_file(file.kind or "", file.text)) for file in files]


def _can_be_done(file: FileShown) -> bool:
    """True of a request, and of a receipt that was not checked in before."""
    return file.kind == "request" or (file.kind == "return" and file.borrow is not None and file.borrow.state != "checked-in")


def _is_nobodys(file: FileShown) -> bool:
    """True of a request that does not say who asks."""
    return bool(file.kind == "request" and file.carried and file.carried.request and not file.carried.request.member)


def _doubled(files: Sequence[FileShown]) -> set[str]:
    """The requests for what another one before them is for already: only the first of them can be issued."""
    wanted, doubled = set(), set()
    for file in files:
        if file.kind == "request" and file.borrow and not file.was_answered:
            key = file.borrow.member, file.borrow.product
            if key in wanted:
                doubled.add(file.text)
            wanted.add(key)
    return doubled


def uploaded(pasted: str = "") -> list[File]:
    """The files that came with this form, each with its name. Raises InvalidInput when there is none, or too many."""
    files = [_read(file) for file in request.files.getlist("files") if file.filename]
    if pasted.strip():
        files.append(("what was pasted", pasted.encode("utf-8", "surrogatepass")))
    if not files:
        raise InvalidInput("no file was chosen", hint="Choose one or several, or drop them on the field.", about="file")
    if len(files) > MOST_FILES:
        raise InvalidInput(f"these are {len(files)} files, at most {MOST_FILES} are taken at once", about="file")
    return files


def _read(file: FileStorage) -> File:
    # A large one was put on the disk.
    with contextlib.closing(file):
        return file.filename or "no name", file.read()


@pages.post("/exchange/done")
@shown_again(index)
def do() -> Response:
    """Issues the requests and checks the receipts in that were ticked, each by itself."""
    form, work = read(Choice), unit()
    if not form.requests and not form.receipts:
        raise InvalidInput("no file was ticked", hint="Give the files in again, and tick what is to be done.")
    issued = exchange.issue(work, form.requests, form.member)
    ended = exchange.check_in(work, form.receipts)
    publish_soon()
    answers = rows_of(issued, lambda _: {}, "borrow", lambda item: BorrowShown.of(item.borrow, work.now))
    receipts = rows_of(ended, lambda _: {}, "borrow", lambda item: BorrowShown.of(item, work.now))
    return page("exchange_done.html", answers=answers, receipts=receipts, title=_title(answers, receipts))


def _title(answers: Sequence[dict[str, object]], receipts: Sequence[dict[str, object]]) -> str:
    parts = []
    if answers:
        parts.append(f"{counted(sum(bool(row['ok']) for row in answers), 'borrow')} issued")
    if receipts:
        parts.append(f"{counted(sum(bool(row['ok']) for row in receipts), 'license')} given back")
    return ", ".join(parts)


@pages.post("/exchange/clock")
@shown_again(index)
def clock() -> Response:
    """The file that lets the machine that shows the code forget, once, what its clock showed."""
    form, work = read(Clock), unit()
    if not form.code:
        raise InvalidInput("no code was typed", hint="carnet clock shows it on the machine.", about="code")
    borrow = clock_resets.machine_of(work, form.code, form.clock_member)
    data = clock_resets.make(work, borrow.id, form.code, form.reason)
    return carried(data, borrow.member, borrow.machine.alias or borrow.product, ending="clock")


@pages.get("/exchange/trust")
def trust() -> Response:
    """The trust file, which workstations install first."""
    return carried(overview.trust_file(unit()), visitor().organization, ending="trust")


@pages.get("/exchange/trust.svg", defaults={"kind": "svg"})
@pages.get("/exchange/trust.png", defaults={"kind": "png"})
def trust_picture(kind: str) -> Response:
    """The trust file as a QR code; where it is too large, the file."""
    data = overview.trust_file(unit())
    code = picture(data, kind)
    if code is None:
        return carried(data, visitor().organization, ending="trust")
    return Response(code, content_type=PICTURES[kind])


@pages.post("/exchange/status")
def status() -> Response:
    """A status list with everything that ended so far, published now when one is due."""
    return carried(status_lists.export(unit(once=False)), visitor().organization, ending="status")
