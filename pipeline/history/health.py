"""What a night's own day and the days before it counted, and how the accounts' scores lie: the part `health` of run.json.

Counts are integers of whole UTC days as the ingest took them, so a late file changes its own day only. They say nothing about
any account. A day is compared with the days of its window before it; a score with the nights before (run.json of each).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.store import read_json

SCORE_BINS = 20
"""Bins of width 1/20 over an account's extraction_score, 0..1; the last one holds 1."""
HOURS = tuple(f"h{hour:02d}" for hour in range(24))
DAYS_KEPT = 61


def health_of(days: Iterable[tuple[date, Path]], accounts: Path) -> dict[str, Any]:
    """Counts by day, newest 61 days of the window, and the histogram of scores in the run's accounts table. No days: none; no accounts: zeros."""
    newest = sorted(days)[-DAYS_KEPT:]
    return {"days": {day.isoformat(): _day(folder) for day, folder in newest}, "score_counts": _scores(accounts)}


def _day(folder: Path) -> dict[str, Any]:
    """rows_read, rows_kept, duplicates, rejected (without duplicates), accounts, requests by hour, filled (rows with a value, by column that has any)."""
    found = read_json(folder / "day.json")
    reasons: dict[str, int] = found["rejected"]
    hours = pl.scan_parquet(folder / "account_days.parquet", glob=False, hive_partitioning=False).select(pl.col(HOURS).sum()).collect()
    return {
        "rows_read": found["rows_read"],
        "rows_kept": found["rows_kept"],
        "duplicates": reasons.get("duplicate", 0),
        "rejected": sum(count for reason, count in reasons.items() if reason != "duplicate"),
        "accounts": found["account_count"],
        "hours": [int(count) for count in hours.row(0)] if hours.height else [0] * len(HOURS),
        "filled": {column: count for column, count in sorted(found["non_null"].items()) if count},
    }


def _scores(accounts: Path) -> list[int]:
    """Accounts by bin of extraction_score."""
    scores = pl.read_parquet(accounts, columns=["extraction_score"], glob=False, hive_partitioning=False)["extraction_score"].drop_nulls()
    bins = (scores * SCORE_BINS).floor().clip(0, SCORE_BINS - 1).cast(pl.Int64)
    counts = dict(bins.value_counts().iter_rows())
    return [int(counts.get(place, 0)) for place in range(SCORE_BINS)]
