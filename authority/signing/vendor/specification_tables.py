"""The tables of a vendor's specification, and in plain words what belongs in each place."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, field_serializer

from authority.domain.catalogue import Mode
from authority.domain.names import composed, is_shown, key_of
from verifier.core.reading import FEATURE, LARGEST_INTEGER, LONGEST_TEXT, MOST_DAYS, PRODUCT_ID
from verifier.core.times import LAST_SECOND, timestamp

_DATE = re.compile(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TIME = re.compile(
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)

# What to write, after "must be".
TEXT = f"printable text of 1 to {LONGEST_TEXT} characters"
ID = "1 to 64 of a-z 0-9 . - that begin and end with a letter or digit"
NAMES = "names of 1 to 64 letters, digits, spaces and . _ -"
COUNTS = f"a table of whole numbers of at least 0, with {NAMES}"
MODE = "one of " + ", ".join(f'"{mode}"' for mode in Mode)
COUNT = f"a whole number from 0 to {LARGEST_INTEGER}"
TIME = "a date, or a time with a zone, like 2027-01-31 or 2027-01-31T12:00:00Z"


def _printable(text: str) -> str:
    text = composed(text)
    if not text or not is_shown(text):
        raise ValueError
    return text


def _matching(pattern: re.Pattern[str]) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not pattern.match(text):
            raise ValueError
        return text

    return check


def _mode(text: str) -> Mode:
    # The enum itself has a signature that pydantic takes for a validator's on Python 3.11 alone.
    return Mode(text)


def _different(texts: list[str]) -> list[str]:
    if len({key_of(text) for text in texts}) != len(texts):
        raise ValueError
    return texts


def _time(value: object) -> datetime:
    """The aware time in whole seconds that is meant; a date alone means its first moment UTC.

    Raises ValueError for what is no time, has no zone, or lies outside the calendar of tokens.
    """
    if isinstance(value, str):
        if _DATE.match(value):
            value = date.fromisoformat(value)
        elif _TIME.match(value):
            value = datetime.fromisoformat(value.upper())
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError
    try:
        seconds = timestamp(value)
    except OverflowError as error:
        raise ValueError from error
    if not 0 <= seconds <= LAST_SECOND:
        raise ValueError
    return datetime.fromtimestamp(seconds, UTC)


Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT), AfterValidator(_printable)]
Id = Annotated[str, AfterValidator(_matching(PRODUCT_ID))]
Name = Annotated[str, AfterValidator(_matching(FEATURE))]
Count = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
Time = Annotated[datetime, PlainValidator(_time)]


class Table(BaseModel):
    """One table: nothing is converted, and nothing is taken that nobody asked for."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class MembersTable(Table):
    """How many members there may be, in all and by user type; what is left out is no limit."""

    total: Count | None = Field(None, description=COUNT)
    types: dict[Name, Count] = Field(default_factory=dict, description=COUNTS)


class UserTypeTable(Table):
    """What members of a type hold by themselves, and what else they may hold."""

    includes: dict[Id, Text] = Field(description=f"a table of texts, with names of {ID}")
    may_hold: Annotated[list[Id], AfterValidator(_different)] = Field(
        description=f"an array without repetition of product ids: {ID}"
    )


class ProductTable(Table):
    """A product, with levels from low to high."""

    id: Id = Field(description=ID)
    name: Text = Field(description=TEXT)
    mode: Annotated[str, AfterValidator(_mode)] = Field(description=MODE)
    levels: Annotated[list[Name], AfterValidator(_different)] = Field(description=f"an array without repetition of {NAMES}")
    seats: dict[Name, Count] = Field(description=COUNTS)
    extensions: dict[Name, Count] = Field(description=COUNTS)
    until: Time | None = Field(None, description=TIME)

    @field_serializer("until")
    def _seconds(self, until: datetime | None) -> int | None:
        return None if until is None else timestamp(until)


class SpecificationTable(Table):
    """All that a vendor says about one organization."""

    iss: Text = Field(description=TEXT)
    sub: Id = Field(description=ID)
    organization: Text = Field(description=TEXT)
    members: MembersTable = Field(description="a table")
    user_types: dict[Name, UserTypeTable] = Field(description=f"a table of tables, with {NAMES}")
    products: list[ProductTable] = Field(description="an array of tables")
    max_borrow_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] = Field(description=f"a whole number from 1 to {MOST_DAYS}")
    seq: Annotated[int, Field(ge=1, le=LARGEST_INTEGER)] | None = Field(
        None, description=f"a whole number from 1 to {LARGEST_INTEGER}"
    )
    nbf: Time | None = Field(None, description=TIME)
    exp: Time = Field(description=TIME)


# The tables within, and how many names or numbers stand before their own members: members.total, products.0.id.
_WITHIN: dict[object, tuple[type[Table], int]] = {
    "members": (MembersTable, 1),
    "user_types": (UserTypeTable, 2),
    "products": (ProductTable, 2),
}


def problem(kind: str, place: tuple[int | str, ...], tables: dict[str, Any]) -> str:
    """What is wrong at a place, in plain words, for an error that pydantic calls `kind`."""
    if kind == "extra_forbidden":
        return f'"{_name(place, tables)}" is not known'
    fields, depth = SpecificationTable.model_fields, 1
    table, above = _WITHIN.get(place[0], (SpecificationTable, 0))
    if 0 < above < len(place) and place[above] in table.model_fields:
        fields, depth = table.model_fields, above + 1
    name = _name(place[:depth], tables)
    return f'"{name}" is missing' if kind == "missing" else f'"{name}" must be {fields[str(place[depth - 1])].description}'


def _name(place: tuple[int | str, ...], tables: dict[str, Any]) -> str:
    """`products.arcgis-pro.mode`: the tables of an array go by their `id`, or by their number from 1 on."""
    return ".".join(_label(part, tables) if isinstance(part, int) else part[:80] for part in place)


def _label(number: int, tables: dict[str, Any]) -> str:
    own_id = tables["products"][number].get("id")
    return own_id[:80] if isinstance(own_id, str) and own_id.isprintable() and own_id else str(number + 1)
