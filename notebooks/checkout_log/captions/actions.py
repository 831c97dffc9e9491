"""What an administrator can do, as the logs have it: sentences with their figures, each of which is true for any log, or is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from checkout_log.captions.stuck import undecided
from checkout_log.captions.waiting import none_shown
from checkout_log.captions.words import MOMENT_DAYS, are, bounds, capitalized, code, counted, percent, times
from checkout_log.measuring.questions import DAY
from checkout_log.plots.stuck import STRONG
from checkout_log.seats import DENIALS as DENIED
from checkout_log.sources.part import FLEXNET, LICENSES, LMSTAT, LMX, OPTIONS, RLM_DEBUG, UNKNOWN

RELEASE, MISSING, SPARE, UNTOLD = "release", "missing", "spare", "untold"
TITLES = {
    RELEASE: "What to release",
    MISSING: "Where seats are missing",
    SPARE: "What to give back",
    UNTOLD: "What the logs do not tell",
}
# Where a sentence is shown at length.
STUCK, DENIALS, BORROWS, FEATURES, LOGS = "stuck", "denials", "borrows", "features", "logs"
# Of a shorter time nobody gives back a seat.
FEWEST_DAYS = 7
# More sentences of a kind are not read; the rest is counted.
MOST = 4
# From here on so many of the events or sessions are in doubt that figures suffer.
DOUBTFUL = 0.05
# So many of the episodes a number of seats must have met to be enough.
MET = 0.95


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do or to know. kind: one of TITLES. sentence: in Markdown. shown_in: where it is shown at length."""

    kind: str
    sentence: str
    shown_in: str


def releases(stuck_uses: pd.DataFrame, ready: pd.DataFrame, timezone: str) -> Iterator[Action]:
    """What probably holds a seat for nobody, by product. stuck_uses: of `stuck.find`. ready: of `release_table.releasable`."""
    for product, rows in _largest(stuck_uses, "product"):
        first, strong = rows.iloc[0], int((rows["confidence"] >= STRONG).sum())
        causes = ", ".join(f"{count:,} {cause}" for cause, count in rows["cause"].value_counts().items())
        text = f"{counted(len(rows), 'license')} of {code(product)} {are(len(rows))} probably held for nobody ({causes})"
        sure = f", {_part(strong, len(rows))} with strong evidence" if len(rows) > 1 else ""
        who = "somebody unknown" if pd.isna(first["member"]) else code(first["member"])
        where = "" if pd.isna(first["machine"]) else f" on {code(first['machine'])}"
        lead = (
            f"{'the surest is ' if len(rows) > 1 else ''}{code(first['feature'])}, held by {who}{where} since "
            f"{first['since'].tz_convert(timezone):%Y-%m-%d} ({first['cause']}): of its like {percent(first['confidence'])} were not given back"
        )
        count = int((ready["product"] == product).sum())
        ended = f"; the authority can release {'it' if len(rows) == 1 else _part(count, len(rows))} at once" if count else ""
        yield Action(RELEASE, capitalized(f"{text}{sure}; {lead}{ended}."), STUCK)
    rest = stuck_uses["product"].value_counts().iloc[MOST:]
    if len(rest):
        yield Action(
            RELEASE, capitalized(f"{counted(int(rest.sum()), 'license')} of {counted(len(rest), 'product')} more."), STUCK
        )


