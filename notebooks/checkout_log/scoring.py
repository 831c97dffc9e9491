"""How well stuck licenses are told from the rest, where the truth is known: planted by the simulator, or labelled by a server."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from checkout_log.columns import CAUSES, NUMBER, SESSION, TEXT, WHOLE, Column, typed
from checkout_log.hindsight import BACKTEST, CALIBRATION, RECALL, backtest, calibration, recall
from checkout_log.measuring.activity_index import GIVEN_BACK
from checkout_log.measuring.survival import quantile
from checkout_log.simulate import Truth
from checkout_log.thresholds import Thresholds

__all__ = [
    "BACKTEST",
    "CALIBRATION",
    "LIMITS",
    "LOOK_ALIKE",
    "NOT_FOUND",
    "ORDINARY",
    "RECALL",
    "RECLAIMS",
    "SCORES",
    "backtest",
    "calibration",
    "confusion",
    "matched",
    "recall",
    "reclaims",
    "scores",
]

LOOK_ALIKE, ORDINARY, NOT_FOUND = "looks stuck only", "ordinary use", "not found"
# Logs of some servers know whole minutes only.
_SAME = pd.Timedelta(minutes=1)
_CASE = ("product", "member", "machine", "since", "cause", "also", "case")

SCORES = (
    Column("cause", TEXT, False, "one of columns.CAUSES"),
    Column("planted", WHOLE, False, "cases of it"),
    Column("found", WHOLE, False, "rows that name it"),
    Column("right", WHOLE, False, "of these, rows of which it is true"),
    Column("precision", NUMBER, True, "right / found; empty where nothing was found"),
    Column("recall", NUMBER, True, "cases found under a cause that is true of them / planted; empty where none was planted"),
)
# Limits on length, in hours, as a site may set them.
LIMITS = (1, 2, 4, 8, 24)
RECLAIMS = (
    Column("rule", TEXT, False, '"outlier" with the thresholds of `stuck.find`, or a plain limit on length'),
    Column("idle_called", WHOLE, False, "sessions that the server took back as idle, and the rule calls stuck just before"),
    Column("idle_not_called", WHOLE, False, "the others that it took back"),
    Column("returned_called", WHOLE, False, "sessions that users gave back themselves, and the rule calls stuck just before"),
    Column("returned_not_called", WHOLE, False, "the others that users gave back"),
    Column("precision", NUMBER, True, "share of the sessions called stuck that were idle; empty where none was called"),
    Column("recall", NUMBER, True, "share of the idle sessions that were called stuck"),
)


def matched(stuck_uses: pd.DataFrame, truth: Truth | None) -> pd.DataFrame:
    """Each case and each row that was found, brought together: `planted`, `found`, and `true` (causes, with semicolons between).

    A row and a case are the same where product, member and machine are, and they began within a minute of one another.
    Without a truth there are no rows.
    """
    if truth is None:
        return pd.DataFrame({"planted": [], "found": [], "true": []}, dtype="string")
    stories = [truth.stuck.assign(is_stuck=True), truth.look_alikes.assign(is_stuck=False)]
    cases = pd.concat([story[story["handle"].notna()].fillna({"also": ""}) for story in stories])[[*_CASE, "is_stuck"]]
    cases = cases.drop_duplicates("case")
    keys = ["product", "member", "machine"]
    rows = stuck_uses.assign(row=range(len(stuck_uses)))[[*keys, "since", "cause", "row"]]
    both = cases.merge(rows, on=keys, suffixes=("", "_named"))
    both = both[(both["since"] - both["since_named"]).abs() < _SAME].drop_duplicates("case")
    named_as = cases["case"].map(both.set_index("case")["cause_named"]).fillna(NOT_FOUND)
    others = rows.loc[~rows["row"].isin(both["row"]), "cause"]
    planted = cases["cause"].where(cases["is_stuck"], LOOK_ALIKE)
    true = cases["cause"].where(cases["is_stuck"], "").str.cat(cases["also"], sep="; ")
    columns = {
        "planted": [*planted, *[ORDINARY] * len(others)],
        "found": [*named_as, *others],
        "true": [*true, *[""] * len(others)],
    }
    return pd.DataFrame(columns, dtype="string")


def confusion(pairs: pd.DataFrame) -> pd.DataFrame:
    """The cases counted, from `matched`: a row for each planted kind, a column for each found one.

    Ordinary uses that were rightly not found are not counted: that cell is empty. Without cases there are no rows.
    """
    if pairs.empty:
        return pd.DataFrame()
    counted = pd.crosstab(pairs["planted"], pairs["found"])
    table = counted.reindex(index=[*CAUSES, LOOK_ALIKE, ORDINARY], columns=[*CAUSES, NOT_FOUND], fill_value=0).astype("Int64")
    table.loc[ORDINARY, NOT_FOUND] = pd.NA
    return table


def scores(pairs: pd.DataFrame) -> pd.DataFrame:
    """Precision and recall of each cause, from `matched`: the columns SCORES.

    A use can be stuck in several ways at once, so a cause that is true beside the planted one is right as well. Without cases
    there are no rows.
    """
    if pairs.empty:
        return typed(pd.DataFrame(columns=[column.name for column in SCORES]), SCORES)
    is_right = pd.Series(
        [named in true.split("; ") for named, true in zip(pairs["found"], pairs["true"], strict=True)], dtype=bool
    )
    rows = []
    for cause in CAUSES:
        planted, named = pairs["planted"] == cause, pairs["found"] == cause
        right = int((named & is_right).sum())
        rows.append(
            (
                cause,
                int(planted.sum()),
                int(named.sum()),
                right,
                right / named.sum() if named.any() else None,
                int((planted & is_right).sum()) / planted.sum() if planted.any() else None,
            )
        )
    return typed(pd.DataFrame(rows, columns=[column.name for column in SCORES]), SCORES)


def reclaims(lasted: pd.DataFrame, thresholds: Thresholds | None = None, limits: Sequence[float] = LIMITS) -> pd.DataFrame:
    """How rules on length tell the sessions that a server took back as idle from those given back: the columns RECLAIMS.

    lasted: of `usage.lasted`. limits: hours. A log without idle ends has no rows. Borrows have no idle time and do not count.
    """
    own = lasted[lasted["mode"] == SESSION]
    ended = own[own["ended_by"].isin(["idle", "checkin"])].reset_index(drop=True)
    is_idle, hours, count = ended["ended_by"] == "idle", ended["hours"], ended["sessions"]
    if not is_idle.any():
        return typed(pd.DataFrame(columns=[column.name for column in RECLAIMS]), RECLAIMS)
    rules = {"outlier": hours > _outlier_hours(own, ended, thresholds or Thresholds())}
    rules |= {f"longer than {limit:g} h": hours > limit for limit in limits}
    rows = []
    for rule, called in rules.items():
        right, missed, wrong, left = (
            int(count[one].sum()) for one in (called & is_idle, ~called & is_idle, called & ~is_idle, ~called & ~is_idle)
        )
        precision = right / (right + wrong) if called.any() else None
        rows.append((rule, right, missed, wrong, left, precision, right / (right + missed)))
    return typed(pd.DataFrame(rows, columns=[column.name for column in RECLAIMS]), RECLAIMS)


def _outlier_hours(own: pd.DataFrame, ended: pd.DataFrame, wanted: Thresholds) -> pd.Series:
    """How many hours of its feature make a session an outlier; empty where too few sessions ended to know."""
    keys = ["product", "feature"]
    least = [
        (*name, quantile(closed["hours"], closed["sessions"], wanted.outlier_share) * wanted.outlier_factor)
        for name, closed in own[own["ended_by"].isin(GIVEN_BACK)].groupby(keys)
        if closed["sessions"].sum() >= wanted.fewest_closed
    ]
    known = pd.DataFrame(least, columns=[*keys, "least"]).astype(ended.dtypes[keys].to_dict() | {"least": "float64"})
    return ended.merge(known, on=keys, how="left")["least"].clip(lower=wanted.outlier_least / pd.Timedelta(hours=1))
