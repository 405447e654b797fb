"""Likelihood ratios out of counts of known truth: how much more often a finding is made about one operator's group than about an innocent one.

Counts are by stratum and, inside one, by a score that rises. The ratio may not fall where the score rises (isotonic regression, that is pool adjacent violators; Brümmer and
du Preez, Application-independent evaluation of speaker detection, 2006), and no case is ever counted as none: one is added on either side, so a ratio stays within what the
number of groups can carry. `cllr` is the cost of a set of ratios in the same paper: 0 for perfect ones, 1 for ratios that say nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.isotonic import IsotonicRegression

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def likelihood_ratios(operated: Ints, innocent: Ints) -> Floats:
    """Ratio of each cell, above 0. In: counts of groups of each kind, shapes (strata, bins), bins by rising score; all strata together are all groups.

    A pooled block of a groups of A and b of B is worth ((a + 1) / (A + 1)) / ((b + 1) / (B + 1)), so between 1 / (A + 1) and B + 1. Nothing counted: 1 everywhere.
    """
    everyone = operated.sum() + 1.0, innocent.sum() + 1.0
    ratios = np.ones(operated.shape)
    for row, (ours, others) in enumerate(zip(operated, innocent, strict=True)):
        block = _blocks(ours, others)
        held = [np.bincount(block, weights=counts)[block] + 1.0 for counts in (ours, others)]
        rising = (held[0] / everyone[0]) / (held[1] / everyone[1])
        ratios[row] = np.minimum.accumulate(rising[::-1])[::-1]  # the added cases may bend it; bent back towards the lower ratio
    return ratios


def _blocks(ours: Ints, others: Ints) -> Ints:
    """Number of the pooled block of each bin, ascending; bins without a group belong to the block below (the first to the one above)."""
    seen = np.flatnonzero(ours + others)
    if not len(seen):
        return np.zeros(len(ours), dtype=np.int64)
    total = (ours + others)[seen].astype(np.float64)
    level = IsotonicRegression().fit_transform(seen, ours[seen] / total, sample_weight=total)
    step = np.concatenate([[0], np.cumsum(np.diff(level) > 1e-12)])
    found: Ints = step[np.maximum(np.searchsorted(seen, np.arange(len(ours)), side="right") - 1, 0)].astype(np.int64)
    return found


def cllr(operated: Floats, innocent: Floats) -> float:
    """Cost of ratios in bits: of groups that one operator runs, shape (a,), and of innocent ones, shape (b,), all above 0. NaN if either is empty."""
    if not len(operated) or not len(innocent):
        return float("nan")
    missed, accused = np.log2(1.0 + 1.0 / operated), np.log2(1.0 + innocent)
    return float((missed.mean() + accused.mean()) / 2.0)
