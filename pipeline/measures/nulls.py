"""P-values and their corrections: how surprising a figure is when nothing is going on.

Every function says which null it assumes. No p-value is ever 0: a permutation p counts the observation itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def permutation_p(observed: float, null: Floats) -> float:
    """Share of null draws at least as large as the observation, the observation counted (Phipson and Smyth 2010). Out: 1/(n+1) .. 1. Empty null: 1."""
    return (1.0 + float(np.count_nonzero(null >= observed))) / (len(null) + 1.0)


def percentile_of(observed: float, null: Floats) -> float:
    """Where the observation falls among the null draws, ties by half. Out: 0..100. Empty: 50."""
    if len(null) == 0:
        return 50.0
    below = float(np.count_nonzero(null < observed)) + 0.5 * float(np.count_nonzero(null == observed))
    return 100.0 * below / len(null)


def combined_p(p_values: Floats) -> float:
    """One p from several tests of one null, valid under any dependence: the smallest times their number (Bonferroni). Out: 0 < p <= 1. Empty: 1."""
    if len(p_values) == 0:
        return 1.0
    return float(min(1.0, np.min(p_values) * len(p_values)))


def benjamini_hochberg(p_values: Floats) -> Floats:
    """q-values: the smallest false-discovery rate at which each is found (Benjamini and Hochberg 1995). In: (n,) p. Out: (n,), 0..1, in the same order. Empty: empty."""
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * count / np.arange(1, count + 1)
    ascending = np.minimum.accumulate(scaled[::-1])[::-1]
    q_values = np.empty(count)
    q_values[order] = np.minimum(ascending, 1.0)
    return q_values


def tail_bits(p_value: float) -> float:
    """Surprise of a p-value. In: 0 < p <= 1. Out: -log2 p in bits, >= 0."""
    return float(max(0.0, -np.log2(p_value)))
