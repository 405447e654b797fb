"""How much of each member's traffic is in wording that a group has in common: for operators who word each request afresh, so that no account repeats itself.

Wording is common when enough members use it, in enough of the group's learning prompts; it is looked for in the other half of their prompts. The same is done for random groups,
so that idioms which any accounts share are not read as a template. Nothing here knows what an account is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.measures.backends import is_compiled
from pipeline.measures.groups import likeness_to_rest, unit_rows
from pipeline.measures.numbering import counted, ranked, spans

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOLDERS = 3
"""Accounts that must use a wording before it is the group's: two may be one person."""
HOLDER_SHARE = 0.25
"""... and at least this share of the group: what a few colleagues or one class exercise have in common is theirs."""
DOCUMENTS = 3
"""Prompts of the group that must hold it at least, as for an account's own habits."""


@dataclass(frozen=True)
class Texts:
    """Prompts and their wording, of accounts numbered 0 .. account_count - 1. Documents are sorted by account, entries by document."""

    account_count: int
    account: Ints
    """account of each document"""
    is_learning: Flags
    """whether the document teaches what is common (else it is searched for it)"""
    is_harvest: Flags
    """whether it drew a long answer"""
    document: Ints
    """document of each entry"""
    wording: Ints
    """wording of each entry, any keys"""


@dataclass(frozen=True)
class Common:
    """What a group has in common."""

    documents: Ints
    """searched documents that carry it, ascending"""
    carried: Ints
    """how much of it each carries"""
    shares: Floats
    """of each member: how many of its searched documents carry it and count, 0..1; 0 without documents"""


class PooledWording:
    """Accounts by their wording, indexed once for many groups."""

    def __init__(self, texts: Texts, least: int, min_share: float) -> None:
        """In: `least` common wordings that make a document a carrier; `min_share` of a group's learning documents that must hold a wording."""
        self._texts, self._least, self._min_share = texts, least, min_share
        names, wording = ranked(texts.wording)
        owner, learning = texts.account[texts.document], texts.is_learning[texts.document]
        pair, counts = counted(owner[learning] * len(names) + wording[learning])
        self._width = len(names)
        self._taught, self._taught_counts = pair % max(1, len(names)), counts
        self._taught_ends = np.searchsorted(pair, np.arange(texts.account_count + 1) * len(names))
        self._entry_document, self._entry_wording = texts.document[~learning], wording[~learning]
        self._entry_ends = np.searchsorted(owner[~learning], np.arange(texts.account_count + 1))
        does_count = texts.is_harvest[self._entry_document]
        counted_ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(does_count)])[self._entry_ends]
        self._counted = (self._entry_document[does_count], self._entry_wording[does_count], counted_ends)
        self._learning = np.bincount(texts.account[texts.is_learning], minlength=texts.account_count)
        self._searched = np.bincount(texts.account[~texts.is_learning], minlength=texts.account_count)

    def common(self, group: Ints) -> Common:
        """What a group of accounts (distinct) has in common. Empty: nothing."""
        taught, entries = spans(self._taught_ends, group), spans(self._entry_ends, group)
        used, place, holders = np.unique(self._taught[taught], return_inverse=True, return_counts=True)
        documents = np.bincount(place, weights=self._taught_counts[taught], minlength=len(used))
        common = used[(holders >= _least_holders(len(group))) & (documents >= self._needed(group))]
        is_common = np.isin(self._entry_wording[entries], common)
        found, carried = np.unique(self._entry_document[entries[is_common]], return_counts=True)
        found, carried = found[carried >= self._least], carried[carried >= self._least]
        counted = found[self._texts.is_harvest[found]]
        hits = np.bincount(self._texts.account[counted], minlength=self._texts.account_count)[group]
        return Common(found, carried, hits / np.maximum(self._searched[group], 1))

    def likeness(self, group: Ints, found: Common) -> Floats:
        """How like the others' each member's mix of wording is, over the documents that carry what they have in common. In: accounts (ascending). Out: (members,), 0..1."""
        entries = spans(self._entry_ends, group)
        held = entries[np.isin(self._entry_document[entries], found.documents)]
        row = np.searchsorted(group, self._texts.account[self._entry_document[held]])
        _, column = np.unique(self._entry_wording[held], return_inverse=True)
        return likeness_to_rest(unit_rows(row, column, np.ones(len(held)), len(group)), np.arange(len(group)))

    def median_shares(self, groups: Ints) -> Floats:
        """The median member's share in each group. In: (groups, members). Out: (groups,)."""
        if not groups.size or not is_compiled():
            return self.median_shares_one_by_one(groups)
        from pipeline.measures import pooled_numba

        taught, needed = (self._taught, self._taught_counts, self._taught_ends), (_least_holders(groups.shape[1]), self._needed(groups))
        found: Floats = pooled_numba.median_shares(taught, self._counted, self._searched, groups, *needed, self._width, self._least)
        return found

    def median_shares_one_by_one(self, groups: Ints) -> Floats:
        """See `median_shares`; in numpy."""
        return np.array([float(np.median(self.common(group).shares)) for group in groups])

    def _needed(self, groups: Ints) -> Floats:
        """Learning documents of each group that must hold a wording. In: (..., members). Out: (...)."""
        needed: Floats = np.maximum(DOCUMENTS, self._min_share * self._learning[groups].sum(axis=-1))
        return needed


def _least_holders(members: int) -> float:
    """Accounts of a group that must use a wording."""
    return max(HOLDERS, HOLDER_SHARE * members)
