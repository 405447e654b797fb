"""Writing tables as Parquet: equal bytes for equal rows, however they arrive, in encodings that are cheap to write and to read.

Promises: row groups of a fixed size; what a file holds does not depend on batches or threads. Readers find the types of schema.py in the file itself,
so no copy of the Arrow schema goes with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 122_880
WIDE_GROUP_ROWS = 16_384
_RECURRING = frozenset("account_key value_key request_count temperature_milli temperature_milli_squared cache_read_tokens message_count".split())
"""Integers that come again and again: a dictionary. Other keys are written plainly, other integers as differences."""
_RUNS = frozenset({"kind"})
"""Words that come in long runs, because tables are sorted by them: turned into a dictionary run by run, not row by row."""
_UNCOMPRESSED = frozenset({"account_key", "value_key"})
"""Dictionaries of fingerprints, which nothing compresses."""


class GroupWriter:
    """Writes batches as Parquet in row groups of a fixed size, so that bytes do not depend on how they arrive."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema, self._size = schema, group_rows(schema)
        self._writer = _writer(path, schema)
        self._pending: list[pa.Table] = []
        self._held = self._written = 0

    def __enter__(self) -> Self:
        return self

    def write(self, batch: pa.RecordBatch) -> None:
        """Append rows."""
        self._pending.append(pa.Table.from_batches([batch]).cast(self._schema))
        self._held += batch.num_rows
        while self._held >= self._size:
            whole = pa.concat_tables(self._pending)
            self._flush(whole.slice(0, self._size))
            self._pending, self._held = [whole.slice(self._size)], self._held - self._size

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._held or not self._written:
            self._flush(pa.concat_tables([*self._pending, self._schema.empty_table()]))
        self._writer.close()

    def _flush(self, rows: pa.Table) -> None:
        whole = rows.combine_chunks()
        for at, name in enumerate(whole.column_names):
            if name in _RUNS:
                whole = whole.set_column(at, name, in_runs(whole.column(at)))
        self._writer.write_table(whole, row_group_size=self._size)
        self._written += rows.num_rows


def write_parquet(batches: Iterable[pa.RecordBatch], path: Path, schema: pa.Schema) -> int:
    """Write batches as one file (see GroupWriter); returns the rows."""
    rows = 0
    with GroupWriter(path, schema) as writer:
        for batch in batches:
            writer.write(batch)
            rows += batch.num_rows
    return rows


def group_rows(schema: pa.Schema) -> int:
    """Rows of a row group: fewer where lists make rows wide, because a group is held in memory while it is filled."""
    return WIDE_GROUP_ROWS if any(pa.types.is_list(field.type) for field in schema) else ROW_GROUP_ROWS


def in_runs(words: pa.ChunkedArray) -> pa.DictionaryArray:
    """The same words as a dictionary, in the order of their first use; costs little where equal words follow each other."""
    whole = words.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # of no chunk or of one that it does not take apart
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], words.type)
    runs = pc.run_end_encode(whole)
    coded = runs.values.dictionary_encode()
    lengths = np.diff(runs.run_ends.to_numpy(zero_copy_only=False), prepend=0)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return pa.DictionaryArray.from_arrays(coded.indices.take(pa.array(rows)), coded.dictionary)


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    written = pa.schema([pa.field(field.name, pa.dictionary(pa.int32(), field.type) if field.name in _RUNS else field.type) for field in schema])
    return pq.ParquetWriter(
        path, written, version="2.6", store_schema=False,
        compression={_leaf(field): "none" if pa.types.is_list(field.type) or field.name in _UNCOMPRESSED else "zstd" for field in schema},
        use_dictionary=[field.name for field in schema if _is_dictionary(field)],
        column_encoding={field.name: "DELTA_BINARY_PACKED" for field in schema if _is_differences(field)},
        write_statistics=_statistics(schema),
    )  # fmt: skip


def _statistics(schema: pa.Schema) -> bool | list[str]:
    """Of every column, for a query over tables joins twice as fast where it knows their ranges; a day's tables are only added up, and tell their day alone."""
    return ["day"] if "day" in schema.names else True


def _is_differences(field: pa.Field) -> bool:
    """Counts, sums and times: differences are written at half the price of a dictionary."""
    return bool(pa.types.is_int64(field.type)) and field.name not in _RECURRING and not field.name.endswith("_key")


def _is_dictionary(field: pa.Field) -> bool:
    """Columns worth a dictionary: all but lists, differences, and keys that seldom come twice."""
    return field.name in _RECURRING or not (pa.types.is_list(field.type) or _is_differences(field) or field.name.endswith("_key"))


def _leaf(field: pa.Field) -> str:
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
