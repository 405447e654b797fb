"""Readers of a day table's files: any columns, read side by side from one open file; more files than the process may have open at first."""

from __future__ import annotations

import resource
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.engines.duckdb import arrow_schema
from pipeline.engines.parquet import write_parquet
from pipeline.ingest.tables import TableWriter
from pipeline.run.dayreaders import open_days
from pipeline.schema import ACCOUNT_ENTITIES, ACCOUNT_IDS, PROMPT_SAMPLES
from tests.packing import as_bytes

IDS = [{"account_key": at, "account_id": f"a{at}", "organization_key": None, "columns_seen": 1} for at in range(50)]


def _written(folder: Path, number: int) -> Path:
    path = folder / f"{number}.parquet"
    write_parquet(pa.Table.from_pylist(IDS, arrow_schema(ACCOUNT_IDS)).to_batches(), path, arrow_schema(ACCOUNT_IDS))
    return path


def test_two_readings_of_one_file_do_not_disturb_each_other(tmp_path: Path) -> None:
    with ExitStack() as open_files:
        (read,) = open_days(ACCOUNT_IDS, [_written(tmp_path, 0)], open_files)
        pairs = list(zip(read(["account_key"], 7), read(["account_key", "account_id"], 7), strict=True))
    assert [batch.num_rows for batch, _ in pairs] == [7] * 7 + [1]
    assert [row for _, batch in pairs for row in batch.to_pylist()] == [{"account_key": row["account_key"], "account_id": row["account_id"]} for row in IDS]
    assert all(narrow.column(0).equals(wide.column(0)) for narrow, wide in pairs)


def test_kinds_come_as_a_dictionary(tmp_path: Path) -> None:
    rows = [{"kind": kind, "account_key": 1, "value_key": 1, "request_count": 1} for kind in ("asn", "ip")]
    write_parquet(pa.Table.from_pylist(rows, arrow_schema(ACCOUNT_ENTITIES)).to_batches(), tmp_path / "day.parquet", arrow_schema(ACCOUNT_ENTITIES))
    with ExitStack() as open_files:
        (read,) = open_days(ACCOUNT_ENTITIES, [tmp_path / "day.parquet"], open_files)
        (batch,) = read(["kind", "account_key"], 10)
    assert pa.types.is_dictionary(batch.column("kind").type)
    assert batch.column("kind").to_pylist() == ["asn", "ip"]


def test_files_of_two_writers_come_in_one_type(tmp_path: Path) -> None:
    """The scan writes samples with wide offsets and file names as a dictionary, an erasure writes them again as it reads them."""
    row = {"account_key": 1, "prompt_key": 2, "request_id": "r", "source_file": "f", "shingles": as_bytes("shingles", [3, 4]), "tokens": b"", "prefixes": as_bytes("prefixes", [5])}
    table = pa.Table.from_pylist([row], arrow_schema(PROMPT_SAMPLES))
    with TableWriter(tmp_path / "scanned.parquet", PROMPT_SAMPLES) as scanned:
        scanned.write(table.set_column(table.schema.get_field_index("source_file"), "source_file", table["source_file"].combine_chunks().dictionary_encode()))
    schema = pq.read_schema(tmp_path / "scanned.parquet")
    write_parquet(pq.read_table(tmp_path / "scanned.parquet").to_batches(), tmp_path / "erased.parquet", schema)
    names = list(PROMPT_SAMPLES.column_names)
    with ExitStack() as open_files:
        readers = open_days(PROMPT_SAMPLES, [tmp_path / "scanned.parquet", tmp_path / "erased.parquet"], open_files)
        rows = pa.Table.from_batches([batch for read in readers for batch in read(names, 10)])
    assert rows.select(list(row)).to_pylist() == [row, row]
    assert rows.schema == arrow_schema(PROMPT_SAMPLES)


def test_a_window_of_more_days_than_files_may_be_open_is_read(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    path = _written(tmp_path, 0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        with ExitStack() as open_files:
            assert len(open_days(ACCOUNT_IDS, [path] * 200, open_files)) == 200
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_day_whose_file_is_missing_is_an_error(tmp_path: Path) -> None:
    with ExitStack() as open_files, pytest.raises(FileNotFoundError):
        open_days(ACCOUNT_IDS, [tmp_path / "none.parquet"], open_files)
