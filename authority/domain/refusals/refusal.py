"""What every refusal is: a stable code, a sentence with the values in it, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class NotDone:
    """One of several things named together, of which none was done: its own refusal, or None when only another was refused."""

    name: str
    refusal: Refusal | None

    def as_evidence(self) -> dict[str, Any]:
        """The name and what was said of it; the code is None where only another was refused."""
        if self.refusal is None:
            message, hint = "not done, because another was refused", "Name it without those that were refused."
            return {"name": self.name, "ok": False, "code": None, "message": message, "hint": hint}
        refusal = self.refusal
        return {"name": self.name, "ok": False, "code": refusal.code, "message": refusal.message, "hint": refusal.hint}


@dataclass(eq=False, repr=False)
class Refusal(Exception):
    """Root of all refusals.

    What a class adds as fields are the values of the sentence: a field without a default is always there, any other one
    where this refusal has something to say about it. `items` has each of several things that were named together, when
    this refusal is the reason why none of them was done. `about` names the value that is wrong, where it is one that was
    given; `also` has what else is wrong with what was given.
    """

    code: ClassVar[str] = ""
    default_hint: ClassVar[str] = ""

    message: str
    hint: str = field(default="", kw_only=True)
    about: str = field(default="", kw_only=True)
    items: tuple[NotDone, ...] = field(default=(), init=False)
    also: tuple[Refusal, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self.hint = self.hint or self.default_hint

    @property
    def evidence(self) -> dict[str, Any]:
        """The values by name, as JSON has them: times as RFC 3339, what has several parts as an object."""
        values = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in _OF_ALL and (item.default is MISSING or value is not None):
                values[item.name] = _plain(value)
        if self.items:
            values["items"] = [item.as_evidence() for item in self.items]
        if self.also:
            values["also"] = [{"code": other.code, "message": other.message, "hint": other.hint} for other in self.also]
        return values


class Mistakes:
    """What is wrong with several values that were given together, so that all of it is told, and not the first alone."""

    def __init__(self) -> None:
        self._refusals: list[Refusal] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """A check whose refusal is told later, with the others."""
        try:
            yield
        except Refusal as refusal:
            self._refusals.append(refusal)

    def tell(self) -> None:
        """Raises the first refusal that was collected, with the others as `also`; nothing when there is none."""
        if self._refusals:
            first, *others = self._refusals
            first.also = tuple(others)
            raise first


_OF_ALL = frozenset(item.name for item in fields(Refusal))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    return value


def every_refusal(root: type[Refusal] = Refusal) -> list[type[Refusal]]:
    """All refusals with a code of their own; the table of statuses and the documentation are held to this list."""
    refusals: list[type[Refusal]] = []
    for child in root.__subclasses__():
        if "code" in vars(child):
            refusals.append(child)
        refusals.extend(every_refusal(child))
    return refusals
