"""Frames made to fit a table of schema.py: its columns, in order, of its types, sorted by its grain."""

from __future__ import annotations

import polars as pl

from pipeline.schema import Table

_TYPES: dict[str, pl.DataType] = {
    "BIGINT": pl.Int64(),
    "INTEGER": pl.Int32(),
    "DOUBLE": pl.Float64(),
    "VARCHAR": pl.String(),
    "BOOLEAN": pl.Boolean(),
    "DATE": pl.Date(),
    "TIMESTAMP": pl.Datetime("us", "UTC"),
}


def conform(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """The table's columns of a frame, cast and sorted. Integers become TIMESTAMP as microseconds since 1970. A frame without columns: no rows."""
    if not frame.columns:
        return pl.DataFrame(schema={column.name: _TYPES[column.type] for column in table.columns})
    return frame.select(pl.col(column.name).cast(_TYPES[column.type]) for column in table.columns).sort(table.grain)
