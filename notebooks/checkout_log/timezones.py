"""Names of time zones, as every part of the library takes them."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checkout_log.errors import QuestionInvalid


def named(name: object) -> ZoneInfo:
    """The time zone of this IANA name. Raises QuestionInvalid where none is known by it here."""
    try:
        return ZoneInfo(name)  # type: ignore[arg-type]
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError, AttributeError) as error:
        raise QuestionInvalid(
            f"there is no time zone {name!r}", hint="Give an IANA name, such as Europe/Berlin or UTC."
        ) from error
