"""Which features matter: those with most of the use and of the denials. What they are, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from checkout_log.captions.words import code, counted, percent

KEYS = ["product", "feature"]
# Of all seat-hours, or of all denial episodes: a feature with less than this matters little.
LEAST_SHARE = 0.02
# More are not looked at side by side; fewer are not left out.
MOST, FEWEST = 6, 3


def features_that_matter(efficiency: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """The features with most of the use and of the denials, the most important first, MOST of them at most.

    Columns: `product`, `feature`, `seat_hours`, `share_of_hours` (of all features, 0 to 1), `episodes`, `share_of_episodes`.
    efficiency: of `usage.efficiency`. counts: of `denials.counts`.
    """
    rows = _weighed(efficiency, counts)
    is_small = (rows["share_of_hours"] < LEAST_SHARE) & (rows["share_of_episodes"] < LEAST_SHARE)
    return rows[~is_small | (rows.index < FEWEST)].head(MOST).reset_index(drop=True)


def _weighed(efficiency: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    """All features that were used or denied, the most important first."""
    hours = efficiency.groupby(KEYS)["hours"].sum().rename("seat_hours")
    episodes = counts[counts["episodes"] > 0].set_index(KEYS)["episodes"]
    rows = pd.concat([hours.astype("float64"), episodes.astype("float64")], axis=1).fillna(0.0).rename_axis(KEYS).reset_index()
    rows = rows.assign(share_of_hours=_share(rows["seat_hours"]), share_of_episodes=_share(rows["episodes"]))
    weight = rows["share_of_hours"] + rows["share_of_episodes"]
    order = rows.assign(weight=weight).sort_values(["weight", *KEYS], ascending=[False, True, True]).index
    return rows.loc[order].astype({"episodes": "int64"}).reset_index(drop=True)


def _share(values: pd.Series) -> pd.Series:
    total = values.sum()
    return values / total if total else values * 0.0


def left_out(shown: pd.DataFrame, efficiency: pd.DataFrame, counts: pd.DataFrame) -> str:
    """How much of the use and of the denials the features that are shown have, and how many are left out. shown: of `features_that_matter`."""
    rows = _weighed(efficiency, counts)
    rest = len(rows) - len(shown)
    if rows.empty:
        return "Nothing was in use, and nobody was denied for lack of seats."
    if not rest:
        return f"Looked at {'is the only feature' if len(rows) == 1 else f'are all {len(rows)} features'} that the logs show in use or denied."
    total = int(rows["episodes"].sum())
    denied = f" and {int(shown['episodes'].sum()):,} of {counted(total, 'denial episode')}" if total else ""
    return (
        f"Looked at are {len(shown)} of {len(rows)} features, with {percent(shown['share_of_hours'].sum())} of the hours that seats were "
        f"in use{denied}: those with {percent(LEAST_SHARE)} of either or more, {MOST} at most. The tables have all of them."
    )


def overview(shown: pd.DataFrame, peaks: pd.DataFrame) -> pd.DataFrame:
    """A row for each of these features, in words for people. shown: of `features_that_matter`, with `limit`. peaks: of `usage.peaks`."""
    rows = shown.merge(peaks, on=KEYS, how="left")
    sure = rows["lower"] == rows["upper"]
    table = pd.DataFrame(
        {
            "feature": rows["feature"],
            "product": rows["product"],
            "seats": rows["limit"],
            "peak": rows["peak"],
            "peak at least": rows["lower"],
            "peak at most": rows["upper"],
            "enough for 95 % of the time": rows["p95"],
            "enough for 99 %": rows["p99"],
            "seat-hours": rows["seat_hours"],
            "denial episodes": rows["episodes"],
        }
    )
    empty = [name for name in ("seats",) if table[name].isna().all()]
    return table.drop(columns=[*empty, *(["peak at least", "peak at most"] if sure.all() else [])])


def each(say: Callable[..., str], frame: pd.DataFrame, features: pd.DataFrame, *, has_limit: bool = False, **more: Any) -> str:
    """A sentence on each feature, in a list; features without a row have none.

    say: a function of `captions`. features: with `product`, `feature` and `limit`. has_limit: it wants to know the limit.
    """
    lines = []
    twice = features["feature"].duplicated(keep=False)
    for row, is_twice in zip(features.itertuples(), twice, strict=True):
        rows = frame[(frame["product"] == row.product) & (frame["feature"] == row.feature)].reset_index(drop=True)
        limit = {"limit": None if pd.isna(row.limit) else int(str(row.limit))} if has_limit else {}
        name = f"{code(row.feature)} of {code(row.product)}" if is_twice else code(row.feature)
        if len(rows):
            sentence = say(rows, **limit, **more)
            lines.append(f"- {sentence if name in sentence else f'{name}: {_beginning(sentence)}'}")
    return "\n".join(lines)


def _beginning(sentence: str) -> str:
    """A sentence that goes on after a colon."""
    first = sentence.split(" ", 1)[0]
    return sentence[:1].lower() + sentence[1:] if first.istitle() or len(first) == 1 else sentence
