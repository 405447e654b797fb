"""Bits between any two accounts, by kind and by family, from the table of shared values.

Links need bits of the pairs that blocks proposed, networks those inside a community, and tests those between random accounts; all ask here instead of joining tables.
Formula (detection design, section 3): a shared value is worth log2(entities / holders) bits, times the geometric mean of the two
shares where the value is a habit; a kind counts its rarest value in full and the others by a quarter, capped; a family counts its
strongest kind in full and the others by a quarter, capped. All arithmetic is on whole millionths of a bit.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pipeline.measures.backends import is_compiled

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_CHUNK, _FEW = 100_000, 1_000


@dataclass(frozen=True)
class SharedKind:
    """The holders of one kind's values. All arrays have one entry a holding; `row` is the account's position, `column` the value's."""

    kind: str
    family: str
    cap_micro_bits: int
    min_support: int
    row: Ints
    column: Ints
    """values of fewer holders come first; of values that are worth the same to a pair the first is its rarest"""
    share: Floats
    """0..1; 1 where the kind does not weigh by share."""
    rarity_micro_bits: Ints


@dataclass(frozen=True)
class Links:
    """What pairs share, one entry a pair and kind of which it shares enough, by pair and then by kind in the scorer's order."""

    pair: Ints
    """place of the pair"""
    kind: Ints
    """place of the kind in `kind_names`"""
    bits: Floats
    support: Ints
    """values shared"""
    rarest: Ints
    """column, within its kind, of the shared value worth most"""


