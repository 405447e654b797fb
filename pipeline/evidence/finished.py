"""The tables of a finished run, read and never written: those of runs/<run_id>/tables and the day tables they were made of.

A table that is gone or broken is an IntegrityError that names it, never an empty answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors import InputError, IntegrityError
from pipeline.store import latest_run, read_json


class FinishedRun:
    """The run that DIR/latest points to, or another that is named. Raises InputError if there is none."""

    def __init__(self, out: Path, run_id: str = "") -> None:
        self.out, self.folder = out, out / "runs" / run_id if run_id else latest_run(out)
        if not (self.folder / "run.json").is_file():
            raise InputError(f"{out}: the run {run_id} is not kept any more.")

    def manifest(self) -> dict[str, Any]:
        """run.json."""
        return read_json(self.folder / "run.json")

    def holds(self, name: str) -> bool:
        """Whether the run has a table of this name; one made by an earlier version may lack it."""
        return name in self.manifest()["tables"]

    def table(self, name: str) -> pl.DataFrame:
        """One whole table."""
        return self.among(name, {})

    def where(self, name: str, **equals: str | int) -> pl.DataFrame:
        """The rows of a table whose columns equal these values."""
        return self.among(name, {column: [value] for column, value in equals.items()})

    def among(self, name: str, wanted: Mapping[str, Iterable[str | int]]) -> pl.DataFrame:
        """The rows of a table whose columns hold one of these values each."""
        return _filtered(self.folder / "tables" / f"{name}.parquet", wanted)

    def days_among(self, name: str, columns: Iterable[str], wanted: Mapping[str, Iterable[str | int]]) -> pl.DataFrame:
        """The same of a day table, over all days of the run in their order; a day that was dropped since gives no rows."""
        folders = (self.out / "days" / f"date={day}" for day in sorted(self.manifest()["days"]))
        found = [_filtered(folder / f"{name}.parquet", wanted, tuple(columns)) for folder in folders if folder.is_dir()]
        return pl.concat(found) if found else pl.DataFrame(schema=dict.fromkeys(columns, pl.Null))


def _filtered(path: Path, wanted: Mapping[str, Iterable[str | int]], columns: tuple[str, ...] = ()) -> pl.DataFrame:
    try:
        scan = pl.scan_parquet(path, glob=False, hive_partitioning=False)
        for column, values in wanted.items():
            some = list(values)
            scan = scan.filter(pl.col(column) == some[0] if len(some) == 1 else pl.col(column).is_in(some))
        return (scan.select(columns) if columns else scan).collect()
    except (OSError, pl.exceptions.PolarsError):
        raise IntegrityError(f"{path}: is missing or not the Parquet file that the run wrote. Run again with another --out, or restore it.") from None
