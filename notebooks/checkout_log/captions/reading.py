"""Sentences and small tables on how far a log can be trusted, and on what a FlexNet log must be read with."""

from __future__ import annotations

from pathlib import PureWindowsPath

import pandas as pd

from checkout_log.captions.words import capitalized, code, counted, percent
from checkout_log.measuring.survival import quantile
from checkout_log.sources.part import LMX

HOURS_IN_A_DAY = 24
# What is said of one, and of many.
_SAID = {
    "malformed": ("could not be read", "could not be read"),
    "undated": ("had no date and was left out", "had no date and were left out"),
    "ambiguous": ("could lie a day or an hour off", "could lie a day or an hour off"),
    "disagreeing": ("time disagreed with another", "times disagreed with others"),
    "overlapping": ("stood in two files and counts once", "stood in two files and count once"),
}


def quality(frame: pd.DataFrame) -> str:
    """How much of the logs could be read and dated. frame: of `Log.quality`."""
    counts = {name: int(frame[name].sum()) for name in _SAID}
    remarks = [f"{count:,} {_SAID[name][count > 1]}" for name, count in counts.items() if count]
    doubt = f": {', '.join(remarks)}" if remarks else "; all could be read and dated"
    lines, events = int(frame["lines"].sum()), int(frame["events"].sum())
    text = f"{counted(events, 'event')} came out of {counted(lines, 'line')} in {counted(len(frame), 'file')}{doubt}."
    # Outputs of LM-X have their dates of nothing beside them.
    if frame.loc[frame["kind"] != LMX, "undated"].sum() > events:
        text += " A piece of a log without any date stamp has no dates: give the files beside it too."
    return capitalized(text)


def files(frame: pd.DataFrame) -> pd.DataFrame:
    """The quality frame with names of files in the place of paths: whoever is shown it need not know where logs lie."""
    # A path of Windows too, wherever it is read.
    return frame.assign(file=[place if "://" in place else PureWindowsPath(place).name for place in frame["file"]])


def certainty(frame: pd.DataFrame) -> str:
    """How certain the sessions are. frame: of `certainty.of_sessions`."""
    total = frame[["sessions", "orphan", "cut", "open", "ambiguous"]].sum().astype(int)
    if not total["sessions"] + total["orphan"]:
        return "There are no sessions."
    return capitalized(
        f"{counted(total['sessions'], 'session')}: {total['open']:,} were open when the log ended, {total['cut']:,} were cut by a "
        f"restart, {total['ambiguous']:,} could have begun or ended at another time; beside them {counted(total['orphan'], 'use')} "
        "without a start."
    )


def peaks_by_grouping(frame: pd.DataFrame) -> str:
    """How far the peaks of one feature differ. frame: of `usage.peaks` under each grouping, its name as `license`."""
    if frame.empty or not frame["peak"].max():
        return "Nothing was in use."
    top = frame.sort_values("peak", ascending=False, kind="stable").iloc[0]
    rows = frame[(frame["product"] == top["product"]) & (frame["feature"] == top["feature"])].set_index("license")["peak"]
    return (
        f"The peak of {code(top['feature'])} is {counted(int(rows.get('handle', 0)), 'use')}, "
        f"{counted(int(rows.get('machine', 0)), 'machine')} or {counted(int(rows.get('member', 0)), 'user')}: what counts as one license "
        "stands in the vendor's license file."
    )


def user_actions(frame: pd.DataFrame) -> str:
    """How many lines belong to one action of a user. frame: of `usage.user_actions`."""
    checkouts, actions = int(frame["checkouts"].sum()), int(frame["actions"].sum())
    if not checkouts:
        return "There are no checkouts."
    return capitalized(
        f"{counted(checkouts, 'checkout')} were {counted(actions, 'action')} of users ({checkouts / actions:.2f} for each)."
    )


def endings(lasted: pd.DataFrame) -> pd.DataFrame:
    """How sessions ended: `ended_by`, `sessions`, and their `median_hours` and `total_hours`. lasted: of `usage.lasted`."""
    rows = [
        (ending, int(own["sessions"].sum()), _median(own), float((own["hours"] * own["sessions"]).sum()))
        for ending, own in lasted.groupby("ended_by")
    ]
    by_ending = pd.DataFrame(rows, columns=["ended_by", "sessions", "median_hours", "total_hours"])
    return by_ending.sort_values("sessions", ascending=False, ignore_index=True)


def reclaimed(lasted: pd.DataFrame, members: int) -> str:
    """How many sessions the server took back because nobody worked with them, and what a limit on length would have done.

    lasted: of `usage.lasted`. members: of `usage.members_taken_back`.
    """
    idle, given_back = (lasted[lasted["ended_by"] == ending] for ending in ("idle", "checkin"))
    if idle.empty:
        return "The log shows no session that the server took back after idle time."
    half, count = _median(idle), int(idle["sessions"].sum())
    text = (
        f"the server took back {counted(count, 'session')} of {counted(members, 'user')} after idle time; half of them had lasted "
        f"{half:.1f} hours or less, and {int(idle.loc[idle['hours'] > HOURS_IN_A_DAY, 'sessions'].sum())} longer than a day"
    )
    if given_back.empty:
        return capitalized(f"{text}.")
    longer = given_back.loc[given_back["hours"] > half, "sessions"].sum() / given_back["sessions"].sum()
    return capitalized(
        f"{text}. A limit on length that half of them exceed would also have ended {percent(longer)} of the sessions "
        "that users gave back themselves: idle is told by work, not by length."
    )


def reclaims(frame: pd.DataFrame) -> str:
    """How well a rule on length tells idle sessions. frame: of `scoring.reclaims`."""
    if frame.empty:
        return "Nothing is labelled as idle, so nothing can be held against it."
    rules = frame.set_index("rule")
    outlier, limits = rules.loc["outlier"], rules.drop(index="outlier")
    called_idle, idle = int(outlier["idle_called"]), int(outlier["idle_called"] + outlier["idle_not_called"])
    text = (
        f"of {counted(idle, 'idle session')} {called_idle:,} {'was an outlier' if called_idle == 1 else 'were outliers'} just before the "
        "server took them back"
    )
    called = limits[limits["precision"].notna()]
    if called.empty:
        return capitalized(f"{text}.")
    best = called.sort_values("precision", ascending=False, kind="stable").iloc[0]
    return capitalized(
        f'{text}; of the plain limits "{best.name}" is right most often: {percent(best["precision"])} of what it calls was idle, and it '
        f"calls {percent(best['recall'])} of the idle ones."
    )


def _median(lasted: pd.DataFrame) -> float:
    return quantile(lasted["hours"], lasted["sessions"], 0.5)
