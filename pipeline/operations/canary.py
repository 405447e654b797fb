"""Canaries: networks that are known to be there, laid beside the log of tonight to see whether the detector still finds them.

The simulator's campaigns (without its innocents) are laid beside the real log, over the same days and with no column that the real log lacks. Both are judged together
in a folder of its own, DIR/.canary, which is removed at the end; nothing of it reaches a day, a run or a table. Only the outcome is kept: DIR/canaries/D.json.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

from pipeline import __version__
from pipeline.contract import ACCOUNT_COLUMNS, REQUEST_COLUMNS
from pipeline.errors import InputError, LockHeld
from pipeline.history.canaries import FOLDER, SCHEMA
from pipeline.ingest import list_logs
from pipeline.run import RunOptions, RunOutcome, run_night
from pipeline.run.options import Progress
from pipeline.store import storage_errors, write_json

FOUND_OVERLAP = 0.5
PREFIX = "canary-"
WORK = ".canary"


@contextlib.contextmanager
def canary_folder(root: Path) -> Iterator[Path]:
    """DIR/.canary, empty, for one canary run at a time; removed at the end, and what a killed one left at the start. Raises LockHeld, StorageError."""
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        handle = os.open(root / ".canary.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeld(f"{root}: another canary run is at work here. Wait for it.") from None
        with _emptied(root / WORK) as folder:
            yield folder
    finally:
        os.close(handle)


@contextlib.contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def judge_canaries(options: RunOptions, world: Path, folder: Path, seed: int, progress: Progress) -> dict[str, Any]:
    """Judge the real log of `options` with the campaigns of a simulated world of the same days beside it; gives the record that `keep` writes.

    `options.night` names the night and `options.config` its window; `folder` is a scratch folder. Raises what a run raises.
    """
    if options.night is None:
        raise InputError("a canary run needs a night: --night DAY.")
    truth = pl.read_parquet(world / "truth.parquet").filter(pl.col("malicious") & pl.col("active"))
    columns = _carried(options)
    planted = _plant(world / "requests", truth["account_id"], columns, folder / "planted")
    accounts = _with_accounts(options.accounts, world / "accounts.parquet", truth["account_id"], folder) if options.accounts else None
    judged = dataclasses.replace(options, logs=(*options.logs, str(planted)), accounts=accounts, apart=options.not_logs, out=folder / "out", pages=False)
    outcome = run_night(judged, progress)
    return {"schema": SCHEMA, "night": options.night.isoformat(), "seed": seed, "version": __version__, "run_id": outcome.run_id, "canaries": outcomes(truth, outcome)}


def keep(root: Path, record: dict[str, Any]) -> Path:
    """Put the record at DIR/canaries/D.json, in the place of an earlier one of that night; gives the file."""
    with storage_errors(root):
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        path = root / FOLDER / f"{record['night']}.json"
        write_json(path, record)
    return path


def outcomes(truth: pl.DataFrame, outcome: RunOutcome) -> list[dict[str, Any]]:
    """What came of each campaign: its accounts, how many of them the network with most of them holds, that network's tier, and whether it is found."""
    tables = outcome.folder / "tables"
    members = pl.read_parquet(tables / "members.parquet", columns=["account_id", "network_id"], glob=False, hive_partitioning=False)
    tiers = dict(pl.read_parquet(tables / "networks.parquet", columns=["network_id", "tier"], glob=False, hive_partitioning=False).iter_rows())
    networks = {str(key[0]): set(part["account_id"]) for key, part in members.partition_by("network_id", as_dict=True).items()}
    return [_outcome(str(key[0]), {PREFIX + name for name in part["account_id"]}, networks, tiers) for key, part in sorted(truth.partition_by("truth", as_dict=True).items())]


def _outcome(name: str, accounts: set[str], networks: dict[str, set[str]], tiers: dict[str, str]) -> dict[str, Any]:
    best = max(sorted(networks), key=lambda network: len(networks[network] & accounts), default="")
    shared = len(networks.get(best, set()) & accounts)
    overlap = shared / len(networks[best] | accounts) if shared else 0.0
    tier = tiers[best] if shared else ""
    is_found = tier == "refer" and overlap >= FOUND_OVERLAP
    return {"name": name.removeprefix("campaign:"), "account_count": len(accounts), "found_count": shared, "tier": tier, "overlap": round(overlap, 6), "is_found": is_found}


