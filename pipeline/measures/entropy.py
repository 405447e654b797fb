"""Entropy and concentration of integer counts.

Everything is exact up to the rounding of one logarithm a count, and the same for any order of rows: sums run over sorted
counts. Entropy is Shannon's (1948), in bits.
"""

from __future__ import annotations

import numpy as np

from pipeline.measures.ratios import Floats, Ints, ratio


def entropy_bits(counts: Ints) -> Floats:
    """Entropy of each row of counts, shape (n, bins) to (n,), 0 .. log2(bins) bits.

    A row without any count gives NaN, one with a single value exactly 0. H = sum c (log2 N - log2 c) / N, every term 0 or above.
    """
    ordered = np.ascontiguousarray(np.sort(counts, axis=1))
    total = ordered.sum(axis=1)
    terms = ordered * (_log2(total)[:, None] - _log2(ordered))
    return ratio(terms.sum(axis=1), total)


def group_sums(starts: Ints, values: Ints) -> Ints:
    """Sums of each group, shape (groups,). A group runs from its start to the next start (the last to the end) and is not empty."""
    return np.add.reduceat(values, starts) if len(starts) else np.zeros(0, dtype=np.int64)


def grouped_entropy_bits(starts: Ints, uses: Ints, values: Ints) -> Floats:
    """Entropy of each group from counts of counts: `values[i]` values were used `uses[i]` times each.

    Shapes (groups,), (rows,), (rows,) to (groups,). Rows of a group are sorted by `uses`, so that sums have one order. No group gives
    an empty array.
    """
    if not len(starts):
        return np.zeros(0)
    total = np.add.reduceat(uses * values, starts)
    whole = np.repeat(_log2(total), np.diff(starts, append=len(uses)))
    return ratio(np.add.reduceat(values * (uses * (whole - _log2(uses))), starts), total)


def _log2(counts: Ints) -> Floats:
    """log2 of counts, 0 where the count is 0 (its product with the count is what is wanted)."""
    logs: Floats = np.log2(np.maximum(counts, 1))
    return logs
