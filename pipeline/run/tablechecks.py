"""Checks of a table's file that need no SQL: its rows are in the order of its grain, one each, and of its day.

Promises: a check reads what is on disk, batch by batch; it raises CheckFailed with the first keys that are wrong, and never repairs.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.errors import CheckFailed
from pipeline.schema import REQUESTS, Table

CHECK_ROWS = 1 << 18
"""Rows that a check of order holds in memory."""
_DAY_US = 86_400_000_000
_FEW_WORDS = frozenset({"kind"})
"""Columns of words that are read as numbers of a small dictionary."""


def check_grain(table: Table, file: Path) -> None:
    """Raise CheckFailed unless the file is sorted by the table's grain with one row each; holds one batch in memory."""
    before: pa.Table | None = None
    with pq.ParquetFile(file, read_dictionary=[name for name in table.grain if name in _FEW_WORDS]) as parquet:
        for batch in parquet.iter_batches(batch_size=CHECK_ROWS, columns=list(table.grain), use_threads=False):
            rows = pa.Table.from_batches([batch]).select(list(table.grain))
            rows = rows if before is None else pa.concat_tables([before, rows])
            wrong = np.flatnonzero(out_of_order(rows)) + 1
            if len(wrong):
                first = rows.take(pa.array(wrong[:5])).to_pylist()
                raise CheckFailed(f"{table.stage}_{table.name}__one_row_a_grain_in_order", len(wrong), tuple("/".join(map(str, row.values())) for row in first))
            before = rows.slice(len(rows) - 1)


def out_of_order(rows: pa.Table) -> NDArray[np.bool_]:
    """For each row but the first: whether it does not come after the one before it (by the columns in turn, nulls last)."""
    keys = _numbers(rows)
    if keys is None:
        return _out_of_order(pl.DataFrame(pl.from_arrow(rows)))
    after, equal = np.zeros(max(len(rows) - 1, 0), np.bool_), np.ones(max(len(rows) - 1, 0), np.bool_)
    for key in keys:
        here, last = key[1:], key[:-1]
        after |= equal & (here > last)
        equal &= here == last
    return ~after


def _numbers(rows: pa.Table) -> list[NDArray[np.int64]] | None:
    """The columns as integers of the same order; None where one has nulls or words that are not numbered."""
    if any(column.null_count for column in rows.columns):
        return None
    found = []
    for column in rows.unify_dictionaries().columns:
        if pa.types.is_dictionary(column.type):
            found.append(_ranks(column))
        elif pa.types.is_integer(column.type) or pa.types.is_date32(column.type):
            found.append((column.cast(pa.int32()) if pa.types.is_date32(column.type) else column).to_numpy())
        else:
            return None
    return found


def _ranks(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """The place of each word in the order of the words; equal words have equal places."""
    words = column.chunk(0).dictionary.to_pylist() if column.num_chunks else []
    place = {word: at for at, word in enumerate(sorted(set(words)))}
    ranks = np.array([place[word] for word in words], np.int64)
    return ranks[np.concatenate([chunk.indices.to_numpy() for chunk in column.chunks])] if len(words) else ranks


def _out_of_order(rows: pl.DataFrame) -> NDArray[np.bool_]:
    """The same for columns of any type."""
    equal, after = pl.lit(value=True), pl.lit(value=False)
    for name in rows.columns:
        here, last = pl.col(name), pl.col(name).shift(1)
        after = after | (equal & ((here > last) | (here.is_null() & last.is_not_null())).fill_null(value=False))
        equal = equal & here.eq_missing(last)
    return rows.select((~after).alias("wrong")).to_series().slice(1).to_numpy()


def check_within(requests: Path, day: date) -> None:
    """Raise CheckFailed if a day's requests hold a row of another UTC day, by the file's own statistics."""
    column = REQUESTS.column_names.index("ts_us")
    first, past = ((day - date(1970, 1, 1)).days * _DAY_US, ((day - date(1970, 1, 1)).days + 1) * _DAY_US)
    footer = pq.read_metadata(requests)
    spans = [footer.row_group(at).column(column).statistics for at in range(footer.num_row_groups)]
    wrong = sum(1 for span in spans if span is None or not span.has_min_max or span.min < first or span.max >= past)
    if footer.num_rows and wrong:
        raise CheckFailed("10_requests__within_its_day", wrong, (day.isoformat(),))
