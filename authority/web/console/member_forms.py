"""What the pages about members have in common: the fields of their forms, and what a change does in words."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from authority.domain.borrows import Borrow
from authority.domain.members import Role, email_of, group_name, username_of
from authority.domain.names import once
from authority.domain.refusals import InvalidInput
from authority.presentation import sheets
from authority.presentation.licenses import AssignmentShown
from authority.presentation.members import ChangedMember
from authority.web.console.forms import Text
from authority.web.console.visiting import product_name

FIELDS = {
    "username": "user name",
    "full_name": "full name",
    "email": "e-mail address",
    "user_type": "user type",
    "role": "role",
    "groups": "groups",
    "disabled": "disabled",
    "vendor_access": "vendor access",
    "download_permission": "permission to download",
}
# The values of a choice, each with its words.
ROLES = tuple((str(role), role.replace("-", " ")) for role in Role)
BORROWS_STAY = "What is out offline stays good until it ends or is given back; revoke or release it if it must not."


def _username(text: str) -> str:
    try:
        return username_of(text)
    except InvalidInput as error:
        raise ValueError(error.message) from error


def _email(text: str) -> str:
    try:
        return email_of(text)
    except InvalidInput as error:
        raise ValueError(error.message) from error


def _groups(texts: object) -> object:
    """The groups in one text, with semicolons between; what the fields of a form with this name say together."""
    if not isinstance(texts, list):
        return texts
    try:
        return once(group_name(name) for text in texts for name in sheets.parted(text))
    except InvalidInput as error:
        raise ValueError(f"{error.message}. Put ; between groups") from error


UserName = Annotated[str, AfterValidator(_username), Field(max_length=128)]
Email = Annotated[str, AfterValidator(_email)]
FullName = Annotated[Text, Field(max_length=128)]
Groups = Annotated[tuple[str, ...], BeforeValidator(_groups), Field(max_length=256)]


def license_words(license_: AssignmentShown | Borrow) -> str:
    """`ArcGIS Pro Standard with 3DAnalyst`."""
    extensions = f" with {', '.join(license_.extensions)}" if license_.extensions else ""
    return f"{product_name(license_.product)} {license_.level}{extensions}"


def value_words(value: object) -> str:
    """A field of a member as people say it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "; ".join(value) if isinstance(value, tuple) else str(value).replace("-", " ")
    return text or "none"


def differences(changed: ChangedMember) -> list[str]:
    """`role: member, from now on analyst`: what is another than before."""
    before, after = changed.before, changed.member
    return [
        f"{words}: {_plain(name, getattr(before, name))}, from now on {_plain(name, getattr(after, name))}"
        for name, words in FIELDS.items()
        if getattr(before, name) != getattr(after, name)
    ]


def _plain(name: str, value: object) -> str:
    """Names stay as they are written; only words of ours lose their hyphens."""
    return (str(value) or "none") if name in ("username", "full_name", "email", "user_type") else value_words(value)


def license_effects(changed: ChangedMember) -> list[str]:
    """What a change does to the licenses."""
    taken = [f"taken: {license_words(license_)}" for license_ in changed.licenses.taken]
    return [*taken, *(f"given: {license_words(license_)}" for license_ in changed.licenses.given)]
