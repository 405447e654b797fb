"""The days of a table side by side: pieces of whole accounts over all days, so that a stage merges a window without holding it.

Promises: every row comes once; no account is in two pieces; inside a piece rows come day by day in the order of the files, inside a day as they are stored.
A piece has about as many rows as it is asked for, more only if the accounts of a batch of one day have: the day that is densest says how far it goes.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

I64 = NDArray[np.int64]
DayReader = Callable[[Sequence[str], int], Iterator[pa.RecordBatch]]
"""One day of a table, sorted by kind (if it has one) and account_key: gives the batches of some columns, of at most so many rows each."""
Bound = tuple[str, int]
"""A kind ("" in tables without) and an account: a piece goes up to it, itself included."""
_LAST = 2**63 - 1
_FEWEST, _MOST = 1 << 14, 1 << 16
"""Rows of a batch."""


class SideBySide:
    """Some columns of all days, read piece by piece of about `rows` rows; of each day at least `fewest` are read at once and held."""

    def __init__(self, days: Sequence[DayReader], columns: Sequence[str], rows: int, *, by_kind: bool = False, fewest: int = _FEWEST) -> None:
        self._ahead = max(rows // max(1, len(days)), 1)
        self._days = [_Day(read(columns, min(max(self._ahead, fewest), _MOST)), by_kind=by_kind) for read in days]

    def bound(self) -> Bound | None:
        """How far the next piece goes; None: nothing is left."""
        kinds = [kind for kind in (day.kind() for day in self._days) if kind is not None]
        if not kinds:
            return None
        first = min(kinds)
        return first, min(day.account(first, self._ahead) for day in self._days)

    def upto(self, bound: Bound) -> pa.Table:
        """The rows up to the bound that have not come yet; `bound` must have said it, of these days in these or other columns."""
        return pa.Table.from_batches([part for day in self._days for part in day.upto(bound)])

    def pieces(self) -> Iterator[pa.Table]:
        """All rows, piece by piece."""
        while (bound := self.bound()) is not None:
            yield self.upto(bound)


class _Day:
    """A day that is read as far as a piece needs."""

    def __init__(self, batches: Iterator[pa.RecordBatch], *, by_kind: bool) -> None:
        self._parts = _by_kind(batches) if by_kind else (("", batch) for batch in batches if batch.num_rows)
        self._held: deque[tuple[str, pa.RecordBatch]] = deque()

    def kind(self) -> str | None:
        """The kind of the next row; None: no row is left."""
        return self._held[0][0] if self._held or self._read() else None

    def account(self, kind: str, ahead: int) -> int:
        """The account of the row so many rows ahead; the highest of all if the day has fewer rows of the kind."""
        at = 0
        while at < len(self._held) or self._read():
            found, part = self._held[at]
            if found != kind:
                break
            if ahead <= part.num_rows:
                account: int = part.column("account_key")[ahead - 1].as_py()
                return account
            at, ahead = at + 1, ahead - part.num_rows
        return _LAST

    def upto(self, bound: Bound) -> Iterator[pa.RecordBatch]:
        """The rows up to the bound, in order."""
        while self._held or self._read():
            kind, part = self._held[0]
            cut = _cut(kind, part, bound)
            if cut:
                yield part.slice(0, cut)
            if cut < part.num_rows:
                self._held[0] = kind, part.slice(cut)
                return
            self._held.popleft()

    def _read(self) -> bool:
        found = next(self._parts, None)
        if found is not None:
            self._held.append(found)
        return found is not None


def _cut(kind: str, part: pa.RecordBatch, bound: Bound) -> int:
    """How many rows of a part, all of one kind, are not past the bound."""
    if kind != bound[0]:
        return part.num_rows if kind < bound[0] else 0
    return int(np.searchsorted(part.column("account_key").to_numpy(), bound[1], side="right"))


def _by_kind(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Batches cut where the kind changes; the column of kinds is a dictionary."""
    for batch in batches:
        kinds = batch.column("kind")
        codes, words = kinds.indices.to_numpy(), kinds.dictionary.to_pylist()
        starts = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist(), len(codes)] if len(codes) else []
        for start, end in itertools.pairwise(starts):
            yield words[codes[start]], batch.slice(start, end - start).drop_columns(["kind"])


def numbered(account: I64) -> tuple[I64, I64]:
    """The accounts, ascending, and each row's place among them; cheap where an account's rows follow each other. Empty in, empty out."""
    heads = np.flatnonzero(np.concatenate([np.ones(min(1, len(account)), np.bool_), account[1:] != account[:-1]]))
    known = np.unique(account[heads])
    return known, np.repeat(np.searchsorted(known, account[heads]), np.diff(heads, append=len(account)))


def ordered(account: I64, key: I64) -> I64:
    """The order of rows by account and key, neither of them negative; which of equal rows comes first is not said. Empty in, empty out."""
    if not len(account):
        return np.zeros(0, np.int64)
    known, place = numbered(account)
    room = 63 - len(known).bit_length()
    packed = (place << room) | (key >> max(0, int(key.max()).bit_length() - room))
    order = np.argsort(packed)
    owner, held = place[order], key[order]
    if ((owner[1:] == owner[:-1]) & (held[1:] < held[:-1])).any():  # keys that differ in the bits that were cut
        return np.lexsort((key, place))
    return order
