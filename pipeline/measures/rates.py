"""Rates with 95 % intervals, and what too few cases cannot show.

Two intervals: Clopper-Pearson where each case is independent (a world, a campaign of a world, a benign group), a bootstrap over worlds where cases inside
one world hang together (accounts). Every interval says what kind of bound it is; with too few cases there is none, and none is made up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ERROR = 0.05
"""One minus the confidence of every interval here."""
FEWEST_WORLDS = 6
"""Fewest worlds that carry a 95 % interval without a model: from least to greatest of n draws covers the median with 1 - 2^(1-n), 0.969 at n = 6 and 0.94 at n = 5."""
DRAWS = 2000
SEED = 20261121


@dataclass(frozen=True)
class Interval:
    """Bounds of a rate. `bound`: two_sided; upper or lower (only that side says something, with 95 %); none (too few cases, both ends NaN)."""

    low: float
    high: float
    bound: str


NO_INTERVAL = Interval(float("nan"), float("nan"), "none")


def clopper_pearson(hits: int, cases: int) -> Interval:
    """95 % interval of a share of independent cases (Clopper and Pearson 1934). In: 0 <= hits <= cases. No case: no interval.

    Without a hit it is the one-sided upper bound 1 - 0.05^(1/n), about 3/n (the rule of three); without a miss the lower bound 0.05^(1/n).
    Raises ValueError for impossible counts.
    """
    if not 0 <= hits <= cases:
        raise ValueError(f"{hits} hits in {cases} cases")
    if cases == 0:
        return NO_INTERVAL
    if hits == 0:
        return Interval(0.0, 1.0 - ERROR ** (1.0 / cases), "upper")
    if hits == cases:
        return Interval(ERROR ** (1.0 / cases), 1.0, "lower")
    low, high = (float(stats.beta.ppf(quantile, a, b)) for quantile, a, b in ((ERROR / 2, hits, cases - hits + 1), (1 - ERROR / 2, hits + 1, cases - hits)))
    return Interval(low, high, "two_sided")


def bootstrap_ratio(hits: Floats, cases: Floats, seed: int = SEED) -> Interval:
    """95 % percentile interval of sum(hits) / sum(cases) over whole worlds drawn with replacement (Efron 1979). Shapes (worlds,), one entry a world.

    None with fewer than FEWEST_WORLDS worlds, and none where every world gives the same ratio: drawing again would show an interval of no width.
    """
    kept = cases > 0
    hits, cases = np.asarray(hits, np.float64)[kept], np.asarray(cases, np.float64)[kept]
    if len(cases) < FEWEST_WORLDS or np.ptp(hits / cases) == 0:
        return NO_INTERVAL
    drawn = _draws(len(cases), seed)
    return _percentiles(hits[drawn].sum(axis=1) / cases[drawn].sum(axis=1))


def bootstrap_difference(hits: Floats, other: Floats, cases: Floats, seed: int = SEED) -> Interval:
    """95 % percentile interval of (sum(hits) - sum(other)) / sum(cases) over whole worlds, both counted in the same worlds. Shapes (worlds,).

    None with fewer than FEWEST_WORLDS worlds, and none where no world shows a difference.
    """
    kept = cases > 0
    gain, cases = (np.asarray(hits, np.float64) - np.asarray(other, np.float64))[kept], np.asarray(cases, np.float64)[kept]
    if len(cases) < FEWEST_WORLDS or np.ptp(gain / cases) == 0:
        return NO_INTERVAL
    drawn = _draws(len(cases), seed)
    return _percentiles(gain[drawn].sum(axis=1) / cases[drawn].sum(axis=1))


def median_interval(values: Floats) -> Interval:
    """Distribution-free interval of a median of independent values, at least 95 %, out of their own order (infinite values count as the greatest). Shape (n,).

    None with fewer than FEWEST_WORLDS values. An infinite end says that the values do not bound that side.
    """
    count = len(values)
    if count < FEWEST_WORLDS:
        return NO_INTERVAL
    outside = max(int(stats.binom.ppf(ERROR / 2, count, 0.5)), 1)  # P(fewer than `outside` values under the median) is at most ERROR / 2
    ordered = np.sort(values)
    return Interval(float(ordered[outside - 1]), float(ordered[count - outside]), "two_sided")


def supported_bound(cases: int) -> float:
    """The smallest upper bound that so many cases without a hit can show, 0..1; 1 without cases."""
    return clopper_pearson(0, cases).high if cases else 1.0


def brier(predicted: Floats, outcome: Floats) -> float:
    """Mean squared distance of predicted probabilities from what came out, 0..1, lower is better (Brier 1950). Shapes (n,). Empty: NaN."""
    return float(np.mean(np.square(predicted - outcome))) if len(predicted) else float("nan")


def _draws(worlds: int, seed: int) -> Ints:
    return np.random.default_rng(seed).integers(0, worlds, size=(DRAWS, worlds))


def _percentiles(drawn: Floats) -> Interval:
    low, high = np.quantile(drawn, [ERROR / 2, 1 - ERROR / 2])
    return Interval(float(low), float(high), "two_sided")
