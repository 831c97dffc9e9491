"""Sentences on denials."""

from __future__ import annotations

import pandas as pd

from checkout_log.captions.words import capitalized, code, counted, percent
from checkout_log.sources.part import LMSTAT, LMX, UNKNOWN

# Kinds of `Log.quality` that list who has a license and not who was denied, and what they show.
WITHOUT_DENIALS = {
    LMSTAT: "Outputs of lmstat show who waits, and not who was denied; nobody waited when they were made.",
    LMX: "Outputs of lmxendutil show who has a license, and neither who waits nor who was denied.",
}


def none_shown(quality: pd.DataFrame | None = None) -> str:
    """What it means that there is no denial for lack of seats. quality: of `Log.quality`, where it is at hand."""
    logs = None if quality is None else quality[quality["kind"] != UNKNOWN]
    if logs is not None and len(logs) and not logs["events"].sum() and logs["undated"].sum():
        return "No line could be dated, so nothing is known about denials."
    if logs is not None and len(logs) and logs["kind"].isin(WITHOUT_DENIALS).all():
        return " ".join(words for kind, words in WITHOUT_DENIALS.items() if kind in set(logs["kind"]))
    return "The log shows no denial for lack of seats."


def denial_counts(counts: pd.DataFrame, quality: pd.DataFrame | None = None) -> str:
    """How many denials there were, counted in three ways. counts: of `denials.counts`. quality: of `Log.quality`."""
    if counts.empty or not counts["raw"].sum():
        return none_shown(quality)
    total = counts[["raw", "episodes", "user_days", "lost"]].sum().astype(int)
    return capitalized(
        f"{counted(total['raw'], 'line')} of denials for lack of seats are {counted(total['episodes'], 'episode')} on "
        f"{counted(total['user_days'], 'user-day')}; after {total['lost']:,} of the episodes the user did not get the license soon."
    )


def denial_episodes(counts: pd.DataFrame) -> str:
    """Which feature kept users waiting most. counts: of `denials.counts`."""
    if counts.empty or not counts["episodes"].sum():
        return "The log shows nobody who was kept waiting."
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
        return "The log shows nothing that was refused for another reason."
    parts = [
        (unsupported, f"{counted(unsupported, 'request')} came when the server did not serve what was asked for"),
        (other, f"{counted(other, 'denial')} had other reasons such as rules"),
        (unexplained, f"{counted(unexplained, 'denial')} had no reason"),
    ]
    return capitalized(f"{'; '.join(text for number, text in parts if number)}.")


def most_denied(counts: pd.DataFrame) -> tuple[str, str]:
    """The product and feature with most denial episodes; two empty texts for none. counts: of `denials.counts`."""
    if counts.empty:
        return "", ""
    row = counts.sort_values("episodes", ascending=False, kind="stable").iloc[0]
    return str(row["product"]), str(row["feature"])
