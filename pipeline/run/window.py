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
import pyarrow.parquet as pq

from pipeline.store import DayRecord, read_json


@dataclass(frozen=True)
class Window:
    """The days that are judged together."""

    days: tuple[DayRecord, ...]
    """Days with rows, in order."""
    night: date
    rows_read: int
    rows_kept: int
    duplicates: int
    """Rows that lost to a later one of the same id within their day."""
    non_null: dict[str, int]
    """Values among kept rows, per contract column that the scan reads."""
    rejects: tuple[Path, ...]
    """Files of rejected rows: the days' own, then those that belong to no day."""

    def files(self, table: str) -> list[Path]:
        """One table's files over the window, in order of day."""
        return [day.folder / f"{table}.parquet" for day in self.days]


def read_window(records: Sequence[DayRecord], night: date, undated: Sequence[Path]) -> Window:
    """Sum up the days; undated are the files of rejected rows that belong to no day."""
    found: list[dict[str, Any]] = [read_json(record.folder / "day.json") for record in records]
    non_null = Counter[str]()
    for day in found:
        non_null.update(day["non_null"])
    lost = sum(int(pq.read_metadata(path).num_rows) for path in undated)
    rejects = [path for record in records if (path := record.folder / "rejects.parquet").is_file()]
    return Window(
        tuple(records),
        night,
        sum(day["rows_read"] for day in found) + lost,
        sum(day["rows_kept"] for day in found),
        sum(day["duplicates_resolved"] for day in found),
        dict(sorted(non_null.items())),
        (*rejects, *undated),
    )


def window_ids(days: pl.DataFrame) -> pl.DataFrame:
    """The accounts of the window out of the days' account_ids: one row an account, with the organisation of most days (ties: smallest key)."""
    votes = days.drop_nulls("organization_key").group_by("account_key", "organization_key").len()
    ranked = votes.sort("account_key", pl.col("len"), "organization_key", descending=[False, True, False])
    chosen = ranked.unique("account_key", keep="first", maintain_order=True).drop("len")
    accounts = days.select("account_key", "account_id").unique().sort("account_key", "account_id")
    return accounts.join(chosen, on="account_key", how="left", maintain_order="left")
