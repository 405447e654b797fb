"""Tiny logs made for a test, and the scan of them."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config import load_config
from pipeline.contract import REQUEST_COLUMNS
from pipeline.ingest import Context, ingest_days, list_logs
from tests.packing import with_lists

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _column(name, value, rows, kind):
    if isinstance(value, (pa.Array, pa.ChunkedArray)):
        return value
    values = value if isinstance(value, list) else [value] * rows
    return pa.array(values, kind or REQUEST_COLUMNS[name].type)


def write_log(path, rows=1, types=None, metadata=None, **columns):
    """A Parquet file of `rows` requests; columns not named have plain values, None leaves one out."""
    plain = {"request_id": [f"r{n}" for n in range(rows)], "timestamp": NOON, "account_id": "a", "model": "m"}
    given = {name: value for name, value in {**plain, **columns}.items() if value is not None}
    table = pa.table({name: _column(name, value, rows, (types or {}).get(name)) for name, value in given.items()})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **(metadata or {}))
    return path


def scan_logs(out, logs, *, context=None, days=None, threads=1, memory_bytes=1 << 30, on_bad_file="fail"):
    listing = list_logs([str(one) for one in logs], on_bad_file=on_bad_file)
    report = ingest_days(listing.files, days, out, context or Context(), load_config().ingest, threads=threads, memory_bytes=memory_bytes, progress=lambda *_: None)

    def table(name):
        files = sorted(out.glob(f"date=*/{name}.parquet"))
        return pl.concat([pl.read_parquet(file) for file in files]) if files else pl.DataFrame()

    return SimpleNamespace(report=report, listing=listing, out=out, table=table, requests=table("requests"), samples=with_lists(table("prompt_samples")), rejects=table("rejects"))
