"""/members/NAME/sign-ins: where members are signed in, for administrators."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import Field

from authority.presentation.sign_ins import EndedSignIns, SignIns
from authority.services import access
from authority.web.access import unit
from authority.web.answers import json_of
from authority.web.api.forms import Id, IdCursor, MemberPath, PageQuery, Problem, Query

api = APIBlueprint(
    "sign_ins", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 404: Problem}
)


class SignInQuery(PageQuery):
    cursor: IdCursor | None = None


class EndQuery(Query):
    dry_run: bool = Field(False, description="true: say which would be ended, and change nothing")


class SignInPath(MemberPath):
    sign_in_id: Id


@api.get("/members/<username>/sign-ins", summary="Where a member is signed in", responses={200: SignIns})
def listed(path: MemberPath, query: SignInQuery) -> Response:
    """Newest first; those that ended are left out. Everyone sees their own."""
    return json_of(SignIns.of(*access.sign_ins_of(unit(), path.username, query.cursor, query.limit)))


@api.delete("/members/<username>/sign-ins", summary="Sign a member out everywhere", responses={200: EndedSignIns})
def end_all(path: MemberPath, query: EndQuery) -> Response:
    """API keys are revoked by themselves, and licenses that are out offline stay good."""
    return json_of(EndedSignIns.of(access.end_sign_ins(unit(), path.username, dry_run=query.dry_run)))


@api.delete("/members/<username>/sign-ins/<sign_in_id>", summary="End a sign-in of a member", responses={200: EndedSignIns})
def end_one(path: SignInPath, query: EndQuery) -> Response:
    """Once more changes nothing."""
    return json_of(EndedSignIns.of(access.end_sign_ins(unit(), path.username, [path.sign_in_id], dry_run=query.dry_run)))
