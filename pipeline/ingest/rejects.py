"""Rejected rows as a table: where each stood and why, never what it held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ingest.cleaning import REASONS
from pipeline.ingest.listing import LogFile

REJECTS = pa.schema([("source_file", pa.string()), ("source_row", pa.int64()), ("reason", pa.string())])


def rejects_table(pieces: Sequence[pa.RecordBatch], files: Sequence[LogFile], lost: Sequence[pa.Table]) -> pa.Table:
    """Rejected rows as source_file, source_row, reason, sorted by where they stood."""
    frames = [pl.DataFrame(pl.from_arrow(pa.Table.from_batches([piece]))).select("source_file", "source_row", "reason") for piece in pieces]
    code = REASONS.index("duplicate")
    frames += [pl.DataFrame(pl.from_arrow(table)).with_columns(pl.lit(code, pl.Int8).alias("reason")) for table in lost]
    if not frames:
        return REJECTS.empty_table()
    rows = pl.concat(frames).sort("source_file", "source_row")
    names, reasons = pa.array([log.name for log in files], pa.string()), pa.array(REASONS, pa.string())
    columns = [names.take(pa.array(rows["source_file"].to_numpy())), pa.array(rows["source_row"].to_numpy()), reasons.take(pa.array(rows["reason"].to_numpy()))]
    return pa.Table.from_arrays(columns, schema=REJECTS)


def write_rejects(path: Path, table: pa.Table) -> None:
    """Write a table of rejects."""
    pq.write_table(table, path, compression="zstd")
