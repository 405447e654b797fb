"""Tallies of rows that come owner after owner, compiled by numba: the same numbers as `tallies.by_sorting`, an owner at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.measures.compiling import compiled, inlined

_FEW = 48
"""Rows of an owner up to which finding each key's place among those before it beats a sort; a row that repeats the highest key so far costs one comparison."""


@inlined
def _sorted(mine: Any, keys: Any, counts: Any, first: Any) -> Any:
    """Writes the distinct ones of `mine`, ascending, and how often each comes, from `first` on; gives where the next owner's begin."""
    mine.sort()
    found = first
    for value in mine:
        if found > first and keys[found - 1] == value:
            counts[found - 1] += 1
        else:
            keys[found], counts[found] = value, 1
            found += 1
    return found


@inlined
def _inserted(key: Any, start: Any, end: Any, keys: Any, counts: Any, first: Any) -> Any:
    """The same of key[start:end], each put in its place where the result stands."""
    found = first
    for at in range(start, end):
        value, place = key[at], found
        while place > first and keys[place - 1] > value:
            place -= 1
        if place > first and keys[place - 1] == value:
            counts[place - 1] += 1
            continue
        for moved in range(found, place, -1):
            keys[moved], counts[moved] = keys[moved - 1], counts[moved - 1]
        keys[place], counts[place] = value, 1
        found += 1
    return found


@compiled
def by_owner(owner: Any, key: Any) -> Any:
    """See `tallies.tallied`."""
    rows, found, start = len(owner), 0, 0
    owners, keys, counts = np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows, np.int64)
    while start < rows:
        end = start + 1
        while end < rows and owner[end] == owner[start]:
            end += 1
        first = found
        found = _sorted(key[start:end].copy(), keys, counts, first) if end - start > _FEW else _inserted(key, start, end, keys, counts, first)
        owners[first:found] = owner[start]
        start = end
    return owners[:found].copy(), keys[:found].copy(), counts[:found].copy()
