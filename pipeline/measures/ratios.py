"""Ratios, variation and quantiles out of sums and histograms. NaN where the denominator is 0: nothing was logged, which is not the same as 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def ratio(numerator: Ints | Floats, denominator: Ints | Floats) -> Floats:
    """The quotient, shapes (n,); NaN where the denominator is 0."""
    known = denominator != 0
    return np.where(known, numerator / np.where(known, denominator, 1), np.nan)


def deviation(count: Ints, total: Ints, squares: Ints) -> Floats:
    """Population standard deviation from a count, a sum and a sum of squares, shapes (n,), 0 and above; NaN for count 0."""
    mean = ratio(total, count)
    return np.sqrt(np.maximum(ratio(squares, count) - mean * mean, 0.0))


def log2_quantile(counts: Ints, edges: Floats, quantile: float) -> Floats:
    """log2 of a quantile read off a histogram, shape (n, bins) to (n,), log2 edges[0] .. log2 edges[-1].

    `edges` are the bins + 1 ends, ascending and above 0. Inside a bin values are taken to be spread evenly in the
    logarithm (grouped quantile). NaN for a row without counts.
    """
    total = counts.sum(axis=1)
    sums = np.cumsum(counts, axis=1)
    wanted = quantile * total
    place = np.minimum((sums < wanted[:, None]).sum(axis=1), counts.shape[1] - 1)
    rows = np.arange(len(counts))
    before = sums[rows, place] - counts[rows, place]
    inside = np.clip(ratio(wanted - before, counts[rows, place]), 0.0, 1.0)
    ends = np.log2(edges)
    return np.where(total > 0, ends[place] + inside * (ends[place + 1] - ends[place]), np.nan)