def missing(counts: pd.DataFrame, enough: pd.DataFrame, utilization: pd.DataFrame) -> Iterator[Action]:
    """Whose seats were too few. counts: of `denials.counts`. enough: of `sizing.enough`. utilization: of `seats.utilization`."""
    rows = counts[counts["episodes"] > 0].sort_values(["lost", "episodes"], ascending=False, kind="stable")
    for row in rows.head(MOST).itertuples():
        text = (
            f"{code(row.feature)} of {code(row.product)}: users were kept waiting {times(row.episodes)} for lack of seats, on "
            f"{counted(row.user_days, 'user-day')}"
        )
        known, own = (
            frame[(frame["product"] == row.product) & (frame["feature"] == row.feature)] for frame in (utilization, enough)
        )
        if row.lost and not (len(known) and known.iloc[0]["observed_days"] < MOMENT_DAYS):
            # A single look does not show what came after.
            text += f", and {times(row.lost)} got no license soon after"
        yield Action(
            MISSING,
            f"{text}; {_of_known_seats(known.iloc[0]) if len(known) else _of_unknown_seats(own, row.episodes)}.",
            DENIALS,
        )
    rest = rows.iloc[MOST:]
    if len(rest):
        yield Action(
            MISSING,
            f"For {counted(len(rest), 'feature')} more users were kept waiting {times(int(rest['episodes'].sum()))}.",
            DENIALS,
        )


def _part(number: int, whole: int) -> str:
    """So many of several: "none of them", "3 of them", "all of them"."""
    return f"{'all' if number == whole else f'{number:,}' if number else 'none'} of them"


def _of_known_seats(row: pd.Series) -> str:
    """What would have met all waits, where it is known how many seats there are."""
    there = f"{counted(int(row['seats']), 'seat')} {are(int(row['seats']))} there"
    way = "" if row["license"] == "handle" else f", counted by {row['license']}"
    if not row["missing"]:
        return f"{there}{way}, as many as were wanted at once: see what is reserved, and for whom it is limited"
    return f"{there}{way}, and {row['missing']:,} more would have met all of these waits"


def _of_unknown_seats(own: pd.DataFrame, episodes: int) -> str:
    """What would have met nearly all waits, where nobody says how many seats there are."""
    met = own[own["unmet"] <= (1 - MET) * episodes]
    if met.empty:
        return "it was not seen in use, so that nothing follows for its seats"
    enough, peak = int(met["seats"].min()), own.loc[own["exceeded"] == 0, "seats"].min()
    if pd.notna(peak) and enough <= peak:
        return (
            f"as many as {peak:,} {_was(peak)} in use at once at some time, which would have met {percent(MET)} of these waits: see whether "
            "there were fewer seats then, what is reserved, and for whom it is limited"
        )
    return f"{counted(enough, 'seat')}, with each use counted, would have met {percent(MET)} of these waits"


def full(utilization: pd.DataFrame, counts: pd.DataFrame, peaks: pd.DataFrame) -> Iterator[Action]:
    """Features that are full at times, and whose log shows no denial. Of `seats.utilization`, `denials.counts` and `usage.peaks`.

    What ended between two looks may have ended before the next began: no more are said to have been in use than surely were.
    """
    denied = _denied(counts)
    sure = utilization.merge(peaks[["product", "feature", "lower"]], on=["product", "feature"], how="left")["lower"].fillna(0)
    is_of_uses = (utilization["license"] == "handle").to_numpy(dtype=bool)
    in_use = utilization["p99"].where(~is_of_uses, utilization["p99"].clip(upper=sure.to_numpy(dtype="int64")))
    utilization = utilization.assign(p99=in_use)
    is_followed = utilization["observed_days"] >= MOMENT_DAYS
    is_full = is_followed & (utilization["fewest"] > 0) & (utilization["p99"] >= utilization["fewest"])
    rows = [row for row in utilization[is_full].itertuples() if (row.product, row.feature) not in denied]
    for row in sorted(rows, key=lambda row: (-row.fewest, row.product, row.feature))[:MOST]:
        yield Action(
            MISSING,
            f"{code(row.feature)} of {code(row.product)}: {counted(row.fewest, 'seat')} at the fewest, and for more than 1 % of the time "
            f"{row.p99:,} or more {'was' if row.p99 == 1 else 'were'} in use at once.",
            FEATURES,
        )


def _denied(counts: pd.DataFrame) -> set[tuple[str, str]]:
    """Product and feature of what was denied for lack of seats."""
    rows = counts[counts["raw"] > 0]
    return set(zip(rows["product"], rows["feature"], strict=True))


