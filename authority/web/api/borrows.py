"""/borrows and /check-ins."""

from itertools import islice
from typing import Any, Literal, cast

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.data_type import DataType
from flask_openapi3.models.media_type import MediaType
from flask_openapi3.models.schema import Schema
from pydantic import BaseModel, ConfigDict, Field

from authority.domain.borrows import BorrowState
from authority.presentation import sheets
from authority.presentation.borrows import Borrows, BorrowShown, EndedBorrow, IssuedBorrow, issued_json
from authority.services import borrow, endings
from authority.storage.borrows import Filter
from authority.web.access import publish_soon, unit
from authority.web.answers import JSON, json_of, sheet
from authority.web.api.forms import COMPACT, Body, Id, IdCursor, Name, PageQuery, Problem, Text, file_answer

api = APIBlueprint(
    "borrows", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 409: Problem}
)

# The other form in which borrows are listed, for the documentation.
ALSO_CSV: Any = {"openapi_extra": {"content": {"text/csv": MediaType(schema=Schema(type=DataType.STRING))}}}


BORROW_FILE = file_answer("borrow", authorization=COMPACT, borrow=COMPACT, status_list={"anyOf": [COMPACT, {"type": "null"}]})


class BorrowRequest(Body):
    request: str = Field(max_length=8192, description="the compact borrow-request+jwt of a request file")
    member: Name | None = Field(None, description="for whom, when an administrator sends it")


class CheckIn(Body):
    receipt: str = Field(max_length=8192, description="the compact return-receipt+jwt of a return file")


class Revocation(Body):
    reason: str = Field(max_length=500)


class Release(Body):
    reason: str = Field(max_length=500)
    accept_overlap: bool = Field(False, description="true: I know that the lost copy can run until expires_at")


class BorrowPath(BaseModel):
    borrow_id: Id


class BorrowQuery(PageQuery):
    state: BorrowState | None = None
    member: Name | None = None
    product: Text | None = Field(None, max_length=64)
    machine: Text | None = Field(None, max_length=256, description="machine id, or a part of the alias, whatever its case")
    group: Name | None = Field(None, description="of members of this group")
    type: Text | None = Field(None, max_length=64, description="of members of this user type")
    sort: Literal["newest", "due"] = Field("newest", description="due: those that end first come first")
    clones: bool = Field(False, description="true: those whose machine may be two")
    cursor: IdCursor | None = None
    limit: int = Field(100, ge=1, le=1000, description="of a page; CSV has all rows unless a limit is given")
    format: Literal["json", "csv"] | None = Field(None, description="in place of the header Accept")


class BorrowList(Borrows):
    """A page of borrows, the newest first; as CSV all of them."""

    model_config = cast("ConfigDict", ALSO_CSV)


@api.post("/borrows", summary="Borrow or renew", responses={201: IssuedBorrow, 200: IssuedBorrow})
def issue(body: BorrowRequest) -> Response:
    """201 with a new borrow; 200 with the same file when this very request was answered before."""
    work = unit()
    issued = borrow.issue(work, body.request, body.member)
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
        group=query.group,
        user_type=query.type,
        by_end=query.sort == "due",
        clones=query.clones,
    )
    work = unit()
    if _wants_csv(query):
        limit = query.limit if "limit" in query.model_fields_set else None
        borrows = islice(borrow.every(work, wanted), limit)
        # As of the first page, which is read by now.
        now = work.now
        rows = (BorrowShown.of(item, now) for item in borrows)
        return sheet(sheets.lines_of(BorrowShown, rows), "borrows.csv")
    page, cursor = borrow.listed(work, wanted)
    return json_of(Borrows.of(page, cursor, work.now))


def _wants_csv(query: BorrowQuery) -> bool:
    if query.format is not None:
        return query.format == "csv"
    return request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"


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
    ended = endings.revoke(work, path.borrow_id, body.reason)
    publish_soon()
    return json_of(EndedBorrow.of(ended, work.now))


@api.post("/borrows/<borrow_id>/release", summary="Free the seat of a lost machine", responses={200: EndedBorrow, 404: Problem})
def release(path: BorrowPath, body: Release) -> Response:
    """Frees the seat at once; until expires_at the lost copy can still run beside the new one."""
    work = unit()
    ended = endings.release(work, path.borrow_id, body.reason, accept_overlap=body.accept_overlap)
    publish_soon()
    return json_of(EndedBorrow.of(ended, work.now))


@api.post("/check-ins", summary="Check a borrow in", responses={200: EndedBorrow, 404: Problem})
def check_in(body: CheckIn) -> Response:
    """Frees the seat; the same receipt again changes nothing. Of a borrow that ended in another way it is taken too."""
    work = unit(open_over_limit=True)
    ended = endings.check_in(work, body.receipt)
    publish_soon()
    return json_of(EndedBorrow.of(ended, work.now))
