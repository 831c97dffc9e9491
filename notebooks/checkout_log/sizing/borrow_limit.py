"""What a shorter longest borrow would have given back: the borrows of a log, replayed.

Each borrow and each renewal of it would have ended after so many days at the latest. What lies between that end and the next
renewal, or the real end, is given back, unless the member shows up meanwhile: a renewal, or a checkout of the product at the
same machine, is a sign that the license was still wanted. Offline use leaves no sign, so the figures have bounds:

- the least given back: who shows any sign in such a time would have kept the seat for all of it;
- the figure itself: would have kept it until the last sign;
- the most: signs or none, nobody would have borrowed again.
"""

from __future__ import annotations

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import BORROW, CHECKOUT, NUMBER, OF_FEATURE, RENEWAL, UPGRADE, WHOLE, Column, names, typed
from checkout_log.log import Log
from checkout_log.measuring import levels
from checkout_log.measuring.levels import SERIES
from checkout_log.measuring.questions import DAY, MOST_DAYS, whole

WHAT_IF = (
    *OF_FEATURE,
    Column("borrows", WHOLE, False, "borrows in the log"),
    Column("shortened", WHOLE, False, "those of them that were out longer than they could have been"),
    Column(
        "used_beyond", WHOLE, False, "those of them with a sign that the license was still wanted: they would have been cut"
    ),
    Column("seat_days", NUMBER, False, "days that borrows held seats"),
    Column("given_back", NUMBER, False, "how many of them a shorter borrow would have given back"),
    Column("lower", NUMBER, False, "the fewest that this can be"),
    Column("upper", NUMBER, False, "the most that this can be"),
    Column("peak_before", WHOLE, False, "most seats in use at one moment, sessions and borrows"),
    Column("peak_after", WHOLE, False, "the same with the shorter borrows"),
    Column("peak_after_lower", WHOLE, False, "the fewest that this can be"),
    Column("peak_after_upper", WHOLE, False, "the most that this can be"),
)
_SUMS = tuple(Column(name, WHOLE, False, "") for name in ("pair", "borrows", "shortened", "used_beyond", "held", *SERIES))
_PEAKS = tuple(Column(name, WHOLE, False, "") for name in ("pair", *SERIES))
USE = ("source", "product", "feature", "handle", "member", "machine", "start", "end", "censored")
KEYS = tuple(f"key_{name}" for name in USE)


def what_if(log: Log, longest_days: int) -> pd.DataFrame:
    """The borrows of the log replayed with a longest borrow of so many days, for each feature borrowed: the columns WHAT_IF.

    A day is 24 hours. Borrows that are still out count up to the end of the log. Raises QuestionInvalid.
    """
    longest = whole("longest_days", longest_days, most=MOST_DAYS) * DAY
    if not has_borrows(log):
        # The replay has many steps, and most servers lend nothing.
        return typed(pd.DataFrame(columns=names(WHAT_IF)), WHAT_IF)
    pieces = log.engine.materialized(_pieces(log, longest))
    sums = log.engine.frame(_sums(pieces), _SUMS).set_index("pair")
    before = levels.spectrum(log, "handle").query("series == 'seats'").groupby("pair")["level"].max()
    replayed = levels.steps(log, levels.moves(log, _uses(log, pieces), "handle")).group_by("pair")
    after = log.engine.frame(replayed.aggregate(**{name: _[name].max() for name in SERIES}), _PEAKS).set_index("pair")
    peaks = after.reindex(before.index, fill_value=0).add_prefix("after_").assign(before=before)
    frame = levels.features(log).set_index("pair").join(sums, how="inner").join(peaks)
    frame = frame.assign(
        seat_days=frame["held"] / DAY,
        given_back=(frame["held"] - frame["seats"]) / DAY,
        lower=(frame["held"] - frame["upper"]) / DAY,
        upper=(frame["held"] - frame["lower"]) / DAY,
        peak_before=frame["before"],
        peak_after=frame["after_seats"],
        peak_after_lower=frame["after_lower"],
        peak_after_upper=frame["after_upper"],
    )
    return typed(frame, WHAT_IF)


def has_borrows(log: Log) -> bool:
    """Whether any borrow was seen to start."""
    return not log.engine.frame(log.paired.filter(_["mode"] == BORROW).limit(1), (WHAT_IF[0],)).empty


