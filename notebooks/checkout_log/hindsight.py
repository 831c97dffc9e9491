"""What became of the uses that were named as stuck: the yardstick for a log whose truth nobody wrote down."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd
from ibis import _

from checkout_log import stuck
from checkout_log.columns import CAUSES, FLAG, NUMBER, SESSIONS, TEXT, TIME, WHOLE, Column, names, typed
from checkout_log.log import Log
from checkout_log.measuring.open_uses import Use
from checkout_log.measuring.questions import whole
from checkout_log.measuring.shares import wilson
from checkout_log.thresholds import Thresholds

BACKTEST = (
    Column("cause", TEXT, False, "one of columns.CAUSES"),
    Column("confidence", NUMBER, False, "confidence of the rows, in steps of a tenth: 0.8 stands for 0.75 to 0.85"),
    Column("named", WHOLE, False, "uses that were named so, each counted once, when it first was"),
    Column("returned", WHOLE, False, "of these, given back by their own client later: named falsely"),
    Column("taken_back", WHOLE, False, "taken back as idle, ended by time or by an administrator"),
    Column("restarted", WHOLE, False, "ended by a stop or restart of the server"),
    Column("open", WHOLE, False, "still held when the log ended"),
    Column("precision", NUMBER, False, "share of them that was not given back by its client"),
    Column("low", NUMBER, False, "lower end of a 95 % interval (Wilson) of the precision"),
    Column("high", NUMBER, False, "upper end of it"),
)
ANY = "any"
RECALL = (
    Column("cause", TEXT, False, "one of columns.CAUSES, or any: under whichever of them"),
    Column("left", WHOLE, False, "uses that were old enough to be judged and were not given back: taken back, or still open"),
    Column("named", WHOLE, False, "of these, named under this cause when first named"),
    Column("recall", NUMBER, False, "share of them that was named"),
    Column("low", NUMBER, False, "lower end of a 95 % interval (Wilson) of the recall"),
    Column("high", NUMBER, False, "upper end of it"),
)
CALIBRATION = (
    Column("confidence", NUMBER, False, "confidence of the rows, in steps of a tenth"),
    Column("named", WHOLE, False, "uses that were named so, each counted once"),
    Column("expected", NUMBER, False, "share of them that is right if confidences are what they say: their average"),
    Column("right", NUMBER, False, "share of them that was not given back by its client"),
    Column("low", NUMBER, False, "lower end of a 95 % interval (Wilson) of that share"),
    Column("high", NUMBER, False, "upper end of it"),
    Column("agrees", FLAG, False, "whether the expected share lies in the interval"),
)
FATES = {
    "checkin": "returned",
    **dict.fromkeys(("idle", "expiry", "revocation", "release", "end"), "taken_back"),
    **dict.fromkeys(("shutdown", "restart"), "restarted"),
    "open": "open",
}
# What is named in the last days has no time left to be given back: it would count as right whatever it is.
FOLLOWED = timedelta(days=7)
# What is joined by; names of users and machines may be spelled in another way later, and are compared without case.
_KEY = ("source", "product", "feature", "handle", "start")


@dataclass(frozen=True, slots=True)
class Judged:
    """A use that was old enough to be judged at a time, and how it was named as stuck, if it was: `cause` is empty where not."""

    use: Use
    cause: str
    confidence: float
    fate: str


def backtest(log: Log, thresholds: Thresholds | None = None, *, times: int = 24) -> pd.DataFrame:
    """What became of what `stuck.find` would have named, asked at so many times through the log: the columns BACKTEST.

    Each time it sees nothing of what came after. The times lie evenly between the log's begin and a week before its end (of a log of
    less than four weeks, a quarter of it), so that what is named can still be given back. Each use counts once for a cause and a
    confidence. Where nothing was ever named there are no rows. Raises QuestionInvalid.
    """
    frame = _named(log, thresholds, times).drop_duplicates(["cause", "step", "use"])
    return typed(pd.DataFrame(_counted(frame), columns=names(BACKTEST)), BACKTEST)


def recall(log: Log, thresholds: Thresholds | None = None, *, times: int = 24) -> pd.DataFrame:
    """How many of the uses that were left were named, asked as `backtest` asks: the columns RECALL.

    What is still open when the log ends may be in good use, so that the share is the least that it can be. What a restart ended tells
    nothing and does not count. Where nothing was left there are no rows. Raises QuestionInvalid.
    """
    first: dict[tuple[object, ...], str] = {}
    fate: dict[tuple[object, ...], str] = {}
    for one in judged(log, thresholds, times=times):
        use = identity(one.use)
        first[use] = first.get(use) or one.cause
        fate[use] = one.fate
    causes = [cause for use, cause in first.items() if fate[use] in ("taken_back", "open")]
    counts = {cause: causes.count(cause) for cause in CAUSES if cause in causes}
    counts |= {ANY: sum(counts.values())} if causes else {}
    rows = [(cause, len(causes), count, count / len(causes), *wilson(count, len(causes))) for cause, count in counts.items()]
    return typed(pd.DataFrame(rows, columns=names(RECALL)), RECALL)


def calibration(log: Log, thresholds: Thresholds | None = None, *, times: int = 24) -> pd.DataFrame:
    """Whether confidences are what they say, of rows with 0.8 about 80 % right, asked as `backtest` asks: the columns CALIBRATION.

    Each use counts once for a confidence. Where nothing was ever named there are no rows. Raises QuestionInvalid.
    """
    frame = _named(log, thresholds, times).drop_duplicates(["step", "use"])
    rows = []
    for step, own in frame.groupby("step"):
        right, expected = int((own["fate"] != "returned").sum()), float(own["confidence"].mean())
        low, high = wilson(right, len(own))
        rows.append((step, len(own), expected, right / len(own), low, high, low <= expected <= high))
    return typed(pd.DataFrame(rows, columns=names(CALIBRATION)), CALIBRATION)


def _named(log: Log, thresholds: Thresholds | None, times: int) -> pd.DataFrame:
    """A row for each time at which a use was named: `cause`, `confidence`, `step`, `fate`, `use`."""
    rows = [one for one in judged(log, thresholds, times=times) if one.cause]
    return pd.DataFrame(
        {
            "cause": [one.cause for one in rows],
            "confidence": [one.confidence for one in rows],
            "step": [round(one.confidence, 1) for one in rows],
            "fate": [one.fate for one in rows],
            "use": [identity(one.use) for one in rows],
        }
    )


def judged(log: Log, thresholds: Thresholds | None = None, *, times: int = 24) -> list[Judged]:
    """Every use that was judged at each of the times of `backtest`, in order of time; computed once. Raises QuestionInvalid."""
    wanted = thresholds or Thresholds()
    return log.once(("judged at", str(wanted), str(whole("times", times, most=10_000))), lambda: _judged(log, wanted, times))


def _judged(log: Log, wanted: Thresholds, times: int) -> list[Judged]:
    looked_at = list(stuck.judged_at_each(log, moments(log, times), wanted))
    return [
        Judged(use, str(row[_PLACES["cause"]]) if row else "", float(str(row[_PLACES["confidence"]])) if row else 0.0, fate)
        for (use, row), fate in zip(looked_at, fates(log, [use for use, _row in looked_at]), strict=True)
    ]


_PLACES = {column.name: place for place, column in enumerate(stuck.STUCK)}


def moments(log: Log, times: int) -> list[int]:
    """So many times (whole microseconds) evenly through the log, each once, with some time left after the last."""
    spans = log.stored.spans
    if spans.empty:
        return []
    begin, end = int(spans["begin"].min()), int(spans["end"].max())
    left = min((end - begin) // 4, FOLLOWED // timedelta(microseconds=1))
    times_asked = (begin + (end - left - begin) * (2 * step + 1) // (2 * times) for step in range(times))
    return list(dict.fromkeys(times_asked))


def fates(log: Log, uses: Iterable[Use]) -> list[str]:
    """What became of each use after it was looked at: one of the columns returned, taken_back, restarted, open of BACKTEST."""
    wanted = list(uses)
    ends = _ends(log, wanted)
    return [_fate(use, ends.get(identity(use), [])) for use in wanted]


def _ends(log: Log, uses: list[Use]) -> dict[tuple[object, ...], list[tuple[datetime, str]]]:
    """How and when each of these uses ended in the whole log; several ends where it was given back in parts."""
    keys = pd.DataFrame([identity(use)[: len(_KEY)] for use in uses], columns=list(_KEY)).drop_duplicates()
    if keys.empty:
        return {}
    columns = tuple(Column(name, TIME if name == "start" else TEXT, True, "") for name in _KEY)
    # Joins take no empty value for equal to another on every engine.
    known = log.engine.memory(keys, columns).mutate(of_handle=_.handle.fill_null(""))
    rows = log.paired.mutate(of_handle=_.handle.fill_null(""))
    rows = rows.semi_join(known, ["source", "product", "feature", "start", "of_handle"])
    ends: dict[tuple[object, ...], list[tuple[datetime, str]]] = {}
    for row in log.engine.frame(rows, SESSIONS).itertuples():
        values = (getattr(row, name) for name in (*_KEY, "member", "machine"))
        key = _key(*(None if pd.isna(value) else value for value in values))
        ends.setdefault(key, []).append((row.end.to_pydatetime(), row.ended_by))
    return ends


def identity(use: Use) -> tuple[object, ...]:
    """What tells a use from others in the whole log."""
    return _key(use.source, use.product, use.features[0], use.handle, use.start, use.member, use.machine)


def _key(*values: object) -> tuple[object, ...]:
    *key, member, machine = values
    return (*key, *(unicodedata.normalize("NFC", str(name or "")).casefold() for name in (member, machine)))


def _fate(use: Use, ends: list[tuple[datetime, str]]) -> str:
    """The first end after the use was looked at; a borrow that was overdue then and was never given back is still out."""
    later = sorted(one for one in ends if one[0] > use.now)
    return FATES[later[0][1]] if later else "open"


def _counted(frame: pd.DataFrame) -> Iterable[tuple[object, ...]]:
    for (cause, confidence), rows in sorted(frame.groupby(["cause", "step"]), key=_order):
        counts = [int((rows["fate"] == fate).sum()) for fate in ("returned", "taken_back", "restarted", "open")]
        right = len(rows) - counts[0]
        yield cause, confidence, len(rows), *counts, right / len(rows), *wilson(right, len(rows))


def _order(group: tuple[tuple[str, float], pd.DataFrame]) -> tuple[int, float]:
    (cause, confidence), _rows = group
    return CAUSES.index(cause), -confidence
