"""Which rows have the same owner and key: numbered groups of rows, the ground of every count over keys.

numba compiles the numbering, a table of hashes; where it is missing or not wanted (see fingerprints), numpy sorts, which costs twice as much.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.backends import is_compiled

I64 = NDArray[np.int64]
Groups = tuple[I64, I64]
"""Each row's group, from 0 in the order of their first rows; each group's first row."""


def grouped(owner: I64, key: I64) -> Groups:
    """Groups of rows of equal owner and key. Empty in, empty out."""
    return _backend()(np.require(owner, np.int64, "W"), np.require(key, np.int64, "W"))  # compiled once, for arrays that may be written


def numbered(owner: I64, key: I64) -> Groups:
    """See `grouped`; in numpy."""
    order = np.lexsort((key, owner))
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (owner[order][1:] != owner[order][:-1]) | (key[order][1:] != key[order][:-1])
    first = order[fresh]  # the sort is stable
    place = np.empty(len(first), np.int64)
    place[np.argsort(first)] = np.arange(len(first))
    group = np.empty(len(order), np.int64)
    group[order] = place[np.cumsum(fresh) - 1]
    return group, np.sort(first)


@functools.cache
def _backend() -> Callable[[I64, I64], Groups]:
    if is_compiled():
        from pipeline.measures import grouping_numba

        compiled: Callable[[I64, I64], Groups] = grouping_numba.numbered
        return compiled
    return numbered
