"""How many seats are in use, from moment to moment: what peaks, percentiles, heat maps and forecasts are made of.

A use holds its seats from its start up to, not including, its end, so that in one moment releases come first. There are
three series side by side. `seats` counts every session. `lower` counts only sessions that were seen to end, at dates that are
certain. `upper` counts also what was never seen to start, from the beginning of the log or of the run of the license server.
Which of several sessions of one user on one host ended is often unknown, and does not matter here: as many are left.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import TEXT, TIME, WHOLE, Column, names
from checkout_log.log import Log
from checkout_log.measuring import duplicates
from checkout_log.measuring.questions import one_of

# What counts as one license: each use with its quantity, or all uses of one machine or member together.
GROUPINGS = ("handle", "machine", "member")
# All uses of one member on one machine together; and what each feature's license file says, where one is known.
MEMBER_MACHINE, VENDOR = "member-machine", "vendor"
COUNTED = (*GROUPINGS, MEMBER_MACHINE, VENDOR)
SERIES = ("seats", "lower", "upper")
FOREVER = 2**62

FEATURES = (Column("pair", WHOLE, False, ""), Column("product", TEXT, False, ""), Column("feature", TEXT, False, ""))
_HOLDERS = (Column("number", WHOLE, False, ""), Column("holder", TEXT, False, ""))
_SPANS = (Column("pair", WHOLE, False, ""), Column("begin", TIME, False, ""), Column("end", TIME, False, ""))
SPECTRUM = (
    Column("series", TEXT, False, "one of SERIES"),
    Column("pair", WHOLE, False, "number of the feature"),
    Column("level", WHOLE, False, "seats in use"),
    Column("micros", WHOLE, False, "for so many microseconds in all"),
    Column("first_at", WHOLE, False, "when it was first reached, in microseconds since 1970 UTC"),
)


def features(log: Log) -> pd.DataFrame:
    """Every feature that was used: `pair` (its number), `product`, `feature`."""
    return log.once(("features",), lambda: _numbered(log, log.pairs.select("product", "feature"), FEATURES))


def _numbered(log: Log, figures: Table, columns: Sequence[Column]) -> pd.DataFrame:
    """The distinct rows in order, with their numbers in the first of these columns: engines sort numbers faster than texts."""
    frame = log.engine.frame(figures.distinct(), columns[1:])
    frame = frame.sort_values([column.name for column in columns[1:]], ignore_index=True)
    frame.insert(0, columns[0].name, range(len(frame)))
    return frame


def observed(log: Log) -> pd.DataFrame:
    """The time that the log covers, in parts that do not overlap: `product`, `begin`, `end` (whole microseconds); computed once."""
    return log.once(("observed",), lambda: _observed(log))


def _observed(log: Log) -> pd.DataFrame:
    spans = log.stored.spans.sort_values(["product", "begin"], ignore_index=True)
    latest = spans.groupby("product")["end"].cummax().groupby(spans["product"]).shift()
    part = (latest.isna() | (spans["begin"] > latest)).cumsum()
    return spans.groupby(["product", part]).agg(begin=("begin", "min"), end=("end", "max")).reset_index("product")


def uses(log: Log) -> Table:
    """What each use counts for: `pair`, `member`, `machine`, `at`, `until` (FOREVER: longer than the log), and SERIES."""
    is_certain = _.started & ~_.censored & ~_.cut & ~_.undated
    return log.pairs.join(log.engine.numbers(features(log), FEATURES), ["product", "feature"]).select(
        "pair",
        "member",
        "machine",
        at=_.start,
        until=ibis.ifelse(_.censored, FOREVER, _.end),
        seats=ibis.ifelse(_.started, _.quantity, 0),
        lower=ibis.ifelse(is_certain, _.quantity, 0),
        upper=_.quantity,
    )


def moves(log: Log, uses: Table, grouping: str) -> Table:
    """How the number of seats changes when: `pair`, `at`, and the changes of SERIES, of these uses under this grouping.

    The changes of each feature add up to nothing.
    """
    one_of("license", grouping, COUNTED)
    if grouping == VENDOR:
        return _as_vendors_count(log, uses)
    if grouping == "handle":
        return _both_ends(uses, "pair")
    return _of_holders(log, uses, grouping)


def _as_vendors_count(log: Log, uses: Table) -> Table:
    """The moves where each feature counts as its license file says, and each use where none does."""
    counted = duplicates.counted_by(log.stored.options)
    known = features(log).merge(counted, on=["product", "feature"])
    parts = [_both_ends(_without(log, uses, known["pair"]), "pair")]
    parts += [_of_holders(log, uses, str(grouping), own["pair"]) for grouping, own in known.groupby("counted")]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _without(log: Log, uses: Table, pairs: pd.Series) -> Table:
    return uses.anti_join(log.engine.numbers(pd.DataFrame({"pair": pairs}), FEATURES[:1]), "pair") if len(pairs) else uses


def _of_holders(log: Log, uses: Table, grouping: str, pairs: pd.Series | None = None) -> Table:
    """The moves where all uses of one holder count as one; of these features alone, where they are given."""
    # Uses without a member or machine count together, as one.
    if grouping == MEMBER_MACHINE:
        named = uses.mutate(holder=_.member.fill_null("") + "\n" + _.machine.fill_null(""))
    elif grouping == duplicates.SITE:
        named = uses.mutate(holder=ibis.literal(""))
    else:
        named = uses.mutate(holder=_[grouping].fill_null(""))
    holders = log.once(("holders", grouping), lambda: _numbered(log, named.select("holder"), _HOLDERS))
    if pairs is not None:
        named = named.semi_join(log.engine.numbers(pd.DataFrame({"pair": pairs}), FEATURES[:1]), "pair")
    numbered = named.join(log.engine.numbers(holders, _HOLDERS), "holder")
    # One number instead of two: engines sort by it twice as fast.
    return _each_once(log, _both_ends(numbered.mutate(held_as=_.pair * len(holders) + _.number), "pair", "held_as"))


def _both_ends(uses: Table, *keys: str) -> Table:
    starts = uses.select(*keys, "at", *SERIES)
    ends = uses.select(*keys, **{name: -_[name] for name in SERIES}, at=_.until)
    return starts.union(ends.select(*starts.columns))


def in_order(log: Log, key: str) -> dict[str, list[str]]:
    """The windows in which changes are added up.

    They start anew with each feature or holder. Where the changes of each add up to nothing, a sum over all of them in order is
    the same, and DuckDB makes it five times as fast; but a cluster can share the work only where there are groups.
    """
    return {"group_by": [key] if log.engine.is_shared else [], "order_by": [key, "at"]}


def _each_once(log: Log, both: Table) -> Table:
    """The moves of holders, each of whom counts once while holding anything."""
    # In which order rows of one moment come does not matter: what they change adds up to the same.
    so_far = ibis.window(**in_order(log, "held_as"), preceding=None, following=0)
    held = both.mutate(**{f"held_{name}": _[name].sum().over(so_far) for name in SERIES})
    after = {name: (held[f"held_{name}"] > 0).cast("int64") for name in SERIES}
    before = {name: (held[f"held_{name}"] > held[name]).cast("int64") for name in SERIES}
    changes = held.select("pair", "at", **{name: after[name] - before[name] for name in SERIES})
    return changes.filter(ibis.or_(*(_[name] != 0 for name in SERIES)))


def running(log: Log, changes: Table) -> Table:
    """The levels after each of these moves: the same rows with the sums of SERIES up to their moment, and `until` the next.

    A range takes all rows of one moment together, so that each of them shows what is left after it.
    """
    so_far = ibis.range_window(**in_order(log, "pair"), following=0)
    until = _["at"].lead().over(ibis.window(**in_order(log, "pair")))
    return changes.mutate(**{name: _[name].sum().over(so_far) for name in SERIES}, until=until)


def steps(log: Log, changes: Table) -> Table:
    """The levels in use during the observed time: `pair`, `at`, `until`, SERIES; no rows where nothing was in use."""
    # The last row of a feature, whose `until` is of another, leaves nothing in use.
    levels = running(log, changes).filter((_.upper > 0) & (_.until > _["at"]))
    spans = features(log).merge(observed(log), on="product")
    inside = levels.join(log.engine.numbers(spans, _SPANS), "pair")
    # What begins with the last moment of the log was in use then, for no measured time.
    inside = inside.filter((_["at"] <= _.end) & (_.until > _.begin))
    whole = {name: _[name].cast("int64") for name in SERIES}
    return inside.select("pair", **whole, at=ibis.greatest(_["at"], _.begin), until=ibis.least(_.until, _.end))


def kept_steps(log: Log, grouping: str) -> Table:
    """The steps of the whole log under this grouping, computed once."""
    return log.once(("steps", grouping), lambda: log.engine.materialized(steps(log, moves(log, uses(log), grouping))))


def spectrum(log: Log, grouping: str) -> pd.DataFrame:
    """How long each level was in use in the whole log: SPECTRUM, computed once."""
    return log.once(("spectrum", grouping), lambda: spectrum_of(log, kept_steps(log, grouping)))


def spectrum_of(log: Log, moves: Table) -> pd.DataFrame:
    """How long each level was in use in these steps, level 0 included: SPECTRUM."""
    parts = [
        moves.group_by("pair", level=_[name])
        .aggregate(micros=(_.until - _["at"]).sum(), first_at=_["at"].min())
        .filter(_.level > 0)
        .select("pair", "level", "micros", "first_at", series=ibis.literal(name))
        for name in SERIES
    ]
    used = log.engine.frame(ibis.union(*parts), SPECTRUM)
    spans = features(log).merge(observed(log), on="product")
    spans["micros"] = spans["end"] - spans["begin"]
    unused = spans.groupby("pair", as_index=False).agg(micros=("micros", "sum"), first_at=("begin", "min"))
    unused = unused.assign(level=0).merge(pd.DataFrame({"series": SERIES}), how="cross")
    in_use = used.groupby(["series", "pair"])["micros"].sum().reindex(unused.set_index(["series", "pair"]).index, fill_value=0)
    unused["micros"] -= in_use.to_numpy()
    all_levels = pd.concat([unused[names(SPECTRUM)].astype(used.dtypes), used])
    return all_levels.sort_values(["pair", "series", "level"], ignore_index=True)


def at_least(log: Log, grouping: str) -> pd.DataFrame:
    """For how many microseconds at least so many seats were in use: `pair`, `level` from 0, SERIES, `observed`; computed once."""
    return log.once(("at least", grouping), lambda: at_least_of(spectrum(log, grouping)))


def at_least_of(spectrum: pd.DataFrame) -> pd.DataFrame:
    """For how many microseconds at least so many seats were in use, from a frame with the columns SPECTRUM: as `at_least` gives it."""
    table = spectrum.pivot_table(index=["pair", "level"], columns="series", values="micros", aggfunc="sum", fill_value=0)
    parts = []
    for pair, levels in table.groupby("pair"):
        dense = levels.droplevel("pair").reindex(range(int(levels.index[-1][1]) + 1), fill_value=0)
        longer = dense[::-1].cumsum()[::-1]
        parts.append(longer.assign(pair=pair, observed=int(longer["seats"].iloc[0])).rename_axis("level").reset_index())
    columns = ["pair", "level", *SERIES, "observed"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns, dtype="int64")


def enough_for(longer: pd.DataFrame, share: Fraction, series: str) -> pd.Series:
    """The fewest seats that were enough for this share of the observed time, for each pair of an `at_least` table."""
    # Whole numbers on both sides: a share such as 0.95 has no exact binary form.
    is_short = longer[series] * share.denominator > longer["observed"] * (share.denominator - share.numerator)
    return longer["level"].where(is_short, 0).groupby(longer["pair"]).max()
