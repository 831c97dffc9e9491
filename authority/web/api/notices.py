"""/channels and /notices: where notices go, and what became of them."""

from typing import Annotated, Any

from flask import Response
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel, Field

from authority.domain.members import LONGEST_EMAIL
from authority.domain.notices import BOUNDS, ChannelType, DeliveryState, Digest, NoticeKind, NoticeSettings
from authority.presentation.notices import (
    DIGEST_MEANS,
    ChannelRemoved,
    Channels,
    ChannelShown,
    ChannelTrial,
    MadeChannel,
    Notices,
    NoticeSettingsShown,
)
from authority.services import channels, notices, notifying, organization_settings
from authority.services.channels import Change, NewChannel
from authority.web.access import unit
from authority.web.answers import json_of, tagged
from authority.web.api.forms import Body, DryRunQuery, Id, IdCursor, Name, PageQuery, Problem

api = APIBlueprint("notices", __name__, abp_security=[{"bearer": []}], abp_responses={400: Problem, 401: Problem, 403: Problem})

LONGEST_ADDRESS = 2048
# In JSON they are texts; a strict body would wait for members of the enumerations.
TypeName = Annotated[ChannelType, Field(strict=False)]
DigestName = Annotated[Digest, Field(strict=False)]
Kinds = Annotated[list[Annotated[NoticeKind, Field(strict=False)]], Field(max_length=len(NoticeKind))]
Address = Annotated[str, Field(max_length=LONGEST_ADDRESS)]


class NewChannelBody(Body):
    name: Name = Field(min_length=1, description="who reads it")
    type: TypeName
    address: Address = Field(min_length=1, description="a URL of Apprise, or of a webhook; it is never shown again")
    kinds: Kinds = Field(default=[], description="what goes to it; empty: all that there is for it")
    digest: DigestName = Field(Digest.SLOW, description=DIGEST_MEANS)
    to_members: bool = Field(False, description="true: each member hears of their own; the address is that of a mail server")


class ChannelChange(Body):
    """What is left out, or null, stays as it is."""

    name: Name | None = Field(None, min_length=1)
    address: Address | None = Field(None, min_length=1)
    kinds: Kinds | None = Field(None, min_length=1)
    digest: DigestName | None = None
    paused: bool | None = None


class TrialBody(Body):
    recipient: str | None = Field(None, max_length=LONGEST_EMAIL, description="who gets it, of a channel to members")


class ChannelPath(BaseModel):
    channel_id: Id


class NoticeQuery(PageQuery):
    kind: NoticeKind | None = None
    state: DeliveryState | None = Field(None, description="those with a message in this state")
    cursor: IdCursor | None = None


def _within_bounds(name: str) -> Any:
    least, most = BOUNDS[name]
    meaning = NoticeSettingsShown.model_fields[name].description
    return Field(None, ge=least, le=most, description=f"{meaning}; null: stays as it is")


class NoticeSettingsChange(Body):
    denials: int | None = _within_bounds("denials")
    minutes: int | None = _within_bounds("minutes")
    digest_hour: int | None = _within_bounds("digest_hour")


@api.get("/channels", summary="Where notices go, and how that is going", responses={200: Channels})
def listed() -> Response:
    """By name, never their addresses."""
    work = unit()
    return json_of(Channels.of(channels.listed(work), notifying.health(work)))


@api.post("/channels", summary="Add a channel", responses={201: MadeChannel, 409: Problem, 503: Problem})
def add(body: NewChannelBody) -> Response:
    """The secret that a webhook is signed with is in this answer and nowhere else."""
    new = NewChannel(body.name, body.type, body.address, tuple(body.kinds), body.digest, body.to_members)
    return json_of(MadeChannel.made(channels.add(unit(), new)), 201)


@api.get("/channels/<channel_id>", summary="A channel", responses={200: ChannelShown, 304: None, 404: Problem})
def show(path: ChannelPath) -> Response:
    """Without its address and its secret."""
    shown = ChannelShown.of(channels.show(unit(), path.channel_id))
    return tagged(shown, shown.version)


@api.patch(
    "/channels/<channel_id>",
    summary="Change a channel",
    responses={200: ChannelShown, 404: Problem, 409: Problem, 412: Problem, 503: Problem},
)
def change(path: ChannelPath, query: DryRunQuery, body: ChannelChange) -> Response:
    """What waits on it goes to the address that it has then."""
    kinds = None if body.kinds is None else tuple(body.kinds)
    wanted = Change(body.name, body.address, kinds, body.digest, body.paused)
    return json_of(ChannelShown.of(channels.change(unit(), path.channel_id, wanted, dry_run=query.dry_run)))


@api.delete("/channels/<channel_id>", summary="Remove a channel", responses={200: ChannelRemoved, 404: Problem, 412: Problem})
def remove(path: ChannelPath, query: DryRunQuery) -> Response:
    """What waits on it is not sent any more."""
    shown = ChannelShown.of(channels.remove(unit(), path.channel_id, dry_run=query.dry_run))
    return json_of(ChannelRemoved(channel=shown, dry_run=query.dry_run))


@api.post("/channels/<channel_id>/test", summary="Send a test message", responses={200: ChannelTrial, 404: Problem})
def try_out(path: ChannelPath, body: TrialBody) -> Response:
    """Says whether it was taken; it takes as long as the service does, half a minute at most."""
    return json_of(ChannelTrial.of(channels.try_out(unit(), path.channel_id, recipient=body.recipient)))


@api.get("/notices", summary="Notices, and what became of each", responses={200: Notices})
def listed_notices(query: NoticeQuery) -> Response:
    """Of the last 90 days, newest first."""
    kinds = [] if query.kind is None else [query.kind]
    page, cursor = notices.listed(unit(), query.cursor, query.limit, kinds=kinds, state=query.state)
    return json_of(Notices.of(page, cursor))


@api.get("/notices/settings", summary="The settings of notices", responses={200: NoticeSettingsShown, 304: None})
def show_settings() -> Response:
    """For administrators."""
    shown = NoticeSettingsShown.of(organization_settings.show(unit(), NoticeSettings))
    return tagged(shown, shown.version)


@api.patch("/notices/settings", summary="Change the settings of notices", responses={200: NoticeSettingsShown, 412: Problem})
def change_settings(query: DryRunQuery, body: NoticeSettingsChange) -> Response:
    """What is left out stays as it is."""
    changes = body.model_dump(exclude_none=True)
    return json_of(NoticeSettingsShown.of(organization_settings.change(unit(), NoticeSettings, changes, dry_run=query.dry_run)))
