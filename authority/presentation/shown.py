"""What every shown thing is made of: a frozen model with documented fields, and times in whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


class Shown(BaseModel):
    """A thing as people and programs see it; the answer of a route, `--json`, a row of CSV and a page are made from it."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True, serialize_by_alias=True)


def rfc3339(at: datetime | None) -> str | None:
    """`2026-03-01T12:00:00Z`, None for None."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_whole_seconds(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def with_escapes(text: str) -> str:
    """The text; what of it is no Unicode stands as its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


# A time in UTC; its JSON is RFC 3339 without fractions of a second.
Time = Annotated[datetime, AfterValidator(_in_whole_seconds)]
# A time that is in whole seconds and UTC already, as all times of borrows and sessions are: tokens have no others.
Second = datetime
# Text that repeats what somebody typed: what of it is no Unicode stands as its escape.
Repeated = Annotated[str, BeforeValidator(with_escapes)]


class _NotInSheets:
    """Marks a field that a row of a spreadsheet does not have."""


NOT_IN_SHEETS = _NotInSheets()
# What somebody saw of a thing that may change, for the header If-Match.
Version = Annotated[str, Field(description="for If-Match: what is changed is still as it was seen"), NOT_IN_SHEETS]
