"""Whether members of a group draw on one list without ever drawing the same entry, as nobody does who does not deal the list out.

Outsiders show the list: accounts that share entries with each other are users of one corpus. U is what exactly one of them holds: an entry that the corpus holds for certain
and that no member chose. With x_i entries of U at member i and H of them in all, members who draw independently repeat each other on U at least
E = (H^2 - sum x_i^2) / (2 |U|) times in pairs, because even draws repeat least. D repeats are seen. No size of the corpus is needed.

The p-value is the larger of two lower tails: the Poisson one of pairs at E, and the Poisson one of surplus draws (draws less distinct entries), of which the number is
a constant plus a sum of independent indicators when draws are even (Vatutin and Mikhailov 1982), so that its Poisson tail is conservative where entries repeat often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special
from scipy.sparse import csgraph

Ints = NDArray[np.int64]

MIN_OUTSIDERS = 3
"""Outsiders that make a corpus: two who share entries may be one person's."""
LINKING_ENTRIES = 2
"""Entries that two outsiders of one corpus share, at least."""
COMMON = 64
"""An entry that more outsiders hold than this says nothing of a corpus."""


@dataclass(frozen=True)
class Draws:
    """What a group drew from one corpus."""

    entries: int
    """|U|: entries of the corpus that exactly one outsider holds"""
    hits: int
    """H: entries of U at members, each member's counted"""
    hitters: int
    """members with an entry of U"""
    repeats: int
    """D: pairs of members with an entry of U in common, each entry counted"""
    expected: float
    """E: the least such pairs that independent draws give on average"""
    p_value: float
    """chance of so few repeats or fewer; 1 without hits"""
    drawn: Ints
    """numbers of the entries of U that members hold"""


class Holdings:
    """Who holds which entries, laid out once for questions about many groups.

    Corpora come from outsiders alone, all of them: a choice of outsiders by what they share with members would make members seem to draw more often than they do.
    """

    def __init__(self, holder: Ints, entry: Ints, accounts: int) -> None:
        """In: accounts and entries, both numbered from 0, each pair once; how many accounts there are."""
        self._links = _links(holder, entry, accounts)
        label = csgraph.connected_components(self._links, directed=False)[1]
        self._in_some = np.bincount(label, minlength=1)[label] >= MIN_OUTSIDERS
        order = np.lexsort((entry, holder))
        self._holder, self._entry = holder[order], entry[order]
        kept = self._in_some[self._holder]
        self._listed, number = np.unique(self._entry[kept], return_inverse=True)
        self._count = np.bincount(number, minlength=len(self._listed)).astype(np.int64)
        self._sum = np.zeros(len(self._listed), np.int64)
        np.add.at(self._sum, number, self._holder[kept])

    def draws_of(self, members: Ints) -> list[Draws]:
        """What members drew from each corpus of the others, the most telling (largest E) first. In: ascending account numbers. Out: corpora with a hit; none without one."""
        place, who = self._held_by(members)
        home = self._homes(members, place, who)
        found = [_draws(who, place, home, int(label), self._listed) for label in np.unique(home[place]) if label >= 0]
        return sorted(found, key=lambda draws: (-draws.expected, -draws.hits, -draws.entries))

    def _held_by(self, members: Ints) -> tuple[Ints, Ints]:
        """Listed entries that members hold (places in the list), and the number of the member among members."""
        begin, end = np.searchsorted(self._holder, members), np.searchsorted(self._holder, members, side="right")
        own = np.concatenate([self._entry[:0], *(self._entry[first:last] for first, last in zip(begin, end, strict=True))])
        who = np.repeat(np.arange(len(members)), end - begin)
        place = np.searchsorted(self._listed, own)
        known = np.append(self._listed, -1)[place] == own
        return place[known], who[known]

    def _homes(self, members: Ints, place: Ints, who: Ints) -> Ints:
        """Of each listed entry the corpus in whose U it is, -1 if in none: exactly one outsider of a corpus holds it."""
        added = self._in_some[members[who]]  # only who is in some corpus was added up
        count, holders = self._count.copy(), self._sum.copy()
        np.subtract.at(count, place[added], 1)
        np.subtract.at(holders, place[added], members[who[added]])
        corpus = self._corpora(members)
        homes: Ints = np.where(count == 1, corpus[np.where(count == 1, holders, 0)] if len(corpus) else -1, -1)
        return homes

    def _corpora(self, members: Ints) -> Ints:
        """For each account the number of its corpus; -1 for members and for who is in none of MIN_OUTSIDERS others."""
        outside = self._in_some.copy()
        outside[members] = False
        rest = np.flatnonzero(outside)
        label = csgraph.connected_components(self._links[rest][:, rest], directed=False)[1] if len(rest) else rest
        corpus = np.full(len(outside), -1)
        corpus[rest] = np.where(np.bincount(label, minlength=1)[label] >= MIN_OUTSIDERS, label, -1)
        return corpus


def _links(holder: Ints, entry: Ints, accounts: int) -> sparse.csr_matrix:
    """Accounts that share LINKING_ENTRIES entries or more, of entries that at most COMMON accounts hold."""
    names, number, held = np.unique(entry, return_inverse=True, return_counts=True)
    kept = (held[number] >= 2) & (held[number] <= COMMON)
    holds = sparse.csr_matrix((np.ones(int(kept.sum()), np.int64), (holder[kept], number[kept])), shape=(accounts, len(names)))
    common = (holds @ holds.T).tocoo()
    strong = common.data >= LINKING_ENTRIES
    return sparse.csr_matrix((np.ones(int(strong.sum()), np.int64), (common.row[strong], common.col[strong])), shape=(accounts, accounts))


def _draws(who: Ints, place: Ints, home: Ints, corpus: int, listed: Ints) -> Draws:
    """Draws from one corpus that was hit. In: which member holds which listed entry; of each listed entry the corpus in whose U it is; the list."""
    inside, entries = home[place] == corpus, int(np.count_nonzero(home == corpus))
    each = np.bincount(who[inside])
    drawn, times = np.unique(place[inside], return_counts=True)
    hits, repeats = int(each.sum()), int((times * (times - 1) // 2).sum())
    expected = round(float((hits**2 - int((each**2).sum())) / (2 * entries)), 6)
    return Draws(entries, hits, int(np.count_nonzero(each)), repeats, expected, fewest_p(each, entries, repeats, hits - len(drawn)), listed[drawn])


def fewest_p(each: Ints, entries: int, repeats: int, surplus: int) -> float:
    """Chance of so few repeats or fewer among independent draws. In: draws of each member, entries to draw from, pairs and surplus draws that were seen. Out: 0 < p <= 1."""
    hits = int(each.sum())
    pairs = (hits**2 - int((each**2).sum())) / (2 * entries)
    missed = math.exp(math.fsum(math.log1p(-min(int(x) / entries, 1.0 - 1e-12)) for x in each))
    more = max(hits - entries * (1.0 - missed), 0.0)
    return float(min(1.0, max(special.pdtr(repeats, pairs), special.pdtr(surplus, more))))


def best_p(expected: float) -> float:
    """The p-value that no repeat at all would give at E: what the test can say at best. Out: 0 < p <= 1."""
    return math.exp(-expected)