def _pieces(log: Log, longest: int) -> Table:
    """The parts of each borrow from one grant to the next: `begin`, `until`, and when each of SERIES would have ended."""
    rows = log.paired.filter(_["mode"] == BORROW).mutate(
        **{f"key_{name}": _[name].cast("string").fill_null("") for name in USE}
    )
    rows = rows.join(log.engine.numbers(levels.features(log), levels.FEATURES), ["product", "feature"])
    columns = ("pair", *KEYS, "start", "end", "censored")
    # What one line took and several lines gave back has a row for each; those that end together are one.
    rows = rows.group_by(*columns).aggregate(quantity=_.quantity.sum())
    columns = (*columns, "quantity")
    first = rows.select(*columns, begin=_.start)
    granted = first.union(_renewals(log, rows).select(*columns, "begin"))
    next_at = _.begin.lead().over(ibis.window(group_by=KEYS, order_by="begin"))
    parts = granted.mutate(until=ibis.coalesce(next_at, _.end)).mutate(short=ibis.least(_.until, _.begin + longest))
    signs = _signs(log, parts)
    parts = parts.left_join(signs, [(name, f"of_{name}") for name in (*KEYS, "begin")])
    return parts.mutate(
        seats=ibis.coalesce(_.last_sign_at, _.short),
        lower=_.short,
        upper=ibis.ifelse(_.last_sign_at.notnull(), _.until, _.short),
    )


def _renewals(log: Log, rows: Table) -> Table:
    """The renewals of each borrow, with its columns."""
    same = ("source", "product", "feature", "handle", "member")
    renewed = log.table.filter((_["mode"] == BORROW) & (_.event == RENEWAL))
    renewed = renewed.select(begin=_["at"], **{f"of_{name}": _[name].fill_null("") for name in same}).distinct()
    both = rows.join(renewed, [rows[f"key_{name}"] == renewed[f"of_{name}"] for name in same])
    return both.filter((_.begin > _.start) & (_.begin < _.end))


def _signs(log: Log, parts: Table) -> Table:
    """The last sign within each part that the license was wanted beyond the shorter end; parts without one have no row."""
    where = ("product", "member", "machine")
    acts = log.table.filter(_.event.isin((CHECKOUT, RENEWAL, UPGRADE)))
    acts = acts.select(sign_at=_["at"], **{f"at_{name}": _[name].fill_null("") for name in where})
    longer = parts.filter(_.short < _.until)
    signs = longer.join(acts, [longer[f"key_{name}"] == acts[f"at_{name}"] for name in where])
    signs = signs.filter((_.sign_at > _.short) & (_.sign_at <= _.until))
    last = signs.group_by(*KEYS, "begin").aggregate(last_sign_at=_.sign_at.max())
    return last.rename({f"of_{name}": name for name in (*KEYS, "begin")})


def _sums(pieces: Table) -> Table:
    """What the borrows of each feature come to: SERIES are the microseconds that seats would have been held."""
    held = pieces.mutate(
        is_shortened=_.short < _.until,
        has_sign=_.last_sign_at.notnull(),
        held=(_.until - _.begin) * _.quantity,
        **{f"{name}_held": (_[name] - _.begin) * _.quantity for name in SERIES},
    )
    each = held.group_by("pair", *KEYS).aggregate(
        is_shortened=_.is_shortened.any(),
        has_sign=_.has_sign.any(),
        held=_.held.sum(),
        **{f"{name}_held": _[f"{name}_held"].sum() for name in SERIES},
    )
    return each.group_by("pair").aggregate(
        borrows=_.count(),
        shortened=_.is_shortened.sum(),
        used_beyond=_.has_sign.sum(),
        held=_.held.sum(),
        **{name: _[f"{name}_held"].sum() for name in SERIES},
    )


def _uses(log: Log, pieces: Table) -> Table:
    """What each use would have counted for: sessions as they were, and the shorter borrows."""
    connected = log.pairs.filter(_.started & (_["mode"] != BORROW))
    known = log.engine.numbers(levels.features(log), levels.FEATURES)
    until = ibis.ifelse(_.censored, levels.FOREVER, _.end)
    sessions = connected.join(known, ["product", "feature"]).select(
        "pair", at=_.start, until=until, **dict.fromkeys(SERIES, _.quantity)
    )
    none = ibis.literal(0, "int64")
    borrows = [
        pieces.select(
            "pair",
            at=_.begin,
            # Still out when the log ended, and not too long by then.
            until=ibis.ifelse(_.censored & (_[name] == _.end), levels.FOREVER, _[name]),
            **{each: _.quantity if each == name else none for each in SERIES},
        )
        for name in SERIES
    ]
    return ibis.union(sessions, *borrows)
