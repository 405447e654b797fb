"""How often each owner has each key, of rows that come owner after owner: the ground of every table of an account's values.

numba compiles the count (owners have few rows each, which are sorted where they stand); where it is missing or not wanted (see backends), numpy sorts all rows at once.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.backends import is_compiled

I64 = NDArray[np.int64]
Tally = tuple[I64, I64, I64]
"""Owner, key, how many rows have both: ascending by owner, then key, each pair once."""


def tallied(owner: I64, key: I64) -> Tally:
    """The tally of rows whose owners ascend; keys may be in any order. Empty in, empty out."""
    return _backend()(np.require(owner, np.int64, "W"), np.require(key, np.int64, "W"))  # compiled once, for arrays that may be written


def whole(parts: Iterable[Tally]) -> Iterator[Tally]:
    """The tallies of consecutive rows as those of all of them: an owner whose rows two parts share comes once, with all its counts. Owners ascend over the parts."""
    held: Tally | None = None
    for part in parts:
        if not len(part[0]):
            continue
        joined = part if held is None else _joined(held, part)
        last = int(np.searchsorted(joined[0], joined[0][-1]))
        if last:
            yield joined[0][:last], joined[1][:last], joined[2][:last]
        held = joined[0][last:], joined[1][last:], joined[2][last:]
    if held is not None:
        yield held


def _joined(held: Tally, part: Tally) -> Tally:
    """The tally of one owner before that of later rows, which may begin with the same owner."""
    shared = int(np.searchsorted(part[0], held[0][0], side="right"))
    if not shared:
        owner, key, count = (np.concatenate(pair) for pair in zip(held, part, strict=True))
        return owner, key, count
    known, place = np.unique(np.concatenate([held[1], part[1][:shared]]), return_inverse=True)
    added = np.zeros(len(known), np.int64)
    np.add.at(added, place, np.concatenate([held[2], part[2][:shared]]))
    return np.concatenate([np.full(len(known), held[0][0]), part[0][shared:]]), np.concatenate([known, part[1][shared:]]), np.concatenate([added, part[2][shared:]])


def by_sorting(owner: I64, key: I64) -> Tally:
    """See `tallied`; in numpy."""
    order = np.lexsort((key, owner))
    owner, key = owner[order], key[order]
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(order)), np.bool_), (owner[1:] != owner[:-1]) | (key[1:] != key[:-1])]))
    return owner[first], key[first], np.diff(first, append=len(order))


@functools.cache
def _backend() -> Callable[[I64, I64], Tally]:
    if is_compiled():
        from pipeline.measures import tallies_numba

        compiled: Callable[[I64, I64], Tally] = tallies_numba.by_owner
        return compiled
    return by_sorting
