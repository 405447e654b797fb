"""The share of a total that some of it makes up, with an interval that counts groups (accounts, prompts) and not the requests inside them.

Requests of one account are alike, so a hundred of them are far from a hundred cases. The variance is that of a ratio of sums over groups; the interval is the exact
binomial one at the sample size that this variance is worth (Korn and Graubard 1998), which stays inside 0..1 and keeps a width where every group says the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ERROR = 0.05
"""One minus the confidence of every interval here."""


def share_interval(hits: Floats, sizes: Floats, documents: int) -> tuple[float, float]:
    """95 % interval of sum(hits) / sum(sizes), 0..1, over groups as if each were drawn anew. One entry a group, 0 <= hits <= sizes.

    `documents` is how many cases lie inside the groups: the variance is never worth more of them. Groups of no size are left out. Fewer than two groups: (0, 1), nothing is told.
    """
    low, high = share_intervals(hits, sizes, np.zeros(len(sizes), np.int64), np.array([documents]))
    return float(low[0]), float(high[0])


def share_intervals(hits: Floats, sizes: Floats, owner: Ints, documents: Ints) -> tuple[Floats, Floats]:
    """The same for several totals at once: `owner` says to which (0 and up) each group belongs; `documents` has an entry a total. Out: lower and upper ends, one a total."""
    count, kept = len(documents), sizes > 0
    hits, sizes, owner = np.asarray(hits, np.float64)[kept], np.asarray(sizes, np.float64)[kept], owner[kept]
    groups = np.bincount(owner, minlength=count)
    sums = np.bincount(owner, weights=sizes, minlength=count)
    whole = np.where(sums > 0, sums, 1.0)
    share = np.clip(np.round(np.bincount(owner, weights=hits, minlength=count) / whole, 12), 0.0, 1.0)  # sums of fractions: nothing and everything must be told as such
    spread = np.bincount(owner, weights=np.square(hits - share[owner] * sizes), minlength=count)
    variance = groups / np.maximum(groups - 1, 1) * spread / whole**2
    worth = _worth(share, variance, groups, np.maximum(documents, groups))
    low, high = _binomial(share * worth, worth)
    told = groups >= 2
    return np.where(told, low, 0.0), np.where(told, high, 1.0)


def _worth(share: Floats, variance: Floats, groups: Ints, cases: Ints) -> Floats:
    """Independent cases that would leave each share as uncertain, at most `cases`. Where all groups say nothing, or everything, as many as there are groups."""
    even = share * (1.0 - share)
    worth = np.where(variance * cases <= even, cases, even / np.where(variance > 0, variance, 1.0))
    few = special.stdtrit(np.maximum(cases - 1, 1), 1.0 - ERROR / 2) / special.stdtrit(np.maximum(groups - 1, 1), 1.0 - ERROR / 2)
    found: Floats = np.where(even == 0, groups, np.maximum(worth * few**2, 1e-9))
    return found


def _binomial(hits: Floats, cases: Floats) -> tuple[Floats, Floats]:
    """Ends of the interval of Clopper and Pearson 1934, for numbers that need not be whole."""
    some, all_but = hits > 0, hits < cases
    low = special.betaincinv(np.where(some, hits, 1.0), np.where(some, cases - hits + 1.0, 1.0), ERROR / 2)
    high = special.betaincinv(np.where(all_but, hits + 1.0, 1.0), np.where(all_but, cases - hits, 1.0), 1.0 - ERROR / 2)
    return np.where(some, low, 0.0), np.where(all_but, high, 1.0)
