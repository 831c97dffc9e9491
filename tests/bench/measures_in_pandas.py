"""Each measure that is compared, in plain pandas, with the columns that `checkout_log` has."""

from __future__ import annotations

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_times
from statsmodels.formula.api import ols

from tests.bench.in_pandas import DAY, HOUR, MICROSECOND, OWN_ACTS, PAIR, SERIES, Analysis, both_ends


def peaks(of: Analysis) -> pd.DataFrame:
    """The most seats in use, and how many were enough for 95 % and 99 % of the time."""
    most = of.spectrum.pivot_table(index="pair", columns="series", values="level", aggfunc="max")
    seats = of.spectrum[of.spectrum["series"] == "seats"]
    top = seats.loc[seats.groupby("pair")["level"].idxmax()].set_index("pair")
    observed = of.end - of.begin
    longer = of.longer["seats"]
    enough = {
        # As many as were in use, or more, for longer than the rest of the time.
        name: longer[longer * 100 > observed * rest].groupby("pair").size().reindex(most.index, fill_value=0)
        for name, rest in (("p95", 5), ("p99", 1))
    }
    rows = most.rename(columns={"seats": "peak"}).assign(peak_at=top["first_at"], observed_days=observed / DAY, **enough)
    return of.pairs.join(rows)


def time_at_level(of: Analysis) -> pd.DataFrame:
    """For how long exactly so many seats were in use."""
    rows = of.spectrum[(of.spectrum["series"] == "seats") & (of.spectrum["time"] > pd.Timedelta(0))]
    rows = rows.assign(hours=rows["time"] / HOUR, share=rows["time"] / (of.end - of.begin))
    return rows.join(of.pairs, on="pair")


def exceedance(of: Analysis) -> pd.DataFrame:
    """The share of the time in which at least so many seats were in use."""
    rows = (of.longer / (of.end - of.begin)).rename(columns={"seats": "share"})
    return rows.reset_index().join(of.pairs, on="pair")


def efficiency(of: Analysis) -> pd.DataFrame:
    """For how long each seat was in use, the lowest free one taken first."""
    rows = (of.longer / HOUR).rename(columns={"seats": "hours"})
    rows["share"] = of.longer["seats"] / (of.end - of.begin)
    return rows.reset_index().rename(columns={"level": "seat"}).join(of.pairs, on="pair")


def heat_map(of: Analysis) -> pd.DataFrame:
    """The most and the average use by weekday and hour."""
    hours = of.by_hour.assign(weekday=of.by_hour["hour"].dt.weekday, hour=of.by_hour["hour"].dt.hour)
    figures = dict.fromkeys(SERIES, "max") | {f"{name}_time": "sum" for name in SERIES} | {"observed": "sum"}
    rows = hours.groupby(["pair", "weekday", "hour"], as_index=False).agg(figures)
    for name, word in zip(SERIES, ("", "_lower", "_upper"), strict=True):
        rows[f"peak{word}"] = rows[name]
        rows[f"average{word}"] = rows[f"{name}_time"] / (rows["observed"] / MICROSECOND)
    return rows.assign(observed_hours=rows["observed"] / HOUR).join(of.pairs, on="pair")


