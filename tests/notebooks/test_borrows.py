"""Borrows grow old: days out, days left, overdue, and the last sign of the member."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from checkout_log import borrows
from tests.notebooks.random_logs import BEGIN, event, open_log, raw_log
from tests.notebooks.reference import Event

DAY = 86_400


def on(day: float, kind: str = "checkout", due: float | None = 20, **fields: object) -> Event:
    """An event of a borrow so many days after BEGIN, with its due day."""
    usual: dict[str, object] = {"mode": "borrow", "handle": "b", "source": "authority", "feature": "Basic"}
    until = None if due is None else int(due * DAY)
    return event(int(day * DAY), kind, **(usual | {"until": until} | fields))


def ageing(*events: Event, days: int = 30, now: float | None = None) -> pd.DataFrame:
    moment = None if now is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=BEGIN, days=now)
    return borrows.ageing(open_log(raw_log(list(events), seconds=days * DAY)), moment)


def ending_of(row: pd.Series) -> dict[str, Any]:
    """What it says of the end of a borrow."""
    return {name: row[name] for name in ("is_out", "is_overdue", "ended_by", "days_out", "days_left")}


RETURNED = {"is_out": False, "is_overdue": False, "days_left": None}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((on(1, due=40),), {"is_out": True, "is_overdue": False, "ended_by": "open", "days_out": 29, "days_left": 10}),
        ((on(1),), {"is_out": False, "is_overdue": True, "ended_by": "expiry", "days_out": 19, "days_left": -10}),
        ((on(1, due=30),), {"is_out": False, "is_overdue": True, "ended_by": "expiry", "days_out": 29, "days_left": 0}),
        ((on(1), on(6, "checkin")), RETURNED | {"ended_by": "checkin", "days_out": 5}),
        ((on(1), on(6, "release")), RETURNED | {"ended_by": "release", "days_out": 5}),
        ((on(1), on(25, "checkin")), RETURNED | {"ended_by": "checkin", "days_out": 24}),
        (
            (on(1), on(6, "revocation")),
            {"is_out": False, "is_overdue": True, "ended_by": "revocation", "days_out": 19, "days_left": -10},
        ),
        (
            (on(1), on(9, "renewal", due=40)),
            {"is_out": True, "is_overdue": False, "ended_by": "open", "days_out": 29, "days_left": 10},
        ),
    ],
    ids=["out", "overdue", "due this moment", "returned", "freed", "returned late", "withdrawn", "renewed"],
)
def test_a_borrow_is_out_overdue_or_over(events: tuple[Event, ...], expected: dict[str, Any]) -> None:
    rows = ageing(*events)
    assert len(rows) == 1
    assert ending_of(rows.astype(object).where(rows.notna(), None).iloc[0]) == expected


def test_at_an_earlier_time_it_was_still_out() -> None:
    row = ageing(on(1), on(6, "checkin"), now=3).iloc[0]
    assert (row["is_out"], row["ended_by"], row["days_out"], row["days_left"]) == (True, "open", 2, 17)


def test_what_began_later_is_not_told_of() -> None:
    assert ageing(on(5), now=3).empty


def test_a_due_time_that_nobody_knows_is_empty() -> None:
    row = ageing(on(1, due=None, source="lmstat")).iloc[0]
    assert pd.isna(row["due"])
    assert pd.isna(row["days_left"])
    assert row["is_out"]
    assert not row["is_overdue"]


def test_all_features_of_a_borrow_are_one_row() -> None:
    parts = [on(1, feature=name) for name in ("Basic", "3DAnalyst")]
    renewed = [on(9, "renewal", due=25, feature=name) for name in ("Basic", "3DAnalyst")]
    rows = ageing(*parts, *renewed, on(11, "revocation", due=25, feature="Basic"))
    assert rows[["features", "renewals"]].to_numpy().tolist() == [["3DAnalyst; Basic", 1]]
    assert rows["revoked_at"].iloc[0] - rows["start"].iloc[0] == pd.Timedelta(days=10)


def test_the_last_sign_is_of_the_member_anywhere() -> None:
    elsewhere = event(12 * DAY, product="Q", machine="m2")
    denied = event(14 * DAY, "denial", product="Q", reason="queued", machine="m3")
    others = [event(20 * DAY, member="bob"), event(21 * DAY, "checkin", reason="idle", product="Q", machine="m2")]
    row = ageing(on(1, due=40), elsewhere, denied, *others).iloc[0]
    assert row["days_since_sign"] == 16
    assert ageing(on(1, due=40), now=5)["days_since_sign"].tolist() == [4]


def test_what_is_out_comes_first_and_of_it_the_longest() -> None:
    begun = [on(day, due=40, handle=f"b{day}", member=f"u{day}") for day in (3, 1, 2)]
    rows = ageing(*begun, on(9, "checkin", handle="b1", member="u1"))
    assert rows["handle"].tolist() == ["b2", "b3", "b1"]


def test_sessions_are_no_borrows() -> None:
    assert ageing(event(1)).empty
