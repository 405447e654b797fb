"""Give networks their lasting ids, lay a finished run out as a folder, and let the store put it in place as one.

runs/<run_id>/  run.json  index.html  networks/<network_id>.html  rejects.parquet  tables/*.parquet
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.config import Config
from pipeline.history import Past
from pipeline.pages import build_pages
from pipeline.provenance import sha256_file
from pipeline.run.execute import Bench, describe, write_frame
from pipeline.run.options import Progress
from pipeline.stages import PUBLISHED, TABLES
from pipeline.store import write_json

ID_COLUMNS = ("network_id",)


def carry_ids(frame: pl.DataFrame, ids: Mapping[str, str]) -> pl.DataFrame:
    """The frame with every provisional id in `network_id` replaced by the lasting one; other values stay."""
    here = [name for name in ID_COLUMNS if name in frame.columns]
    return frame.with_columns(pl.col(name).replace(ids) for name in here)


def lay_out(bench: Bench, ids: Mapping[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    """Write the published tables below folder/tables with lasting ids; rows and hash of each by name."""
    (folder / "tables").mkdir(parents=True)
    written = {}
    for name in PUBLISHED:
        path = folder / "tables" / f"{name}.parquet"
        if any(column in TABLES[name].column_names for column in ID_COLUMNS) or len(bench.tables.get(name, ())) != 1:
            write_frame(carry_ids(bench.frame(name), ids), TABLES[name], path)
        else:
            os.link(bench.tables[name][0], path)
        written[name] = describe(path)
    return written


def write_rejects(paths: Sequence[Path], target: Path) -> dict[str, int]:
    """Put all rejected rows of the run into one file, by source_file and source_row; count them by reason."""
    columns = (pl.col("source_file").cast(pl.String), pl.col("source_row").cast(pl.Int64), pl.col("reason").cast(pl.String))
    none = pl.DataFrame({"source_file": [], "source_row": [], "reason": []}).select(columns)
    rejects = pl.concat([none, *(pl.read_parquet(path).select(columns) for path in paths)]).sort("source_file", "source_row", "reason")
    rejects.write_parquet(target, compression="zstd", row_group_size=122_880)
    counts = rejects.group_by("reason").len().sort("reason")
    return {str(reason): int(count) for reason, count in counts.rows()}


def count_tiers(folder: Path) -> dict[str, int]:
    """Networks by tier."""
    counts = pl.read_parquet(folder / "tables" / "networks.parquet", columns=["tier"]).group_by("tier").len()
    return {str(tier): int(count) for tier, count in sorted(counts.rows())}


def write_pages(bench: Bench, folder: Path, manifest: Mapping[str, Any], config: Config, past: Past, progress: Progress) -> None:
    """Write index.html and the page of each network out of the published tables."""
    frames = {name: pl.read_parquet(folder / "tables" / f"{name}.parquet") for name in PUBLISHED}
    named = bench.frame("account_records").select("account_key", "account_id")
    concerned = pl.concat([frames["members"]["account_id"], frames["controls"]["account_id"]]).unique()
    days = _days_of(bench.tables["account_days"], named.filter(pl.col("account_id").is_in(concerned.implode())))
    (folder / "networks").mkdir()
    total = frames["networks"].filter(pl.col("account_count") >= config.networks.min_accounts).height + 1
    for done, (name, page) in enumerate(build_pages({**frames, "account_days": days}, manifest, config, past=past)):
        progress("pages", done, total)
        (folder / name).write_bytes(page)
    progress("pages", total, total)


def _days_of(files: Sequence[Path], accounts: pl.DataFrame) -> pl.DataFrame:
    """account_days of the accounts that pages show, file by file: the window's whole table need not fit in memory."""
    parts = [pl.read_parquet(path, hive_partitioning=False, glob=False).join(accounts, on="account_key") for path in files]
    return pl.concat(parts).sort("day", "account_id")


def write_manifest(folder: Path, manifest: dict[str, Any], measured: dict[str, Any]) -> dict[str, Any]:
    """Write run.json with the hash of every page; gives what was written."""
    pages = {path.relative_to(folder).as_posix(): sha256_file(path) for path in sorted(folder.rglob("*.html"))}
    whole = {**manifest, "pages": pages, "measured": measured}
    write_json(folder / "run.json", whole)
    return whole


def fresh_folder(path: Path) -> Path:
    """An empty folder at path; what an earlier attempt left there is removed."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path
