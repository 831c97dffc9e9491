"""/borrows and /check-ins."""

import json
from itertools import islice
from typing import Any

from flask import Response, request
from flask_openapi3.blueprint import APIBlueprint

from authority.presentation import rendering, spreadsheets
from authority.services import borrow, endings
from authority.storage.borrows import Filter
from authority.web.access import authority, unit
from authority.web.api.models.borrows import (
    BorrowPath,
    BorrowQuery,
    BorrowRequest,
    Borrows,
    BorrowShown,
    CheckIn,
    EndedBorrow,
    IssuedBorrow,
    Release,
    Revocation,
)
from authority.web.api.models.common import FILE, Problem

api = APIBlueprint(
    "borrows", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 409: Problem}
)

AS_SHEET = {
    "Content-Type": "text/csv; charset=utf-8; header=present",
    "Content-Disposition": 'attachment; filename="borrows.csv"',
}


@api.post("/borrows", summary="Borrow or renew", responses={201: IssuedBorrow, 200: IssuedBorrow})
def issue(body: BorrowRequest) -> tuple[dict[str, Any], int]:
    """201 with a new borrow; 200 with the same file when this very request was answered before."""
    issued = borrow.issue(unit(), body.request, body.member)
    shown = rendering.borrow(issued.borrow, authority().now())
    return {"borrow": shown, "file": json.loads(issued.file)}, 201 if issued.is_new else 200


@api.get("/borrows", summary="Who is offline, since and until when", responses={200: Borrows})
def listed(query: BorrowQuery) -> dict[str, Any] | Response:
    """Newest first. A member sees their own. As text/csv: all of them, for a spreadsheet."""
    wanted = Filter(
        query.state,
        query.member,
        query.product,
        query.machine,
        query.cursor,
        query.limit,
        group=query.group,
        user_type=query.type,
    )
    now = authority().now()
    if _wants_csv(query):
        limit = query.limit if "limit" in query.model_fields_set else None
        found = islice(borrow.every(unit(), wanted), limit)
        rows = (rendering.borrow_row(item, now) for item in found)
        return Response(spreadsheets.lines(rendering.BORROW_COLUMNS, rows), headers=AS_SHEET)
    page, cursor = borrow.listed(unit(), wanted)
    return {"items": [rendering.borrow(found, now) for found in page], "next": cursor}


def _wants_csv(query: BorrowQuery) -> bool:
    if query.format is not None:
        return query.format == "csv"
    return request.accept_mimetypes.best_match(["application/json", "text/csv"]) == "text/csv"


@api.get("/borrows/<borrow_id>", summary="One borrow", responses={200: BorrowShown, 404: Problem})
def show(path: BorrowPath) -> dict[str, Any]:
    """A member sees only their own."""
    return rendering.borrow(borrow.show(unit(), path.borrow_id), authority().now())


@api.get("/borrows/<borrow_id>/file", summary="The borrow file again", responses={200: FILE, 404: Problem})
def file(path: BorrowPath) -> Response:
    """The file of the latest token, byte for byte as it was given."""
    data = borrow.newest_file(unit(), path.borrow_id)
    return Response(data, content_type="application/json")


@api.post("/borrows/<borrow_id>/revoke", summary="Withdraw a borrow", responses={200: EndedBorrow, 404: Problem})
def revoke(path: BorrowPath, body: Revocation) -> dict[str, Any]:
    """Its seat stays taken until it ends, because the copy may still run until then."""
    ended = endings.revoke(unit(), path.borrow_id, body.reason)
    return {"borrow": rendering.borrow(ended, authority().now())}


@api.post("/borrows/<borrow_id>/release", summary="Free the seat of a lost machine", responses={200: EndedBorrow, 404: Problem})
def release(path: BorrowPath, body: Release) -> dict[str, Any]:
    """Frees the seat at once; until expires_at the lost copy can still run beside the new one."""
    ended = endings.release(unit(), path.borrow_id, body.reason, accept_overlap=body.accept_overlap)
    return {"borrow": rendering.borrow(ended, authority().now())}


@api.post("/check-ins", summary="Check a borrow in", responses={200: EndedBorrow, 404: Problem})
def check_in(body: CheckIn) -> dict[str, Any]:
    """Frees the seat; the same receipt again changes nothing."""
    ended = endings.check_in(unit(open_over_limit=True), body.receipt)
    return {"borrow": rendering.borrow(ended, authority().now())}
