"""/borrows and /check-ins."""

from itertools import islice
from typing import Annotated, Literal, cast

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from authority.domain.borrows import BorrowState
from authority.presentation import sheets
from authority.presentation.borrows import Borrows, BorrowShown, EndedBorrow, EndedBorrows, IssuedBorrow, issued_json
from authority.services import borrow, clock_resets, endings
from authority.storage.borrows import Filter
from authority.web.access import publish_soon, unit
from authority.web.answers import JSON, json_of, sheet
from authority.web.api.forms import (
    ALSO_CSV,
    COMPACT,
    Body,
    Id,
    IdCursor,
    Ids,
    ListFormat,
    Name,
    PageQuery,
    Problem,
    Several,
    Text,
    file_answer,
    wants_csv,
)

api = APIBlueprint(
    "borrows", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 409: Problem}
)

BORROW_FILE = file_answer("borrow", authorization=COMPACT, borrow=COMPACT, status_list={"anyOf": [COMPACT, {"type": "null"}]})


CLOCK_FILE = file_answer("clock-reset", authorization=COMPACT, reset=COMPACT)


class BorrowRequest(Body):
    request: str = Field(max_length=8192, description="the compact borrow-request+jwt of a request file")
    member: Name | None = Field(None, description="for whom, when an administrator sends it")
    days: int | None = Field(None, ge=1, le=36_500, description="how long, where the request does not say")
    dry_run: bool = Field(False, description="true: say what would be issued or why not, and issue nothing")


class CheckIn(Body):
    receipt: str = Field(max_length=8192, description="the compact return-receipt+jwt of a return file")


Reason = Annotated[str, Field(max_length=500)]
AcceptOverlap = Annotated[bool, Field(description="true: I know that the lost copy can run until expires_at")]
DryRun = Annotated[bool, Field(description="true: make every check, and change nothing")]


class Revocation(Body):
    reason: Reason
    dry_run: DryRun = False


class Release(Body):
    reason: Reason
    accept_overlap: AcceptOverlap = False
    dry_run: DryRun = False


class Revocations(Several):
    ids: Ids
    reason: Reason


class Releases(Several):
    ids: Ids
    reason: Reason
    accept_overlap: AcceptOverlap = False


class ClockReset(Body):
    code: str = Field(max_length=64, description="what carnet clock shows on that machine")
    reason: Reason


class BorrowPath(BaseModel):
    borrow_id: Id


class BorrowQuery(PageQuery):
    state: BorrowState | None = None
    search: Name | None = Field(None, description="a part of the user name, the full name or a group, whatever its case")
    member: Name | None = None
    product: Text | None = Field(None, max_length=64)
    machine: Text | None = Field(None, max_length=256, description="machine id, or a part of the alias, whatever its case")
    group: Name | None = Field(None, description="of members of this group")
    type: Text | None = Field(None, max_length=64, description="of members of this user type")
    sort: Literal["newest", "due"] = Field("newest", description="due: those that end first come first")
    clones: bool = Field(False, description="true: those whose machine may be two")
    cursor: IdCursor | None = None
    limit: int = Field(100, ge=1, le=1000, description="of a page; CSV has all rows unless a limit is given")
    format: ListFormat | None = Field(None, description="in place of the header Accept")


class BorrowList(Borrows):
    """A page of borrows, the newest first; as CSV all of them."""

    model_config = cast("ConfigDict", ALSO_CSV)


@api.post("/borrows", summary="Borrow or renew", responses={201: IssuedBorrow, 200: IssuedBorrow})
def issue(body: BorrowRequest) -> Response:
    """201 with a new borrow; 200 with the same file when this very request was answered before, and with dry_run, without a file."""
    work = unit()
    issued = borrow.issue(work, body.request, body.member, days=body.days, dry_run=body.dry_run)
    if body.dry_run:
        return json_of(IssuedBorrow(borrow=BorrowShown.of(issued.borrow, work.now), file=None))
    answer = issued_json(issued.borrow, issued.file, work.now)
    return Response(answer, 201 if issued.is_new else 200, content_type=JSON)


