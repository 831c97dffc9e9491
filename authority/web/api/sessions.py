"""/sessions."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from authority.presentation.sessions import EndedSession, EndedSessions, Sessions, SessionShown, StartedSession, started_json
from authority.services import sessions
from authority.storage.sessions import Filter
from authority.web.access import unit
from authority.web.answers import JSON, json_of
from authority.web.api.forms import Body, DryRunQuery, Id, IdCursor, Ids, Name, PageQuery, Problem, Several, Text

api = APIBlueprint(
    "sessions", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 409: Problem}
)


class SessionRequest(Body):
    request: str = Field(max_length=8192, description="the compact session-request+jwt, signed by the machine key")


class SessionPath(BaseModel):
    session_id: Id


class Endings(Several):
    ids: Ids


class SessionQuery(PageQuery):
    member: Name | None = None
    product: Text | None = Field(None, max_length=64)
    ended: bool = Field(False, description="true: also those that ended and hold no seat")
    cursor: IdCursor | None = None


@api.post("/sessions", summary="Start a session", responses={201: StartedSession, 200: StartedSession, 404: Problem})
def start(body: SessionRequest) -> Response:
    """201 with a new session; 200 with the one that is active on this computer, used again."""
    work = unit()
    started = sessions.start(work, body.request)
    answer = started_json(started.session, started.grant, work.now)
    return Response(answer, 201 if started.is_new else 200, content_type=JSON)


@api.get("/sessions", summary="Who is connected, on which computer", responses={200: Sessions, 404: Problem})
def listed(query: SessionQuery) -> Response:
    """The active ones and those whose seats are still taken, newest first. A member sees their own."""
    wanted = Filter(query.member, query.product, query.ended, query.cursor, query.limit, holding=True)
    work = unit()
    page, cursor = sessions.listed(work, wanted)
    return json_of(Sessions.of(page, cursor, work.now))


@api.get("/sessions/<session_id>", summary="One session", responses={200: SessionShown, 404: Problem})
def show(path: SessionPath) -> Response:
    """A member sees only their own."""
    work = unit()
    return json_of(SessionShown.of(sessions.show(work, path.session_id), work.now))


@api.post("/sessions/<session_id>/renew", summary="Use a session", responses={200: StartedSession, 404: Problem})
def renew(path: SessionPath, body: SessionRequest) -> Response:
    """It is active for another while, and there is a new grant; the request is one of the machine that started it."""
    work = unit()
    started = sessions.renew(work, path.session_id, body.request)
    return Response(started_json(started.session, started.grant, work.now), content_type=JSON)


@api.delete("/sessions/<session_id>", summary="End your own session", responses={200: EndedSession, 404: Problem})
def check_in(path: SessionPath, query: DryRunQuery) -> Response:
    """There is no new grant; its seats are free when the last one has ended. Once more changes nothing."""
    work = unit(open_over_limit=True)
    ended = sessions.check_in(work, path.session_id, dry_run=query.dry_run)
    return json_of(EndedSession.of(ended, work.now, dry_run=query.dry_run))


@api.post("/sessions/<session_id>/end", summary="End a member's session", responses={200: EndedSession, 404: Problem})
def end(path: SessionPath, query: DryRunQuery) -> Response:
    """There is no new grant; the user is told at the next renewal and can save until save_by."""
    work = unit()
    ended = sessions.end_several(work, [path.session_id], dry_run=query.dry_run)[0].done()
    return json_of(EndedSession.of(ended, work.now, dry_run=query.dry_run))


@api.post("/sessions/end", summary="End several sessions", responses={200: EndedSessions, 404: Problem})
def end_several(body: Endings) -> Response:
    """All or none, or one by one: there is no new grant, and each user has time to save."""
    work = unit()
    outcomes = sessions.end_several(work, body.ids, one_by_one=body.one_by_one, dry_run=body.dry_run)
    return json_of(EndedSessions.of(outcomes, work.now, dry_run=body.dry_run))