class PairScorer:
    """Scores pairs of account positions (0 .. account_count - 1). Holds one sparse account x value matrix for all kinds; never accounts x accounts."""

    def __init__(self, account_count: int, kinds: list[SharedKind], family_caps: dict[str, int]) -> None:
        self._kinds = kinds
        self._family_caps = family_caps
        widths = [int(kind.column.max()) + 1 if len(kind.column) else 0 for kind in kinds]
        starts = self._starts = np.concatenate([[0], np.cumsum(widths)]).astype(np.int64)
        self._kind_of = np.repeat(np.arange(len(kinds)), widths)
        self._rarity = np.zeros(int(starts[-1]))
        for kind, start in zip(kinds, starts, strict=False):
            self._rarity[start + kind.column] = kind.rarity_micro_bits
        row = np.concatenate([np.empty(0, dtype=np.int64), *(kind.row for kind in kinds)])
        column = np.concatenate([np.empty(0, dtype=np.int64), *(start + kind.column for kind, start in zip(kinds, starts, strict=False))])
        share = np.concatenate([np.empty(0), *(kind.share for kind in kinds)])
        self._shares = sparse.csr_matrix((share, (row, column)), shape=(account_count, int(starts[-1])))
        self._shares.sort_indices()
        self._matrix = (self._shares.indptr, self._shares.indices, self._shares.data, self._rarity, self._kind_of)
        self._caps = np.array([kind.cap_micro_bits for kind in kinds], dtype=np.int64)
        self._least = np.array([kind.min_support for kind in kinds], dtype=np.int64)

    @property
    def families(self) -> tuple[str, ...]:
        """Families in the order of the columns of `by_family`."""
        return tuple(self._family_caps)

    @property
    def kind_names(self) -> tuple[str, ...]:
        """Kinds in the order of the columns of `by_kind`."""
        return tuple(kind.kind for kind in self._kinds)

    def by_kind(self, a: Ints, b: Ints) -> Floats:
        """Bits of each kind. In: two arrays of positions, shape (pairs,). Out: (pairs, kinds), bits >= 0. Empty: (0, kinds)."""
        return self._micro_by_kind(a, b) / 1e6

    def by_family(self, a: Ints, b: Ints) -> Floats:
        """Bits of each family after fusion. In: two arrays of positions, shape (pairs,). Out: (pairs, families), bits >= 0. Empty: (0, families)."""
        micro = self._micro_by_kind(a, b)
        columns = [self._fused(micro, family) for family in self._family_caps]
        return np.stack(columns, axis=1) / 1e6 if columns else np.zeros((len(a), 0))

    def total(self, a: Ints, b: Ints) -> Floats:
        """Bits of all families together. Out: (pairs,), rounded to 1e-6."""
        bits: Floats = np.round(self.by_family(a, b).sum(axis=1), 6)
        return bits

    def links(self, a: Ints, b: Ints) -> Links:
        """What each pair shares. In: two arrays of positions, shape (pairs,). Empty: no entries."""
        parts = [self._linked(start, a[start : start + _CHUNK], b[start : start + _CHUNK]) for start in range(0, max(1, len(a)), _CHUNK)]
        return Links(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))

    def _linked(self, start: int, a: Ints, b: Ints) -> tuple[Ints, Ints, Floats, Ints, Ints]:
        pair, support, total, top, rarest = _backend(len(a), "shared_by_kind")(*self._matrix, a, b)
        kind = self._kind_of[rarest]
        bits = np.minimum(self._caps[kind], top + (total - top) // 4) / 1e6
        kept = support >= self._least[kind]
        return start + pair[kept], kind[kept], bits[kept], support[kept], (rarest - self._starts[kind])[kept]

    def _micro_by_kind(self, a: Ints, b: Ints) -> Ints:
        parts = [self._scored(a[start : start + _CHUNK], b[start : start + _CHUNK]) for start in range(0, len(a), _CHUNK)]
        return np.concatenate([np.empty((0, len(self._kinds)), dtype=np.int64), *parts])

    def _scored(self, a: Ints, b: Ints) -> Ints:
        """Per kind the rarest shared value in full, the others by a quarter, capped; 0 below the least support."""
        support, total, top = _backend(len(a), "shared_micro_bits")(
            self._shares.indptr, self._shares.indices, self._shares.data, self._rarity, self._kind_of, len(self._kinds), a, b
        )
        bits = np.minimum(self._caps, top + (total - top) // 4)
        return np.where(support >= self._least, bits, 0)

    def _fused(self, micro: Ints, family: str) -> Ints:
        columns = [index for index, kind in enumerate(self._kinds) if kind.family == family]
        if not columns:
            return np.zeros(micro.shape[0], dtype=np.int64)
        part = micro[:, columns]
        top = part.argmax(axis=1)
        weighed = part // 4
        weighed[np.arange(len(part)), top] = part[np.arange(len(part)), top]
        fused: Ints = np.minimum(self._family_caps[family], weighed.sum(axis=1))
        return fused


def shared_micro_bits(ends: Ints, columns: Ints, shares: Floats, rarity: Floats, kind_of: Ints, kinds: int, a: Ints, b: Ints) -> tuple[Ints, Ints, Ints]:
    """Of each pair and kind: values shared, the sum of what they are worth, and the rarest one's worth, in millionths of a bit.

    In: rows of a sparse matrix (row i is columns[ends[i]:ends[i + 1]], ascending), each column's rarity and kind, and pairs of rows. Out: three (pairs, kinds).
    """
    pair, column, micro = _shared(ends, columns, shares, rarity, a, b)
    place = pair * kinds + kind_of[column]
    size, shape = len(a) * kinds, (len(a), kinds)
    total, top = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    np.add.at(total, place, micro)
    np.maximum.at(top, place, micro)
    return np.bincount(place, minlength=size).reshape(shape), total.reshape(shape), top.reshape(shape)


def shared_by_kind(ends: Ints, columns: Ints, shares: Floats, rarity: Floats, kind_of: Ints, a: Ints, b: Ints) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """The same for the pairs and kinds that share something alone: place of the pair, values shared, their sum, the rarest one's worth, and its column.

    In: as above, kinds ascending over the columns. Out: five of equal length, by pair and kind; of columns worth the same the first.
    """
    pair, column, micro = _shared(ends, columns, shares, rarity, a, b)
    order = np.lexsort((column, -micro, kind_of[column], pair))
    pair, column, micro, kind = pair[order], column[order], micro[order], kind_of[column][order]
    first = np.flatnonzero(np.concatenate([np.ones(min(1, len(pair)), np.bool_), (pair[1:] != pair[:-1]) | (kind[1:] != kind[:-1])]))
    support = np.diff(np.append(first, len(pair)))
    total = np.add.reduceat(micro, first) if len(first) else micro
    return pair[first], support, total, micro[first], column[first]


def _shared(ends: Ints, columns: Ints, shares: Floats, rarity: Floats, a: Ints, b: Ints) -> tuple[Ints, Ints, Ints]:
    """Every value that a pair shares: place of the pair, column, and what it is worth in millionths of a bit."""
    matrix = sparse.csr_matrix((shares, columns, ends), shape=(len(ends) - 1, len(rarity)))
    shared = matrix[a].multiply(matrix[b]).tocsr()
    micro = np.floor(np.sqrt(shared.data) * rarity[shared.indices] + 0.5).astype(np.int64)  # the root of the product, halves up
    return np.repeat(np.arange(len(a)), np.diff(shared.indptr)), shared.indices.astype(np.int64), micro


def _backend(pairs: int, name: str) -> Callable[..., Any]:
    """A function of this module compiled; as it stands for a few pairs in a process that has no other need of numba, which takes longer to load than they take."""
    plain: dict[str, Callable[..., Any]] = {"shared_micro_bits": shared_micro_bits, "shared_by_kind": shared_by_kind}
    return plain[name] if pairs <= _FEW and "numba" not in sys.modules else _compiled().get(name, plain[name])


@functools.cache
def _compiled() -> dict[str, Callable[..., Any]]:
    """The compiled ones by name; none where numba is missing or not wanted (see backends)."""
    if is_compiled():
        from pipeline.measures import pairs_numba

        return {"shared_micro_bits": pairs_numba.shared_micro_bits, "shared_by_kind": pairs_numba.shared_by_kind}
    return {}
