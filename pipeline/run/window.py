"""What the days of a window add up to: rows read, kept and rejected, and where their rejected rows are listed.

All counts are integers summed over days, so they are equal for any order and split of the same files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from pipeline.ingest import DayCounts, LogFile
from pipeline.store import DayRecord, read_json


@dataclass(frozen=True)
class Window:
    """The days that are judged together."""

    days: tuple[DayRecord, ...]
    """Days with rows, kept or rejected, in order."""
    counts: tuple[DayCounts, ...]
    """What ingest counted, day by day."""
    night: date
    rejects: tuple[Path, ...]
    """Files of rejected rows: the days' own, then those that belong to no day."""
    undated_rows: int
    """Rejected rows that belong to no day."""

    @property
    def rows_read(self) -> int:
        """Rows of the days, kept or not, and rows that belong to no day."""
        return sum(day.rows_read for day in self.counts) + self.undated_rows

    @property
    def rows_kept(self) -> int:
        """Requests."""
        return sum(day.rows_kept for day in self.counts)

    @property
    def duplicates(self) -> int:
        """Rows that lost to a later one of the same id within their day."""
        return sum(day.duplicates_resolved for day in self.counts)

    @property
    def non_null(self) -> dict[str, int]:
        """Values among the requests, by input column that the scan reads."""
        totals = Counter[str]()
        for day in self.counts:
            totals.update(day.non_null)
        return dict(totals)

    def files(self, table: str) -> list[Path]:
        """One table's files over the window, in order of day."""
        return [day.folder / f"{table}.parquet" for day in self.days]


def read_window(records: Sequence[DayRecord], night: date, undated: Sequence[Path]) -> Window:
    """Sum up the days; undated are the files of rejected rows that belong to no day."""
    counts = tuple(_counts(read_json(record.folder / "day.json")) for record in records)
    rejects = [path for record in records if (path := record.folder / "rejects.parquet").is_file()]
    return Window(tuple(records), counts, night, (*rejects, *undated), sum(int(pq.read_metadata(path).num_rows) for path in undated))


def _counts(found: Mapping[str, Any]) -> DayCounts:
    """day.json as the record that wrote it."""
    return DayCounts(
        day=date.fromisoformat(found["day"]),
        rows_read=found["rows_read"],
        rows_kept=found["rows_kept"],
        rejected=found["rejected"],
        account_count=found["account_count"],
        non_null=found["non_null"],
        accounts_with=found["accounts_with"],
        preambles_cut=found["preambles_cut"],
    )


def footer_counts(files: Iterable[LogFile]) -> dict[str, int]:
    """Values by column as the files' footers state them; a column of which one file does not say is left out."""
    totals: dict[str, int | None] = {}
    for file in files:
        for column, count in file.footer_non_null.items():
            before = totals.get(column, 0)
            totals[column] = None if before is None or count is None else before + count
    return {column: count for column, count in sorted(totals.items()) if count is not None}
