"""Headers that guard something and cannot be read are refused; dates that are none are left out (RFC 9110, 13.1.3 and 13.1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.http import parse_date

from authority.domain.refusals import InvalidInput

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Without one of these a request would do more than who sent it asked for, or be taken for another's.
GUARDS = frozenset(
    {
        *("authorization", "if-match", "if-none-match", "idempotency-key", "origin", "sec-fetch-site"),
        *("x-forwarded-for", "x-forwarded-proto", "content-type"),
    }
)
DATES = ("HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE", "HTTP_IF_RANGE", "HTTP_DATE")
# In the environ: names of the headers whose values are no ASCII, which the server does not give.
UNREADABLE = "carnet.unreadable_headers"


def check(environ: WSGIEnvironment) -> None:
    """Leaves out dates that are none. Raises InvalidInput for a header that guards something and cannot be read."""
    for name in DATES:
        if name in environ and not _is_date_or_tag(environ[name]):
            del environ[name]
    unreadable = sorted(GUARDS.intersection(environ.get(UNREADABLE, ())))
    if unreadable:
        raise InvalidInput(f"the header {unreadable[0]} has characters other than ASCII", hint="Write it in ASCII.")


def _is_date_or_tag(value: str) -> bool:
    try:
        return parse_date(value) is not None or '"' in value
    except (ArithmeticError, ValueError):
        return False
