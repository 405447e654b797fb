"""Orders of rows by account and one more number: packed into one integer and sorted at once, several times as fast as a sort by two columns.

The order of a day's requests is made of it, and with it the gaps between them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

I64 = NDArray[np.int64]


def grouped_order(group: I64, value: I64) -> I64:
    """Row numbers in the order of group, then value; rows equal in both keep no particular order. Empty in, empty out.

    In: equally long arrays; groups are compared as they are, values must not be negative.
    """
    if not len(group):
        return np.zeros(0, np.int64)
    first = np.argsort(group)
    ordered, values = group[first], value[first]
    rank = np.cumsum(np.concatenate([[0], ordered[1:] != ordered[:-1]]))
    least = int(values.min())
    room = 63 - int(rank[-1]).bit_length()
    cut = max(0, (int(values.max()) - least).bit_length() - room)
    packed = (rank << room) | ((values - least) >> cut)
    order = np.argsort(packed)
    if cut:
        packed, values = packed[order], values[order]
        if ((packed[1:] == packed[:-1]) & (values[1:] < values[:-1])).any():
            return np.lexsort((value, group))
    result: I64 = first[order]
    return result


def first_of_each(values: I64) -> I64:
    """A row of each distinct value, in the order of the values; which row of equal ones is not said. Empty in, empty out."""
    order = np.argsort(values)
    ordered = values[order]
    found: I64 = order[np.concatenate([np.ones(min(1, len(values)), np.bool_), ordered[1:] != ordered[:-1]])]
    return found


def run_starts(values: NDArray[Any]) -> I64:
    """Where a value differs from the one before it, the first row among them. Empty in, empty out."""
    return np.flatnonzero(np.concatenate([np.ones(min(1, len(values)), np.bool_), values[1:] != values[:-1]]))


def changes(values: I64) -> I64:
    """The same values without those that repeat the one before: few where an account's rows follow each other, and cheaper to sort."""
    return values[run_starts(values)]


def numbered(values: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The distinct values, ascending, and each row's place among them, found run by run."""
    starts = run_starts(values)
    known, codes = np.unique(values[starts], return_inverse=True)
    return known, np.repeat(codes, np.diff(starts, append=len(values)))


def row_order(rows: pa.Table) -> I64:
    """Row numbers in the order of account_key, ts_us, request_id, source_file, source_row."""
    account, ts = rows.column("account_key").to_numpy(), rows.column("ts_us").to_numpy()
    order = grouped_order(account, ts - (ts.min() if len(ts) else 0))
    tied = (account[order][1:] == account[order][:-1]) & (ts[order][1:] == ts[order][:-1])
    if tied.any():
        at = np.flatnonzero(np.concatenate([[False], tied]) | np.concatenate([tied, [False]]))
        few = rows.select(["account_key", "ts_us", "request_id", "source_file", "source_row"]).take(pa.array(order[at]))
        again = pl.DataFrame(pl.from_arrow(few)).with_row_index("at").sort("account_key", "ts_us", "request_id", "source_file", "source_row")["at"].to_numpy()
        order[at] = order[at][again]
    return order


def gaps(kept: pa.Table) -> pa.Array:
    """Microseconds since the account's previous row; null for its first. In: all rows of some accounts, in `row_order`."""
    account, ts = kept.column("account_key").to_numpy(), kept.column("ts_us").to_numpy()
    first = np.concatenate([[True], account[1:] != account[:-1]])[: len(account)]
    return pa.array(np.diff(ts, prepend=ts[:1]), mask=first)
