"""Some rows of Arrow columns in any order, lists run by run: Arrow itself takes list elements one at a time.

Promises: the values of Arrow's own take, nulls and slices included; lists without nulls come with narrow offsets, whatever those of the column.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.measures import fingerprints as fp

I64 = NDArray[np.int64]


def lists_of(ends: I64, values: pa.Array) -> pa.ListArray:
    """Lists that follow each other in `values`; `ends` begins with 0. One 0 gives no list."""
    return pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), values)


def taken(column: pa.Array, at: I64) -> pa.Array:
    """The values at some places, in their order. No places give an empty array."""
    if not _is_list(column.type) or column.null_count:
        return column.take(pa.array(at))
    offsets = column.offsets.to_numpy()
    starts, ends = offsets[:-1][at].astype(np.int64), offsets[1:][at].astype(np.int64)
    return lists_of(np.concatenate([[0], np.cumsum(ends - starts)]), pa.array(fp.runs(column.values.to_numpy(), starts, ends)))


def taken_of_chunks(column: pa.ChunkedArray, at: I64) -> pa.Array:
    """The same of a column in chunks. Of lists only the chosen ones are put together: the others may be many and wide."""
    if not _is_list(column.type) or column.num_chunks < 2 or column.null_count:
        return taken(whole(column), at)
    order, first = np.argsort(at), np.cumsum([0, *map(len, column.chunks)])
    cuts = np.searchsorted(at[order], first)
    chosen = [taken(chunk, at[order[cuts[number] : cuts[number + 1]]] - first[number]) for number, chunk in enumerate(column.chunks)]
    places = np.empty_like(order)
    places[order] = np.arange(len(order))
    return taken(pa.concat_arrays(chosen), places)


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
