"""What the days of a window add up to: rows read, kept and rejected, coverage of each column, who appears.

All counts are integers summed over days, so they are equal for any order and split of the same files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.store import DayRecord, read_json


@dataclass(frozen=True)
class Window:
    """The days that are judged together."""

    days: tuple[DayRecord, ...]
    """Days with rows, in order."""
    night: date
    rows_read: int
    rows_kept: int
    coverage: dict[str, int]
    """Non-null values among kept rows, per contract column."""
    counts: dict[str, int]
    """Other integer counts of day.json, summed."""
    rejects: tuple[Path, ...]
    """Files of rejected rows: the days' own, then those that belong to no day."""

    def files(self, table: str) -> list[Path]:
        """One table's files over the window, in order of day."""
        return [day.folder / f"{table}.parquet" for day in self.days]


def read_window(records: Sequence[DayRecord], night: date, undated: Sequence[Path]) -> Window:
    """Sum up the days; undated are the files of rejected rows that belong to no day."""
    totals, coverage = Counter[str](), Counter[str]()
    for record in records:
        found: dict[str, Any] = read_json(record.folder / "day.json")
        coverage.update(found["non_null"])
        totals.update({key: value for key, value in found.items() if type(value) is int})
    lost = sum(pl.scan_parquet(path).select(pl.len()).collect().item() for path in undated)
    rejects = [record.folder / "rejects.parquet" for record in records]
    kept = totals.pop("rows_kept")
    return Window(
        tuple(records),
        night,
        totals.pop("rows_read") + lost,
        kept,
        dict(sorted(coverage.items())),
        dict(sorted(totals.items())),
        (*(path for path in rejects if path.is_file()), *undated),
    )


def window_ids(days: pl.DataFrame) -> pl.DataFrame:
    """The accounts of the window out of the days' account_ids: one row an account, with the organisation of most days (ties: smallest key)."""
    votes = days.drop_nulls("organization_key").group_by("account_key", "organization_key").len()
    ranked = votes.sort("account_key", pl.col("len"), "organization_key", descending=[False, True, False])
    chosen = ranked.unique("account_key", keep="first", maintain_order=True).drop("len")
    accounts = days.select("account_key", "account_id").unique().sort("account_key", "account_id")
    return accounts.join(chosen, on="account_key", how="left", maintain_order="left")
