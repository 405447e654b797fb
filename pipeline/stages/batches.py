"""Cutting a sorted table that is read in batches between accounts, so that a stage holds a batch and one account at a time.

Promises: every row comes once, in order; no account is in two pieces; what is in a list is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

I64 = NDArray[np.int64]


def whole_accounts(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """In: rows sorted by account_key. Out: the same rows in pieces of whole accounts, an account being finished as soon as the next one begins. Nothing in, nothing out."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        account = batch.column("account_key").to_numpy()
        if not len(account):
            continue
        cut = int(np.searchsorted(account, account[-1]))
        if cut or (waiting and waiting[-1].column("account_key")[-1] != batch.column("account_key")[0]):
            yield pa.Table.from_batches([*waiting, batch.slice(0, cut)])
            waiting = []
        waiting.append(batch.slice(cut))
    if waiting:
        yield pa.Table.from_batches(waiting)


def places(account: I64) -> I64:
    """For each row of a piece its account's place among the piece's accounts, from 0. Empty in, empty out."""
    return np.cumsum(np.concatenate([[0], account[1:] != account[:-1]])) if len(account) else account


def ends(lists: pa.ListArray) -> I64:
    """Where the values of each list begin among all of them, and where the last one ends; no list gives one 0."""
    offsets: I64 = lists.offsets.to_numpy().astype(np.int64)
    return offsets - offsets[0] if len(offsets) else np.zeros(1, np.int64)


def values(lists: pa.ListArray) -> NDArray[np.int32]:
    """The values of all lists, one after the other."""
    found: NDArray[np.int32] = lists.flatten().to_numpy()
    return found
