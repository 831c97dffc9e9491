"""What a change changed, in words: `vendor access: no, from now on yes`."""

from __future__ import annotations

from collections.abc import Mapping

from authority.domain import list_age

# What people call a field; every other is called by its name without underlines.
LABELS = {"username": "user name", "email": "e-mail address", "download_permission": "permission to download"}


def label(name: str) -> str:
    """What people call a field."""
    return LABELS.get(name, name.replace("_", " "))


def spoken(name: str, value: object) -> str:
    """The value of a field as people say it: a list with commas between, of pairs within it each as two words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name == "status_max_age" and isinstance(value, int):
        return list_age.written(value)
    if isinstance(value, tuple):
        return ", ".join(" ".join(item) if isinstance(item, tuple) else str(item) for item in value) or "none"
    return "none" if value in (None, "") else str(value)


def differences(before: Mapping[str, object], after: Mapping[str, object]) -> list[str]:
    """What is another than before, field by field in the order of `after`: `role: member, from now on analyst`."""
    return [
        f"{label(name)}: {spoken(name, before[name])}, from now on {spoken(name, value)}"
        for name, value in after.items()
        if before[name] != value
    ]
