"""The log: its events, with times to the microsecond."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import Field, PlainSerializer

from authority.presentation import event_words
from authority.presentation.shown import Shown


def instant(at: datetime | None) -> str | None:
    """A time of the log as text: RFC 3339 with microseconds, `Z`; None for None. `at` is in UTC."""
    return None if at is None else at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def with_texts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the checkout log with its times as text, for CSV and JSON lines."""
    return {**row, "at": instant(row["at"]), "until": instant(row["until"])}


Instant = Annotated[datetime, PlainSerializer(instant, return_type=str)]


class EventShown(Shown):
    """One row of the log: its codes for programs, and `what`, `done_by` and `said` for people."""

    id: int
    at: Instant
    kind: str
    actor: str = Field(description="who did it; console and time are no members")
    mode: str | None = Field(description="borrow or session; null: an administrator's act")
    handle: str | None = Field(description="the id of the borrow or session")
    product: str | None
    feature: str | None = Field(description="a level or an extension")
    member: str | None
    group: str | None = Field(description="the member's groups, semicolons between")
    machine: str | None
    alias: str | None
    os_user: str | None
    quantity: int
    until: Instant | None
    reason: str | None = Field(description="a denial's code, how something ended, or what was said about it")

    @property
    def what(self) -> str:
        """What happened, in words: `license taken offline`."""
        return event_words.what(self.kind, self.mode)

    @property
    def done_by(self) -> str:
        """Who did it, in words: a member's name, `console (the server's command line)`."""
        return event_words.done_by(self.actor)

    @property
    def said(self) -> str:
        """What was said about it, in words, "" for nothing: of a denial why, and its code in parentheses."""
        return event_words.said(self.kind, self.reason)


def event_of(row: Mapping[str, Any]) -> EventShown:
    """The row of the table as it is shown."""
    return EventShown(**row)


class Events(Shown):
    """A page of the log."""

    items: tuple[EventShown, ...]
    next: str | None = Field(
        description="`after`, newest first `before`, of the page that follows; null: there is nothing more yet"
    )

    @classmethod
    def of(cls, rows: Sequence[Mapping[str, Any]], limit: int) -> Self:
        """The rows of a page that has at most `limit` of them."""
        following = str(rows[-1]["id"]) if len(rows) == limit else None
        return cls(items=tuple(map(event_of, rows)), next=following)
