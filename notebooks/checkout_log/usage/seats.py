"""How many seats are in use: peaks, time at each level, seats needed, and the hours of the week."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pandas as pd

from checkout_log.columns import NUMBER, OF_FEATURE, TIME, WHOLE, Column, typed
from checkout_log.log import Log
from checkout_log.measuring import hours, levels, questions
from checkout_log.measuring.levels import SERIES
from checkout_log.measuring.questions import DAY, HOUR, one_of, zone

PEAKS = (
    *OF_FEATURE,
    Column("peak", WHOLE, False, "most seats in use at one moment"),
    Column("peak_at", TIME, True, "when that was first reached; empty where nothing was in use"),
    Column("p95", WHOLE, False, "seats that were enough for 95 % of the observed time"),
    Column("p99", WHOLE, False, "seats that were enough for 99 % of the observed time"),
    Column("lower", WHOLE, False, "the least that the peak can have been"),
    Column("upper", WHOLE, False, "the most that the peak can have been"),
    Column("observed_days", NUMBER, False, "days that the log covers"),
)
TIME_AT_LEVEL = (
    *OF_FEATURE,
    Column("level", WHOLE, False, "seats in use, from 0"),
    Column("hours", NUMBER, False, "hours in which exactly so many were in use"),
    Column("share", NUMBER, True, "the same as a share of the observed time, 0 to 1"),
)
EXCEEDANCE = (
    *OF_FEATURE,
    Column("level", WHOLE, False, "seats, from 1"),
    Column("share", NUMBER, True, "share of the observed time in which at least so many were in use, 0 to 1"),
    Column("lower", NUMBER, True, "the least that this share can have been"),
    Column("upper", NUMBER, True, "the most that this share can have been"),
)
NEEDED = (
    *OF_FEATURE,
    Column("share", NUMBER, False, "the share of the observed time that was asked for, 0 to 1"),
    Column("seats", WHOLE, False, "the fewest seats that would have served it"),
    Column("lower", WHOLE, False, "the fewest that this number can be"),
    Column("upper", WHOLE, False, "the most that this number can be"),
)
EFFICIENCY = (
    *OF_FEATURE,
    Column("seat", WHOLE, False, "1 for the first seat in use, 2 for the second that is in use beside it, and so on"),
    Column("hours", NUMBER, False, "hours in which so many seats or more were in use"),
    Column("share", NUMBER, True, "the same as a share of the observed time, 0 to 1"),
    Column("lower", NUMBER, False, "the fewest hours that it can have been"),
    Column("upper", NUMBER, False, "the most hours that it can have been"),
)
HEAT_MAP = (
    *OF_FEATURE,
    Column("weekday", WHOLE, False, "0 for Monday to 6 for Sunday"),
    Column("hour", WHOLE, False, "0 to 23, in the time zone"),
    Column("peak", WHOLE, False, "most seats in use at one moment"),
    Column("peak_lower", WHOLE, False, "the least that it can have been"),
    Column("peak_upper", WHOLE, False, "the most that it can have been"),
    Column("average", NUMBER, True, "seats in use on average over the observed time"),
    Column("average_lower", NUMBER, True, "the least that it can have been"),
    Column("average_upper", NUMBER, True, "the most that it can have been"),
    Column("observed_hours", NUMBER, False, "hours of this weekday and hour that the log covers"),
)


def peaks(log: Log, license: str = "handle") -> pd.DataFrame:  # noqa: A002 - the word of the field
    """The most seats in use and time-weighted percentiles, one row for each feature that was used: the columns PEAKS.

    In one moment releases come first. The percentiles go over all the observed time; time without use counts as 0.
    The default counts handles, since only the vendor's license file tells of a grouping.
    """
    grouping = one_of("license", license, levels.COUNTED)
    return log.once(("peaks", grouping), lambda: _peaks(log, grouping)).copy()


def _peaks(log: Log, grouping: str) -> pd.DataFrame:
    spectrum, longer = levels.spectrum(log, grouping), levels.at_least(log, grouping)
    # Where nothing was used, there is no series at all.
    most = spectrum.pivot_table(index="pair", columns="series", values="level", aggfunc="max").reindex(columns=list(SERIES))
    of_seats = spectrum[spectrum["series"] == "seats"]
    top = of_seats[of_seats["level"] == of_seats["pair"].map(most["seats"])].set_index("pair")
    figures = {
        "peak": most["seats"],
        "peak_at": pd.to_datetime(top["first_at"], unit="us", utc=True).where(top["level"] > 0),
        "p95": levels.enough_for(longer, Fraction(95, 100), "seats"),
        "p99": levels.enough_for(longer, Fraction(99, 100), "seats"),
        "lower": most["lower"],
        "upper": most["upper"],
        "observed_days": of_seats.groupby("pair")["micros"].sum() / DAY,
    }
    if grouping == "handle":
        figures["lower"] = _at_least_stated(log, figures["lower"], figures["peak"])
    return typed(_named(log).join(pd.DataFrame(figures)), PEAKS)


def _at_least_stated(log: Log, lower: pd.Series, peak: pd.Series) -> pd.Series:
    """The least that peaks can have been, by the number of the feature: not less than the server itself said was in use."""
    stated = log.stored.seats.groupby(["product", "feature"])["in_use"].max()
    most = _named(log).join(stated.rename("stated"), on=["product", "feature"])["stated"].fillna(0)
    return lower.combine(most.reindex(lower.index), max).combine(peak, min)


def time_at_level(log: Log, license: str = "handle") -> pd.DataFrame:  # noqa: A002
    """For how long exactly so many seats were in use: the columns TIME_AT_LEVEL, without levels that took no time."""
    spectrum = levels.spectrum(log, one_of("license", license, levels.COUNTED))
    spectrum = spectrum[(spectrum["series"] == "seats") & (spectrum["micros"] > 0)]
    observed = spectrum.groupby("pair")["micros"].transform("sum")
    frame = spectrum.assign(hours=spectrum["micros"] / HOUR, share=spectrum["micros"] / observed)
    return typed(frame.join(_named(log), on="pair"), TIME_AT_LEVEL)


def exceedance(log: Log, license: str = "handle") -> pd.DataFrame:  # noqa: A002
    """The share of the observed time in which at least so many seats were in use: the columns EXCEEDANCE."""
    longer = _longer(log, license)
    shares = {word: longer[name] / longer["observed"] for name, word in _words("share")}
    return typed(longer.assign(**shares), EXCEEDANCE)


def needed(log: Log, share: float = 0.95, license: str = "handle") -> pd.DataFrame:  # noqa: A002
    """The fewest seats that would have served this share of the observed time: the columns NEEDED.

    By default 95 %, so that the rarest hours do not decide.
    """
    wanted = questions.share(share)
    longer = levels.at_least(log, one_of("license", license, levels.COUNTED))
    counts = {word: levels.enough_for(longer, wanted, name) for name, word in _words("seats")}
    return typed(_named(log).join(pd.DataFrame(counts)).assign(share=float(wanted)), NEEDED)


def efficiency(log: Log, license: str = "handle") -> pd.DataFrame:  # noqa: A002
    """For how long the first, the second, ... seat was in use: the columns EFFICIENCY. The lowest free number is taken first."""
    longer = _longer(log, license)
    figures = {word: longer[name] / HOUR for name, word in _words("hours")}
    return typed(longer.assign(seat=longer["level"], share=longer["seats"] / longer["observed"], **figures), EFFICIENCY)


def heat_map(log: Log, timezone: str | None = None, license: str = "handle") -> pd.DataFrame:  # noqa: A002
    """The use by weekday and hour, most and time-weighted average: the columns HEAT_MAP, a row for each that was observed.

    By default in the time zone of the license server, where most of its users are.
    """
    where, grouping = zone(log, timezone), one_of("license", license, levels.COUNTED)
    by_hour = ["weekday", "hour"]
    calendar = hours.calendar(log, where)
    cells = hours.use_by_cell(log, grouping).join(log.engine.numbers(calendar, hours.CALENDAR), "cell")
    figures = {f"{name}_most": cells[f"{name}_most"].max() for name in SERIES}
    figures |= {f"{name}_time": cells[f"{name}_time"].sum() for name in SERIES}
    used = log.engine.frame(cells.group_by("pair", *by_hour).aggregate(**figures), _HEAT).set_index(["pair", *by_hour])
    observed = (
        hours.observed_cells(log).merge(calendar, on="cell").groupby(["product", *by_hour], as_index=False)["observed"].sum()
    )
    frame = levels.features(log).merge(observed, on="product").join(used, on=["pair", *by_hour]).fillna(0)
    frame = frame[(frame["observed"] > 0) | (frame["upper_most"] > 0)]
    averages = {word: frame[f"{name}_time"] / frame["observed"] for name, word in _beside("average")}
    most = {word: frame[f"{name}_most"] for name, word in _beside("peak")}
    return typed(frame.assign(observed_hours=frame["observed"] / HOUR, **averages, **most), HEAT_MAP)


_HEAT = (
    *(Column(name, WHOLE, False, "") for name in ("pair", "weekday", "hour")),
    *(Column(f"{name}_{figure}", WHOLE, False, "") for figure in ("most", "time") for name in SERIES),
)


def _named(log: Log) -> pd.DataFrame:
    """Product and feature by the number of the feature."""
    return levels.features(log).set_index("pair")


def _longer(log: Log, grouping: str) -> pd.DataFrame:
    """For how long at least so many seats, from 1, were in use, with product and feature."""
    longer = levels.at_least(log, one_of("license", grouping, levels.COUNTED))
    return longer[longer["level"] > 0].join(_named(log), on="pair")


def _words(figure: str) -> Iterator[tuple[str, str]]:
    """Each series, and the column that shows this figure of it."""
    return zip(SERIES, (figure, "lower", "upper"), strict=True)


def _beside(figure: str) -> Iterator[tuple[str, str]]:
    """Each series, and the column that shows this figure of it where several figures of a row have bounds."""
    return zip(SERIES, (figure, f"{figure}_lower", f"{figure}_upper"), strict=True)
