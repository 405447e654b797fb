"""Writing the day tables as Parquet: exactly the schema's columns and types, the same bytes for the same rows."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.schema import Table

_ARROW = {
    "BIGINT": pa.int64(), "INTEGER": pa.int32(), "VARCHAR": pa.string(), "BOOLEAN": pa.bool_(), "BIGINT[]": pa.list_(pa.int64()), "INTEGER[]": pa.list_(pa.int32()), "DATE": pa.date32(), "DOUBLE": pa.float64(),
}  # fmt: skip
_ROW_GROUP = 122_880
_RANDOM = frozenset(
    {
        "request_id",
        "source_row",
        "ts_us",
        "prompt_key",
        "prefix_key",
        "skeleton_key",
        "response_key",
        "session_key",
        "ip_key",
        "latency_us",
        "shingles",
        "tokens",
        "prefixes",
        "first_us",
    }
)
"""Columns whose values hardly repeat: no dictionary."""
_INCOMPRESSIBLE = frozenset({"prompt_key", "skeleton_key", "prefix_key", "response_key", "session_key", "shingles.list.element", "tokens.list.element", "prefixes.list.element"})
"""Columns of hashes: compressing them costs time and saves nothing."""


def arrow_schema(table: Table) -> pa.Schema:
    """The Arrow types of a table's columns."""
    return pa.schema([(column.name, _ARROW[column.type]) for column in table.columns])


class TableWriter:
    """Writes a table in parts, in the order given. A table of no part is a file of no rows."""

    def __init__(self, path: Path, table: Table) -> None:
        self._schema = arrow_schema(table)
        leaves = [f"{column.name}.list.element" if pa.types.is_list(column.type) else column.name for column in self._schema]
        self._writer = pq.ParquetWriter(
            path, self._schema, compression={leaf: "none" if leaf in _INCOMPRESSIBLE else "zstd" for leaf in leaves}, compression_level={leaf: 1 for leaf in leaves if leaf not in _INCOMPRESSIBLE},
            use_dictionary=[name for name in self._schema.names if name not in _RANDOM], write_statistics=[column.name for column in table.columns if column.name in ("account_key", "ts_us")], store_schema=False,
        )  # fmt: skip

    def write(self, rows: pa.Table) -> None:
        """Append rows that have the table's columns, in any order and in types that cast to its."""
        self._writer.write_table(pa.table([rows.column(field.name).cast(field.type) for field in self._schema], schema=self._schema), row_group_size=_ROW_GROUP)

    def __enter__(self) -> TableWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()


def write_table(path: Path, table: Table, rows: pa.Table) -> None:
    """Write a whole table at once."""
    with TableWriter(path, table) as writer:
        writer.write(rows)
