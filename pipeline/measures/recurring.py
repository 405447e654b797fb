"""What recurs in the texts of an account: counted account by account over rows that come sorted by account, so that one account at a time is held.

numba compiles the count; where it is missing or not wanted (see fingerprints), numpy finds equal values slower.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.backends import is_compiled

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Counts = tuple[I64, I32, I64, I64]
"""Group, value, documents of the group with the value, documents of the group; sorted by group, then value."""


def recurring(group: I64, ends: I64, values: I32, least_count: int, least_share: float) -> Counts:
    """Values that stand in at least `least_count` documents of a group and in at least `least_share` (0..1) of its documents.

    In: each document's group, ascending and not negative; document i's values are values[ends[i]:ends[i + 1]], not negative. Empty in, empty out.
    """
    return _backend()(group, ends, values, least_count, least_share)


def counted(group: I64, ends: I64, values: I32, least_count: int, least_share: float) -> Counts:
    """See `recurring`; in numpy."""
    of = np.repeat(group, np.diff(ends))
    order = np.lexsort((values, of))
    of, held = of[order], values[order]
    fresh = np.flatnonzero(np.concatenate([np.ones(min(1, len(of)), np.bool_), (of[1:] != of[:-1]) | (held[1:] != held[:-1])]))
    count = np.diff(np.append(fresh, len(of)))
    names, totals = np.unique(group, return_counts=True)
    total = totals[np.searchsorted(names, of[fresh])]
    kept = (count >= least_count) & (count >= least_share * total)
    return of[fresh][kept], held[fresh][kept], count[kept], total[kept]


@functools.cache
def _backend() -> Callable[[I64, I64, I32, int, float], Counts]:
    if is_compiled():
        from pipeline.measures import recurring_numba

        compiled: Callable[[I64, I64, I32, int, float], Counts] = recurring_numba.counted
        return compiled
    return counted
