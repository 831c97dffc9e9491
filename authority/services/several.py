"""Several things named in one call: all or none, or one by one; each is told what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from authority.domain.refusals import NotDone, Refusal

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Item, Result]):
    """What became of one of several things: its result, or its refusal."""

    item: Item
    result: Result | None
    refusal: Refusal | None

    def done(self) -> Result:
        """The result. Raises the refusal when there is none."""
        if self.refusal is not None:
            raise self.refusal
        assert self.result is not None  # noqa: S101 - an outcome is a result or a refusal
        return self.result


def each(items: Iterable[Item], act: Callable[[Item], Result]) -> list[Outcome[Item, Result]]:
    """The outcome of `act` for each item, in their order; a refusal of one does not stop the others."""
    return [_outcome(item, act) for item in items]


def all_or_none(
    items: Iterable[Item], act: Callable[[Item], Result], *, name: Callable[[Item], str] = str, one_by_one: bool = False
) -> list[Outcome[Item, Result]]:
    """The outcome of `act` for each item, all of them done.

    When one is refused, the first refusal is raised, so that the transaction is taken back; it says of each item by its name
    what was wrong with it.
    With `one_by_one` nothing is raised: what is refused stays out, and the rest is done. `act` checks all before it changes
    anything, so that of a refused item nothing is left.
    """
    outcomes = each(items, act)
    first = next((outcome.refusal for outcome in outcomes if outcome.refusal is not None), None)
    if first is None or one_by_one:
        return outcomes
    if len(outcomes) > 1:
        first.items = tuple(NotDone(name(outcome.item), outcome.refusal) for outcome in outcomes)
    raise first


def _outcome(item: Item, act: Callable[[Item], Result]) -> Outcome[Item, Result]:
    try:
        return Outcome(item, act(item), None)
    except Refusal as error:
        return Outcome(item, None, error)
