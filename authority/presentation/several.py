"""What became of each of several things that were named together and done one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypeVar

from authority.presentation.refusals import RefusalShown
from authority.presentation.shown import Repeated, Shown, with_escapes
from authority.services.several import Outcome

Item = TypeVar("Item")
Result = TypeVar("Result")


class RefusedId(RefusalShown):
    """One of several things named by their ids that was refused, and why."""

    id: Repeated
    ok: Literal[False] = False


def rows_of(
    outcomes: Iterable[Outcome[Item, Result]],
    names: Callable[[Item], Mapping[str, str]],
    resource: str,
    shown: Callable[[Result], Shown],
) -> list[dict[str, Any]]:
    """One object for each: the names of the item, whether it was done (`ok`), and what became of it.

    That is the thing under the name of its resource, or code, message and hint of the refusal.
    """
    rows = []
    for outcome in outcomes:
        row: dict[str, Any] = {key: with_escapes(text) for key, text in names(outcome.item).items()}
        row["ok"] = outcome.refusal is None
        if outcome.refusal is None:
            row[resource] = shown(outcome.done())
        else:
            row |= RefusalShown.of(outcome.refusal).model_dump()
        rows.append(row)
    return rows
