"""Files that a run read and keeps nothing of but their hash: the accounts table and the context folder, given once more by the analyst.

A file counts only if its SHA-256 is the one in run.json, so that what is shown beside a run is what the run saw.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from pipeline.errors import InputError, IntegrityError
from pipeline.evidence.finished import FinishedRun
from pipeline.provenance import sha256_file

if TYPE_CHECKING:
    from pipeline.ingest import Context

_TIMES = ("created_at", "status_changed_at")
_TEXTS = ("account_id", "organization_id", "status")


@dataclass(frozen=True)
class Record:
    """What the accounts table says of an account in its latest snapshot."""

    account_id: str
    organization_id: str | None
    created_at: dt.datetime | None
    status: str | None
    status_changed_at: dt.datetime | None


def account_table(run: FinishedRun, path: Path, accounts: Iterable[str] | None = None) -> dict[str, Record]:
    """Records by account, of some accounts or of all. Raises InputError for a file that cannot be read, IntegrityError for one that is not the run's."""
    _check(path, run.manifest()["recipe"]["tables"].get("accounts"), "the accounts table", "--accounts")
    frame = _read(path)
    if accounts is not None:
        frame = frame.filter(pl.col("account_id").is_in(list(accounts)))
    latest = frame.with_row_index("row").sort(["as_of", "row"], nulls_last=False).unique("account_id", keep="last", maintain_order=True)
    columns = ("account_id", "organization_id", "created_at", "status", "status_changed_at")
    return {row[0]: Record(*row) for row in latest.select(columns).iter_rows()}


def context_folder(run: FinishedRun, folder: Path) -> Context:
    """Releases, bans and the rest, as the run read them. Raises InputError, IntegrityError."""
    from pipeline.ingest import read_context  # with all that reads logs: half a cpu second

    found = read_context(folder)
    known = run.manifest()["recipe"]["context"]
    for name, sha in sorted((found.files or {}).items()):
        if known.get(name) != sha:
            why = "was no part of the run" if name not in known else "is not the file that the run read: its SHA-256 is another"
            raise IntegrityError(f"{folder / name}: {why} ({run.manifest()['run_id']}). Give the folder of that run, or run again with this one.")
    return found


def _check(path: Path, known: str | None, what: str, option: str) -> None:
    if not path.is_file():
        raise InputError(f"{path}: no such file. Check {option}.")
    if known is None:
        raise IntegrityError(f"{path}: the run was made without {what}. Run again with {option}, or leave it out here.")
    if sha256_file(path) != known:
        raise IntegrityError(f"{path}: is not {what} that the run read: its SHA-256 is another. Give that file, or run again with this one.")


def _read(path: Path) -> pl.DataFrame:
    """account_id, organization_id, status as text, created_at and status_changed_at in UTC, as_of as text; a missing column is null, what does not fit is null."""
    try:
        with path.open("rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        scan = pl.scan_parquet(path, glob=False) if is_parquet else pl.scan_csv(path, infer_schema=False, glob=False)
        kinds = scan.collect_schema()
        texts = [
            _filled(pl.col(name).cast(pl.String), is_trimmed=name != "account_id").alias(name) if name in kinds else pl.lit(None, dtype=pl.String).alias(name)
            for name in (*_TEXTS, "as_of")
        ]
        times = [_time(name, kinds).alias(name) for name in _TIMES]
        return scan.select(*texts, *times).filter(pl.col("account_id").is_not_null()).collect()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path}: not readable as the accounts table ({str(error).splitlines()[0][:120]}). Export it again.") from None


def _filled(text: pl.Expr, *, is_trimmed: bool) -> pl.Expr:
    """Text as the ingest takes it: without space around it (ids apart), empty text as null."""
    value = text.str.strip_chars() if is_trimmed else text
    return pl.when(value == "").then(None).otherwise(value)


def _time(name: str, kinds: pl.Schema) -> pl.Expr:
    if name not in kinds:
        return pl.lit(None, dtype=pl.Datetime("us", "UTC"))
    kind = kinds[name]
    if kind == pl.String:
        return pl.col(name).str.strip_chars().str.to_datetime(time_unit="us", time_zone="UTC", strict=False)
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return pl.col(name).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    return pl.col(name).cast(pl.Datetime("us"), strict=False).dt.replace_time_zone("UTC")
