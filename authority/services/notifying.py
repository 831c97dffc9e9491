"""One run of notices: what is to be told is found, then what waits is sent. And how that is going."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from authority.domain.members import CONSOLE, Actor, Privilege
from authority.domain.notices import SHOWN_FOR, Channel, Delivery, DeliveryState, NewNotice
from authority.domain.plurals import are, counted
from authority.domain.refusals import Refusal
from authority.sending import channel as sending
from authority.services import seals
from authority.services.channels import Send
from authority.services.context import Authority
from authority.services.deliveries import Try, deliver
from authority.services.notices import find
from authority.services.unit import Unit
from authority.storage import channels, deliveries, members, notices

# Notices that are made later than that are of little use.
RUN_EVERY = timedelta(hours=2)
# What was given up, or has failed, within so long is worth a warning.
LOOKED_AT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did: the notices that it made, and its tries to send. Of a dry run: those that it would make, and what waits."""

    made: tuple[NewNotice, ...]
    tries: tuple[Try, ...]
    waiting: tuple[Delivery, ...] = ()

    def count(self, state: DeliveryState) -> int:
        """How many tries ended so."""
        return sum(item.state is state for item in self.tries)


@dataclass(frozen=True, slots=True)
class Health:
    """How notices are going: when a run ended last, what waits, what was given up in the last days, which channels fail."""

    channels: int
    run_at: datetime | None
    waiting: int
    given_up: int
    failing: tuple[Channel, ...]


def run(
    authority: Authority, *, dry_run: bool = False, send: Send = sending.send, goes_on: Callable[[], bool] = lambda: True
) -> Run:
    """Seals the log, finds what is to be told, sends what is due, and forgets what is older than is shown. With `dry_run` nothing is kept or sent."""
    if not dry_run:
        seal(authority)
    made = tuple(find(Unit(authority, CONSOLE), dry_run=dry_run))
    if dry_run:
        unit = Unit(authority, CONSOLE)
        with unit.reading():
            return Run(made, (), tuple(deliveries.due(unit.connection, unit.at)))
    tries = tuple(deliver(authority, send, goes_on))
    unit = Unit(authority, CONSOLE)
    with unit.writing():
        notices.forget(unit.connection, unit.at - SHOWN_FOR)
        notices.keep_run(unit.connection, unit.at)
    return Run(made, tries)


def seal(authority: Authority) -> None:
    """Seals the log, so that one timer does both. What stands in the way keeps no notice back: `doctor` says it, and a notice does."""
    with contextlib.suppress(Refusal):
        seals.seal(Unit(authority, CONSOLE))


def health(unit: Unit) -> Health:
    """How notices are going. Raises NotAllowed."""
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        return health_of(unit)


def health_of(unit: Unit) -> Health:
    """How notices are going, within the transaction that is under way."""
    rows = channels.every(unit.connection)
    counts = deliveries.counts(unit.connection, unit.at - LOOKED_AT)
    failing = tuple(channel for channel in rows if channel.failing_since is not None and not channel.paused)
    run_at = notices.progress(unit.connection).run_at
    return Health(len(rows), run_at, counts[DeliveryState.WAITING], counts[DeliveryState.GIVEN_UP], failing)


def seconds_since_run(unit: Unit) -> float | None:
    """How long ago a run ended, for who watches it; None where none ever did. Raises NotAllowed."""
    run_at = health(unit).run_at
    return None if run_at is None else (unit.at - run_at).total_seconds()


def warning_for(unit: Unit, actor: Actor) -> str | None:
    """What an administrator has to look into, within the transaction that is under way; None for nothing, and for others."""
    if not actor.has(Privilege.MANAGE_AUTHORITY):
        return None
    return problem_of(health_of(unit), unit.at)


def problem_of(state: Health, at: datetime) -> str | None:
    """What is wrong with notices, in a sentence; None when all is well, or there is no channel."""
    if not state.channels:
        return None
    problems = [f'the channel "{channel.name}" fails: {channel.error}' for channel in state.failing]
    if state.given_up:
        problems.append(f"{counted(state.given_up, 'message')} {are(state.given_up)} given up in the last 7 days")
    if state.run_at is None:
        problems.append("no notice was ever looked for, though there are channels")
    elif at - state.run_at > RUN_EVERY:
        problems.append(f"notices were looked for at {state.run_at:%Y-%m-%d %H:%M} UTC the last time")
    return "; ".join(problems) or None


def examined(unit: Unit) -> str:
    """What `doctor` says of notices when all is well. Raises Refusal for what is not."""
    with unit.reading():
        state, at = health_of(unit), unit.at
        rows, without = channels.every(unit.connection), members.count_without_email(unit.connection)
    if missing := [channel.name for channel in rows if not channel.paused and not sending.can_send(channel)]:
        raise Refusal(
            f"Apprise is not installed here, without which nothing goes to {', '.join(missing)}",
            hint="Install it for the Python that runs this: pip install 'carnet[notices]'",
        )
    if problem := problem_of(state, at):
        raise Refusal(
            problem,
            hint="Let carnet-authority notify run every few minutes, or serve with --notify; "
            "carnet-authority channel test NAME tries a channel.",
        )
    if not state.channels:
        return "there is no channel, nobody is told of anything"
    text = f"{counted(state.channels, 'channel')}, and {counted(state.waiting, 'message')} {are(state.waiting)} to be sent"
    if without and any(channel.to_members for channel in rows):
        text += f"; {counted(without, 'member')} without an e-mail address {are(without)} told nothing: member set NAME --email ADDRESS"
    return text
