"""/sessions."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from authority.domain.borrows import Demand, Machine, OsUser
from authority.presentation.sessions import EndedSession, Sessions, SessionShown, StartedSession, started_json
from authority.services import sessions
from authority.storage.sessions import Filter
from authority.web.access import unit
from authority.web.answers import JSON, json_of
from authority.web.api.forms import Body, Feature, Features, Id, IdCursor, Label, Name, PageQuery, Problem, ProductId, Text

api = APIBlueprint(
    "sessions", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 409: Problem}
)


class SessionMachine(Body):
    id: str = Field(pattern=r"^[A-Za-z0-9_.:-]{1,128}$")
    source: Label
    alias: Label | None = None
    key: str = Field(pattern=r"^[A-Za-z0-9_-]{43}$", description="RFC 7638 thumbprint of the machine key")


class SessionUser(Body):
    id: str = Field(pattern=r"^(uid:[0-9]{1,10}|sid:S-1-[0-9]{1,15}(-[0-9]{1,10}){1,15})$")
    name: Label


class SessionStart(Body):
    product: ProductId
    level: Feature | None = Field(None, description="default: the assigned one")
    extensions: Features | None = Field(None, description="default: the assigned ones; []: none")
    machine: SessionMachine
    user: SessionUser


class SessionPath(BaseModel):
    session_id: Id


class SessionQuery(PageQuery):
    member: Name | None = None
    product: Text | None = Field(None, max_length=64)
    ended: bool = Field(False, description="true: also those that ended")
    cursor: IdCursor | None = None


@api.post("/sessions", summary="Start a session", responses={201: StartedSession, 200: StartedSession, 404: Problem})
def start(body: SessionStart) -> Response:
    """201 with a new session; 200 with the one that is active on this computer, used again."""
    machine = Machine(body.machine.id, body.machine.source, None, body.machine.alias, body.machine.key)
    user = OsUser(body.user.id, body.user.name)
    extensions = None if body.extensions is None else tuple(body.extensions)
    demand = Demand(product=body.product, level=body.level, extensions=extensions, machine=machine, user=user)
    work = unit()
    started = sessions.start(work, demand)
    answer = started_json(started.session, started.grant, work.now)
    return Response(answer, 201 if started.is_new else 200, content_type=JSON)


@api.get("/sessions", summary="Who is connected, on which computer", responses={200: Sessions, 404: Problem})
def listed(query: SessionQuery) -> Response:
    """The active ones, newest first. A member sees their own."""
    wanted = Filter(query.member, query.product, query.ended, query.cursor, query.limit)
    work = unit()
    page, cursor = sessions.listed(work, wanted)
    return json_of(Sessions.of(page, cursor, work.now))


@api.get("/sessions/<session_id>", summary="One session", responses={200: SessionShown, 404: Problem})
def show(path: SessionPath) -> Response:
    """A member sees only their own."""
    work = unit()
    return json_of(SessionShown.of(sessions.show(work, path.session_id), work.now))


@api.post("/sessions/<session_id>/renew", summary="Use a session", responses={200: StartedSession, 404: Problem})
def renew(path: SessionPath) -> Response:
    """It is active for another while, and there is a new grant."""
    work = unit()
    started = sessions.renew(work, path.session_id)
    return Response(started_json(started.session, started.grant, work.now), content_type=JSON)


@api.delete("/sessions/<session_id>", summary="End your own session", responses={200: EndedSession, 404: Problem})
def check_in(path: SessionPath) -> Response:
    """Frees its seats; once more changes nothing."""
    work = unit(open_over_limit=True)
    ended = sessions.check_in(work, path.session_id)
    return json_of(EndedSession.of(ended, work.now))


@api.post("/sessions/<session_id>/end", summary="End a member's session", responses={200: EndedSession, 404: Problem})
def end(path: SessionPath) -> Response:
    """Frees its seats; the user is told at the next renewal and can save until save_by."""
    work = unit()
    ended = sessions.end(work, path.session_id)
    return json_of(EndedSession.of(ended, work.now))
