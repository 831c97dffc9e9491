"""/sessions."""

import json
from typing import Any

from flask_openapi3.blueprint import APIBlueprint

from authority.domain.borrows import Machine, OsUser
from authority.domain.sessions import SessionAsk
from authority.presentation import rendering
from authority.services import sessions
from authority.services.sessions import Started
from authority.storage.sessions import Filter
from authority.web.access import authority, unit
from authority.web.api.models.common import Problem
from authority.web.api.models.sessions import (
    EndedSession,
    SessionPath,
    SessionQuery,
    Sessions,
    SessionShown,
    SessionStart,
    StartedSession,
)

api = APIBlueprint(
    "sessions", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem, 409: Problem}
)


@api.post("/sessions", summary="Start a session", responses={201: StartedSession, 200: StartedSession, 404: Problem})
def start(body: SessionStart) -> tuple[dict[str, Any], int]:
    """201 with a new session; 200 with the one that is active on this computer, used again."""
    machine = Machine(body.machine.id, body.machine.source, None, body.machine.alias, body.machine.key)
    user = OsUser(body.user.id, body.user.name)
    ask = SessionAsk(body.product, body.level, tuple(body.extensions), machine, user)
    started = sessions.start(unit(), ask)
    return _shown(started), 201 if started.is_new else 200


@api.get("/sessions", summary="Who is connected, on which computer", responses={200: Sessions})
def listed(query: SessionQuery) -> dict[str, Any]:
    """The active ones, newest first. A member sees their own."""
    wanted = Filter(query.member, query.product, query.ended, query.cursor, query.limit)
    page, cursor = sessions.listed(unit(), wanted)
    now = authority().now()
    return {"items": [rendering.session(found, now) for found in page], "next": cursor}


@api.get("/sessions/<session_id>", summary="One session", responses={200: SessionShown, 404: Problem})
def show(path: SessionPath) -> dict[str, Any]:
    """A member sees only their own."""
    return rendering.session(sessions.show(unit(), path.session_id), authority().now())


@api.post("/sessions/<session_id>/renew", summary="Use a session", responses={200: StartedSession, 404: Problem})
def renew(path: SessionPath) -> dict[str, Any]:
    """It is active for another while, and there is a new grant."""
    return _shown(sessions.renew(unit(), path.session_id))


@api.delete("/sessions/<session_id>", summary="End your own session", responses={200: EndedSession, 404: Problem})
def check_in(path: SessionPath) -> dict[str, Any]:
    """Frees its seats; once more changes nothing."""
    ended = sessions.check_in(unit(open_over_limit=True), path.session_id)
    return {"session": rendering.session(ended, authority().now())}


@api.post("/sessions/<session_id>/end", summary="End a member's session", responses={200: EndedSession, 404: Problem})
def end(path: SessionPath) -> dict[str, Any]:
    """Frees its seats; the user is told at the next renewal and can save until save_by."""
    ended = sessions.end(unit(), path.session_id)
    return {"session": rendering.session(ended, authority().now())}


def _shown(started: Started) -> dict[str, Any]:
    return {"session": rendering.session(started.session, authority().now()), "grant": json.loads(started.grant)}