@api.get(
    "/borrows",
    summary="Borrows: who is offline, since and until when, and what ended",
    responses={200: BorrowList, 404: Problem},
)
def listed(query: BorrowQuery) -> Response:
    """Those that ended too, unless a state is asked for. A member sees their own. As text/csv: all of them, for a spreadsheet."""
    wanted = Filter(
        query.state,
        query.member,
        query.product,
        query.machine,
        query.cursor,
        query.limit,
        search=query.search,
        group=query.group,
        user_type=query.type,
        by_end=query.sort == "due",
        clones=query.clones,
    )
    work = unit()
    if wants_csv(query.format):
        limit = query.limit if "limit" in query.model_fields_set else None
        borrows = islice(borrow.every(work, wanted), limit)
        # As of the first page, which is read by now.
        now = work.now
        rows = (BorrowShown.of(item, now) for item in borrows)
        return sheet(sheets.lines_of(BorrowShown, rows), "borrows.csv")
    page, cursor = borrow.listed(work, wanted)
    return json_of(Borrows.of(page, cursor, work.now))


@api.get("/borrows/<borrow_id>", summary="One borrow", responses={200: BorrowShown, 404: Problem})
def show(path: BorrowPath) -> Response:
    """A member sees only their own."""
    work = unit()
    return json_of(BorrowShown.of(borrow.show(work, path.borrow_id), work.now))


@api.get("/borrows/<borrow_id>/file", summary="The borrow file again", responses={200: BORROW_FILE, 404: Problem})
def file(path: BorrowPath) -> Response:
    """The file of the latest token, byte for byte as it was given."""
    return Response(borrow.newest_file(unit(), path.borrow_id), content_type=JSON)


@api.post("/borrows/<borrow_id>/revoke", summary="Withdraw a borrow", responses={200: EndedBorrow, 404: Problem})
def revoke(path: BorrowPath, body: Revocation) -> Response:
    """Its seat stays taken until it ends, because the copy may still run until then."""
    work = unit()
    outcomes = endings.revoke_several(work, [path.borrow_id], body.reason, dry_run=body.dry_run)
    publish_soon()
    return json_of(EndedBorrow.of(outcomes[0].done(), work.now, dry_run=body.dry_run))


@api.post("/borrows/revoke", summary="Withdraw several borrows", responses={200: EndedBorrows, 404: Problem})
def revoke_several(body: Revocations) -> Response:
    """All or none, or one by one; the seat of each stays taken until it ends."""
    work = unit()
    outcomes = endings.revoke_several(work, body.ids, body.reason, one_by_one=body.one_by_one, dry_run=body.dry_run)
    publish_soon()
    return json_of(EndedBorrows.of(outcomes, work.now, dry_run=body.dry_run))


@api.post("/borrows/<borrow_id>/release", summary="Free the seat of a lost machine", responses={200: EndedBorrow, 404: Problem})
def release(path: BorrowPath, body: Release) -> Response:
    """Frees the seat at once; until expires_at the lost copy can still run beside the new one."""
    work = unit()
    outcomes = endings.release_several(
        work, [path.borrow_id], body.reason, accept_overlap=body.accept_overlap, dry_run=body.dry_run
    )
    publish_soon()
    return json_of(EndedBorrow.of(outcomes[0].done(), work.now, dry_run=body.dry_run))


@api.post("/borrows/release", summary="Free the seats of several lost machines", responses={200: EndedBorrows, 404: Problem})
def release_several(body: Releases) -> Response:
    """All or none, or one by one; each needs accept_overlap, in a dry run too, and a refusal says until when the lost copy can run."""
    work = unit()
    outcomes = endings.release_several(
        work,
        body.ids,
        body.reason,
        accept_overlap=body.accept_overlap,
        one_by_one=body.one_by_one,
        dry_run=body.dry_run,
    )
    publish_soon()
    return json_of(EndedBorrows.of(outcomes, work.now, dry_run=body.dry_run))


@api.post(
    "/borrows/<borrow_id>/clock-reset",
    summary="Let a workstation forget a wrong time",
    responses={200: CLOCK_FILE, 404: Problem},
)
def clock_reset(path: BorrowPath, body: ClockReset) -> Response:
    """A file of the kind clock-reset for the machine of the borrow, which works there once; it is in the log."""
    return Response(clock_resets.make(unit(), path.borrow_id, body.code, body.reason), content_type=JSON)


@api.post("/check-ins", summary="Check a borrow in", responses={200: EndedBorrow, 404: Problem})
def check_in(body: CheckIn) -> Response:
    """Frees the seat; the same receipt again changes nothing. Of a borrow that ended in another way it is taken too."""
    work = unit(open_over_limit=True)
    ended = endings.check_in(work, body.receipt)
    publish_soon()
    return json_of(EndedBorrow.of(ended, work.now))
