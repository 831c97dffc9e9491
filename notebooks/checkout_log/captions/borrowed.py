"""Sentences on borrows."""

from __future__ import annotations

import pandas as pd

from checkout_log.captions.words import are, capitalized, code, counted, percent
from checkout_log.thresholds import Thresholds

SILENT_DAYS = 30


def still_held(frame: pd.DataFrame, sessions: pd.DataFrame) -> pd.DataFrame:
    """The borrows without those past their due time whose seats came free by that: servers of some kinds go on holding them.

    frame: of `borrows.ageing`. sessions: of `Log.sessions`, which tell what kind of server has a product.
    """
    freed = sessions.loc[sessions["source"].isin(Thresholds().freed_by_time), "product"]
    return frame[~(frame["is_overdue"] & frame["product"].isin(freed))].reset_index(drop=True)


def ran_out(frame: pd.DataFrame, held: pd.DataFrame) -> str:
    """How many borrows ran out. frame: of `borrows.ageing`. held: of `still_held`."""
    return capitalized(
        f"{counted(len(frame) - len(held), 'borrow')} ran out without being given back, and freed their seats by that."
    )


def borrow_ageing(frame: pd.DataFrame) -> str:
    """How many borrows are out, overdue, and without a sign of their members. frame: of `borrows.ageing`."""
    out = frame[frame["is_out"]]
    overdue = frame[frame["is_overdue"]]
    if out.empty and overdue.empty:
        return capitalized(f"none of {counted(len(frame), 'borrow')} is out.") if len(frame) else "Nothing was borrowed."
    silent = int((out["days_since_sign"] > SILENT_DAYS).sum())
    quiet = (
        f" The members of {silent} of those that are out gave no sign for {SILENT_DAYS} days, which a user who works offline does not "
        "give either."
        if silent
        else ""
    )
    longest = f", the longest for {out['days_out'].max():.0f} days" if len(out) else ""
    late = f" (the longest for {-overdue['days_left'].min():.0f} days)" if len(overdue) else ""
    return capitalized(
        f"{counted(len(out), 'borrow')} of {len(frame):,} {are(len(out))} out{longest}; "
        f"{counted(len(overdue), 'borrow')} {are(len(overdue))} past the due time and not returned{late}.{quiet}"
    )


def borrow_kept(frame: pd.DataFrame) -> str:
    """How long borrows are kept, and how many are given back before they are due. frame: of `borrows.ageing`."""
    ended = frame[~frame["is_out"] & ~frame["is_overdue"]]
    if ended.empty:
        return "No borrow has ended yet."
    returned = int((ended["ended_by"] == "checkin").sum())
    others = ", the others ran out or were freed" if returned < len(ended) else ""
    return (
        f"Half of {counted(len(ended), 'borrow')} that ended were kept for {ended['days_out'].median():.1f} days or less; "
        f"{percent(returned / len(ended))} were given back{others}; {int(ended['renewals'].gt(0).sum()):,} were renewed."
    )


def borrowed_most(frame: pd.DataFrame) -> tuple[str, str]:
    """The product and feature with most borrowed seat-days; two empty texts for none. frame: of `sizing.what_if`."""
    if frame.empty:
        return "", ""
    row = frame.sort_values("seat_days", ascending=False, kind="stable").iloc[0]
    return str(row["product"]), str(row["feature"])


def what_if(rows: pd.DataFrame, days: int) -> str:
    """What a longest borrow of so many days would give back. rows: of `sizing.what_if` with `longest_days`, for one feature."""
    rows = rows[rows["longest_days"] == days]
    if rows.empty:
        return "Nothing was borrowed."
    row = rows.iloc[0]
    instead = f" instead of {row['peak_before']:,}" if row["peak_after"] != row["peak_before"] else ""
    return (
        f"With a longest borrow of {counted(days, 'day')}, {code(row['feature'])} of {code(row['product'])} would get back "
        f"{row['given_back']:,.0f} of {row['seat_days']:,.0f} borrowed seat-days (at least {row['lower']:,.0f}, at most "
        f"{row['upper']:,.0f}); {row['used_beyond']:,} of {row['borrows']:,} borrows would have been cut while they were still in use, "
        f"and the peak would {'stay' if row['peak_after'] == row['peak_before'] else 'be'} {row['peak_after']:,}{instead}."
    )
