"""Sentences on how licenses are used."""

from __future__ import annotations

import pandas as pd

from checkout_log.captions.words import MOMENT_DAYS, at_least, bounds, capitalized, code, counted, lasting, percent, serve
from checkout_log.plots.levels import WEEKDAYS

RARE, NEVER = 0.01, 1e-9
MOMENT_HOURS = MOMENT_DAYS * 24
SATURDAY, WORKING_HOURS = 5, (8, 18)
HOURS_OF_A_WEEK = 168


def busiest(peaks: pd.DataFrame) -> tuple[str, str]:
    """The product and feature that are needed most, by the seats that serve 95 % of the time; two empty texts for none."""
    if peaks.empty:
        return "", ""
    row = peaks.sort_values(["p95", "peak"], ascending=False, kind="stable").iloc[0]
    return str(row["product"]), str(row["feature"])


def peak(rows: pd.DataFrame, limit: int | None = None) -> str:
    """How many seats serve 95 % and 99 % of the time. rows: of `usage.peaks`, for one feature."""
    if rows.empty:
        return "Nothing was in use."
    row = rows.iloc[0]
    has = "" if limit is None else f", of {limit:,} that there are"
    sure = bounds(row["peak"], row["lower"], row["upper"])
    if row["observed_days"] < MOMENT_DAYS:
        seats = f"{counted(int(row['peak']), 'seat')} of {code(row['feature'])} {_was(row['peak'])} in use"
        return f"At the one moment that the log shows, {seats}{has}{sure}."
    return capitalized(f"{seats_that_serve(row)}{has}; the peak was {row['peak']}{sure}.")


def seats_that_serve(row: pd.Series, limit: int | None = None) -> str:
    """How many seats serve 95 % and 99 % of the time, without a capital. row: of `usage.peaks`."""
    name, p95, p99 = code(row["feature"]), int(row["p95"]), int(row["p99"])
    if not p99:
        return f"for 99 % of the time no seat of {name} was in use"
    if not p95:
        return f"for 95 % of the time no seat of {name} was in use, and {p99} {serve(p99)} 99 %"
    seats = counted(p95, "seat") if limit is None else f"{p95:,} of {limit:,} seats"
    return f"{seats} of {name} {serve(p95)} 95 % of the time and {p99} {serve(p99)} 99 %"


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def time_at_level(rows: pd.DataFrame) -> str:
    """For how long nothing was in use, and at which level most time was spent. rows: of `usage.time_at_level`, for one feature."""
    used = rows[rows["level"] > 0]
    if used.empty:
        return "Nothing was in use."
    if rows["hours"].sum() < MOMENT_HOURS:
        return f"At the one moment that the log shows, {used['level'].max():,} {_was(used['level'].max())} in use."
    idle = max(0.0, 1 - float(used["share"].sum()))
    most = used.sort_values("share", ascending=False, kind="stable").iloc[0]
    free = (
        "At every time a seat was in use;"
        if idle < NEVER
        else f"For {at_least(idle)} of the time no seat was in use; otherwise"
    )
    return (
        f"{free} mostly {most['level']} at once ({at_least(most['share'])} of the time), "
        f"and the most, {used['level'].max()}, for {lasting(used.sort_values('level').iloc[-1]['hours'])}."
    )


def heat_map(rows: pd.DataFrame, limit: int | None = None, timezone: str = "UTC") -> str:
    """The busiest hour of the week. rows: of `usage.heat_map`, for one feature. timezone: empty where it is said elsewhere."""
    zone = f" ({timezone})" if timezone else ""
    if rows.empty or not rows["peak"].max():
        return "Nothing was in use."
    top = busiest_hour(rows)
    if rows["observed_hours"].sum() < MOMENT_HOURS:
        hour = f"{WEEKDAYS[int(top['weekday'])]} between {top['hour']} and {top['hour'] + 1} o'clock{zone}"
        return f"The log shows one moment, on {hour}: {top['peak']:,} in use."
    of = "" if len(rows) == HOURS_OF_A_WEEK else f"Of the {counted(len(rows), 'hour')} of the week that the log shows, "
    text = capitalized(
        f"{of}{'o' if of else 'O'}n average most seats are in use on {WEEKDAYS[int(top['weekday'])]} from {top['hour']} to {top['hour'] + 1} o'clock"
        f"{zone}: {top['average']:.1f}, at most {top['peak']}"
    )
    if limit is None:
        return f"{text}."
    full = int((rows["peak"] >= limit).sum())
    when = f"reached in {full} of the {len(rows)} hours of the week" if full else "never reached"
    return f"{text}; the limit of {limit} was {when}."


def busiest_hour(rows: pd.DataFrame) -> pd.Series:
    """The hour of the week with most seats in use on average, the first of several. rows: of `usage.heat_map`, for one feature."""
    return rows.sort_values("average", ascending=False, kind="stable").iloc[0]