def _carried(options: RunOptions) -> frozenset[str]:
    """Columns of the contract that at least one file of the real log carries a value in."""
    files = list_logs(options.logs, on_bad_file=options.on_bad_file, apart=options.not_logs).files
    return frozenset(column for file in files for column, count in file.footer_non_null.items() if count != 0 and column in REQUEST_COLUMNS)


def _plant(requests: Path, accounts: pl.Series, columns: frozenset[str], target: Path) -> Path:
    """The campaigns' requests, without columns that the real log lacks, under ids that no real account or request has."""
    for source in sorted(requests.rglob("*.parquet")):
        frame = pl.read_parquet(source, glob=False, hive_partitioning=False).filter(pl.col("account_id").is_in(accounts.implode()))
        kept = frame.select(name for name in frame.columns if name in columns)
        named = kept.with_columns((pl.lit(PREFIX) + pl.col(name)).alias(name) for name in ("account_id", "request_id") if name in kept.columns)
        path = target / source.relative_to(requests)
        path.parent.mkdir(parents=True)
        pq.write_table(named.to_arrow(compat_level=pl.CompatLevel.oldest()), path)
    return target


def _with_accounts(real: Path, planted: Path, accounts: pl.Series, folder: Path) -> Path:
    """The real accounts table with the campaigns' accounts below it, in the real one's columns and types."""
    is_csv = real.suffix.lower() == ".csv"
    try:
        theirs = pl.read_csv(real, infer_schema=False) if is_csv else pl.read_parquet(real, glob=False, hive_partitioning=False)
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(f"{real}: is not an accounts table that can be read. Check --accounts.") from None
    ours = pl.read_parquet(planted, glob=False, hive_partitioning=False).filter(pl.col("account_id").is_in(accounts.implode()))
    ours = ours.with_columns((pl.lit(PREFIX) + pl.col("account_id")).alias("account_id")).select(
        name for name in ours.columns if name in theirs.columns and name in ACCOUNT_COLUMNS
    )
    fitted = ours.with_columns(_fitted(ours.schema[name], theirs.schema[name], name) for name in ours.columns)
    whole, target = pl.concat([theirs, fitted], how="diagonal"), folder / f"accounts{real.suffix.lower()}"
    if is_csv:
        whole.write_csv(target)
    else:
        whole.write_parquet(target)
    return target


def _fitted(own: pl.DataType, wanted: pl.DataType, name: str) -> pl.Expr:
    """A column in the type that the real table has; what does not fit is empty."""
    if wanted == pl.String and isinstance(own, pl.Datetime):
        return pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.f%:z" if own.time_zone else "%Y-%m-%dT%H:%M:%S%.f")
    if isinstance(wanted, pl.Datetime) and isinstance(own, pl.Datetime):
        zoned = pl.col(name).dt.convert_time_zone("UTC") if own.time_zone else pl.col(name).dt.replace_time_zone("UTC")
        return (zoned.dt.convert_time_zone(wanted.time_zone) if wanted.time_zone else zoned.dt.replace_time_zone(None)).dt.cast_time_unit(wanted.time_unit)
    return pl.col(name).cast(wanted, strict=False)


def world_days(night: date, window_days: int, first_real: date | None) -> tuple[date, int]:
    """First day and number of days of the planted world: the window, but no earlier than the real log."""
    first = date.fromordinal(night.toordinal() - window_days + 1)
    start = max(first, first_real) if first_real and first_real <= night else first
    return start, (night - start).days + 1


def first_day(options: RunOptions) -> date | None:
    """The first UTC day of the real log, by its footers; None if they do not say."""
    firsts = [file.first_us for file in list_logs(options.logs, on_bad_file=options.on_bad_file, apart=options.not_logs).files]
    known = [first for first in firsts if first is not None]
    return date.fromordinal(date(1970, 1, 1).toordinal() + min(known) // 86_400_000_000) if known and len(known) == len(firsts) else None
