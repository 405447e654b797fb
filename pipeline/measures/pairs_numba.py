"""What pairs of accounts share, compiled by numba: the same values as `pairs.shared_micro_bits`, by walking both rows at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures.compiling import compiled


@compiled
def shared_micro_bits(ends: Any, columns: Any, shares: Any, rarity: Any, kind_of: Any, kinds: Any, a: Any, b: Any) -> Any:
    """See `pairs.shared_micro_bits`."""
    pairs = len(a)
    support, total, top = np.zeros((pairs, kinds), np.int64), np.zeros((pairs, kinds), np.int64), np.zeros((pairs, kinds), np.int64)
    for pair in range(pairs):
        one, one_end, other, other_end = ends[a[pair]], ends[a[pair] + 1], ends[b[pair]], ends[b[pair] + 1]
        while one < one_end and other < other_end:
            column = columns[one]
            if column == columns[other]:
                micro, kind = np.int64(np.floor(np.sqrt(shares[one] * shares[other]) * rarity[column] + 0.5)), kind_of[column]
                support[pair, kind] += 1
                total[pair, kind] += micro
                top[pair, kind] = max(top[pair, kind], micro)
            step = np.int64(column <= columns[other])
            other += np.int64(columns[other] <= column)
            one += step
    return support, total, top
