"""A part of a log: some time, some features, or the members of some groups."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
from ibis import _, or_
from ibis.expr.types import Table

from checkout_log.columns import TEXT, Column, names
from checkout_log.engine import Engine
from checkout_log.errors import NothingLeft
from checkout_log.store import Stored

_DEPARTMENTS = (Column("member", TEXT, False, ""), Column("department", TEXT, False, ""))


def narrowed(
    stored: Stored,
    since: int | None,
    features: Sequence[str],
    departments: Mapping[str, str] | None,
    groups: Sequence[str],
) -> Stored:
    """What is left of a log; the time before `since` (whole microseconds) is not observed. Raises NothingLeft."""
    spans = stored.spans
    if since is not None:
        spans = spans[spans["end"] > since]
        spans = spans.assign(begin=spans["begin"].clip(lower=since)).reset_index(drop=True)
    if spans.empty and not stored.spans.empty:
        raise NothingLeft(
            "the logs cover nothing of this time",
            hint="Choose a time in them: the table of the logs says from when to when they reach.",
        )
    return replace(
        stored,
        spans=spans,
        since=since,
        features=tuple(features) or None,
        groups=tuple(groups) or None,
        departments=departments,
    )


def selected(events: Table, stored: Stored, engine: Engine) -> Table:
    """The events that are of this part of a log, but for its time."""
    if stored.features is not None:
        events = events.filter(_.feature.isin(stored.features))
    if stored.departments is not None:
        known = engine.numbers(_of_members(events, stored.departments, engine), _DEPARTMENTS)
        # Where names have one spelling by now, `member` came out of a join, and Ibis cannot join by it again.
        events = events.view()
        joined = events.left_join(known, "member")
        events = joined.select(*(_.department.name("group") if name == "group" else name for name in events.columns))
    if stored.groups is not None:
        # A member may be in several groups, with semicolons between.
        events = events.filter(or_(*((";" + _.group.replace("; ", ";") + ";").contains(f";{name};") for name in stored.groups)))
    is_whole = stored.features is None and stored.departments is None and stored.groups is None
    return events if is_whole else engine.named(events)


def _of_members(events: Table, departments: Mapping[str, str], engine: Engine) -> pd.DataFrame:
    """The department of each member of the log who has one, whatever the case of the user name."""
    by_key = {_key(name): department for name, department in departments.items()}
    members = engine.frame(events.select("member").filter(_.member.notnull()).distinct(), _DEPARTMENTS[:1])["member"]
    rows = [(name, by_key[_key(name)]) for name in members if _key(name) in by_key]
    return pd.DataFrame(rows, columns=names(_DEPARTMENTS))


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
