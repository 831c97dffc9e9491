"""Channels without their addresses, notices with what became of them, and how notices are going."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from pydantic import Field

from authority.domain.notice_texts import line_of
from authority.domain.notices import Channel, ChannelType, DeliveryState, Digest, NewNotice, NoticeKind, NoticeSettings, Sent
from authority.domain.plurals import counted
from authority.presentation.shown import Shown, Time, Version
from authority.services import notices as services
from authority.services.channels import Trial, shown_address
from authority.services.deliveries import Try
from authority.services.notifying import Health, Run

DIGEST_MEANS = (
    "what waits for the one message of the day: slow (what can wait: ends of borrows, authorization and keys), all, or none"
)


class ChannelShown(Shown):
    """A channel, without its address and its secret."""

    id: str
    name: str = Field(description="who reads it")
    type: ChannelType
    address: str = Field(description="the service, of a webhook the host; the rest may be secret, and is never shown")
    kinds: tuple[NoticeKind, ...] = Field(description="what goes to it")
    digest: Digest = Field(description=DIGEST_MEANS)
    to_members: bool = Field(description="true: each member hears of their own, at their own e-mail address")
    paused: bool = Field(description="true: nothing is sent until it goes on; what waits stays")
    created_at: Time
    sent_at: Time | None = Field(description="when a message went out last; null: never")
    failing_since: Time | None = Field(description="the first failure after which nothing went out; null: all is well")
    error: str | None = Field(description="what was wrong last, without anything secret")
    version: Version

    @classmethod
    def of(cls, channel: Channel) -> Self:
        """The channel with as much of its address as may be seen."""
        values = {name: getattr(channel, name) for name in cls.model_fields}
        return cls(**(values | {"address": shown_address(channel)}))


class MadeChannel(ChannelShown):
    """A channel that was just added."""

    secret: str | None = Field(
        description="what its requests are signed with, shown this once; null: it is no webhook", repr=False
    )

    @classmethod
    def made(cls, channel: Channel) -> Self:
        """The channel with its secret."""
        return cls(**ChannelShown.of(channel).model_dump(), secret=channel.secret)


class NoticeHealth(Shown):
    """How notices are going."""

    run_at: Time | None = Field(description="when notices were looked for last; null: never")
    waiting: int = Field(description="messages that are to be sent, now or later")
    given_up: int = Field(description="messages that were given up in the last 7 days")

    @classmethod
    def of(cls, health: Health) -> Self:
        """The figures of all channels together."""
        return cls(run_at=health.run_at, waiting=health.waiting, given_up=health.given_up)


class Channels(Shown):
    """All channels by name, and how notices are going."""

    items: tuple[ChannelShown, ...]
    health: NoticeHealth

    @classmethod
    def of(cls, rows: Iterable[Channel], health: Health) -> Self:
        """The channels without their addresses."""
        return cls(items=tuple(map(ChannelShown.of, rows)), health=NoticeHealth.of(health))


class ChannelRemoved(Shown):
    """A channel that was removed, or in a dry run would be."""

    channel: ChannelShown
    dry_run: bool


class ChannelTrial(Shown):
    """What became of a test message."""

    channel: ChannelShown
    sent: bool = Field(description="whether it was taken")
    error: str | None = Field(description="why it was not, without anything secret")

    @classmethod
    def of(cls, trial: Trial) -> Self:
        """The channel, and whether it works."""
        return cls(channel=ChannelShown.of(trial.channel), sent=trial.error is None, error=trial.error)


class DeliveryShown(Shown):
    """What became of a notice on one channel."""

    id: str = Field(description="of the message, the same in every try: a webhook's receiver gets it as webhook-id")
    channel: str
    member: str | None = Field(description="the member to whom it goes; null: to whoever reads the channel")
    state: DeliveryState
    tries: int
    next_try_at: Time | None = Field(description="null: it is not tried again")
    ended_at: Time | None = Field(description="when it was sent or given up")
    error: str | None = Field(description="what was wrong with the last try")

    @classmethod
    def of(cls, sent: Sent) -> Self:
        """The message."""
        delivery = sent.delivery
        return cls(
            id=delivery.id,
            channel=sent.channel,
            member=sent.member,
            state=delivery.state,
            tries=delivery.tries,
            next_try_at=delivery.next_try_at if delivery.state is DeliveryState.WAITING else None,
            ended_at=delivery.ended_at,
            error=delivery.error,
        )


class NoticeShown(Shown):
    """A notice, and what became of it on each channel."""

    id: str
    kind: NoticeKind
    text: str
    facts: Mapping[str, Any] = Field(description="the values of the sentence, by kind")
    made_at: Time
    deliveries: tuple[DeliveryShown, ...] = Field(description="empty: no channel that is there now took it")

    @classmethod
    def of(cls, row: services.Shown) -> Self:
        """The notice with its messages."""
        notice = row.notice
        return cls(
            id=notice.id,
            kind=notice.kind,
            text=line_of(notice),
            facts=notice.facts,
            made_at=notice.made_at,
            deliveries=tuple(map(DeliveryShown.of, row.sent)),
        )


class Notices(Shown):
    """A page of notices, the newest first."""

    items: tuple[NoticeShown, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[services.Shown], cursor: str | None) -> Self:
        """The notices of a page."""
        return cls(items=tuple(map(NoticeShown.of, page)), next=cursor)


class NoticeSettingsShown(Shown):
    """The settings of notices."""

    denials: int = Field(description="so many denials of one product are a burst")
    minutes: int = Field(description="when they come within so many minutes")
    digest_hour: int = Field(description="the hour of the message of the day, UTC")
    version: Version

    @classmethod
    def of(cls, settings: NoticeSettings) -> Self:
        """The settings in force."""
        return cls.model_validate(settings)


class FoundNotice(Shown):
    """A notice that a run made, or in a dry run would make."""

    kind: NoticeKind
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, notice: NewNotice) -> Self:
        """The notice."""
        return cls(kind=notice.kind, facts=notice.facts)


class TryShown(Shown):
    """One try to send a message."""

    id: str = Field(description="of the message")
    channel: str
    state: DeliveryState
    error: str | None

    @classmethod
    def of(cls, outcome: Try) -> Self:
        """What became of it."""
        return cls(id=outcome.delivery.id, channel=outcome.channel, state=outcome.state, error=outcome.error)


class NoticeRun(Shown):
    """What a run did."""

    notices: tuple[FoundNotice, ...] = Field(description="that were made; in a dry run those that would be")
    tries: tuple[TryShown, ...]
    waiting: int = Field(description="in a dry run: messages of before that would be sent now")
    dry_run: bool

    @classmethod
    def of(cls, run: Run, *, dry_run: bool) -> Self:
        """The notices and tries of a run."""
        return cls(
            notices=tuple(map(FoundNotice.of, run.made)),
            tries=tuple(map(TryShown.of, run.tries)),
            waiting=len(run.waiting),
            dry_run=dry_run,
        )


def words_of(state: DeliveryState, shown: Callable[[object], str], delivery: DeliveryShown) -> str:
    """`sent at ...`, `waits until ..., tried 3 times: ...`."""
    if state is DeliveryState.SENT:
        return f"sent {shown(delivery.ended_at)}"
    if state is DeliveryState.NOT_NEEDED:
        return delivery.error or "not needed any more"
    if state is DeliveryState.GIVEN_UP:
        return f"given up after {counted(delivery.tries, 'try', 'tries')}: {delivery.error}"
    after = f", tried {counted(delivery.tries, 'time')}: {delivery.error}" if delivery.tries else ""
    return f"waits until {shown(delivery.next_try_at)}{after}"