def average(rows: pd.DataFrame, timezone: str = "UTC") -> str:
    """How busy working hours are beside nights and weekends. rows: of `usage.heat_map`, for one feature."""
    if rows.empty or not rows["peak"].max():
        return "Nothing was in use."
    if rows["observed_hours"].sum() < MOMENT_HOURS:
        return "The log shows one moment, from which no average follows."
    weighted = rows.assign(seat_hours=rows["average"] * rows["observed_hours"])
    is_work = (rows["weekday"] < SATURDAY) & rows["hour"].between(*WORKING_HOURS, inclusive="left")
    parts = [part for part in (weighted[is_work], weighted[~is_work]) if part["observed_hours"].sum()]
    if len(parts) == 1:
        return "The log shows working hours alone, or none of them: there is nothing to compare."
    work, rest = (part["seat_hours"].sum() / part["observed_hours"].sum() for part in parts)
    return (
        f"From Monday to Friday between {WORKING_HOURS[0]} and {WORKING_HOURS[1]} o'clock ({timezone}) {work:.1f} seats are in use on "
        f"average, and {rest:.1f} at all other times."
    )


# From here on tenths of an hour say nothing.
ROUND_HOURS = 100


def efficiency(rows: pd.DataFrame) -> str:
    """How much the last seats are used. rows: of `usage.efficiency`, for one feature."""
    if rows.empty:
        return "Nothing was in use."
    rare = int((rows["share"] < RARE).sum())
    first, last = rows.iloc[0], rows.iloc[-1]
    if rows["hours"].max() < MOMENT_HOURS:
        return f"At the one moment that the log shows, {counted(len(rows), 'seat')} {_was(len(rows))} in use."
    if last["share"] == 1:
        return f"All the time {counted(len(rows), 'seat')} {_was(len(rows))} in use."
    # With one form for both: a seat that is used as long as the first must not look as if it were used longer.
    of_first, of_last = (
        f"{row['hours']:,.0f} hours" if row["hours"] >= ROUND_HOURS else lasting(row["hours"]) for row in (first, last)
    )
    of_last = of_last.removesuffix(" hours")
    return (
        f"The first seat was in use for {of_first} ({percent(first['share'])} of the time), seat {last['seat']} for "
        f"{of_last}; {counted(rare, 'seat')} of {len(rows)} {_was(rare)} in use for less than {percent(RARE)} of the time."
    )


def session_lengths(rows: pd.DataFrame) -> str:
    """How long sessions last. rows: of `usage.lengths`, for one feature."""
    if rows.empty:
        return "There are no sessions."
    row = rows.iloc[0]
    if pd.isna(row["median_hours"]):
        return f"Of {counted(int(row['sessions']), 'session')} too few were seen to end to know how long sessions last."
    upper = "no limit" if pd.isna(row["upper"]) else f"{row['upper']:.2f}"
    p95 = "is not known" if pd.isna(row["p95_hours"]) else f"last {row['p95_hours']:.1f} hours or less"
    return (
        f"Half of {counted(int(row['sessions']), 'session')} of {code(row['feature'])} last {row['median_hours']:.2f} hours or less "
        f"(95 % interval {row['lower']:.2f} to {upper}), 95 % {p95}; {row['censored']:,} {_was(row['censored'])} not seen to end."
    )


def days_since_used(frame: pd.DataFrame, days: int = 90) -> str:
    """Who keeps a license without using it. frame: of `usage.last_used`."""
    # What somebody holds is in use, whenever it was checked out.
    since = frame.assign(days_since=frame["days_since"].mask(frame["is_held"], 0.0))
    latest = since.dropna(subset=["days_since", "member"]).groupby(["product", "member"])["days_since"].min()
    if latest.empty:
        return "Nobody used anything."
    silent = latest[latest > days].groupby("product").size().sort_values(ascending=False)
    if silent.empty:
        return f"Everybody whom the log shows using a product did so in the last {days} days, or holds it."
    total = latest.groupby("product").size()
    each = "; ".join(f"{code(name)} {count} of {total[name]}" for name, count in silent.items())
    return f"Members who used a product, but not in the last {days} days, and hold none of it: {each}."


def feature_to_show(peaks: pd.DataFrame, product: str = "", feature: str = "") -> tuple[str, str]:
    """The product and feature to look at: those asked for, or else the busiest of what is left. peaks: of `usage.peaks`."""
    rows = peaks
    for name, value in (("product", product), ("feature", feature)):
        rows = rows[rows[name] == value] if value else rows
    return (product, feature) if product and feature else busiest(rows)


def looked_at(product: str, feature: str) -> str:
    """Which feature is looked at closely, with a blank after it; nothing where there is none."""
    return f"From here on: {code(feature)} of {code(product)}. " if feature else ""


def use_over_time(rows: pd.DataFrame, limit: int | None = None, timezone: str = "UTC") -> str:
    """How high daily peaks were. rows: of `daily.by_day`, for one feature."""
    if rows.empty or not rows["peak"].max():
        return "Nothing was in use."
    most = rows.loc[rows["peak"].idxmax()]
    if len(rows) == 1:
        has = "" if limit is None else f", of {counted(limit, 'seat')} that there are"
        return f"On the only day, {most['day'].tz_convert(timezone):%Y-%m-%d}, the peak was {most['peak']}{has}."
    text = (
        f"On half of {counted(len(rows), 'day')} the peak was {rows['peak'].median():.0f} or less, and {most['peak']} at most "
        f"(first on {most['day'].tz_convert(timezone):%Y-%m-%d})"
    )
    if limit is None:
        return f"{text}."
    full = int((rows["peak"] >= limit).sum())
    when = f"reached on {counted(full, 'day')}" if full else "never reached"
    return f"{text}; the limit of {limit} was {when}."
