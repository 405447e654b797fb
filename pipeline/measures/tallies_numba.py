"""Tallies of rows that come owner after owner, compiled by numba: the same numbers as `tallies.by_sorting`, an owner at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures.compiling import compiled

_FEW = 48
"""Rows of an owner up to which inserting each where it belongs beats a sort; a row that repeats the highest key so far costs one comparison."""


@compiled
def by_owner(owner: Any, key: Any) -> Any:
    """See `tallies.tallied`."""
    rows, found, start = len(owner), 0, 0
    owners, keys, counts = np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows, np.int64)
    while start < rows:
        end = start + 1
        while end < rows and owner[end] == owner[start]:
            end += 1
        mine = key[start:end].copy()
        if len(mine) > _FEW:
            mine.sort()
        else:
            for at in range(1, len(mine)):
                value, place = mine[at], at
                while place > 0 and mine[place - 1] > value:
                    mine[place] = mine[place - 1]
                    place -= 1
                mine[place] = value
        first = found
        for value in mine:
            if found > first and keys[found - 1] == value:
                counts[found - 1] += 1
            else:
                owners[found], keys[found], counts[found] = owner[start], value, 1
                found += 1
        start = end
    return owners[:found].copy(), keys[:found].copy(), counts[:found].copy()
