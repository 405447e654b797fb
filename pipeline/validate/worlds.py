"""Where a world's log, accounts, context and truth are, whether it may be used, and the same log with columns taken out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipeline.errors import InputError
from pipeline.validate.truth import find_truth

ALL_OF_ACCOUNTS = "accounts.*"
_ACCOUNTS = "accounts."


@dataclass(frozen=True)
class World:
    """A labelled log on disk."""

    name: str
    requests: Path
    accounts: Path | None
    context: Path | None
    truth: Path


def find_worlds(folder: Path, truth: Path | None = None) -> tuple[World, ...]:
    """The world in `folder` (it holds requests/), or one in each folder below it, by name. `truth` labels all of them. Raises InputError."""
    found = [folder] if (folder / "requests").is_dir() else sorted(path for path in folder.glob("*") if (path / "requests").is_dir())
    if not found:
        raise InputError(f"{folder}: is no world (a folder with requests/, accounts.parquet and truth.parquet) and holds none. Check --worlds.")
    return tuple(world_at(path, truth) for path in found)


def world_at(folder: Path, truth: Path | None = None) -> World:
    """The world in a folder. Raises InputError if its truth is missing or its text was left out."""
    _refuse_cheap_text(folder)
    accounts = next((path for path in (folder / "accounts.parquet", folder / "accounts.csv") if path.is_file()), None)
    context = folder / "context" if (folder / "context").is_dir() else None
    return World(folder.resolve().name, folder / "requests", accounts, context, truth or find_truth(folder))


def _refuse_cheap_text(folder: Path) -> None:
    path = folder / "scenario.json"
    if not path.is_file():
        return
    try:
        facts = json.loads(path.read_bytes())
    except ValueError:
        raise InputError(f"{path}: is not JSON. Make the world again.") from None
    if isinstance(facts, dict) and facts.get("text") == "cheap":
        raise InputError(f"{folder}: was simulated with --text cheap, whose prompts say nothing: error rates measured on it would be wrong. Simulate it again without that option.")


def without(world: World, drops: Iterable[str], folder: Path) -> World:
    """The same world without these columns (`accounts.NAME` for the accounts table, `accounts.*` for all of it). What has to be rewritten is put below `folder`; a log that
    holds none of the columns is used where it is, so that its day tables serve again.
    """
    names = set(drops)
    requests, records = {name for name in names if not name.startswith(_ACCOUNTS)}, {name.removeprefix(_ACCOUNTS) for name in names if name.startswith(_ACCOUNTS)}
    accounts = None if ALL_OF_ACCOUNTS in names else world.accounts and _records_without(world.accounts, records, folder)
    return World(world.name, _requests_without(world.requests, requests, folder / "requests"), accounts, world.context, world.truth)


def _requests_without(source: Path, drops: set[str], target: Path) -> Path:
    files = sorted(source.rglob("*.parquet"))
    if not any(drops & set(pq.read_schema(path).names) for path in files):
        return source
    for path in files:
        with pq.ParquetFile(path) as file:
            kept = [name for name in file.schema_arrow.names if name not in drops]
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            with pq.ParquetWriter(
                copy, file.read_row_group(0, columns=kept).schema if file.num_row_groups else file.schema_arrow, compression="zstd", compression_level=1
            ) as writer:
                for number in range(file.num_row_groups):
                    writer.write_table(file.read_row_group(number, columns=kept))
    return target


def _records_without(source: Path, drops: set[str], folder: Path) -> Path:
    is_csv = source.suffix.lower() == ".csv"
    frame = pl.read_csv(source, infer_schema=False) if is_csv else pl.read_parquet(source, glob=False, hive_partitioning=False)
    if not drops & set(frame.columns):
        return source
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / source.name
    kept = frame.drop(*drops & set(frame.columns))
    if is_csv:
        kept.write_csv(target)
    else:
        kept.write_parquet(target)
    return target
