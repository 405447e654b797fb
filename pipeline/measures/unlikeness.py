"""Whether the users of one program work on things of their own: how alike two users are, beside how alike one user is to itself.

Each account is two bags of words, from two disjoint halves of its prompts. `own` is the cosine of an account's two halves, `across` that of one
account's half and another's other half, so that both compare equally many prompts. Accounts that draw from one pool of work are
exchangeable: another's half is as near as one's own, and the ratio across / own is 1 however much or little they sent.
Strangers have their subjects to themselves, and the ratio is near 0. (Exchangeability: detection design, section 3.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.groups import SparseRows, draw_groups, unit_rows
from pipeline.measures.nulls import permutation_p

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ONE_POOL = 1.0
"""The ratio of accounts that draw from one pool."""


@dataclass(frozen=True)
class Halves:
    """Two bags of words an account, as rows of length 1 (0 if empty), one row an account in both."""

    even: SparseRows
    odd: SparseRows


@dataclass(frozen=True)
class Likeness:
    """How alike a group's accounts are to themselves and to each other."""

    own: float
    """median cosine of one account's halves, 0..1"""
    across: float
    """median cosine of two accounts' halves, 0..1"""

    @property
    def ratio(self) -> float:
        """Across / own, rounded to 1e-6, 0 and more; of accounts that are not even like themselves nothing can be told, and they count as one pool."""
        return round(self.across / self.own, 6) if self.own > 0 else ONE_POOL


def word_weights(prompts: Ints, holders: Ints, total: int) -> Floats:
    """Weight of a word in an account's half: log(1 + prompts with it) times log2(accounts / accounts that use it) (tf-idf, Sparck Jones 1972).

    In: equally long, counts of 1 and more. Out: >= 0.
    """
    weights: Floats = np.log1p(prompts) * np.log2(np.maximum(total, 1) / holders)
    return weights


def halves(account: Ints, half: Ints, word: Ints, weight: Floats, accounts: int) -> Halves:
    """Bags of words. In: coordinates (account 0 .. accounts - 1, half 0 or 1, word >= 0) and weights, equally long. No words: rows of 0."""
    columns = int(word.max()) + 1 if len(word) else 1
    padded = [np.append(part, end) for part, end in ((account, accounts), (word, columns - 1), (weight, 0.0))]  # both halves get as many columns
    sides = [np.append(half == side, True) for side in (0, 1)]
    even, odd = (unit_rows(padded[0][side], padded[1][side], padded[2][side], accounts + 1)[:accounts] for side in sides)
    return Halves(even, odd)


def cosines(bags: Halves, members: Ints) -> Floats:
    """Cosine of each member's even half to each member's odd half. In: positions. Out: (members, members), 0..1, rounded to 1e-9."""
    between: Floats = np.round(np.asarray((bags.even[members] @ bags.odd[members].T).todense()), 9)
    return between


def likeness(between: Floats, group: Ints | None = None) -> Likeness:
    """Medians of own and other halves; pairs of one group do not count.

    In: square cosines, the group of each account (left out: each its own). No pair that counts: 0 and 0.
    """
    names = np.arange(len(between)) if group is None else group
    apart = between[names[:, None] != names[None, :]]
    return Likeness(float(np.median(np.diagonal(between))), float(np.median(apart))) if len(apart) else Likeness(0.0, 0.0)


def stranger_ratios(between: Floats, products: Ints, size: int, groups: int, rng: np.random.Generator) -> Floats:
    """Ratios of random groups of accounts, over pairs that do not share a product: what unrelated users give.

    In: cosines of a pool, each account's product. Out: (groups,); none if the pool is smaller than two groups.
    """
    if len(between) < 2 * size:
        return np.zeros(0)
    drawn = draw_groups(np.arange(len(between)), size, groups, rng)
    return np.array([likeness(between[np.ix_(row, row)], products[row]).ratio for row in drawn])


def one_pool_p(between: Floats, draws: int, rng: np.random.Generator) -> float:
    """P-value of one pool: how often an account's half is as near to another's, drawn at random, as to its own, in the median.

    Null: accounts are exchangeable, so that which odd half belongs to which even half does not matter. In: cosines of two
    accounts and more. Out: 1/(draws + 1) .. 1.
    """
    count = len(between)
    other = (np.arange(count) + rng.integers(1, count, size=(draws, count))) % count
    return permutation_p(float(np.median(np.diagonal(between))), np.median(between[np.arange(count), other], axis=1))


def halfway(null: Floats, quantile: float) -> float:
    """The ratio as far from one pool as from what strangers reach at a quantile.

    In: ratios of strangers. Out: 0.5 and more, at most 1; 0 without strangers: nothing is unlike then.
    """
    if not len(null):
        return 0.0
    return round(min(ONE_POOL, (float(np.quantile(null, quantile)) + ONE_POOL) / 2.0), 6)
