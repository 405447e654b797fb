"""Writing the day tables as Parquet: exactly the schema's columns and types, the same bytes for the same rows.

Speed decides the encodings: keys are written as they are (hardly anything compresses them), columns of few values as dictionaries, amounts as differences, words
with LZ4.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.schema import Table

_ARROW = {
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "VARCHAR": pa.string(),
    "BOOLEAN": pa.bool_(),
    "BINARY": pa.large_binary(),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
}
_ROW_GROUP = 122_880
_FEW = frozenset(
    "source_file source_system model operation finish_reason policy_action ip_category country kind agent_key agent_product_key ja4_key stack_key headers_key tools_key "
    "max_tokens temperature_milli top_p_milli choice_count status_code reasoning_tokens system_chars prompt_source".split()
)
"""Columns of few distinct values: dictionaries."""
_COUNTED = frozenset(
    "ts_us gap_us latency_us source_row asn input_tokens output_tokens cache_read_tokens cost_micro_usd prompt_chars prompt_words message_count first_us request_count "
    "max_message_count shingle_count".split()
)
"""Times and amounts: differences are written and read faster than dictionaries, and take less room than compressed numbers."""
_WORDS = frozenset({"label", "account_id"})
"""Texts that compress well; hashes and ids of requests do not."""
_RANGED = frozenset({"account_key", "ts_us"})
"""Columns by which a reader may skip row groups: statistics."""


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow types of a table's columns."""
    return pa.schema([(column.name, _ARROW[column.type]) for column in table.columns])


class TableWriter:
    """Writes a table in parts, in the order given. A table of no part is a file of no rows."""

    def __init__(self, path: Path, table: Table) -> None:
        self._path, self._schema, self._writer = path, arrow_schema(table), None

    def write(self, rows: pa.Table) -> None:
        """Append rows that have the table's columns, in any order and in types that cast to its; text columns may be dictionaries."""
        columns = [rows.column(field.name) for field in self._schema]
        columns = [column if _is_label(column.type, field.type) else column.cast(field.type) for column, field in zip(columns, self._schema, strict=True)]
        table = pa.table(columns, names=self._schema.names)
        self._open(table.schema).write_table(table, row_group_size=_ROW_GROUP)

    def _open(self, schema: pa.Schema) -> pq.ParquetWriter:
        if self._writer is None:
            named = {columns: [name for name in schema.names if name in columns] for columns in (_FEW, _COUNTED, _WORDS, _RANGED)}
            self._writer = pq.ParquetWriter(
                self._path, schema, store_schema=False, use_dictionary=named[_FEW], column_encoding=dict.fromkeys(named[_COUNTED], "DELTA_BINARY_PACKED"),
                compression={field.name: "lz4" if field.name in _WORDS else "none" for field in schema}, write_statistics=named[_RANGED],
            )  # fmt: skip
        return self._writer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open(self._schema).close()


def _is_label(found: pa.DataType, wanted: pa.DataType) -> bool:
    return bool(pa.types.is_dictionary(found) and found.value_type == wanted)


def write_table(path: Path, table: Table, rows: pa.Table) -> None:
    """Write a whole table at once."""
    with TableWriter(path, table) as writer:
        writer.write(rows)
