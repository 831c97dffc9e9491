"""Denials for lack of seats: clients try again every minute or so, so that lines say little; episodes say who was kept waiting.

An episode is a run of such denials of one member for one feature with no gap longer than a given time. Where the same member
gets the license within that time after the last of them, the user was not lost.
"""

from __future__ import annotations

from datetime import timedelta

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import BooleanValue, Table

from checkout_log.columns import (
    CHECKOUT,
    DENIAL,
    FLAG,
    OF_FEATURE,
    TEXT,
    TIME,
    UNSUPPORTED,
    WHOLE,
    Column,
    names,
    typed,
)
from checkout_log.log import Log
from checkout_log.measuring import hours
from checkout_log.measuring.questions import duration, one_of

# Clients try again every 30 to 90 seconds; a pause longer than this is a new attempt.
GAP = "5min"
# Reasons that mean a lack of seats: words, how they begin where a server leaves its code out, and codes by source. Of FlexNet: all in
# use, or others wait for them; of RLM: all in use.
FULL_WORDS = ("pool-exhausted", "queued")
FULL_BEGIN = "licensed number of users already reached"
FULL_CODES = {"flexnet": ("-4,", "-24,"), "rlm": ("-22",)}
RESERVED = "reserved for others"

EPISODES = (
    *OF_FEATURE,
    Column("member", TEXT, True, "user name"),
    Column("machine", TEXT, True, "machine; empty unless episodes are told apart by machine"),
    Column("first_at", TIME, False, "the first denial"),
    Column("last_at", TIME, False, "the last denial"),
    Column("lines", WHOLE, False, "denials in it"),
    Column("machines", WHOLE, False, "machines that were denied"),
    Column("quantity", WHOLE, False, "most seats asked for at once"),
    Column("got_it", FLAG, False, "true: the member got the feature soon after"),
)
COUNTS = (
    *OF_FEATURE,
    Column("raw", WHOLE, False, "denials for lack of seats, each line"),
    Column("episodes", WHOLE, False, "the same as episodes"),
    Column("user_days", WHOLE, False, "the same as pairs of a member and a day of the license server's time zone"),
    Column("lost", WHOLE, False, "episodes after which the member did not get the feature soon"),
    Column("unexplained", WHOLE, False, "denials without a reason: perhaps for lack of seats"),
    Column("other", WHOLE, False, "denials for other reasons, such as rules"),
    Column("unsupported", WHOLE, False, "requests for what is not served: mostly probes"),
)
_RAW = (*OF_FEATURE, *COUNTS[2:3], *COUNTS[6:])
_DAYS = (*OF_FEATURE, COUNTS[4])


def is_for_lack_of_seats() -> BooleanValue:
    """Whether a denial came about because all seats were taken or reserved."""
    by_code = [
        (_.source == source) & ibis.or_(*(_.reason.startswith(code) for code in codes)) for source, codes in FULL_CODES.items()
    ]
    said = _.reason.lower()
    by_word = _.reason.isin(FULL_WORDS) | said.contains(RESERVED) | said.startswith(FULL_BEGIN)
    return ((_.event == DENIAL) & ibis.or_(by_word, *by_code)).fill_null(False)


def episodes(log: Log, gap: str | timedelta = GAP, by: str = "member") -> pd.DataFrame:
    """Who was kept waiting, when and how long, in order of time: the columns EPISODES.

    `gap` is the longest pause within an episode, and the time within which a checkout of the same member means that the user
    was not lost. `by` is "member", or "machine" for each machine of a member. Raises QuestionInvalid.
    """
    rows = episodes_of(log, duration("gap", gap), one_of("by", by, ("member", "machine")))
    frame = log.engine.frame(rows, EPISODES)
    return typed(frame.sort_values(["first_at", "product", "feature", "member", "machine"]), EPISODES)


def episodes_of(log: Log, micros: int, by: str = "member") -> Table:
    """Denial episodes as an expression: the columns EPISODES, times as whole microseconds since 1970 UTC. Computed once for a log."""
    return log.once(("episodes", str(micros), by), lambda: log.engine.materialized(_episodes(log, micros, by)))


