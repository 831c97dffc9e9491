"""How long things last when some were not seen to end (E. L. Kaplan and P. Meier, 1958).

The tests hold it against lifelines; to load that takes longer than to make every figure of a page.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
# Of a normal distribution 95 % lie within so many deviations.
DEVIATIONS = 1.959963984540054
# A share such as a half comes out of the estimate with a rounding error, and would be met one end too late.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Survival:
    """The share that is still there after each of these times, which grow from 0; low, high: its 95 % interval."""

    times: Numbers
    share: Numbers
    low: Numbers
    high: Numbers


def survival(lasted: npt.ArrayLike, is_ended: npt.ArrayLike, counts: npt.ArrayLike | None = None) -> Survival:
    """How long things last, by Kaplan and Meier, with the interval of the exponential Greenwood formula.

    lasted: for how long each was seen, 0 or more; is_ended: whether it ended then, or nobody knows; counts: how many things each is.
    """
    lengths, ended = np.asarray(lasted, dtype=float), np.asarray(is_ended, dtype=bool)
    weights = np.ones(len(lengths)) if counts is None else np.asarray(counts, dtype=float)
    times, place = np.unique(np.append(0.0, lengths), return_inverse=True)
    gone = np.bincount(place[1:], weights, len(times))
    ends = np.bincount(place[1:], weights * ended, len(times))
    there = np.cumsum(gone[::-1])[::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.cumprod(1 - np.where(there > 0, ends / there, 0))
        spread = ends / (there * (there - ends))
        spread = np.sqrt(np.cumsum(np.where(np.isfinite(spread), spread, 0)))
        logarithm = np.log(share)
        low, high = (np.exp(-np.exp(np.log(-logarithm) - side * DEVIATIONS * spread / logarithm)) for side in (1, -1))
    return Survival(times, share, np.where(np.isnan(low), 1.0, low), np.where(np.isnan(high), 1.0, high))


def ended_by(times: Numbers, share: Numbers, wanted: float) -> float:
    """The time by which this share has ended; not a number where it never comes to that."""
    is_ended = share <= 1 - wanted + ROUNDING
    return float(times[is_ended.argmax()]) if is_ended.any() else float("nan")


def quantile(lasted: npt.ArrayLike, counts: npt.ArrayLike, share: float) -> float:
    """The length that this share of all do not exceed, between two lengths in proportion; not a number where there are none.

    lasted: lengths in any order. counts: how many things each is.
    """
    lengths, weights = np.asarray(lasted, dtype=float), np.asarray(counts, dtype=np.int64)
    order = np.argsort(lengths, kind="stable")
    up_to = np.cumsum(weights[order])
    if not len(up_to):
        return float("nan")
    place = share * (int(up_to[-1]) - 1)
    below, above = (
        float(lengths[order[np.searchsorted(up_to, rank, side="right")]]) for rank in (np.floor(place), np.ceil(place))
    )
    return below + (above - below) * (place - float(np.floor(place)))
