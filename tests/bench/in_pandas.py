"""The measures of `checkout_log` in plain pandas, as an analyst writes them for one parquet file of an authority's events.

Whole columns at a time, texts that repeat as categories, and only the columns that are needed. The table has no renewals, no
restarts and nothing that was open before it began, so what they alone need is left out here, which is to pandas' advantage.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

PAIR = ["product", "feature"]
REPEATED = ["event", "mode", *PAIR, "member", "machine", "alias", "reason", "source"]
COLUMNS = [*REPEATED, "at", "handle", "quantity", "until"]
SERIES = ["seats", "lower", "upper"]
# The names of SERIES where they stand beside a figure of that name.
BOUNDS = ["lower", "upper"]
HOUR, DAY, MICROSECOND = (pd.Timedelta(1, unit).as_unit("us") for unit in ("h", "d", "us"))
OWN_ACTS = ["checkout", "renewal", "upgrade", "checkin"]
CLOSING = ["checkin", "release", "end"]


@dataclass
class Analysis:
    """The events of a file, and what several measures have in common; all days and hours are those of `zone`."""

    events: pd.DataFrame
    zone: ZoneInfo

    @classmethod
    def of(cls, path: Path, timezone: str) -> Analysis:
        events = pd.read_parquet(path, columns=COLUMNS, read_dictionary=REPEATED)
        events["pair"] = events.groupby(PAIR, observed=True).ngroup()
        return cls(events, ZoneInfo(timezone))

    @cached_property
    def begin(self) -> pd.Timestamp:
        return self.events["at"].min()

    @cached_property
    def end(self) -> pd.Timestamp:
        return self.events["at"].max()

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Product and feature by their number."""
        return self.uses.drop_duplicates("pair").set_index("pair")[PAIR]

    @cached_property
    def uses(self) -> pd.DataFrame:
        """Each checkout with its end: `start`, `end`, `ended_by`, `is_open`."""
        taken = (
            self.events[self.events["event"] == "checkout"].rename(columns={"at": "start"}).drop(columns=["event", "reason"])
        )
        closed = self.events.loc[self.events["event"].isin(CLOSING), ["pair", "handle", "at", "event"]]
        uses = taken.merge(closed.rename(columns={"at": "end", "event": "ended_by"}), on=["pair", "handle"], how="left")
        uses["ended_by"] = uses["ended_by"].cat.add_categories(["expiry", "open"])
        is_due = uses["end"].isna() & (uses["mode"] == "borrow") & (uses["until"] <= self.end)
        uses.loc[is_due, "ended_by"] = "expiry"
        uses["end"] = uses["end"].mask(is_due, uses["until"])
        uses["is_open"] = uses["end"].isna()
        uses["ended_by"] = uses["ended_by"].fillna("open")
        uses["end"] = uses["end"].fillna(self.end)
        return uses

    @cached_property
    def moves(self) -> pd.DataFrame:
        """The changes of the seats in use: `pair`, `at`, SERIES."""
        weights = pd.DataFrame({"seats": self.uses["quantity"], "upper": self.uses["quantity"]})
        weights["lower"] = self.uses["quantity"].where(~self.uses["is_open"], 0)
        return both_ends(self.uses[["pair", "start", "end", "is_open"]].join(weights))

    @cached_property
    def steps(self) -> pd.DataFrame:
        """The levels in use: `pair`, `at`, `until`, SERIES."""
        return self.steps_of(self.moves)

    def steps_of(self, moves: pd.DataFrame) -> pd.DataFrame:
        levels = moves.sort_values(["pair", "at"], ignore_index=True)
        levels[SERIES] = levels.groupby("pair")[SERIES].cumsum()
        levels = levels.drop_duplicates(["pair", "at"], keep="last")
        levels["until"] = levels.groupby("pair")["at"].shift(-1).fillna(self.end)
        return levels

    @cached_property
    def spectrum(self) -> pd.DataFrame:
        """How long each level was in use: `series`, `pair`, `level`, `time`, `first_at`."""
        timed = self.steps.assign(time=self.steps["until"] - self.steps["at"])
        parts = [
            timed.groupby(["pair", name]).agg(time=("time", "sum"), first_at=("at", "min")).rename_axis(["pair", "level"])
            for name in SERIES
        ]
        spectrum = pd.concat(parts, keys=SERIES, names=["series"]).reset_index()
        used = spectrum[spectrum["level"] > 0]
        # Before the first and after the last use nothing is in use either.
        rest = (self.end - self.begin) - used.groupby(["series", "pair"])["time"].sum()
        unused = rest.reset_index().assign(level=0, first_at=self.begin)
        return pd.concat([unused, used]).sort_values(["series", "pair", "level"], ignore_index=True)

    @cached_property
    def longer(self) -> pd.DataFrame:
        """For how long at least so many seats were in use: an index of `pair` and `level` from 1, and SERIES."""
        table = self.spectrum.pivot_table(index=["pair", "level"], columns="series", values="time", aggfunc="sum")
        most = table.reset_index().groupby("pair")["level"].max()
        every = [(pair, level) for pair, top in most.items() for level in range(int(top) + 1)]
        dense = table.reindex(pd.MultiIndex.from_tuples(every, names=["pair", "level"])).fillna(pd.Timedelta(0))
        return dense[::-1].groupby("pair").cumsum()[::-1].query("level > 0")

    @cached_property
    def by_hour(self) -> pd.DataFrame:
        """The use in each hour: `pair`, `hour` (local), and of each of SERIES its most and its seats times microseconds."""
        hours = pd.date_range(self.begin.floor("h"), self.end.floor("h"), freq="h", unit="us")
        marks = pd.MultiIndex.from_product([self.pairs.index, hours], names=["pair", "at"]).to_frame(index=False)
        # Steps are cut at each full hour by a change of nothing.
        steps = self.steps_of(pd.concat([self.moves, marks.assign(**dict.fromkeys(SERIES, 0))]))
        micros = (steps["until"] - steps["at"]).astype("int64")
        steps["hour"] = steps["at"].dt.floor("h")
        steps[[f"{name}_time" for name in SERIES]] = steps[SERIES].mul(micros, axis=0)
        figures = dict.fromkeys(SERIES, "max") | {f"{name}_time": "sum" for name in SERIES}
        rows = steps.groupby(["pair", "hour"], as_index=False).agg(figures)
        rows["observed"] = (rows["hour"] + HOUR).clip(upper=self.end) - rows["hour"].clip(lower=self.begin)
        return rows.assign(hour=rows["hour"].dt.tz_convert(self.zone))

    @cached_property
    def denials(self) -> pd.DataFrame:
        """The denials for lack of seats."""
        return self.events[(self.events["event"] == "denial") & (self.events["reason"] == "pool-exhausted")]

    @cached_property
    def episodes(self) -> pd.DataFrame:
        """Denials of one member for one feature without a pause of more than five minutes."""
        who = ["pair", *PAIR, "member"]
        denied = self.denials.sort_values([*who, "at"])
        pause = denied.groupby(who, observed=True)["at"].diff()
        denied["number"] = (pause.isna() | (pause > pd.Timedelta("5min"))).cumsum()
        rows = denied.groupby([*who, "number"], observed=True).agg(
            first_at=("at", "min"),
            last_at=("at", "max"),
            lines=("at", "size"),
            machines=("machine", "nunique"),
            quantity=("quantity", "max"),
        )
        taken = self.uses[["pair", "member", "start"]].sort_values("start")
        rows = rows.reset_index().sort_values("last_at")
        rows = pd.merge_asof(
            rows,
            taken,
            left_on="last_at",
            right_on="start",
            by=["pair", "member"],
            direction="forward",
            tolerance=pd.Timedelta("5min"),
        )
        return rows.assign(got_it=rows["start"].notna(), machine=None)


def both_ends(uses: pd.DataFrame) -> pd.DataFrame:
    """What starts and ends change: `pair`, `at`, SERIES; what is open changes nothing at its end."""
    starts = uses[["pair", "start", *SERIES]].rename(columns={"start": "at"})
    ends = uses.loc[~uses["is_open"], ["pair", "end", *SERIES]].rename(columns={"end": "at"})
    ends[SERIES] *= -1
    return pd.concat([starts, ends], ignore_index=True)
