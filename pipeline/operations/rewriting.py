"""The files of days and runs without one account: tables filtered row by row, manifests told, pages made again.

Each folder is rebuilt beside its place and moved there as one. The counts that a day or a run states of itself stay what they were when it was made: they
say how many rows were read, not whose.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.config import recorded_config
from pipeline.engines.parquet import write_parquet
from pipeline.errors import ConfigError
from pipeline.history import read_past
from pipeline.pages import build_pages
from pipeline.provenance import sha256_file
from pipeline.store import Store, read_json, write_json

_OF_ROW = ("account_id", "account_key", "account_a", "account_b")
"""Columns that say whose a row is: the row goes."""
_BESIDE = {"strongest_account_id": ("strongest_account_id", "strongest_bits", "strongest_kind")}
"""Columns of another's row that name an account: they become empty."""


@dataclass(frozen=True)
class Account:
    """Who is erased: the id, its key, and the places of its requests in the logs, which evidence rows name."""

    account_id: str
    key: int | None
    places: frozenset[tuple[str, int]] = field(default_factory=frozenset)


def rows_of(path: Path, account: Account) -> int:
    """Rows of a table that are the account's or name it."""
    return sum(int(pc.sum(_touched(batch, account)).as_py() or 0) for batch in _batches(path))


def places_in(path: Path, key: int) -> set[tuple[str, int]]:
    """(source_file, source_row) of the account's requests in a table of requests."""
    frame = pl.scan_parquet(path, glob=False, hive_partitioning=False).filter(pl.col("account_key") == key).select("source_file", "source_row").collect()
    return {(str(name), int(row)) for name, row in frame.iter_rows()}


def rewrite_day(store: Store, day: date, tables: Iterable[str], account: Account) -> None:
    """Replace a day by itself without the account's rows; what made it stays recorded, so it is not read again."""
    record = store.day_record(day)
    if record is None:
        return
    fresh = _copy_beside(store, record.folder)
    for name in tables:
        _rewrite(record.folder / f"{name}.parquet", fresh / f"{name}.parquet", account)
    rows = {name: int(pq.read_metadata(fresh / f"{name}.parquet").num_rows) for name in record.tables}
    store.keep_day(fresh, day, record.key, record.files, rows)


def rewrite_run(store: Store, run_id: str, tables: Iterable[str], account: Account) -> tuple[str, ...]:
    """Replace a run by itself without the account's rows, with pages made again; gives pages that could not be made again and were dropped for naming it."""
    folder = store.run_folder(run_id)
    fresh = _copy_beside(store, folder)
    for name in tables:
        _rewrite(folder / "tables" / f"{name}.parquet", fresh / "tables" / f"{name}.parquet", account)
    manifest = read_json(fresh / "run.json")
    for name in tables:
        path = fresh / "tables" / f"{name}.parquet"
        manifest["tables"][name] = {"rows": int(pq.read_metadata(path).num_rows), "sha256": sha256_file(path)}
    manifest["erasures"] = manifest.get("erasures", 0) + 1
    dropped = _pages_again(store, fresh, manifest, account)
    manifest["pages"] = {path.relative_to(fresh).as_posix(): sha256_file(path) for path in sorted(fresh.rglob("*.html"))}
    write_json(fresh / "run.json", manifest)
    store.replace_folder(fresh, folder)
    return dropped


def _pages_again(store: Store, folder: Path, manifest: dict[str, Any], account: Account) -> tuple[str, ...]:
    try:
        config = recorded_config(manifest["config"], f"run {manifest['run_id']}")
    except (ConfigError, KeyError, TypeError):  # of a version whose settings were others: its pages cannot be made again
        naming = [path for path in _pages_in(folder) if account.account_id in path.read_text(encoding="utf-8")]
        for path in naming:
            path.unlink()
        return tuple(path.relative_to(folder).as_posix() for path in naming)
    frames = {path.stem: pl.read_parquet(path, glob=False, hive_partitioning=False) for path in sorted((folder / "tables").glob("*.parquet"))}
    past = read_past(store, date.fromisoformat(manifest["night"]))
    for path in _pages_in(folder):  # one page of members less may be needed
        path.unlink()
    for name, page in build_pages({**frames, "account_days": _account_days(store, frames, manifest)}, manifest, config, past=past):
        (folder / name).write_bytes(page)
    return ()


def _pages_in(folder: Path) -> list[Path]:
    """The pages of a run, and the lists of members beside them."""
    return sorted([*folder.rglob("*.html"), *folder.glob("networks/*.csv")])


def _account_days(store: Store, frames: dict[str, pl.DataFrame], manifest: dict[str, Any]) -> pl.DataFrame:
    """account_days of the accounts that pages show, out of the days that are still kept."""
    shown = pl.concat([frames["members"]["account_id"], frames["controls"]["account_id"]]).unique()
    named = frames["accounts"].select("account_key", "account_id").filter(pl.col("account_id").is_in(shown.implode()))
    folders = [store.day_folder(date.fromisoformat(day)) for day in sorted(manifest["days"])]
    files = [path for folder in folders if (path := folder / "account_days.parquet").is_file()]
    parts = [pl.read_parquet(path, hive_partitioning=False, glob=False).join(named, on="account_key") for path in files]
    return pl.concat(parts).sort("day", "account_id") if parts else pl.DataFrame(schema={"day": pl.Date, "account_id": pl.String})


def _copy_beside(store: Store, folder: Path) -> Path:
    fresh = store.scratch / f"erase-{folder.name}"
    shutil.rmtree(fresh, ignore_errors=True)
    store.scratch.mkdir(exist_ok=True)
    shutil.copytree(folder, fresh)
    return fresh


def _rewrite(source: Path, target: Path, account: Account) -> None:
    schema = pq.read_schema(source)
    write_parquet((_without(batch, account) for batch in _batches(source)), target, schema)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path, pre_buffer=False) as file:
        yield from file.iter_batches(use_threads=False)


def _without(batch: pa.RecordBatch, account: Account) -> pa.RecordBatch:
    kept = batch.filter(pc.invert(_own(batch, account)))
    for name, columns in _BESIDE.items():
        if name in kept.schema.names:
            named = pc.fill_null(pc.equal(kept.column(name), account.account_id), fill_value=False)
            for column in columns:
                at = kept.schema.get_field_index(column)
                kept = kept.set_column(at, kept.schema.field(at), pc.if_else(named, pa.scalar(None, kept.schema.field(at).type), kept.column(at)))
    return kept


def _touched(batch: pa.RecordBatch, account: Account) -> pa.BooleanArray:
    touched = _own(batch, account)
    for name in _BESIDE:
        if name in batch.schema.names:
            touched = pc.or_(touched, pc.fill_null(pc.equal(batch.column(name), account.account_id), fill_value=False))
    return touched


def _own(batch: pa.RecordBatch, account: Account) -> pa.BooleanArray:
    """Which rows are the account's."""
    own = pa.array([False] * batch.num_rows, pa.bool_())
    for name in _OF_ROW:
        if name in batch.schema.names:
            value = account.account_id if pa.types.is_string(batch.schema.field(name).type) else account.key
            if value is not None:
                own = pc.or_(own, pc.fill_null(pc.equal(batch.column(name), value), fill_value=False))
    if account.places and "account_key" not in batch.schema.names and {"source_file", "source_row"} <= set(batch.schema.names):
        files, rows = batch.column("source_file").to_pylist(), batch.column("source_row").to_pylist()
        own = pc.or_(own, pa.array([place in account.places for place in zip(files, rows, strict=True)], pa.bool_()))
    return own
