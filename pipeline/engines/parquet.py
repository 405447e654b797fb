"""Writing tables as Parquet: equal bytes for equal rows, however they arrive, in encodings that are cheap to write and to read.

Promises: row groups of a fixed size; what a file holds does not depend on batches or threads. Readers find the types of schema.py in the file itself,
so no copy of the Arrow schema goes with it. Tables that have a `day` are made anew each night and only added up: their keys are written plainly, without
dictionaries, their numbers uncompressed, and they tell the range of their day alone. Of other tables a query that joins knows the ranges of every column, which
makes it twice as fast.
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
"""Integers that come again and again over many days: a dictionary. Other keys are written plainly, other integers as differences."""
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
        self._pending.append(pa.Table.from_batches([batch]).cast(_as_it_comes(self._schema, batch.schema)))
        self._held += batch.num_rows
        while self._held >= self._size:
            whole = _together(self._pending)
            self._flush(whole.slice(0, self._size))
            self._pending, self._held = [whole.slice(self._size)], self._held - self._size

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._held or not self._written:
            self._flush(_together(self._pending) if self._pending else self._schema.empty_table())
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
    return WIDE_GROUP_ROWS if any(_is_wide(field) for field in schema) else ROW_GROUP_ROWS


def in_runs(words: pa.ChunkedArray) -> pa.DictionaryArray:
    """The same words as a dictionary, in the order of their first use; costs little where equal words follow each other. Words may be a dictionary of any order."""
    whole = words.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # of no chunk or of one that it does not take apart
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], words.type)
    if pa.types.is_dictionary(whole.type) and not whole.indices.null_count:
        return _first_used(whole)
    runs = pc.run_end_encode(whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole)
    coded = runs.values.dictionary_encode()
    lengths = np.diff(runs.run_ends.to_numpy(zero_copy_only=False), prepend=0)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return pa.DictionaryArray.from_arrays(coded.indices.take(pa.array(rows)), coded.dictionary)


def _first_used(words: pa.DictionaryArray) -> pa.DictionaryArray:
    codes = words.indices.to_numpy()
    starts = np.flatnonzero(np.concatenate([np.ones(min(1, len(codes)), np.bool_), codes[1:] != codes[:-1]]))
    used = list(dict.fromkeys(codes[starts].tolist()))
    place = np.zeros(len(words.dictionary), np.int32)
    place[used] = np.arange(len(used))
    return pa.DictionaryArray.from_arrays(pa.array(place[codes]), words.dictionary.take(pa.array(used, pa.int64())))


def _as_it_comes(schema: pa.Schema, found: pa.Schema) -> pa.Schema:
    """The schema with words that come in runs left as a dictionary where they come as one."""
    kept = {name for name in _RUNS if name in found.names and pa.types.is_dictionary(found.field(name).type)}
    return pa.schema([found.field(field.name) if field.name in kept else field for field in schema])


def _together(tables: list[pa.Table]) -> pa.Table:
    """One table; dictionaries of some are the words of all."""
    types = {table.schema for table in tables}
    if len(types) > 1:  # some with a dictionary, some without
        plain = pa.schema([pa.field(field.name, field.type.value_type if pa.types.is_dictionary(field.type) else field.type) for field in tables[0].schema])
        tables = [table.cast(plain) for table in tables]
    return pa.concat_tables(tables).unify_dictionaries()


def _writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    daily = "day" in schema.names
    written = pa.schema([pa.field(field.name, pa.dictionary(pa.int32(), field.type) if field.name in _RUNS else field.type) for field in schema])
    return pq.ParquetWriter(
        path, written, version="2.6", store_schema=False,
        compression={_leaf(field): "zstd" if _is_compressed(field, daily=daily) else "none" for field in schema},
        use_dictionary=[field.name for field in schema if _is_dictionary(field, daily=daily)],
        column_encoding={field.name: "DELTA_BINARY_PACKED" for field in schema if _is_differences(field, daily=daily)},
        write_statistics=["day"] if daily else True,
    )  # fmt: skip


def _is_wide(field: pa.Field) -> bool:
    """Lists, also as bytes."""
    return bool(pa.types.is_list(field.type) or pa.types.is_binary(field.type))


def _is_differences(field: pa.Field, *, daily: bool) -> bool:
    """Counts, sums and times: differences are written at half the price of a dictionary."""
    return bool(pa.types.is_int64(field.type)) and not field.name.endswith("_key") and (daily or field.name not in _RECURRING)


def _is_dictionary(field: pa.Field, *, daily: bool) -> bool:
    """Columns worth a dictionary: all but lists, packed ones too, differences, and keys that seldom come twice."""
    if not daily and field.name in _RECURRING:
        return True
    return not (_is_wide(field) or _is_differences(field, daily=daily) or field.name.endswith("_key"))


def _is_compressed(field: pa.Field, *, daily: bool) -> bool:
    """Not lists, nor keys; nor the numbers of a day, whose differences are small already."""
    return not (_is_wide(field) or field.name in _UNCOMPRESSED or (daily and pa.types.is_int64(field.type)))


def _leaf(field: pa.Field) -> str:
    return f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name
