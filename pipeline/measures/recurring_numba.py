"""What recurs in groups of documents, compiled by numba: the same values as `recurring.counted`, by a table of hashes a group."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures.compiling import compiled

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_33 = np.uint64(33)


@compiled
def counted(group: Any, ends: Any, values: Any, least_count: Any, least_share: Any) -> Any:
    """See `recurring.recurring`."""
    documents, room = len(group), len(values) // max(1, least_count) + 1
    groups, held, counts, totals, found = np.empty(room, np.int64), np.empty(room, np.int32), np.empty(room, np.int64), np.empty(room, np.int64), 0
    keys, numbers, turn = np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.int64)
    first = 0
    while first < documents:
        last = first + 1
        while last < documents and group[last] == group[first]:
            last += 1
        size = 64
        while size < 2 * (ends[last] - ends[first]):
            size *= 2
        if size > len(keys):
            keys, numbers, turn = np.empty(size, np.int32), np.empty(size, np.int64), np.full(size, -1)
        slots, least, begin = np.uint64(size - 1), max(float(least_count), least_share * (last - first)), found
        for at in range(ends[first], ends[last]):
            place: Any = ((np.uint64(values[at]) * _SPREAD) >> _33) & slots
            while turn[place] == first and keys[place] != values[at]:
                place = (place + np.uint64(1)) & slots
            if turn[place] != first:
                turn[place], keys[place], numbers[place] = first, values[at], 0
            numbers[place] += 1
        for slot in range(size):
            if turn[slot] == first and numbers[slot] >= least:
                groups[found], held[found], counts[found], totals[found] = group[first], keys[slot], numbers[slot], last - first
                found += 1
        order = np.argsort(held[begin:found])
        held[begin:found], counts[begin:found] = held[begin:found][order], counts[begin:found][order]
        first = last
    return groups[:found], held[:found], counts[:found], totals[:found]
