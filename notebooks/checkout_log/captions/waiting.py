"""Sentences on denials."""

from __future__ import annotations

import pandas as pd

from checkout_log.captions.words import capitalized, code, counted, percent


def denial_counts(counts: pd.DataFrame) -> str:
    """How many denials there were, counted in three ways. counts: of `denials.counts`."""
    if counts.empty or not counts["raw"].sum():
        return "Nobody was denied for lack of seats."
    total = counts[["raw", "episodes", "user_days", "lost"]].sum().astype(int)
    return capitalized(
        f"{counted(total['raw'], 'line')} of denials for lack of seats are {counted(total['episodes'], 'episode')} on "
        f"{counted(total['user_days'], 'user-day')}; after {total['lost']:,} of the episodes the user did not get the license soon."
    )


def denial_episodes(counts: pd.DataFrame) -> str:
    """Which feature kept users waiting most. counts: of `denials.counts`."""
    if counts.empty or not counts["episodes"].sum():
        return "Nobody was kept waiting."
    top = counts.sort_values("episodes", ascending=False, kind="stable").iloc[0]
    share = top["episodes"] / counts["episodes"].sum()
    return (
        f"Most users waited for {code(top['feature'])} of {code(top['product'])}: {counted(int(top['episodes']), 'episode')}, "
        f"{percent(share)} of all; {top['lost']:,} of them without getting it soon."
    )


def other_denials(counts: pd.DataFrame) -> str:
    """What else was refused. counts: of `denials.counts`."""
    unsupported, other, unexplained = (int(counts[name].sum()) for name in ("unsupported", "other", "unexplained"))
    if not unsupported + other + unexplained:
        return "Nothing was refused for another reason."
    return capitalized(
        f"{counted(unsupported, 'request')} asked for what is not served, which is mostly probing; {counted(other, 'denial')} "
        f"had other reasons such as rules, and {counted(unexplained, 'denial')} had none."
    )


def most_denied(counts: pd.DataFrame) -> tuple[str, str]:
    """The product and feature with most denial episodes; two empty texts for none. counts: of `denials.counts`."""
    if counts.empty:
        return "", ""
    row = counts.sort_values("episodes", ascending=False, kind="stable").iloc[0]
    return str(row["product"]), str(row["feature"])
