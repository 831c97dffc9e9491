"""What all tables are made of: times as whole microseconds, and the names of keys and indexes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Dialect,
    MetaData,
)
from sqlalchemy.types import TypeDecorator

from authority.domain.refusals import StorageUnavailable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
NOT_OURS = (
    "No program of this authority wrote that. Compare the database with a backup: carnet-authority log verify, and "
    "docs/operations.md, When something is wrong."
)


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, stored as whole microseconds since 1970: exact, ordered and the same on both databases."""

    impl = BigInteger
    cache_ok = True

    # The functions themselves, where the base class would wrap each in two of its own: a borrow writes and reads fifteen times.
    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:  # noqa: ARG002 - the base class says so
        """What makes a number of a time."""
        return microseconds

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:  # noqa: ARG002
        """What makes a time of a number."""
        return instant


def microseconds(at: datetime | None) -> int | None:
    """Whole microseconds since 1970 UTC. Raises ValueError for a naive time, which could mean any moment."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return (at - EPOCH) // MICROSECOND


def instant(number: int | None) -> datetime | None:
    """The aware UTC time of so many microseconds since 1970.

    Raises StorageUnavailable for what is no number, or none that a time can have: SQLite takes anything in any column.
    """
    if number is None:
        return None
    try:
        return EPOCH + number * MICROSECOND
    except (TypeError, OverflowError) as error:
        raise StorageUnavailable("the database has something where a time should be", hint=NOT_OURS) from error


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
