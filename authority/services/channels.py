"""Channels on which notices go out: added with their address, which nobody sees again, changed, tried and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from authority.domain import notice_texts
from authority.domain.changes import differences
from authority.domain.events import Event, EventKind
from authority.domain.members import Privilege, email_of
from authority.domain.notice_texts import Origin
from authority.domain.notices import Channel, ChannelType, Digest, Message, NoticeKind, channel_kinds, channel_name
from authority.domain.refusals import AlreadyExists, InvalidInput, NotFound
from authority.sending import channel as sending
from authority.sending import webhook
from authority.sending.failure import NotSent
from authority.services.unit import Unit
from authority.storage import channels, events, notices

Send = Callable[[Channel, Message, datetime], None]
shown_address = sending.shown


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel to be added. Without kinds it is told of all that there is for it."""

    name: str
    type: ChannelType
    address: str
    kinds: tuple[NoticeKind, ...] = ()
    digest: Digest = Digest.SLOW
    to_members: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What to change in a channel; None stays as it is."""

    name: str | None = None
    address: str | None = None
    kinds: tuple[NoticeKind, ...] | None = None
    digest: Digest | None = None
    paused: bool | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of a test message: `error` is None when it was taken."""

    channel: Channel
    error: str | None


def add(unit: Unit, new: NewChannel) -> Channel:
    """The new channel, with the secret of a webhook, which is returned this once.

    What happened before the first channel is not told. Raises NotAllowed, InvalidInput, AlreadyExists, SettingsInvalid.
    """
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
    channel = _made(unit, new)
    with unit.writing():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        _check_free(unit, channel)
        if not channels.count(unit.connection):
            before = notices.progress(unit.connection, lock=True)
            notices.keep_progress(unit.connection, max(before.event_id, events.last(unit.connection)), {})
        channels.add(unit.connection, channel)
        unit.record([_event(unit, EventKind.CHANNEL_ADDED, channel, f"{channel.type}, {' '.join(channel.kinds)}")])
    return channel


def _made(unit: Unit, new: NewChannel) -> Channel:
    if new.to_members and new.type is not ChannelType.APPRISE:
        raise InvalidInput("members are reached by mail alone", hint="Choose the type apprise, with the URL of a mail server.")
    usual = [kind for kind in NoticeKind if not new.to_members or kind in notice_texts.FOR_MEMBER]
    is_webhook = new.type is ChannelType.WEBHOOK
    return Channel(
        id=unit.authority.fresh_id(),
        name=channel_name(new.name),
        type=new.type,
        address=sending.check(new.type, new.address, to_members=new.to_members),
        secret=webhook.new_secret(unit.authority.random_bytes(webhook.SECRET_BYTES)) if is_webhook else None,
        kinds=channel_kinds(new.kinds or usual, to_members=new.to_members),
        digest=new.digest,
        to_members=new.to_members,
        paused=False,
        created_at=unit.authority.now(),
    )


def _check_free(unit: Unit, channel: Channel) -> None:
    other = channels.by_name(unit.connection, channel.name)
    if other is not None and other.id != channel.id:
        raise AlreadyExists(f'there is a channel "{other.name}" already')


def _event(unit: Unit, kind: EventKind, channel: Channel, words: str) -> Event:
    return Event(kind=kind, actor=unit.actor.username, reason=f"{channel.name} ({channel.id}): {words}")


def listed(unit: Unit) -> list[Channel]:
    """All channels by name. Raises NotAllowed."""
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        return channels.every(unit.connection)


def show(unit: Unit, name: str) -> Channel:
    """The channel with this id or name. Raises NotAllowed, NotFound."""
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        return existing(unit, name)


def existing(unit: Unit, name: str, *, lock: bool = False) -> Channel:
    """The channel with this id or name, within the transaction that is under way. Raises NotFound."""
    channel = None
    if name.isprintable():
        channel = channels.get(unit.connection, name, lock=lock) or channels.by_name(unit.connection, name)
    if channel is None:
        raise NotFound(f'there is no channel "{name}"', hint="carnet-authority channel list shows them.", channel=name)
    return channel


def change(unit: Unit, name: str, wanted: Change, *, dry_run: bool = False) -> Channel:
    """The channel after the change; what waits on it goes to the address that it has then.

    Raises NotAllowed, NotFound, InvalidInput, AlreadyExists, ChangedMeanwhile, SettingsInvalid.
    """
    before = show(unit, name)
    address = before.address
    if wanted.address is not None:
        address = sending.check(before.type, wanted.address, to_members=before.to_members)
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        before = existing(unit, name, lock=True)
        unit.compare(f'the channel "{before.name}"', before.values())
        after = replace(
            before,
            name=before.name if wanted.name is None else channel_name(wanted.name),
            address=address if wanted.address is not None else before.address,
            kinds=before.kinds if wanted.kinds is None else channel_kinds(wanted.kinds, to_members=before.to_members),
            digest=wanted.digest or before.digest,
            paused=before.paused if wanted.paused is None else wanted.paused,
        )
        _check_free(unit, after)
        if words := _difference(before, after):
            channels.change(unit.connection, after)
            unit.record([_event(unit, EventKind.CHANNEL_CHANGED, after, words)])
    return after


def _difference(before: Channel, after: Channel) -> str:
    """What is another than before; of the address only that it is another."""
    parts = differences(before.values(), after.values())
    return "; ".join(parts + (["another address"] if before.address != after.address else []))


def remove(unit: Unit, name: str, *, dry_run: bool = False) -> Channel:
    """The channel that was there; what waits on it is not sent any more. Raises NotAllowed, NotFound, ChangedMeanwhile."""
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        channel = existing(unit, name, lock=True)
        unit.compare(f'the channel "{channel.name}"', channel.values())
        channels.remove(unit.connection, channel.id)
        unit.record([_event(unit, EventKind.CHANNEL_REMOVED, channel, str(channel.type))])
    return channel


def try_out(unit: Unit, name: str, *, recipient: str | None = None, send: Send = sending.send) -> Trial:
    """What became of a test message, also on a channel that is paused; `recipient` is who gets it where it goes to members.

    Raises NotAllowed, NotFound, InvalidInput.
    """
    with unit.writing():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        channel, organization, at = existing(unit, name), unit.organization.name, unit.at
    if channel.to_members != bool(recipient):
        words = "goes to members: say to which address" if channel.to_members else "does not go to members"
        hint = "Name an e-mail address, like your own: --to ADDRESS" if channel.to_members else "Leave the address out."
        raise InvalidInput(f'the channel "{channel.name}" {words}', hint=hint)
    to = None if recipient is None else email_of(recipient)
    origin = Origin(organization, unit.authority.public_url)
    message = notice_texts.trial_message(unit.authority.fresh_id(), channel.name, origin, to)
    try:
        send(channel, message, at)
    except NotSent as error:
        return Trial(channel, str(error))
    return Trial(channel, None)


def wanted_kinds(rows: Iterable[Channel]) -> frozenset[NoticeKind]:
    """The kinds of notices that any of the channels takes."""
    return frozenset(kind for channel in rows for kind in channel.kinds)