def spare(utilization: pd.DataFrame, peaks: pd.DataFrame, counts: pd.DataFrame) -> Iterator[Action]:
    """What nobody needed. utilization: of `seats.utilization`. peaks: of `usage.peaks`. counts: of `denials.counts`.

    A feature that was denied for lack of seats is not there, nor one whose seats the upper bound of the uses reaches.
    """
    denied = _denied(counts)
    rows = utilization[utilization["observed_days"] >= FEWEST_DAYS].merge(
        peaks[["product", "feature", "lower", "upper"]], on=["product", "feature"], how="left"
    )
    rows = rows.fillna({"lower": 0, "upper": 0}).assign(free=lambda frame: frame["fewest"] - frame["upper"])
    is_denied = [key in denied for key in zip(rows["product"], rows["feature"], strict=True)]
    rows = rows[(rows["free"] > 0) & ~pd.Series(is_denied, index=rows.index, dtype=bool)].sort_values(
        ["free", "product", "feature"], ascending=[False, True, True]
    )
    for row in rows.head(MOST).itertuples():
        name, days = f"{code(row.feature)} of {code(row.product)}", counted(round(row.observed_days), "day")
        if row.upper:
            sure = bounds(row.peak, row.lower, row.upper) if row.license == "handle" else f", counted by {row.license}"
            most = f"the peak was {row.peak:,}{sure}"
            free = f"{int(row.free):,} of {counted(row.fewest, 'seat')} {_was(row.free)} free all the time in {days}"
            yield Action(SPARE, f"{name}: {free}; {most}.", FEATURES)
        else:
            yield Action(SPARE, f"{name}: in {days} none of {counted(row.fewest, 'seat')} was in use.", FEATURES)
    rest = rows.iloc[MOST:]
    if len(rest):
        yield Action(
            SPARE,
            f"{counted(len(rest), 'feature')} more had {counted(int(rest['free'].sum()), 'seat')} that nobody used.",
            FEATURES,
        )


def lost(issued: pd.DataFrame) -> Iterator[Action]:
    """Seats that there were, and that are there no more. issued: of `seats.issued`."""
    rows = issued[(issued["change"] < 0) & issued["since"].notna()].sort_values("since", ascending=False, kind="stable")
    for row in rows.head(MOST).itertuples():
        yield Action(
            MISSING,
            f"{code(row.feature)} of {code(row.product)}: {counted(-row.change, 'seat')} fewer from {row.since:%Y-%m-%d} on, "
            f"{row.seats:,} in all{_as_told(row)}: find out where {'it has' if row.change == -1 else 'they have'} gone.",
            FEATURES,
        )


def _as_told(row: Any) -> str:
    """How sure a number of seats is that denials tell; nothing for what a source says."""
    return (
        ""
        if row.source != DENIED
        else f" (as denials tell, of which at least {percent(row.certainty)} came while so many were in use)"
    )


def shorter_borrows(what_if: pd.DataFrame, days: int, peaks: pd.DataFrame) -> Iterator[Action]:
    """What a shorter longest borrow gives back for sure. what_if: of `sizing.what_if` for so many days. peaks: of `usage.peaks`.

    Of a feature that was observed for less than a week nothing is said: too few could show up meanwhile.
    """
    followed = peaks.loc[peaks["observed_days"] >= FEWEST_DAYS, ["product", "feature"]]
    what_if = what_if.merge(followed, on=["product", "feature"])
    rows = what_if[(what_if["lower"] > 0) & (what_if["peak_after_upper"] < what_if["peak_before"])]
    for row in rows.sort_values("lower", ascending=False).head(1).itertuples():
        yield Action(
            SPARE,
            f"A longest borrow of {counted(days, 'day')} would lower the peak of {code(row.feature)} of {code(row.product)} from "
            f"{row.peak_before:,} to {row.peak_after:,}{bounds(row.peak_after, row.peak_after_lower, row.peak_after_upper)}; "
            f"{row.used_beyond:,} of {counted(row.borrows, 'borrow')} would have been cut while still in use.",
            BORROWS,
        )


