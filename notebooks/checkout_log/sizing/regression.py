"""A line through daily figures by least squares, and how far single days lie from it.

The tests hold it against statsmodels; to load that takes longer than to make every figure of a page.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Line:
    """A fitted line: its coefficients, their covariances, the variance of single figures around it, and the degrees of freedom."""

    coefficients: Numbers
    covariances: Numbers
    variance: float
    freedom: int

    def ahead(self, design: Numbers, level: float) -> tuple[Numbers, Numbers, Numbers]:
        """What is expected of single figures of this design, and the interval in which they lie at this level."""
        expected = design @ self.coefficients
        reach = self._quantile(level) * np.sqrt(np.einsum("ij,jk,ik->i", design, self.covariances, design) + self.variance)
        return expected, expected - reach, expected + reach

    def bounds(self, at: int, level: float) -> tuple[float, float]:
        """The interval in which one coefficient lies at this level."""
        reach = self._quantile(level) * float(np.sqrt(self.covariances[at, at]))
        return float(self.coefficients[at]) - reach, float(self.coefficients[at]) + reach

    def _quantile(self, level: float) -> float:
        return float(stdtrit(self.freedom, (1 + level) / 2))


def fitted(figures: Numbers, design: Numbers, lags: int = 0) -> Line:
    """The line through these figures, a row of the design for each.

    lags: figures that lie so near each other are alike, which makes a slope look surer than it is (W. K. Newey and K. D. West, 1987);
    0: each stands for itself.
    """
    inverse: Numbers = np.linalg.pinv(design.T @ design).astype(np.float64)
    coefficients = inverse @ design.T @ figures
    rest = figures - design @ coefficients
    freedom = len(figures) - int(np.linalg.matrix_rank(design))
    variance = float(rest @ rest) / freedom
    covariances: Numbers = inverse * variance
    if lags:
        covariances = inverse @ _alike(design * rest[:, None], lags) @ inverse
    return Line(coefficients, covariances, variance, freedom)


def _alike(scores: Numbers, lags: int) -> Numbers:
    """How scores of one day and of those near it vary together, weighted the less the farther they are apart."""
    together: Numbers = scores.T @ scores
    for lag in range(1, min(lags, len(scores) - 1) + 1):
        beside = scores[lag:].T @ scores[:-lag]
        together = together + (1 - lag / (lags + 1)) * (beside + beside.T)
    return together