def _episodes(log: Log, micros: int, by: str) -> Table:
    holder = _.member.fill_null("")
    named = log.table.filter(is_for_lack_of_seats()).mutate(holder=holder)
    place = named["machine"] if by == "machine" else ibis.null("string")
    named = named.mutate(place=place).mutate(key=_.place.fill_null(""))
    keys = ["product", "feature", "holder", "key"]
    in_turn = ibis.window(group_by=keys, order_by="at")
    is_new = (_["at"] - _["at"].lag().over(in_turn) > micros).fill_null(True).cast("int64")
    numbered = named.mutate(is_new=is_new)
    so_far = ibis.range_window(group_by=keys, order_by="at", following=0)
    numbered = numbered.mutate(number=_.is_new.sum().over(so_far))
    waits = numbered.group_by(*keys, "number").aggregate(
        member=_.member.max(),
        machine=_.place.max(),
        first_at=_["at"].min(),
        last_at=_["at"].max(),
        lines=_.count(),
        machines=_.machine.nunique(),
        quantity=_.quantity.max(),
    )
    return _with_outcome(log, waits, keys, micros).select(*names(EPISODES))


def _with_outcome(log: Log, waits: Table, keys: list[str], micros: int) -> Table:
    """The episodes with `got_it`: whether a checkout of the same member and feature follows in time."""
    of = {"at_product": _.product, "at_feature": _.feature, "at_holder": _.member.fill_null("")}
    taken = log.table.filter(_.event == CHECKOUT).select(**of, taken_at=_["at"])
    pairs = waits.join(
        taken, [waits.product == taken.at_product, waits.feature == taken.at_feature, waits.holder == taken.at_holder]
    )
    follows = (pairs.taken_at >= pairs.last_at) & (pairs.taken_at <= pairs.last_at + micros)
    followed = pairs.filter(follows).select(*keys, "number").distinct()
    followed = followed.rename({f"at_{name}": name for name in (*keys, "number")}).mutate(got_it=ibis.literal(True))
    both = waits.left_join(followed, [(name, f"at_{name}") for name in (*keys, "number")])
    return both.mutate(got_it=_.got_it.fill_null(False))


def counts(log: Log, gap: str | timedelta = GAP) -> pd.DataFrame:
    """Denials counted in three ways side by side, and those for other reasons apart, by feature: the columns COUNTS.

    Only features that were denied have a row. Raises QuestionInvalid.
    """
    micros = duration("gap", gap)
    return log.once(("denial counts", str(micros)), lambda: _counts(log, micros)).copy()


def _counts(log: Log, micros: int) -> pd.DataFrame:
    keys = ["product", "feature"]
    frame = log.engine.frame(_by_reason(log), _RAW).set_index(keys)
    outcomes = log.engine.frame(episodes_of(log, micros), EPISODES).groupby(keys)["got_it"].agg(["size", "sum"])
    days = log.engine.frame(_user_days(log), _DAYS).set_index(keys)["user_days"]
    counted = frame.assign(episodes=outcomes["size"], lost=outcomes["size"] - outcomes["sum"], user_days=days).fillna(0)
    return typed(counted.reset_index().sort_values(keys), COUNTS)


def _by_reason(log: Log) -> Table:
    denied = log.table.filter(_.event == DENIAL).mutate(is_full=is_for_lack_of_seats())
    is_unsupported = (_.reason == UNSUPPORTED).fill_null(False)
    return denied.group_by("product", "feature").aggregate(
        raw=_.is_full.sum(),
        unexplained=_.reason.isnull().sum(),
        other=(~_.is_full & _.reason.notnull() & ~is_unsupported).sum(),
        unsupported=is_unsupported.sum(),
    )


def _user_days(log: Log) -> Table:
    calendar = log.engine.numbers(hours.calendar(log, log.timezone), hours.CALENDAR)
    cell = (_["at"] / hours.CELL).floor().cast("int64")
    days = log.table.filter(is_for_lack_of_seats()).mutate(cell=cell).join(calendar, "cell")
    return (
        days.select("product", "feature", "member", "day")
        .distinct()
        .group_by("product", "feature")
        .aggregate(user_days=_.count())
    )
