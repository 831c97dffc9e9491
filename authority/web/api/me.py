"""/me: one's own license, password and sign-ins."""

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from authority.presentation.me import DownloadRequested, MeShown
from authority.presentation.members import NewAccessShown
from authority.presentation.sign_ins import EndedSignIns, SignIns
from authority.services import access, me
from authority.web.access import authority, origin, unit
from authority.web.answers import json_of
from authority.web.api.forms import Body, DryRunQuery, Id, IdCursor, PageQuery, Password, Problem

api = APIBlueprint("me", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem})


class NewPassword(Body):
    old_password: Password = Field(description="the one of now")
    new_password: Password
    revoke_keys: bool = Field(False, description="true: your API keys are of no use from now on, as after a theft")


class SignInQuery(PageQuery):
    cursor: IdCursor | None = None


class EndQuery(DryRunQuery):
    keep_current: bool = Field(False, description="true: the sign-in that asks stays good")


class SignInPath(BaseModel):
    sign_in_id: Id


@api.get("/me", summary="Your own license", responses={200: MeShown})
def show() -> Response:
    """Levels and extensions yes or no, until when, how long offline, the borrow that is out and the active sessions."""
    return json_of(MeShown.of(me.show(unit()), authority().now()))


@api.post("/me/download-request", summary="Ask for the permission to download", responses={200: DownloadRequested})
def request_download() -> Response:
    """Needs vendor access; an administrator grants or denies it. Once more changes nothing."""
    return json_of(DownloadRequested.of(me.request_download(unit())))


@api.post("/me/password", summary="Change your password", responses={200: NewAccessShown, 429: Problem})
def change_password(body: NewPassword) -> Response:
    """Ends all your other sign-ins; your API keys go on, and are named, unless `revoke_keys` ends them."""
    done = me.change_password(unit(), body.old_password, body.new_password, origin(), revoke_keys=body.revoke_keys)
    return json_of(NewAccessShown.of(done))


@api.get("/me/sign-ins", summary="Where you are signed in", responses={200: SignIns})
def sign_ins(query: SignInQuery) -> Response:
    """Newest first; those that ended are left out."""
    return json_of(SignIns.of(*access.sign_ins_of(unit(), None, query.cursor, query.limit)))


@api.delete("/me/sign-ins", summary="Sign out everywhere", responses={200: EndedSignIns})
def sign_out_everywhere(query: EndQuery) -> Response:
    """Licenses that are out offline stay good."""
    return json_of(EndedSignIns.of(access.end_sign_ins(unit(), keep_current=query.keep_current, dry_run=query.dry_run)))


@api.delete("/me/sign-ins/<sign_in_id>", summary="End one of your sign-ins", responses={200: EndedSignIns, 404: Problem})
def end_own_sign_in(path: SignInPath, query: DryRunQuery) -> Response:
    """Once more changes nothing."""
    return json_of(EndedSignIns.of(access.end_sign_ins(unit(), None, [path.sign_in_id], dry_run=query.dry_run)))
