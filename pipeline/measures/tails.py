"""Evidence of likeness: how far out in the tail of random pairs a pair lies.

A figure of a pair says little; that one random pair in a thousand is as much alike says ten bits. The null is made of the log's own pairs, in strata, so that
small samples are held against small samples and scripts against scripts. Bits are -log2 of (1 + random pairs at least as alike) / (1 + random
pairs), the pair itself counted (Phipson and Smyth 2010), so no stratum gives more bits than log2 of its pairs. Unlike pairs get 0: likeness is
never evidence against a link, because one operator may run different jobs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.numbering import distinct

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

ROUNDS = 4
"""Times that random pairs are asked for before a stratum has to do with fewer."""


@dataclass(frozen=True)
class Strata:
    """What a pair is compared with, by the two accounts: both manners, and the smaller of both samples. One entry an account."""

    manner: Ints
    """0, 1, ...: coarse kind of account"""
    size: Ints
    """documents, requests or hours behind the account's figure"""
    edges: tuple[int, ...]
    """sizes from which a stratum begins, ascending; an account below the first is not compared"""

    @property
    def manners(self) -> int:
        """Kinds of account."""
        return int(self.manner.max()) + 1 if len(self.manner) else 1

    def of(self, a: Ints, b: Ints) -> Ints:
        """Stratum of each pair, -1 where a sample is too small. In: positions, equally long. Symmetric in both."""
        low, high = np.minimum(self.manner[a], self.manner[b]), np.maximum(self.manner[a], self.manner[b])
        depth = np.searchsorted(self.edges, np.minimum(self.size[a], self.size[b]), side="right") - 1
        return np.where(depth < 0, -1, (low * self.manners + high) * len(self.edges) + depth)

    def pools(self, among: NDArray[np.bool_]) -> list[tuple[int, Ints, Ints]]:
        """Every stratum that can hold a pair: its number, and those of some accounts that its pairs are drawn of, one of each list."""
        found: list[tuple[int, Ints, Ints]] = []
        for depth, edge in enumerate(self.edges):
            enough = [np.flatnonzero(among & (self.manner == kind) & (self.size >= edge)) for kind in range(self.manners)]
            for low in range(self.manners):
                found += [
                    ((low * self.manners + high) * len(self.edges) + depth, enough[low], enough[high])
                    for high in range(low, self.manners)
                    if len(enough[low]) and len(enough[high])
                ]
        return found


@dataclass(frozen=True)
class Null:
    """The figures of random pairs: ascending inside a stratum, strata one after the other."""

    figures: Floats
    ends: Ints
    """stratum s is figures[ends[s]:ends[s + 1]]"""

    def bits(self, stratum: Ints, figure: Floats) -> Floats:
        """Bits of each pair, >= 0 and 0 where the stratum is -1, the figure not known (NaN) or no random pair is there. Smaller figures are more alike."""
        found = np.zeros(len(figure))
        for number in np.unique(stratum[(stratum >= 0) & ~np.isnan(figure)]):
            own = (stratum == number) & ~np.isnan(figure)
            null = self.figures[self.ends[number] : self.ends[number + 1]]
            found[own] = np.log2((1 + len(null)) / (1 + np.searchsorted(null, figure[own], side="right")))
        return np.round(found, 6)


def null_of(strata: Strata, figure: Callable[[Ints, Ints], Floats], among: NDArray[np.bool_], allowed: Callable[[Ints, Ints], NDArray[np.bool_]], pairs: int, seed: int) -> Null:
    """Random pairs of each stratum, no pair twice, and their figures.

    In: the figure of pairs of positions (NaN where unknown), the accounts to draw from, whether a pair of them may be a pair of strangers, and how many pairs are wanted in all.
    Every stratum gets an equal part, so that each reaches as far. No accounts: a null without figures.
    """
    pools = strata.pools(among)
    drawn = {number: _drawn(number, one, other, strata, allowed, pairs // len(pools), np.random.default_rng([seed, number])) for number, one, other in pools}
    parts = []
    for number in range(strata.manners**2 * len(strata.edges)):
        known = figure(*drawn[number]) if number in drawn and len(drawn[number][0]) else np.zeros(0)
        parts.append(np.sort(known[~np.isnan(known)]))
    return Null(np.concatenate(parts), np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64))


def _drawn(number: int, one: Ints, other: Ints, strata: Strata, allowed: Callable[[Ints, Ints], NDArray[np.bool_]], wanted: int, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """Distinct pairs of one stratum, at most as many as wanted."""
    found: Ints = np.empty(0, dtype=np.int64)
    count = len(strata.size)
    for _ in range(ROUNDS):
        a, b = one[rng.integers(0, len(one), wanted)], other[rng.integers(0, len(other), wanted)]
        kept = (a != b) & (strata.of(a, b) == number)
        a, b = a[kept], b[kept]
        free = allowed(a, b)
        found = distinct(np.concatenate([found, np.minimum(a, b)[free] * count + np.maximum(a, b)[free]]))
        if len(found) >= wanted or 4 * len(found) > len(one) * len(other):  # enough, or most of the pairs that there are
            break
    if len(found) > wanted:
        found = np.sort(rng.choice(found, wanted, replace=False))
    return found // count, found % count
