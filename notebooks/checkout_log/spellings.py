"""One spelling for each user and machine: servers write mira, MIRA and Mira for one person, as the program passes it on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import pandas as pd
from ibis import _, coalesce
from ibis.expr.types import Table

from checkout_log.columns import TEXT, WHOLE, Column
from checkout_log.engine import Engine

FOLDED = ("member", "machine")


def unified(events: Table, engine: Engine) -> Table:
    """The events with one spelling for each user name and each host name, whatever its case and its Unicode form: the most frequent."""
    for name in FOLDED:
        columns = (Column(name, TEXT, False, ""), Column("events", WHOLE, False, ""))
        counted = events.filter(_[name].notnull()).group_by(name).aggregate(events=_.count())
        spellings = usual(engine.frame(counted, columns).itertuples(index=False, name=None))
        if spellings:
            events = _replaced(events, engine, name, spellings)
    return events


def usual(counted: Iterable[tuple[str, int]]) -> dict[str, str]:
    """The usual spelling in place of each other one, where a name has several. counted: spellings, and how often each stands."""
    by_key: dict[str, list[tuple[int, str]]] = {}
    for text, count in counted:
        by_key.setdefault(unicodedata.normalize("NFC", text).casefold(), []).append((count, text))
    return {text: max(spellings)[1] for spellings in by_key.values() for _count, text in spellings if text != max(spellings)[1]}


def _replaced(events: Table, engine: Engine, name: str, spellings: dict[str, str]) -> Table:
    frame = pd.DataFrame(sorted(spellings.items()), columns=[name, "usual"])
    columns = (Column(name, TEXT, False, ""), Column("usual", TEXT, False, ""))
    joined = events.left_join(engine.numbers(frame, columns), name)
    return joined.select(*(coalesce(_.usual, _[name]).name(name) if column == name else column for column in events.columns))
