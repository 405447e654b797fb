"""Which rows of a day lose to another row with the same (source_system, request_id): the latest stays, then file, then row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.measures import fingerprints as fp

I64 = NDArray[np.int64]
Pieces = Callable[[tuple[str, ...]], Iterator[pa.RecordBatch]]
_ROW_BITS = 40


def places(file: NDArray[np.int32], row: I64) -> I64:
    """One integer for where a row stood; rows of a file are fewer than 2^40."""
    packed: I64 = (file.astype(np.int64) << _ROW_BITS) | row
    return packed


def losers(pieces: Pieces) -> I64:
    """Places (see `places`), ascending, of the rows that lose. `pieces(columns)` reads the day's rows anew at each call.

    First the ids' keys alone are looked at; only rows whose key occurs twice are compared by the ids themselves.
    """
    keys = [batch.column(0).to_numpy() for batch in pieces(("id_key",))]
    ordered = np.sort(np.concatenate(keys)) if keys else np.zeros(0, np.int64)
    repeated = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(repeated):
        return np.zeros(0, np.int64)
    found = [rows for batch in pieces(("id_key", "source_system", "request_id", "ts_us", "source_file", "source_row")) if len(rows := _with_key(batch, repeated))]
    return _beaten(pl.concat(found))


def _with_key(batch: pa.RecordBatch, keys: I64) -> pl.DataFrame:
    """Rows of a batch whose id key is one of the keys."""
    own = batch.column("id_key").to_numpy()
    at = np.minimum(np.searchsorted(keys, own), len(keys) - 1)
    rows = pa.Table.from_batches([batch.filter(pa.array(keys[at] == own))])
    frame = pl.DataFrame(pl.from_arrow(rows))
    return frame.with_columns(pl.col("source_system").cast(pl.String))


def _beaten(rows: pl.DataFrame) -> I64:
    """Places of all rows but the latest of each (source_system, request_id)."""
    order = ("ts_us", "source_file", "source_row")
    ordered = rows.sort(order)
    lost = ordered.filter(~pl.struct("source_system", "request_id").is_last_distinct())
    return np.sort(places(lost["source_file"].to_numpy(), lost["source_row"].to_numpy()))


def repeats_across_days(requests: Sequence[Path]) -> int:
    """Ids (source_system and request_id together) that stand on more than one day, each counted once for every day after its first.

    In: the requests tables of days, one file a day, in any order. Such rows are kept; the count is for the manifest. Ids are compared by key, 8 bytes of memory an id.
    """
    seen = np.zeros(0, np.int64)
    repeats = 0
    for path in requests:
        own = _ids(path)
        repeats += len(np.intersect1d(seen, own, assume_unique=True))
        seen = np.union1d(seen, own)
    return repeats


def _ids(path: Path) -> I64:
    """Distinct keys of the ids in a requests table; within a day each id stands once."""
    keys = [np.zeros(0, np.int64)]
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(columns=["source_system", "request_id"], use_threads=False):
            parts = [
                np.where(np.asarray(part.is_null()), -1, fp.value_keys(fp.spans_of(part), name)) for part, name in ((batch.column(0), "id_system"), (batch.column(1), "id_request"))
            ]
            keys.append(fp.combined(parts, "id"))
    return np.unique(np.concatenate(keys))
