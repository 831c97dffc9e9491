"""Sending what waits: one message after the other is claimed, sent outside of any transaction, and what became of it is kept.

Who is killed after a receiver took a message and before that is kept sends it again, with the same id: of the two that can
be promised without asking the receiver, nothing lost is the one that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from authority.domain.members import CONSOLE
from authority.domain.notice_texts import Origin, message_of
from authority.domain.notices import GIVEN_UP_AFTER, LEASE, Channel, Delivery, DeliveryState, Message, pause_after
from authority.sending.failure import NotSent
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.storage import channels, deliveries
from authority.storage.deliveries import Claimed

# A channel that fails so often in one run is left alone until the next; one on which something was wrong before, at once.
MOST_FAILURES = 3
# So many members in a row whom a mail server refuses are no dead mailboxes any more: then the channel is to blame.
MOST_REFUSED = 20


@dataclass(frozen=True, slots=True)
class Try:
    """What became of one try: `error` is None for a message that went out."""

    delivery: Delivery
    channel: str
    state: DeliveryState
    error: str | None = None


def _goes_on() -> bool:
    return True


def deliver(
    authority: Authority, send: Callable[[Channel, Message, datetime], None], goes_on: Callable[[], bool] = _goes_on
) -> list[Try]:
    """Sends every message that is due, each once, until nothing is due or `goes_on` says no more; returns the tries."""
    tries: list[Try] = []
    failures, refused = Counter[str](), Counter[str]()
    left_alone: set[str] = set()
    while goes_on():
        claimed = _claim(authority, left_alone)
        if claimed is None:
            break
        if not claimed.notices:
            tries.append(_not_needed(authority, claimed))
            continue
        failure, channel = _failure_of(authority, claimed, send), claimed.channel
        is_of_member = failure is not None and failure.is_of_recipient and claimed.recipient is not None
        refused[channel.id] += is_of_member
        is_of_member = is_of_member and refused[channel.id] <= MOST_REFUSED
        tries.append(_settled(authority, claimed, failure, is_of_member=is_of_member))
        if failure is None:
            del failures[channel.id], refused[channel.id]
        elif not is_of_member:
            failures[channel.id] += 1
            was_failing = channel.failing_since is not None and failures[channel.id] == 1
            if was_failing or failures[channel.id] >= MOST_FAILURES:
                left_alone.add(channel.id)
    return tries


def _claim(authority: Authority, left_alone: set[str]) -> Claimed | None:
    unit = Unit(authority, CONSOLE)
    with unit.writing():
        return deliveries.claim(unit.connection, authority.fresh_id(), unit.at, unit.at + LEASE, left_alone)


def _failure_of(authority: Authority, claimed: Claimed, send: Callable[[Channel, Message, datetime], None]) -> NotSent | None:
    """What was wrong with the try, None when the message went out."""
    if claimed.recipient == "":
        return NotSent("the member has no e-mail address any more", is_of_recipient=True)
    unit = Unit(authority, CONSOLE)
    with unit.reading():
        origin, at = Origin(unit.organization.name, authority.public_url), unit.at
    try:
        send(claimed.channel, message_of(claimed.delivery.id, claimed.notices, origin, claimed.recipient), at)
    except NotSent as error:
        return error
    except Exception as error:  # noqa: BLE001 - a library of others: whatever it raises is a failed try, and the others go on
        # Its words may have the address in them.
        return NotSent(f"it failed with {type(error).__name__}")
    return None


def _not_needed(authority: Authority, claimed: Claimed) -> Try:
    """Keeps that nothing of a message is so any more: what was to end was renewed or given back meanwhile."""
    unit = Unit(authority, CONSOLE)
    with unit.writing():
        deliveries.settle(unit.connection, claimed.delivery, DeliveryState.NOT_NEEDED, ended_at=unit.at)
    return Try(claimed.delivery, claimed.channel.name, DeliveryState.NOT_NEEDED)


def _settled(authority: Authority, claimed: Claimed, failure: NotSent | None, *, is_of_member: bool) -> Try:
    """Keeps what became of a try: sent, to be tried again later, or given up. What is of the member is not of the channel."""
    unit, delivery = Unit(authority, CONSOLE), claimed.delivery
    error = None if failure is None else str(failure)
    with unit.writing():
        connection, at = unit.connection, unit.at
        if failure is None or error is None:
            deliveries.settle(connection, delivery, DeliveryState.SENT, ended_at=at)
            channels.mark_sent(connection, claimed.channel.id, at)
            return Try(delivery, claimed.channel.name, DeliveryState.SENT)
        is_over = at - delivery.due_at >= GIVEN_UP_AFTER or claimed.recipient == ""
        state = DeliveryState.GIVEN_UP if is_over else DeliveryState.WAITING
        chance = int.from_bytes(authority.random_bytes(2), "big") / 2**16
        deliveries.settle(
            connection,
            delivery,
            state,
            error=error,
            ended_at=at if is_over else None,
            next_try_at=at + pause_after(delivery.tries, chance),
        )
        if not is_of_member:
            channels.mark_failed(connection, claimed.channel.id, at, error)
    return Try(delivery, claimed.channel.name, state, error)
