"""What pairs of accounts share, compiled by numba: the same values as the functions of these names in `pairs`, by walking both rows at once."""

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


@compiled
def shared_by_kind(ends: Any, columns: Any, shares: Any, rarity: Any, kind_of: Any, a: Any, b: Any) -> Any:
    """See `pairs.shared_by_kind`."""
    most = len(a) * (kind_of[-1] + 1 if len(kind_of) else 0)
    found, counted, summed, best, rarest = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64), np.empty(most, np.int64)
    last = np.int64(-1)
    for pair in range(len(a)):
        one, one_end, other, other_end = ends[a[pair]], ends[a[pair] + 1], ends[b[pair]], ends[b[pair] + 1]
        kind = np.int64(-1)
        while one < one_end and other < other_end:
            column = columns[one]
            if column == columns[other]:
                micro = np.int64(np.floor(np.sqrt(shares[one] * shares[other]) * rarity[column] + 0.5))
                if kind_of[column] != kind:
                    kind = kind_of[column]
                    last += 1
                    found[last], counted[last], summed[last], best[last], rarest[last] = pair, 0, 0, -1, column
                counted[last] += 1
                summed[last] += micro
                if micro > best[last]:
                    best[last], rarest[last] = micro, column
            step = np.int64(column <= columns[other])
            other += np.int64(columns[other] <= column)
            one += step
    count = last + 1
    return found[:count].copy(), counted[:count].copy(), summed[:count].copy(), best[:count].copy(), rarest[:count].copy()
