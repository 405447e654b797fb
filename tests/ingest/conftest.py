"""Tiny logs made for a test, and the scan of them, as fixtures."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.contract import ACCOUNT_COLUMNS
from tests.ingest.scanning import scan_logs, write_log


@pytest.fixture
def log(tmp_path):
    """Write a log below tmp_path/logs; gives its path."""
    return lambda name, **options: write_log(tmp_path / "logs" / name, **options)


@pytest.fixture
def scan(tmp_path):
    """Ingest logs (default: all of tmp_path/logs) into a fresh folder."""
    made = iter(range(1000))
    return lambda *logs, **options: scan_logs(tmp_path / f"out{next(made)}", logs or [tmp_path / "logs"], **options)


@pytest.fixture
def accounts_file(tmp_path):
    """Write an accounts table as Parquet; gives its path."""

    def write(name="accounts.parquet", types=None, **columns):
        table = pa.table(
            {key: values if isinstance(values, pa.Array) else pa.array(values, (types or {}).get(key) or ACCOUNT_COLUMNS[key].type) for key, values in columns.items()}
        )
        pq.write_table(table, tmp_path / name)
        return tmp_path / name

    return write
