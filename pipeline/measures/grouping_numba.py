"""Groups of rows of equal owner and key, compiled by numba: the same numbers as `grouping.numbered`, by a table of hashes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures.compiling import compiled

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_29 = np.uint64(29)
_32 = np.uint64(32)


@compiled
def numbered(owner: Any, key: Any) -> Any:
    """See `grouping.grouped`."""
    rows, size = len(owner), 64
    while size < 2 * rows:
        size *= 2
    group, first, found = np.empty(rows, np.int64), np.empty(rows, np.int64), 0
    held, slots = np.full(size, -1, np.int32), np.uint64(size - 1)
    for row in range(rows):
        mixed: Any = (np.uint64(owner[row]) * _SPREAD) ^ np.uint64(key[row])
        mixed = (mixed ^ (mixed >> _29)) * _MIX
        place: Any = (mixed >> _32) & slots
        while held[place] >= 0 and (owner[first[held[place]]] != owner[row] or key[first[held[place]]] != key[row]):
            place = (place + np.uint64(1)) & slots
        if held[place] < 0:
            held[place], first[found] = found, row
            found += 1
        group[row] = held[place]
    return group, first[:found].copy()