def lengths(of: Analysis) -> pd.DataFrame:
    """How long sessions and borrows last, by Kaplan and Meier."""
    lasted = of.uses.assign(seconds=(of.uses["end"] - of.uses["start"]) // pd.Timedelta("1s"))
    figures = {pair: _lengths(uses["seconds"], uses["is_open"]) for pair, uses in lasted.groupby("pair")}
    return of.pairs.join(pd.DataFrame(figures).T)


def _lengths(seconds: pd.Series, is_open: pd.Series) -> dict[str, float]:
    fitted = KaplanMeierFitter().fit(seconds, event_observed=~is_open)
    bounds = fitted.confidence_interval_
    shares = {"p25_hours": 0.75, "median_hours": 0.5, "p75_hours": 0.25, "p95_hours": 0.05}
    # A share such as a half comes out with a rounding error.
    figures = {name: qth_survival_times(share + 1e-9, fitted.survival_function_) for name, share in shares.items()}
    figures["lower"], figures["upper"] = (qth_survival_times(0.5 + 1e-9, bounds.iloc[:, side]) for side in (0, 1))
    figures["naive_median_hours"] = seconds[~is_open].median()
    hours = {name: value / 3600 if np.isfinite(value) else np.nan for name, value in figures.items()}
    return hours | {"sessions": len(seconds), "censored": is_open.sum()}


def last_used(of: Analysis) -> pd.DataFrame:
    """When each member last used each feature."""
    uses = of.events[of.events["event"] != "denial"]
    acts = uses[uses["event"].isin(OWN_ACTS) & ~uses["reason"].isin(["idle", "shutdown"])]
    who = ["pair", "member"]
    rows = acts.groupby(who, observed=True).agg(last_used_at=("at", "max"))
    rows["uses"] = uses[uses["event"] == "checkout"].groupby(who, observed=True).size()
    rows["is_held"] = of.uses.groupby(who, observed=True)["is_open"].any()
    rows["days_since"] = (of.end - rows["last_used_at"]) / DAY
    return rows.reset_index().join(of.pairs, on="pair")


def requests(of: Analysis) -> pd.DataFrame:
    """What was asked for."""
    asked = of.events[of.events["event"].isin(["checkout", "denial"])]
    counted = asked.groupby(PAIR, observed=True).agg(requests=("at", "size"))
    for name, rows in {
        "used": asked["event"] == "checkout",
        "denied": (asked["event"] == "denial") & (asked["reason"] != "unsupported"),
        "unsupported": (asked["event"] == "denial") & (asked["reason"] == "unsupported"),
    }.items():
        counted[name] = asked[rows].groupby(PAIR, observed=True).size()
    return counted.fillna(0).reset_index()


def episodes(of: Analysis) -> pd.DataFrame:
    """Who was kept waiting."""
    return of.episodes


def counts(of: Analysis) -> pd.DataFrame:
    """Denials as lines, episodes and pairs of a user and a day."""
    denied = of.events[of.events["event"] == "denial"]
    full, reason = of.denials, denied["reason"]
    days = full.assign(day=full["at"].dt.tz_convert(of.zone).dt.normalize())[["pair", "member", "day"]].drop_duplicates()
    is_other = reason.notna() & ~reason.isin(["pool-exhausted", "unsupported"])
    counted = {
        "raw": full,
        "episodes": of.episodes,
        "user_days": days,
        "lost": of.episodes[~of.episodes["got_it"]],
        "unexplained": denied[reason.isna()],
        "other": denied[is_other],
        "unsupported": denied[reason == "unsupported"],
    }
    frame = pd.DataFrame({name: rows.groupby("pair").size() for name, rows in counted.items()}).fillna(0)
    return frame.join(of.pairs)


def ageing(of: Analysis) -> pd.DataFrame:
    """Every borrow: how long it is out, when it is due, and the last sign of its member."""
    borrows = of.uses[of.uses["mode"] == "borrow"]
    one = ["source", "product", "handle", "member", "machine", "start"]
    facts = ("alias", "until", "end", "ended_by", "is_open")
    rows = borrows.groupby(one, observed=True).agg(
        features=("feature", lambda names: "; ".join(sorted(set(names)))), **{name: (name, "first") for name in facts}
    )
    rows = rows.reset_index().rename(columns={"until": "due", "is_open": "is_out"})
    signs = of.events[of.events["event"].isin([*OWN_ACTS, "denial"]) & ~of.events["reason"].isin(["idle", "shutdown"])]
    last = signs.groupby("member", observed=True)["at"].max()
    rows["last_sign_at"] = rows["member"].map(last).astype(last.dtype)
    is_unreturned = rows["is_out"] | (rows["ended_by"] == "expiry")
    rows["is_overdue"] = is_unreturned & (rows["due"] <= of.end)
    rows["days_out"] = (rows["end"] - rows["start"]) / DAY
    rows["days_left"] = ((rows["due"] - of.end) / DAY).where(is_unreturned)
    rows["days_since_sign"] = (of.end - rows["last_sign_at"]) / DAY
    return rows.assign(renewals=0, revoked_at=pd.NaT, released_at=pd.NaT)


def enough(of: Analysis) -> pd.DataFrame:
    """For each number of seats how much of the use and of the denials it would have met."""
    demand = _demand(of)
    most = of.longer.reset_index().groupby("pair")["level"].max().clip(lower=demand.groupby("pair").max(), axis=0)
    every = [(pair, seats) for pair, top in most.items() for seats in range(1, int(top) + 1)]
    index = pd.MultiIndex.from_tuples(every, names=["pair", "seats"])
    shares = (of.longer / (of.end - of.begin)).rename_axis(["pair", "seats"]).rename(columns={"seats": "exceeded"})
    # More than n are in use while at least n + 1 are.
    rows = shares.groupby("pair").shift(-1).reindex(index).fillna(0.0)
    met = demand.reset_index().groupby(["pair", "demand"]).size().rename_axis(["pair", "seats"])
    rows["met"] = met.reindex(index, fill_value=0).groupby("pair").cumsum()
    rows = rows.reset_index().join(of.pairs, on="pair")
    rows["episodes"] = rows["pair"].map(demand.groupby("pair").size()).fillna(0)
    return rows.assign(unmet=rows["episodes"] - rows["met"])


def _demand(of: Analysis) -> pd.Series:
    """The seats that would have met each episode when it began, by `pair`."""
    waits = of.episodes[["pair", "first_at", "last_at", "quantity"]].sort_values("first_at", ignore_index=True)
    levels = of.steps[["pair", "at", "seats"]].sort_values("at")
    # In one moment releases come first; whoever was denied in it may have come before them.
    moments = {"before": waits["first_at"] - MICROSECOND, "then": waits["first_at"]}
    for name, at in moments.items():
        rows = pd.merge_asof(waits[["pair"]].assign(at=at), levels, on="at", by="pair")
        waits[name] = rows["seats"].fillna(0)
    begun = waits[["pair", "first_at", "quantity"]].rename(columns={"first_at": "at", "quantity": "waiting"})
    over = pd.DataFrame({"pair": waits["pair"], "at": waits["last_at"] + MICROSECOND, "waiting": -waits["quantity"]})
    queue = pd.concat([begun, over]).sort_values(["pair", "at"])
    queue["waiting"] = queue.groupby("pair")["waiting"].cumsum()
    queue = queue.drop_duplicates(["pair", "at"], keep="last")
    waits = waits.merge(queue, left_on=["pair", "first_at"], right_on=["pair", "at"])
    waits["demand"] = (waits[["before", "then"]].max(axis=1) + waits["waiting"]).astype("int64")
    return waits.set_index("pair")["demand"]


def what_if(of: Analysis, longest_days: int) -> pd.DataFrame:
    """What a shorter longest borrow would have given back."""
    is_borrow = of.uses["mode"] == "borrow"
    borrows = of.uses[is_borrow].sort_values("end")
    borrows["short"] = borrows["end"].clip(upper=borrows["start"] + pd.Timedelta(days=longest_days))
    same = ["product", "member", "machine"]
    acts = of.events.loc[of.events["event"].isin(["checkout", "renewal", "upgrade"]), [*same, "at"]]
    borrows = pd.merge_asof(borrows, acts, left_on="end", right_on="at", by=same)
    has_sign = borrows["at"] > borrows["short"]
    ends = {
        "seats": borrows["short"].mask(has_sign, borrows["at"]),
        "lower": borrows["short"],
        "upper": borrows["short"].mask(has_sign, borrows["end"]),
    }
    held = {name: (end - borrows["start"]) * borrows["quantity"] for name, end in ends.items()}
    sums = pd.DataFrame(
        {
            "pair": borrows["pair"],
            "borrows": 1,
            "shortened": borrows["short"] < borrows["end"],
            "used_beyond": has_sign,
            "held": (borrows["end"] - borrows["start"]) * borrows["quantity"],
            **held,
        }
    )
    rows = sums.groupby("pair").sum()
    rows["seat_days"] = rows["held"] / DAY
    saved = {"given_back": "seats", "lower": "upper", "upper": "lower"}
    days = pd.DataFrame({word: (rows["held"] - rows[name]) / DAY for word, name in saved.items()})
    sessions = of.uses.loc[~is_borrow, ["pair", "start", "end", "is_open"]]
    sessions[SERIES] = np.repeat(of.uses.loc[~is_borrow, ["quantity"]].to_numpy(), len(SERIES), axis=1)
    moves = [both_ends(sessions)]
    for name, end in ends.items():
        weights = {other: borrows["quantity"] if other == name else 0 for other in SERIES}
        limited = borrows[["pair", "start"]].assign(end=end, is_open=borrows["is_open"] & (end == borrows["end"]), **weights)
        moves.append(both_ends(limited))
    after = of.steps_of(pd.concat(moves)).groupby("pair")[SERIES].max()
    after.columns = ["peak_after", "peak_after_lower", "peak_after_upper"]
    rows = rows.drop(columns=[*SERIES, "held"]).join(days).join(after)
    return rows.assign(peak_before=of.steps.groupby("pair")["seats"].max()).join(of.pairs)


def forecast(of: Analysis, days: int = 90) -> pd.DataFrame:
    """The daily peaks to come: a trend, a step for each weekday, and an interval."""
    first, last = of.begin.tz_convert(of.zone), of.end.tz_convert(of.zone)
    hours = of.by_hour.assign(day=of.by_hour["hour"].dt.tz_localize(None).dt.normalize())
    daily = hours.groupby(["pair", "day"], as_index=False)["seats"].max()
    # The first day and the last are not whole.
    is_whole = (daily["day"] > first.tz_localize(None)) & (daily["day"] < last.tz_localize(None).normalize())
    dates = pd.Series(pd.date_range(last.tz_localize(None).normalize(), periods=days))
    parts = {pair: _fitted(past, dates) for pair, past in daily[is_whole].groupby("pair")}
    rows = pd.concat(parts, names=["pair"]).reset_index(level="pair").join(of.pairs, on="pair")
    return rows.assign(day=rows["day"].dt.tz_localize(of.zone).dt.tz_convert("UTC"))


def _fitted(past: pd.DataFrame, dates: pd.Series) -> pd.DataFrame:
    known = past.assign(number=(past["day"] - past["day"].iloc[0]).dt.days, weekday=past["day"].dt.weekday)
    ahead = pd.DataFrame({"number": (dates - past["day"].iloc[0]).dt.days, "weekday": dates.dt.weekday})
    fitted = ols("seats ~ C(weekday) - 1 + number", known).fit(cov_type="HAC", cov_kwds={"maxlags": 7}, use_t=True)
    expected = fitted.get_prediction(ahead).summary_frame(alpha=0.05)
    rows = expected[["mean", "obs_ci_lower", "obs_ci_upper"]].set_axis(["expected", "lower", "upper"], axis=1)
    # The interval holds what the past days were off by, but for the outermost 5 %.
    least, most = fitted.resid.quantile(0.025, "lower"), fitted.resid.quantile(0.975, "higher")
    rows = rows.assign(
        lower=np.minimum(rows["lower"], rows["expected"] + least), upper=np.maximum(rows["upper"], rows["expected"] + most)
    ).clip(lower=0)
    lower, upper = fitted.conf_int(alpha=0.05).loc["number"]
    trend = {"trend": fitted.params["number"] * 30, "trend_lower": lower * 30, "trend_upper": upper * 30}
    return rows.assign(day=dates, observed_days=len(past), highest=past["seats"].max(), **trend)
