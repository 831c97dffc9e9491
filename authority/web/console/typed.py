"""A form that is shown again: what stands in its fields, and what becomes of them where another change came first.

A form of a thing that has a version carries, beside what can be typed, what it showed first (`was.NAME`). Where another change was
quicker, what was not touched is shown as it is by now, and what was touched stays as it was typed.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import g, request

from authority.domain.refusals import ChangedMeanwhile

WAS = "was."


def is_shown_again() -> bool:
    """True where something was wrong with the form that was sent, or its question was left: it has what was typed."""
    return bool(request.form) and ("problem" in g or g.get("keeps_typed", False))


def text(name: str, now: object, *, versioned: bool = False) -> object:
    """What stands in a field: what was typed where that stays, else what is so now."""
    return request.form.get(name, now) if _stays(name, versioned=versioned) else now


def is_ticked(name: str, now: bool, *, versioned: bool = False) -> bool:
    """Whether a box is ticked; the form of one that is not does not name it."""
    return name in request.form if _stays(name, versioned=versioned) else now


def texts(name: str, now: Sequence[str], *, versioned: bool = False) -> list[str]:
    """What was chosen of a list, or is chosen now."""
    return request.form.getlist(name) if _stays(name, versioned=versioned) else list(now)


def was(name: str, now: Sequence[str]) -> list[str]:
    """What the form showed first: from the moment on where it learned of another change, what is so now."""
    is_older = is_shown_again() and not _is_overtaken() and WAS + name in request.form
    return request.form.getlist(WAS + name) if is_older else list(now)


def version(now: str) -> str:
    """The version that goes with what the form showed first."""
    return request.form.get("version", now) if is_shown_again() and not _is_overtaken() else now


def is_touched(name: str) -> bool:
    """True when what was sent is another than what the form showed first."""
    if WAS + name not in request.form:
        return name in request.form
    return _values(name) != _values(WAS + name)


def _values(name: str) -> list[str]:
    return sorted(filter(None, request.form.getlist(name)))


def _is_overtaken() -> bool:
    return "problem" in g and g.problem.code == ChangedMeanwhile.code


def _stays(name: str, *, versioned: bool) -> bool:
    if not is_shown_again():
        return False
    if not versioned:
        return True
    # The form of another page about the same thing has not all of its fields.
    is_sent = name in request.form or WAS + name in request.form
    return is_sent and (is_touched(name) or not _is_overtaken())