def untold(
    quality: pd.DataFrame,
    counts: pd.DataFrame,
    certainty: pd.DataFrame,
    unsure: pd.DataFrame,
    spans: pd.DataFrame,
    *,
    has_seats: bool,
    are_inferred: bool = False,
) -> Iterator[Action]:
    """What the logs do not tell, and what would. Frames of `Log.quality`, `denials.counts`, `certainty.of_sessions`, `stuck.undecided`.

    spans: of `Log.stored`. has_seats: a source says how many seats there are. are_inferred: denials tell it of some features.
    """
    yield from _of_reading(quality)
    yield from _of_several_servers(quality)
    if not has_seats:
        text = (
            "No file says how many seats there are: a license file of FlexNet beside the logs, or outputs of `lmstat`, would."
            + (" Where a number is named, it is the level at which users were denied." if are_inferred else "")
        )
        yield Action(UNTOLD, text, LOGS)
    if not counts["raw"].sum() and not none_shown(quality).startswith("The log shows no denial"):
        yield Action(UNTOLD, none_shown(quality), DENIALS)
    unexplained = int(counts["unexplained"].sum())
    if unexplained:
        text = f"{counted(unexplained, 'denial')} came without a reason, perhaps for lack of seats."
        yield Action(UNTOLD, capitalized(text), DENIALS)
    sessions, doubtful = int(certainty["sessions"].sum()), int(certainty["ambiguous"].sum())
    if sessions and doubtful >= DOUBTFUL * sessions:
        yield Action(
            UNTOLD,
            f"For {doubtful:,} of {counted(sessions, 'session')} more than one start fits the end, or a time is in doubt: how long each of "
            "these lasted may be wrong.",
            LOGS,
        )
    if len(unsure):
        yield Action(UNTOLD, undecided(unsure), STUCK)
    yield from _of_gaps(spans)


def _of_reading(quality: pd.DataFrame) -> Iterator[Action]:
    """What could not be read or dated."""
    undated, events = int(quality["undated"].sum()), int(quality["events"].sum())
    if undated:
        text = f"{counted(undated, 'event')} could not be dated and {are(undated)} in no figure; {events:,} could."
        yield Action(UNTOLD, capitalized(text), LOGS)
    without_year = int(quality.loc[quality["kind"] == RLM_DEBUG, "ambiguous"].sum())
    if without_year:
        text = f"{counted(without_year, 'event')} of RLM's debug logs may be of another year: such a log says none, and was changed long after its end."
        yield Action(UNTOLD, capitalized(text), LOGS)
    ambiguous = int(quality["ambiguous"].sum()) - without_year
    if ambiguous and ambiguous >= DOUBTFUL * events:
        yield Action(UNTOLD, f"{ambiguous:,} of {counted(events, 'event')} could lie a day or an hour off.", LOGS)
    totals = int(quality.loc[quality["kind"].isin([LMSTAT, LMX]), "disagreeing"].sum())
    if totals:
        text = f"{counted(totals, 'time')} what a server listed disagrees with itself: a total is not the number of the rows below it, or a "
        yield Action(UNTOLD, capitalized(f"{text}start is later than the list."), LOGS)
    disagreeing = int(quality["disagreeing"].sum()) - totals
    if disagreeing:
        text = f"{counted(disagreeing, 'time')} {'disagrees' if disagreeing == 1 else 'disagree'} with others: a clock was set, pieces are "
        yield Action(UNTOLD, capitalized(f"{text}missing, or the zone is another."), LOGS)
    lines, malformed = int(quality["lines"].sum()), int(quality["malformed"].sum())
    if malformed:
        yield Action(UNTOLD, capitalized(f"{counted(malformed, 'line')} of {lines:,} could not be read."), LOGS)
    yield from of_lists(quality)
    strange = int((quality["kind"] == UNKNOWN).sum())
    if strange:
        text = f"{counted(strange, 'file')} of {len(quality):,} {are(strange)} no log of a kind that is read."
        yield Action(UNTOLD, capitalized(text), LOGS)


