"""What is wrong with a form, and at which of its fields: the one place that knows which field a refusal belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flask import g

from authority.domain.changes import spoken
from authority.domain.refusals import ChangedMeanwhile, Refusal
from authority.web import problems
from authority.web.console import typed
from authority.web.console.hints import hint_on_page
from authority.web.problems import InvalidValues

# The fields of forms for what a refusal is about, and for codes that are always about the same; others are called alike.
FIELDS = {
    "accept_root": ("accept_root",),
    "already-exists": ("username", "name"),
    "authorization-unusable": ("authorization_file",),
    "duration-too-long": ("days",),
    "expires_at": ("last_day",),
    "file": ("file", "files", "authorization_file"),
    "group": ("group", "groups", "subject"),
    "last-administrator": ("role",),
    "machine": ("machine",),
    "member": ("member", "username", "subject", "clock_member"),
    "member-has-borrow": ("release",),
    "overlap-not-accepted": ("accept_overlap",),
    "password": ("new_password", "password"),
    "product": ("product", "subject", "license"),
    "request-invalid": ("file", "files"),
    "user_type": ("user_type", "type", "subject"),
}
# What of the evidence of these is a value that was given, and not what it was held against.
GIVEN = {
    "invalid-input": ("username",),
    "no-such-product": ("product", "level", "extension", "feature", "user_type"),
    "not-found": ("member", "group", "machine"),
    "type-not-compatible": ("user_type",),
}


@dataclass(slots=True)
class Mistake:
    """One thing that is wrong: its sentence, the names that its field may have, and the field of the page that says it."""

    message: str
    names: tuple[str, ...]
    hint: str = ""
    field: str = ""
    label: str = ""

    @property
    def is_about_it(self) -> bool:
        """True for a sentence that has to stand beside the name of what it is about."""
        return self.message.startswith("It ")


def note(error: InvalidValues | Refusal) -> None:
    """Keeps what is wrong for the page that is shown next."""
    if isinstance(error, InvalidValues):
        g.mistakes = [Mistake(text, (name,)) for name, text in _of_values(error)]
    elif isinstance(error, ChangedMeanwhile):
        g.mistakes = list(_of_both(error))
    else:
        g.mistakes = [_of_refusal(refusal) for refusal in (error, *error.also)]


def of_page() -> list[Mistake]:
    """What is wrong, after the fields of the page were made: each that has a field there knows it."""
    mistakes: list[Mistake] = g.get("mistakes", [])
    return mistakes


def error_at(name: str, label: str) -> str:
    """What is wrong with this field of a page; "" when nothing is. It is linked with its label from the top of the page."""
    sentences = []
    for mistake in of_page():
        if name in mistake.names and mistake.field in ("", name):
            mistake.field, mistake.label = name, label
            sentences.append(mistake.message)
    return "; ".join(sentences)


def _of_values(error: InvalidValues) -> Iterator[tuple[str, str]]:
    for item in problems.of_values(error.error).errors:
        message = str(item["message"])
        yield str(item["name"]).partition(".")[0], message


def _of_refusal(refusal: Refusal) -> Mistake:
    values = refusal.evidence
    about = [refusal.about, refusal.code, *(name for name in GIVEN.get(refusal.code, ()) if values.get(name) is not None)]
    names = [field for name in about if name for field in FIELDS.get(name, (name,))]
    return Mistake(refusal.message, tuple(names), hint_on_page(refusal.code, refusal.hint))


def _of_both(error: ChangedMeanwhile) -> Iterator[Mistake]:
    """The fields that another change made something else of, and that were touched here."""
    for name, value in error.changed.items():
        if typed.is_touched(name):
            yield Mistake(f"the other change made it: {spoken(name, value)}", (name,))
