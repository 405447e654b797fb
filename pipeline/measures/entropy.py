"""Entropy and concentration of integer counts.

Everything is exact up to the rounding of one logarithm a count, and the same for any order of rows: sums run over sorted
counts. Entropy is Shannon's (1948), in bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def entropy_bits(counts: Ints) -> Floats:
    """Entropy of each row of counts, shape (n, bins) to (n,), 0 .. log2(bins) bits.

    A row without any count gives NaN. H = log2 N - sum(c log2 c) / N.
    """
    ordered = np.sort(counts, axis=1)
    total = ordered.sum(axis=1)
    inner = (ordered * _log2(ordered)).sum(axis=1)
    return _entropy(total, inner)


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
    inner = np.add.reduceat(values * (uses * _log2(uses)), starts)
    return _entropy(total, inner)


def _entropy(total: Ints, inner: Floats) -> Floats:
    """log2 N - inner / N, held at 0 or above where rounding would leave a hair below it; NaN for N = 0."""
    known = total > 0
    safe = np.where(known, total, 1)
    bits: Floats = np.maximum(np.log2(safe) - inner / safe, 0.0)
    return np.where(known, bits, np.nan)


def _log2(counts: Ints) -> Floats:
    """log2 of counts, 0 where the count is 0 (its product with the count is what is wanted)."""
    logs: Floats = np.log2(np.maximum(counts, 1))
    return logs
