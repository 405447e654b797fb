"""A permutation null in two steps: most groups are told from random ones by a few draws or not at all, so all draws are asked only where few do.

The p-value stays valid at every level a: it is at most a with a probability of at most a. Where the first step ends the matter its p is at least (ENOUGH + 1) / (FIRST + 1),
and below that level only the whole null, which is as exchangeable as its first part, can speak; above it, p <= a asks that at most a (FIRST + 1) - 1 of the first draws reach
the observation, or fewer than ENOUGH, which is less (Besag and Clifford 1991 stop at a fixed number of draws that reach it; two steps can be asked at once).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.groups import draw_sets

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FIRST = 299
"""Draws of the first step."""
ENOUGH = 15
"""Draws of the first step that reach the observation and make the second needless: p is then 0.053 or more, above every level that a verdict looks at."""
_DIGITS = 6


class NullGroups:
    """Random groups of one pool, those of the second step drawn when first asked for. Tests that ask the same accounts share them, because a draw costs more than most tests."""

    def __init__(self, pool: Ints, size: int, count: int, rng: np.random.Generator) -> None:
        """In: positions to draw from, `size` of them a group (size <= len(pool)), `count` groups in both steps."""
        self._pool, self._size, self._count = pool, size, count
        one, self._other = rng.spawn(2)
        self.first = draw_sets(pool, size, min(FIRST, count), one)
        self._rest: Ints | None = None

    @property
    def rest(self) -> Ints:
        """The groups of the second step. (groups, size); none if all fit the first."""
        if self._rest is None:
            self._rest = draw_sets(self._pool, self._size, self._count - len(self.first), self._other)
        return self._rest


def null_of(observed: float, groups: NullGroups, statistic: Callable[[Ints], Floats]) -> Floats:
    """The statistic of the random groups, rounded to six digits: of all, or of the first if these tell enough. In: the observation, rounded alike. Out: (groups asked,)."""
    first = np.round(statistic(groups.first), _DIGITS)
    if np.count_nonzero(first >= observed) >= ENOUGH or not len(groups.rest):
        return first
    return np.concatenate([first, np.round(statistic(groups.rest), _DIGITS)])
