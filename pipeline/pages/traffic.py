"""Traffic of each network and of its matched controls by day and by hour of the week, out of account_days.

One pass over account_days serves every page: sums of integers by (group, day), nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

HOURS = tuple(f"h{hour:02d}" for hour in range(24))
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
Week = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class DayVolume:
    """One UTC day of a group of accounts."""

    day: dt.date
    request_count: int
    active_accounts: int


@dataclass(frozen=True)
class GroupTraffic:
    """A group's traffic in the window; `week` is requests by weekday (Monday first) and UTC hour, `total` those requests."""

    days: tuple[DayVolume, ...] = ()
    week: Week = field(default=((0,) * 24,) * 7)
    total: int = 0
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        """Input and output tokens."""
        return self.input_tokens + self.output_tokens

    @property
    def weekdays(self) -> frozenset[int]:
        """Weekdays (0 = Monday) that the days cover."""
        return frozenset(volume.day.weekday() for volume in self.days)


def group_traffic(account_days: pl.DataFrame, groups: pl.DataFrame, calendar: Sequence[dt.date]) -> Mapping[str, GroupTraffic]:
    """Traffic by network_id of the accounts that `groups` (network_id, account_id) puts there, on each day of `calendar`.

    A network without a row in account_days is left out. Days outside the calendar are not counted.
    """
    if account_days.is_empty() or groups.is_empty():
        return {}
    columns = ["request_count", "input_tokens", "output_tokens", *HOURS]
    sums = (
        account_days.select("account_id", "day", *columns)
        .join(groups.select("network_id", "account_id").unique(), on="account_id", how="inner")
        .group_by("network_id", "day")
        .agg(*(pl.col(column).cast(pl.Int64).sum() for column in columns), (pl.col("request_count") > 0).sum().alias("active"))
        .sort("network_id", "day")
    )
    return {str(key[0]): _traffic(part.rows(named=True), calendar) for key, part in sums.partition_by("network_id", as_dict=True).items()}


def calendar_of(first_day: str, last_day: str, account_days: pl.DataFrame) -> tuple[dt.date, ...]:
    """Each day of the window; without a window in the manifest, from the first to the last day that has a row."""
    try:
        first, last = dt.date.fromisoformat(first_day), dt.date.fromisoformat(last_day)
    except ValueError:
        if account_days.is_empty():
            return ()
        days = account_days.get_column("day").cast(pl.Date)
        first, last = days.min(), days.max()  # type: ignore[assignment]  # a Date column's extremes are dates
    return tuple(first + dt.timedelta(days=offset) for offset in range((last - first).days + 1))


def _traffic(rows: Sequence[Mapping[str, Any]], calendar: Sequence[dt.date]) -> GroupTraffic:
    by_day = {row["day"]: row for row in rows}
    kept = [by_day[day] for day in calendar if day in by_day]
    week = [[0] * 24 for _ in DAYS]
    for row in kept:
        hours = week[row["day"].weekday()]
        for hour, name in enumerate(HOURS):
            hours[hour] += row[name]
    return GroupTraffic(
        days=tuple(DayVolume(day, row["request_count"] if row else 0, row["active"] if row else 0) for day in calendar for row in [by_day.get(day)]),
        week=tuple(map(tuple, week)),
        total=sum(map(sum, week)),
        input_tokens=sum(row["input_tokens"] or 0 for row in kept),
        output_tokens=sum(row["output_tokens"] or 0 for row in kept),
    )
