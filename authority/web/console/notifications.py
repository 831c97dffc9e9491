"""Notifications: the channels on which notices go out, what goes to them, a test message, and what became of the last notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from flask import Blueprint, Response, request, url_for
from pydantic import AfterValidator, Field

from authority.domain.members import email_of
from authority.domain.notices import BOUNDS, Channel, ChannelType, DeliveryState, Digest, NoticeKind, NoticeSettings
from authority.domain.refusals import InvalidInput
from authority.presentation.notices import (
    Channels,
    ChannelShown,
    ChannelTrial,
    MadeChannel,
    NoticeHealth,
    Notices,
    NoticeSettingsShown,
)
from authority.services import channels, notices, notifying, organization_settings
from authority.services.channels import Change, NewChannel
from authority.web.console import typed
from authority.web.console.forms import Form, Id, Text, read
from authority.web.console.frame import confirm, done, page, shown_again
from authority.web.console.visiting import unit

pages = Blueprint("notifications", __name__)

ON_A_PAGE = 50
LONGEST_ADDRESS = 2048
KINDS = {
    NoticeKind.BORROW_DUE: "a borrow ends soon",
    NoticeKind.BORROW_OVERDUE: "a borrow ended and was not given back",
    NoticeKind.DENIALS: "many denials of one product within a short time",
    NoticeKind.OVER_LIMIT: "there are more members than the authorization allows",
    NoticeKind.AUTHORIZATION_ENDING: "the authorization ends",
    NoticeKind.KEY_ENDING: "a key of the authority, or an API key, ends",
    NoticeKind.CLONE_SUSPECTED: "a machine may be there twice",
    NoticeKind.SEAL_BROKEN: "the log is not what was sealed",
    NoticeKind.BACKUP_OLD: "the last backup is old",
}
DIGESTS = {
    Digest.SLOW: "what can wait: ends of borrows, authorization and keys, and an old backup",
    Digest.ALL: "everything",
    Digest.NONE: "nothing, all is sent at once",
}
TYPES = {
    ChannelType.APPRISE: "mail, Teams, Slack and others, by a URL of Apprise",
    ChannelType.WEBHOOK: "a signed request to a server of your own",
}
EXAMPLES = (
    "Mail: mailtos://USER:PASSWORD@mail.example.org?from=licenses@example.org&to=desk@example.org; "
    "a server of your own: https://alerts.example.org/carnet."
)
# What each setting is called on the page, and what it is for.
FIELDS = {
    "denials": ("Denials", "So many refusals of one product are a burst, which is told once."),
    "minutes": ("Within minutes", "They count when they come within so many minutes."),
    "digest_hour": ("Hour of the message of the day", "In UTC."),
}
STATES = {
    DeliveryState.SENT: "success",
    DeliveryState.WAITING: "warning",
    DeliveryState.GIVEN_UP: "danger",
    DeliveryState.NOT_NEEDED: "secondary",
}


def _email(text: str) -> str:
    try:
        return email_of(text)
    except InvalidInput as error:
        raise ValueError(error.message) from error


def _some(kinds: list[NoticeKind]) -> list[NoticeKind]:
    if not kinds:
        raise ValueError("Tick at least one kind")
    return kinds


def _bounded(name: str) -> object:
    least, most = BOUNDS[name]
    return Field(None, ge=least, le=most)


Kinds = Annotated[list[NoticeKind], Field(max_length=len(NoticeKind))]


class Filters(Form):
    kind: NoticeKind | None = None
    state: DeliveryState | None = None
    cursor: Id | None = None


class Addition(Form):
    name: Text
    type: ChannelType
    address: str = Field(max_length=LONGEST_ADDRESS)
    kinds: Kinds = Field(default_factory=list)
    digest: Digest = Digest.SLOW
    to_members: bool = False


class ChangeForm(Form):
    version: str = Field("", max_length=256)
    name: Text
    kinds: Annotated[Kinds, AfterValidator(_some)] = Field(default_factory=list, validate_default=True)
    digest: Digest
    paused: bool = False


class AddressForm(Form):
    address: str = Field(max_length=LONGEST_ADDRESS)


class TrialForm(Form):
    recipient: Annotated[str, AfterValidator(_email)] = ""


class SettingsForm(Form):
    denials: Annotated[int | None, _bounded("denials")] = None
    minutes: Annotated[int | None, _bounded("minutes")] = None
    digest_hour: Annotated[int | None, _bounded("digest_hour")] = None
    version: Annotated[str, Field(max_length=256)] | None = None


@pages.get("/notifications")
def index() -> Response:
    """The channels and how that is going, and the last notices with what became of each."""
    wanted = read(Filters, request.args) if request.method == "GET" else Filters()
    work = unit()
    rows, health = channels.listed(work), notifying.health(work)
    kinds = [] if wanted.kind is None else [wanted.kind]
    items, cursor = notices.listed(work, wanted.cursor, ON_A_PAGE, kinds=kinds, state=wanted.state)
    return page(
        "notifications.html",
        channels=Channels.of(rows, health),
        problem_of_notices=notifying.problem_of(health, work.at),
        health=NoticeHealth.of(health),
        notices=Notices.of(items, cursor),
        wanted=wanted,
        kinds=KINDS,
        states=STATES,
    )


@pages.get("/notifications/add")
def addition() -> Response:
    """The form of a new channel."""
    ticked = request.form.getlist("kinds") if request.form else list(KINDS)
    return page("notifications_add.html", kinds=KINDS, digests=DIGESTS, types=TYPES, ticked=ticked, examples=EXAMPLES)


@pages.post("/notifications/add")
@shown_again(addition)
def add() -> Response:
    """Adds a channel; the secret that a webhook is signed with is shown this once."""
    form = read(Addition)
    kinds = tuple(form.kinds)
    if form.to_members and set(kinds) == set(KINDS):
        # All were ticked before it was said that members get it.
        kinds = ()
    made = channels.add(unit(), NewChannel(form.name, form.type, form.address, kinds, form.digest, form.to_members))
    shown = MadeChannel.made(made)
    if shown.secret is not None:
        return page("notifications_made.html", channel=shown)
    then = [("Add another one", url_for(".addition"))]
    return done(url_for(".channel", channel_id=made.id), f"The channel {made.name} is added: try it now.", then)


@pages.get("/notifications/channel/<channel_id>")
def channel(channel_id: str) -> Response:
    """A channel: what goes to it, to be changed; a test message; another address; removing it."""
    shown = ChannelShown.of(channels.show(unit(), channel_id))
    ticked = typed.texts("kinds", [str(kind) for kind in shown.kinds], versioned=True)
    return page(
        "notifications_channel.html", channel=shown, kinds=KINDS, digests=DIGESTS, types=TYPES, ticked=ticked, examples=EXAMPLES
    )


@pages.post("/notifications/channel/<channel_id>")
@shown_again(channel, left=channel)
def change(channel_id: str) -> Response:
    """Asks, then changes a channel that is still as the form was made for."""
    form, work = read(ChangeForm), unit()
    wanted = Change(form.name, None, tuple(form.kinds), form.digest, form.paused)
    before = channels.show(work, channel_id)
    work.expected = [form.version]
    after = channels.change(work, channel_id, wanted, dry_run=True)
    differences = _differences(before, after)
    address = url_for(".channel", channel_id=before.id)
    if not differences:
        return done(address, f"The channel {before.name} is as it was.")
    question = confirm(
        f"Change the channel {before.name}?",
        who="each member whom it is about" if before.to_members else f"whoever reads {before.name}",
        what="; ".join(differences),
        until="until it is changed again",
        consequences=["What waits on it is sent when it goes on."] if after.paused else [],
        action="Change it",
        back=address,
    )
    if question:
        return question
    channels.change(work, channel_id, wanted)
    return done(address, f"The channel {after.name} is changed: {'; '.join(differences)}.")


def _differences(before: Channel, after: Channel) -> list[str]:
    was, now = before.values(), after.values()
    return [
        f"{name.replace('_', ' ')}: {_words(was[name])}, from now on {_words(now[name])}"
        for name in now
        if was[name] != now[name]
    ]


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


@pages.post("/notifications/channel/<channel_id>/address")
@shown_again(channel)
def set_address(channel_id: str) -> Response:
    """Sets another address at once: a page that asks would have it in its text."""
    changed = channels.change(unit(), channel_id, Change(address=read(AddressForm).address))
    return done(url_for(".channel", channel_id=changed.id), f"The channel {changed.name} has another address: try it now.")


@pages.post("/notifications/channel/<channel_id>/test")
@shown_again(channel)
def try_out(channel_id: str) -> Response:
    """Sends a test message, and says whether it was taken."""
    trial = channels.try_out(unit(), channel_id, recipient=read(TrialForm).recipient or None)
    return page("notifications_trial.html", trial=ChannelTrial.of(trial))


@pages.post("/notifications/channel/<channel_id>/remove")
@shown_again(channel)
def remove(channel_id: str) -> Response:
    """Asks, then removes a channel."""
    would = channels.remove(unit(), channel_id, dry_run=True)
    question = confirm(
        f"Remove the channel {would.name}?",
        who="each member whom it is about" if would.to_members else f"whoever reads {would.name}",
        what=", ".join(would.kinds),
        until="for good: its address is forgotten, and the secret of a webhook with it",
        consequences=["What waits on it is not sent any more, and what was sent is not shown any more."],
        action=f"Remove {would.name}",
        back=url_for(".channel", channel_id=would.id),
        is_dangerous=True,
    )
    if question:
        return question
    removed = channels.remove(unit(), channel_id)
    then = [("Add another one", url_for(".addition"))]
    return done(url_for(".index"), f"The channel {removed.name} is removed.", then)


@pages.get("/notifications/settings")
def settings() -> Response:
    """When denials are a burst, and when the message of the day goes."""
    shown = NoticeSettingsShown.of(organization_settings.show(unit(), NoticeSettings))
    return page("notifications_settings.html", shown=shown, fields=FIELDS, bounds=BOUNDS)


@pages.post("/notifications/settings")
@shown_again(settings)
def change_settings() -> Response:
    """Changes the settings of notices, unless another administrator changed them since the form was made."""
    form, work = read(SettingsForm), unit()
    changes: Mapping[str, Any] = form.model_dump(exclude_none=True, exclude={"version"})
    before = organization_settings.show(work, NoticeSettings)
    work.expected = None if form.version is None else [form.version]
    after = organization_settings.change(work, NoticeSettings, changes)
    return done(url_for(".index"), _settings_words(before, after))


def _settings_words(before: NoticeSettings, after: NoticeSettings) -> str:
    was = asdict(before)
    words = [f"{FIELDS[name][0]}: {was[name]} -> {value}" for name, value in asdict(after).items() if was[name] != value]
    return f"The settings of notices are changed: {'; '.join(words)}." if words else "The settings of notices are as they were."