def of_lists(quality: pd.DataFrame) -> Iterator[Action]:
    """What is to be known of outputs that list who has a license."""
    silent = quality[quality["begin"].isna()]["kind"].value_counts()
    for kind, name, why in (
        (LMSTAT, "lmstat", "no feature: the server did not answer"),
        (LMX, "lmxendutil", "nothing: the server did not answer, or there was no use and no time in it"),
    ):
        if count := int(silent.get(kind, 0)):
            text = f"{counted(count, 'output')} of `{name}` {'lists' if count == 1 else 'list'} {why}."
            yield Action(UNTOLD, capitalized(text), LOGS)
    if (quality["kind"] == LMX).any():
        text = (
            "An output of `lmxendutil` does not say when it was made. Without a line with the time above each, the last one counts, as made at "
            "the latest time that it shows, though it may have been later, and those before it do not."
        )
        yield Action(UNTOLD, text, LOGS)


def _of_several_servers(quality: pd.DataFrame) -> Iterator[Action]:
    """Products that several FlexNet servers have under one name, at the same time: a server that moved has one after the other."""
    logs = quality[quality["server"].notna() & quality["begin"].notna() & (quality["kind"] == FLEXNET)]
    rows = logs.assign(product=logs["products"].str.split("; ")).explode("product")
    for product, own in rows[rows["product"] != ""].groupby("product"):
        reach = own.groupby("server").agg(begin=("begin", "min"), end=("end", "max")).sort_values("begin")
        if (reach["begin"] < reach["end"].cummax().shift()).any():
            names = " and ".join(code(name) for name in reach.index[:MOST])
            yield Action(
                UNTOLD,
                f"{code(product)} ran at {counted(len(reach), 'server')} at the same time ({names}), and counts as one: where these are not "
                "one, give each a name with `--server`.",
                LOGS,
            )


def _of_gaps(spans: pd.DataFrame) -> Iterator[Action]:
    """Time between the begin and the end of a product's logs that none of them covers, of the product with most of it."""
    gaps = []
    for product, rows in spans.groupby("product"):
        ordered = rows.sort_values("begin")
        over = ordered["end"].cummax().shift()
        missing_time = (ordered["begin"] - over).clip(lower=0).sum()
        gaps.append((missing_time / DAY, (ordered["end"].max() - ordered["begin"].min()) / DAY, str(product)))
    if gaps and max(gaps)[0] >= 1:
        lost, whole, product = max(gaps)
        yield Action(
            UNTOLD,
            f"Of {counted(round(whole), 'day')} of {code(product)} {lost:,.1f} are covered by no log: they are in no figure.",
            LOGS,
        )


def servers(quality: pd.DataFrame) -> pd.DataFrame:
    """A row for each license server, where there are several: its name, kind, products, files, events, and from when to when.

    Files that do not name their server count as one of their kind and products. quality: of `Log.quality`. Empty where there is one.
    """
    logs = quality[~quality["kind"].isin([UNKNOWN, LICENSES, OPTIONS])]
    named = logs.assign(server=logs["server"].fillna("not named"), kind=[kind.partition("-")[0] for kind in logs["kind"]])
    # A server that says its name in one file, and not in the next, is one where its products are.
    grouped = named.groupby(["server", "kind"], sort=True)
    rows = grouped.agg(files=("file", "size"), events=("events", "sum"), begin=("begin", "min"), end=("end", "max"))
    rows.insert(0, "products", grouped["products"].agg(_together))
    return rows.reset_index() if len(rows) > 1 else rows.reset_index().head(0)


def _together(texts: pd.Series) -> str:
    """The names in these texts, each once."""
    return ", ".join(sorted({name for text in texts for name in text.split("; ") if name}))


def _largest(frame: pd.DataFrame, name: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each value of a column, those with most rows first, MOST of them."""
    for value in frame[name].value_counts().index[:MOST]:
        yield str(value), frame[frame[name] == value].sort_values("confidence", ascending=False, kind="stable")


def _was(number: Any) -> str:
    return "was" if number == 1 else "were"
