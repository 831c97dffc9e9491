"""How far a share of few cases can be trusted."""

from __future__ import annotations

from math import sqrt

import numpy as np

# Of a normal distribution 95 % lie within so many deviations.
DEVIATIONS = 1.959964


def wilson(right: int, count: int) -> tuple[float, float]:
    """A 95 % interval of a share, of so many right among a count above 0 (E. B. Wilson, 1927)."""
    share, square = right / count, DEVIATIONS**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    reach = DEVIATIONS * sqrt(share * (1 - share) / count + square / (4 * count**2)) / (1 + square / count)
    return float(np.clip(middle - reach, 0, share)), float(np.clip(middle + reach, share, 1))
