"""Lists of integers as bytes: number after number, the lowest byte of each first, in a binary column. A list column is written and read element by element, a binary
column row by row; between the two lies only another way of counting.

Promises: what `unpacked` makes of `packed` runs is these runs; neither copies a number; nulls and slices are what they were.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.schema import WINDOW_SAMPLES

I64 = NDArray[np.int64]
_ITEMS = {"INTEGER[]": pa.int32(), "BIGINT[]": pa.int64()}
SAMPLE_LISTS = {column.name: _ITEMS[column.type] for column in WINDOW_SAMPLES.columns if column.type in _ITEMS}
"""The lists of a sampled prompt and the type of their numbers: packed in prompt_samples, lists in window_samples."""


def packed(ends: I64, values: NDArray[Any]) -> pa.LargeBinaryArray:
    """Lists that follow each other in `values`, which are integers of this machine; `ends` begins with 0. One 0 gives no list."""
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends) - 1, [None, pa.py_buffer(ends.astype(np.int64) * values.itemsize), pa.py_buffer(values)])


def unpacked(column: pa.Array, item: pa.DataType) -> pa.ListArray:
    """Lists of `item` out of a binary column (any width of offsets) of fewer than 2^31 numbers. Empty in, empty out."""
    width = item.bit_width // 8
    _, offsets, data = column.buffers()
    kind = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    ends = np.frombuffer(offsets, kind, len(column) + 1, column.offset * np.dtype(kind).itemsize) if len(column) else np.zeros(1, kind)
    values = pa.Array.from_buffers(item, data.size // width if data else 0, [None, data])
    return pa.ListArray.from_arrays(pa.array((ends // width).astype(np.int32)), values, mask=column.is_null() if column.null_count else None)


def taken(column: pa.ChunkedArray, at: I64) -> pa.Array:
    """The values at some places, all of them in the column, in their order: put together first, because chunk by chunk a row costs several times as much."""
    return pc.take(whole(column), pa.array(at), boundscheck=False)


def whole(column: pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    if column.num_chunks == 1:
        return column.chunk(0)
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
