"""What was typed when a sign-in had ended: the form of the sign-in carries it, and nothing is done with it before it was seen again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import request
from itsdangerous import BadData

from authority.web.console import cookies

# What a body may have has to hold it twice packed, beside a name and a password.
LONGEST = 128 * 1024
# Never carried: what ties a form to a sign-in, and secrets; the address of a channel of notices has some in it.
SECRET = ("form_token", "password", "address")


@dataclass(frozen=True, slots=True)
class Unsent:
    """The number of the member for whom the form was made, the path and query that it was sent to, and its fields."""

    member: int
    path: str
    query: str
    fields: tuple[tuple[str, str], ...]


def without_secrets() -> Iterator[tuple[str, str]]:
    """The fields of the form that was sent, but for those that nobody is to see."""
    return (pair for pair in request.form.items(multi=True) if not any(word in pair[0] for word in SECRET))


def sealed() -> str:
    """The form that was sent, for a field of another one; "" where it is too long. Its files are left out."""
    fields = list(without_secrets())
    member, query = cookies.member_of(request.form.get("form_token", "")), request.query_string.decode("ascii", "replace")
    text = cookies.seal("unsent", [member, request.path, query, fields])
    return text if len(text) <= LONGEST else ""


def opened(text: str) -> Unsent | None:
    """What was sealed for this browser, None for anything else."""
    try:
        member, path, query, fields = cookies.unseal("unsent", text)
    except BadData:
        return None
    return Unsent(member, path, query, tuple((name, value) for name, value in fields))
