"""Sentences on stuck licenses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pandas as pd

from checkout_log.captions.words import are, capitalized, code, counted, percent
from checkout_log.measuring.shares import wilson
from checkout_log.plots.stuck import STRONG
from checkout_log.scoring import LOOK_ALIKE, NOT_FOUND, ORDINARY
from checkout_log.thresholds import Thresholds


def thresholds(wanted: Thresholds) -> str:
    """From when on something counts as stuck."""
    return (
        f"An outlier is open {wanted.outlier_factor:g} times longer than {percent(wanted.outlier_share)} of the closed sessions of its "
        f"feature ({wanted.fewest_closed} at least), and longer than {_days(wanted.outlier_least)}; a holder is inactive after "
        f"{_days(wanted.inactive)} of silence, a machine is gone when it is silent {_days(wanted.gone_silence)} after another took "
        f"its place; a borrow is over-long at {wanted.long_factor:g} times what its member ever kept, and {_days(wanted.long_least)} "
        "more."
    )


def stuck_by_cause(stuck_uses: pd.DataFrame) -> str:
    """How many licenses are stuck, by cause. stuck_uses: of `stuck.find`."""
    if stuck_uses.empty:
        return "No license looks stuck."
    causes = ", ".join(f"{count} {cause}" for cause, count in stuck_uses["cause"].value_counts().items())
    strong = int((stuck_uses["confidence"] >= STRONG).sum())
    verb = "looks" if len(stuck_uses) == 1 else "look"
    return capitalized(
        f"{counted(len(stuck_uses), 'license')} {verb} stuck: {causes}; for {strong} the evidence is strong ({percent(STRONG)} or more)."
    )


def undecided(frame: pd.DataFrame) -> str:
    """Of what the log cannot tell whether it is stuck, and why. frame: of `stuck.undecided`."""
    if frame.empty:
        return "No session is open for so long that it would have to be explained."
    return " ".join(_undecided(row) for row in frame.itertuples())


def _undecided(row: Any) -> str:
    head = (
        f"{counted(row.uses, 'session')} of {code(row.product)} {are(row.uses)} open far longer than nearly all of their kind"
    )
    if not row.past:
        return f"{head}; none that was as long is over, so the log cannot tell whether that means anything, and none is called stuck."
    returned = f"{row.returned:,} ({percent(row.returned / row.past)})"
    return f"{head}, and none is called stuck: of {counted(row.past, 'session')} as long before, {returned} came back from the client."


def backtest(table: pd.DataFrame) -> str:
    """How often what would have been named was right. table: of `scoring.backtest`."""
    if table.empty:
        return "Asked at times through this log, nothing would have been named: so nothing falsely either."
    count, returned = int(table["named"].sum()), int(table["returned"].sum())
    strong = table[table["confidence"] >= STRONG]
    text = (
        f"Asked at times through this log, {counted(count, 'use')} would have been named, of which {returned} came back from the "
        "client later: named falsely."
    )
    if strong.empty:
        return f"{text} None with strong evidence."
    low, high = wilson(int((strong["named"] - strong["returned"]).sum()), int(strong["named"].sum()))
    return (
        f"{text} With strong evidence: {int(strong['returned'].sum())} of {int(strong['named'].sum())} falsely, so {percent(low)} to "
        f"{percent(high)} are right (95 % interval)."
    )


def confusion(pairs: pd.DataFrame, scores: pd.DataFrame) -> str:
    """How many of the planted cases were found, and how often it cried wolf. Both of `scoring`."""
    if pairs.empty:
        return "The truth is not known here, so nothing can be said about right and wrong."
    is_planted = ~pairs["planted"].isin([LOOK_ALIKE, ORDINARY])
    missed = int((is_planted & (pairs["found"] == NOT_FOUND)).sum())
    alike = pairs[pairs["planted"] == LOOK_ALIKE]
    wrongly = int((alike["found"] != NOT_FOUND).sum())
    right, rows = int(scores["right"].sum()), int(scores["found"].sum())
    return (
        f"{int(is_planted.sum()) - missed} of {int(is_planted.sum())} planted cases were found; {right} of {rows} causes named are true; "
        f"{wrongly} of {len(alike)} uses that only look stuck, and {int((pairs['planted'] == ORDINARY).sum())} ordinary ones, were "
        "called stuck."
    )


def releasable(ready: pd.DataFrame, file: str = "") -> str:
    """How many borrows an authority can release. ready: of `release_table.releasable`. file: where they are written, if anywhere."""
    where = f"; they are in {code(file)}" if file else ""
    return capitalized(f"{counted(len(ready), 'borrow')} can be released by the authority{where}.")


def _days(span: timedelta) -> str:
    return counted(span.days, "day")
